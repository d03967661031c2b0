"""Raise and clear notices, find their recipients, and dismiss them.

A notice is raised once, shown until it is cleared or dismissed, and mailed once to each recipient.
`raise_and_clear` compares the conditions with the open notices. It locks the open notices before it evaluates
the conditions again, so that of two concurrent runs the second sees the changes of the first; constraints
prevent the duplicates that a lock on existing rows cannot.

Requests for credits are shown beside them by rows of their own (`credits.requests`): a process of an older
version, which may run beside this one, does not know their kinds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from generations.core.prepared_queries import Param, PreparedQuery
from generations.jobs import events
from generations.office.credits import requests as credit_requests
from generations.office.models import (
    CreditRequest,
    CreditRequestState,
    Notice,
    NoticeKind,
    NoticeReader,
)
from generations.office.notices import messages as notices_messages
from generations.office.notices import rules as notices_rules
from generations.office.notices.messages import NoticeMessage
from generations.office.notices.preferences import (
    ADMINISTRATOR_KINDS,
    EMAIL,
    MEMBER_KINDS,
    OPERATOR_KINDS,
    PAGE,
    wants,
)
from generations.office.notices.rules import Condition
from generations.teams.models import Kind, Membership, User
from generations.teams.permissions import ADMINISTRATORS, CREATORS
from generations.upstreams.models import Upstream


@dataclass(frozen=True)
class ShownNotice:
    """A notice as a page shows it; `pk` is None for one that is not stored yet and cannot be dismissed.

    `asked` is the request for credits that can be answered right there, `answered` one whose answer is news.
    """

    pk: int | None
    message: NoticeMessage
    asked: CreditRequest | None = None
    answered: CreditRequest | None = None


def raise_and_clear(now: datetime | None = None) -> tuple[int, int]:
    """Raise and clear notices by the current conditions.

    Returns how many of each, in a constant number of queries. Mostly nothing has changed: that is checked
    without a lock, which would block all writers on SQLite.
    """
    now = now or timezone.now()
    return (0, 0) if _is_up_to_date(notices_rules.find_conditions(now)) else _update_notices(now)


def _is_up_to_date(conditions: dict[tuple[str, str], Condition]) -> bool:
    rows = _open_notices().values_list("kind", "about", "values")
    open_values = {(kind, about): values for kind, about, values in rows}
    unchanged = all(
        key in conditions and conditions[key].values == values for key, values in open_values.items()
    )
    return unchanged and all(key in open_values for key, each in conditions.items() if each.met)


@transaction.atomic
def _update_notices(now: datetime) -> tuple[int, int]:
    notices = list(_open_notices().select_for_update(no_key=True).order_by("pk"))
    conditions = notices_rules.find_conditions(now)
    over = [notice for notice in notices if (notice.kind, notice.about) not in conditions]
    Notice.objects.filter(pk__in=[notice.pk for notice in over]).update(cleared_at=now)
    _update_values(notices, conditions)
    open_keys = {(notice.kind, notice.about) for notice in notices}
    new = [each for key, each in sorted(conditions.items()) if each.met and key not in open_keys]
    raised = _raise(new, now)
    transaction.on_commit(partial(announce, [*raised, *over]))
    return len(raised), len(over)


def announce(notices: Collection[Notice]) -> None:
    """Have the open pages of those whom the notices concern show what was raised or cleared."""
    concerned = {user.pk for users in recipients(notices).values() for user in users}
    current = Membership.objects.filter(user__in=concerned, ended_at=None, team__deactivated_at=None)
    events.notices_changed([(row.user_id, row.team_id) for row in current if row.user_id is not None])


def notices_for_page(user: User, member: Membership | None) -> list[ShownNotice]:
    """Return the notices that a page of the team shows to the user, newest first.

    Two queries, and another one for operators.
    """
    requests = _requests(user, member) if member else []
    if member is None and not user.is_staff:
        return requests
    administers = member is not None and member.role in ADMINISTRATORS
    own, team = (member.pk, member.team_id) if member else (None, None)
    notices = _of_page[administers, user.is_staff].all(user=user.pk, member=own, team=team)
    shown = [
        ShownNotice(notice.pk, notices_messages.message(notice))
        for notice in notices
        if wants(user, notice.kind, PAGE)
        and not notice.is_dismissed
        and notice.kind != NoticeKind.UPSTREAM_PAUSED
    ]
    return [*_paused_upstreams(user, notices), *requests, *shown]


@transaction.atomic
def dismiss(*, notice: Notice, user: User) -> None:
    """Hide the notice from one user until it is raised again."""
    NoticeReader.objects.update_or_create(
        notice=notice, user=user, defaults={"dismissed_at": timezone.now(), "mail_due_at": None}
    )


def open_notices_of(user: User) -> QuerySet[Notice]:
    """Return the open notices that concern the user, of all their teams."""
    memberships = user.memberships.filter(ended_at=None, team__deactivated_at=None)
    administered = memberships.filter(role__in=ADMINISTRATORS).values("team")
    concerns = Q(member__in=memberships) | Q(kind__in=ADMINISTRATOR_KINDS, team__in=administered)
    return _open_notices().filter(concerns | (Q(kind__in=OPERATOR_KINDS) if user.is_staff else Q()))


def recipients(notices: Collection[Notice]) -> dict[int, list[User]]:
    """Return the users that each notice concerns now, by the key of the notice. Two queries."""
    teams = {notice.team_id for notice in notices if notice.kind in ADMINISTRATOR_KINDS}
    members = {notice.member_id for notice in notices if notice.member_id}
    current = Membership.objects.filter(kind=Kind.PERSON, user__is_active=True, ended_at=None)
    current = current.filter(team__deactivated_at=None).select_related("user").order_by("pk")
    concerned = Q(pk__in=members, role__in=CREATORS) | Q(team__in=teams, role__in=ADMINISTRATORS)
    operators = list(User.objects.filter(is_staff=True, is_active=True).order_by("pk"))
    own: dict[int | None, list[User]] = {}
    administrators: dict[int | None, list[User]] = defaultdict(list)
    for row in current.filter(concerned):
        assert row.user is not None
        own[row.pk] = [row.user]
        if row.role in ADMINISTRATORS:
            administrators[row.team_id].append(row.user)
    whom = {kind: lambda _notice: operators for kind in OPERATOR_KINDS}
    whom |= {kind: lambda notice: administrators[notice.team_id] for kind in ADMINISTRATOR_KINDS}
    whom |= {kind: lambda notice: own.get(notice.member_id, []) for kind in MEMBER_KINDS}
    return {notice.pk: whom[NoticeKind(notice.kind)](notice) for notice in notices}


def _open_notices() -> QuerySet[Notice]:
    """Return the open notices of the kinds that this version knows."""
    return Notice.objects.filter(cleared_at=None, kind__in=NoticeKind.values)


def _requests(user: User, member: Membership) -> list[ShownNotice]:
    """Return the requests for credits that the member may answer, and news of their own."""
    shown = []
    for request in credit_requests.shown_to(member):
        is_answer = request.state != CreditRequestState.OPEN
        if wants(user, credit_requests.kind_of_notice(is_answer=is_answer), PAGE):
            asked, answered = (None, request) if is_answer else (request, None)
            shown.append(ShownNotice(None, notices_messages.credit_request(request), asked, answered))
    return shown


def _notices_of_page(*, administers: bool, operates: bool) -> QuerySet[Notice]:
    """Return a member's notices, an administrator's those of the team too, an operator's all others too."""
    concerns = Q(member=Param("member"))
    concerns |= Q(kind__in=ADMINISTRATOR_KINDS, team=Param("team")) if administers else Q()
    concerns |= Q(kind__in=OPERATOR_KINDS) if operates else Q()
    dismissed = NoticeReader.objects.filter(notice=OuterRef("pk"), user=Param("user"))
    is_dismissed = Exists(dismissed.filter(dismissed_at__isnull=False))
    rows = _open_notices().filter(concerns).annotate(is_dismissed=is_dismissed)
    return rows.select_related("team").order_by("-raised_at", "-pk")


