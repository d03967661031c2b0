"""Telling people what they should know: raised once, shown until it is over or put away, mailed once each.

`compare` holds what is found against what is open. It locks the open notices before it looks again, so
of two at once the second sees what the first did; constraints keep what neither can see.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from generations.office.models import Notice, NoticeKind, NoticeReader
from generations.office.notices import messages as notices_messages
from generations.office.notices import rules as notices_rules
from generations.office.notices.messages import Said
from generations.office.notices.preferences import EMAIL, OF_KEEPERS, OF_MEMBERS, OF_OPERATORS, PAGE, wants
from generations.teams.models import Kind, Membership, User
from generations.teams.permissions import KEEPERS, MAKERS
from generations.upstreams.models import Upstream

if TYPE_CHECKING:
    from datetime import datetime

    from generations.office.notices.rules import Found


@dataclass(frozen=True)
class Told:
    """A notice as it stands on a page; `number` is None for one that cannot be put away yet."""

    number: int | None
    said: Said


def compare(now: datetime | None = None) -> tuple[int, int]:
    """Raise what holds and clear what is over; how many of each. A constant number of queries.

    Mostly all is as it was: that is found out without a lock, which on SQLite would keep everybody.
    """
    now = now or timezone.now()
    return (0, 0) if _is_as_it_was(notices_rules.everything(now)) else _settle(now)


def _is_as_it_was(found: dict[tuple[str, str], Found]) -> bool:
    open_ones = Notice.objects.filter(cleared_at=None)
    known = {
        (kind, about): values for kind, about, values in open_ones.values_list("kind", "about", "values")
    }
    held = all(key in found and found[key].values == values for key, values in known.items())
    return held and all(key in known for key, each in found.items() if each.deep)


@transaction.atomic
def _settle(now: datetime) -> tuple[int, int]:
    open_ones = list(Notice.objects.filter(cleared_at=None).select_for_update(no_key=True).order_by("pk"))
    found = notices_rules.everything(now)
    over = [notice for notice in open_ones if (notice.kind, notice.about) not in found]
    Notice.objects.filter(pk__in=[notice.pk for notice in over]).update(cleared_at=now)
    _keep_up(open_ones, found)
    known = {(notice.kind, notice.about) for notice in open_ones}
    raised = _raise([each for key, each in sorted(found.items()) if each.deep and key not in known], now)
    return len(raised), len(over)


def shown(user: User, member: Membership | None) -> list[Told]:
    """What the person is told on a page of the team, the newest first. One query, and one for operators."""
    concerns = _about(member) | (Q(kind__in=OF_OPERATORS) if user.is_staff else Q())
    if not concerns:
        return []
    put_away = NoticeReader.objects.filter(notice=OuterRef("pk"), user=user, dismissed_at__isnull=False)
    rows = Notice.objects.filter(concerns, cleared_at=None).annotate(put_away=Exists(put_away))
    notices = list(rows.select_related("team").order_by("-raised_at", "-pk"))
    told = [
        Told(notice.pk, notices_messages.said(notice))
        for notice in notices
        if wants(user, notice.kind, PAGE)
        and not notice.put_away
        and notice.kind != NoticeKind.UPSTREAM_PAUSED
    ]
    return [*_paused(user, notices), *told]


@transaction.atomic
def dismiss(*, notice: Notice, user: User) -> None:
    """Put it away for one person, until it is raised anew."""
    NoticeReader.objects.update_or_create(
        notice=notice, user=user, defaults={"dismissed_at": timezone.now(), "mail_due_at": None}
    )


def of_person(user: User) -> QuerySet[Notice]:
    """Open notices that concern the person, in whichever team."""
    mine = user.memberships.filter(ended_at=None, team__deactivated_at=None)
    run = mine.filter(role__in=KEEPERS).values("team")
    concerns = Q(member__in=mine) | Q(kind__in=OF_KEEPERS, team__in=run)
    return Notice.objects.filter(
        concerns | (Q(kind__in=OF_OPERATORS) if user.is_staff else Q()), cleared_at=None
    )


def audience(notices: Collection[Notice]) -> dict[int, list[User]]:
    """Whom each notice concerns now, by its number. Two queries."""
    teams = {notice.team_id for notice in notices if notice.kind in OF_KEEPERS}
    members = {notice.member_id for notice in notices if notice.member_id}
    current = Membership.objects.filter(kind=Kind.PERSON, user__is_active=True, ended_at=None)
    current = current.filter(team__deactivated_at=None).select_related("user").order_by("pk")
    concerned = Q(pk__in=members, role__in=MAKERS) | Q(team__in=teams, role__in=KEEPERS)
    operators = list(User.objects.filter(is_staff=True, is_active=True).order_by("pk"))
    own: dict[int | None, list[User]] = {}
    keepers: dict[int | None, list[User]] = defaultdict(list)
    for row in current.filter(concerned):
        assert row.user is not None
        own[row.pk] = [row.user]
        if row.role in KEEPERS:
            keepers[row.team_id].append(row.user)
    whom = {kind: lambda _notice: operators for kind in OF_OPERATORS}
    whom |= {kind: lambda notice: keepers[notice.team_id] for kind in OF_KEEPERS}
    whom |= {kind: lambda notice: own.get(notice.member_id, []) for kind in OF_MEMBERS}
    return {notice.pk: whom[NoticeKind(notice.kind)](notice) for notice in notices}


def _about(member: Membership | None) -> Q:
    """What concerns a member: their own, and their team's if they run it."""
    if member is None:
        return Q()
    mine = Q(member=member.pk)
    return mine | Q(kind__in=OF_KEEPERS, team=member.team_id) if member.role in KEEPERS else mine