_of_page: Mapping[tuple[bool, bool], PreparedQuery[Any]] = {
    (administers, operates): PreparedQuery(
        partial(_notices_of_page, administers=administers, operates=operates)
    )
    for administers in (False, True)
    for operates in (False, True)
}


def _paused_upstreams(user: User, notices: Iterable[Notice]) -> list[ShownNotice]:
    """Return notices about accounts that are paused now, or lack a model.

    Stored notices follow up to a minute later, and stay while a model is only tried again.
    """
    if not (user.is_staff and wants(user, NoticeKind.UPSTREAM_PAUSED, PAGE)):
        return []
    raised = {notice.about: notice for notice in notices if notice.kind == NoticeKind.UPSTREAM_PAUSED}
    shown = []
    unusable = ~Q(closed_models={}) | Q(paused_at__isnull=False)
    for row in Upstream.objects.filter(unusable, enabled=True):
        for condition in notices_rules.unusable(row):
            notice = raised.get(condition.about)
            if not getattr(notice, "is_dismissed", False) and (notice or condition.met):
                message = notices_messages.upstream_paused(condition.values)
                shown.append(ShownNotice(notice.pk if notice else None, message))
    return shown


def _update_values(notices: Iterable[Notice], conditions: dict[tuple[str, str], Condition]) -> None:
    """Update the values of the notices that stay open."""
    changed = []
    for notice in notices:
        condition = conditions.get((notice.kind, notice.about))
        if condition and condition.values != notice.values:
            notice.values = condition.values
            changed.append(notice)
    Notice.objects.bulk_update(changed, ["values"])


def _raise(conditions: Collection[Condition], now: datetime) -> list[Notice]:
    """Create notices and schedule their mails; skip those that a concurrent run has created."""
    if not conditions:
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
        for each in conditions
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    keys = {each.key for each in conditions}
    raised = [
        notice
        for notice in Notice.objects.filter(cleared_at=None, about__in={about for _kind, about in keys})
        if (notice.kind, notice.about) in keys
    ]
    if settings.EMAIL_URL:
        _schedule_mails(raised, now)
    return raised


def _schedule_mails(notices: Collection[Notice], now: datetime) -> None:
    """Schedule one mail for each recipient of each notice."""
    users = recipients(notices)
    readers = [
        NoticeReader(notice=notice, user=user, mail_due_at=now)
        for notice in notices
        for user in users[notice.pk]
        if wants(user, notice.kind, EMAIL)
    ]
    NoticeReader.objects.bulk_create(readers, ignore_conflicts=True)