def _paused(user: User, notices: Iterable[Notice]) -> list[Told]:
    """Accounts that are not called as they are now, which their notices say up to a minute later."""
    if not (user.is_staff and wants(user, NoticeKind.UPSTREAM_PAUSED, PAGE)):
        return []
    raised = {notice.about: notice for notice in notices if notice.kind == NoticeKind.UPSTREAM_PAUSED}
    told = []
    for row in Upstream.objects.filter(enabled=True, paused_at__isnull=False):
        notice = raised.get(str(row.pk))
        if not getattr(notice, "put_away", False):
            said = notices_messages.paused({"name": row.name, "reason": row.paused_reason})
            told.append(Told(notice.pk if notice else None, said))
    return told


def _keep_up(open_ones: Iterable[Notice], found: dict[tuple[str, str], Found]) -> None:
    """Let what stays open say the numbers of now."""
    stale = []
    for notice in open_ones:
        now = found.get((notice.kind, notice.about))
        if now and now.values != notice.values:
            notice.values = now.values
            stale.append(notice)
    Notice.objects.bulk_update(stale, ["values"])


def _raise(found: Collection[Found], now: datetime) -> list[Notice]:
    """Write them down, with whom a mail is due to; what another raised meanwhile is left to it."""
    if not found:
        return []
    rows = [
        Notice(
            kind=each.kind,
            about=each.about,
            team_id=each.team,
            member_id=each.member,
            upstream_id=each.upstream,
            values=each.values,
            raised_at=now,
        )
        for each in found
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    keys = {each.key for each in found}
    raised = [
        notice
        for notice in Notice.objects.filter(cleared_at=None, about__in={about for _kind, about in keys})
        if (notice.kind, notice.about) in keys
    ]
    if settings.EMAIL_URL:
        _address(raised, now)
    return raised


def _address(notices: Collection[Notice], now: datetime) -> None:
    """Note whom a mail is due to, once each."""
    people = audience(notices)
    readers = [
        NoticeReader(notice=notice, user=user, mail_due_at=now)
        for notice in notices
        for user in people[notice.pk]
        if wants(user, notice.kind, EMAIL)
    ]
    NoticeReader.objects.bulk_create(readers, ignore_conflicts=True)
