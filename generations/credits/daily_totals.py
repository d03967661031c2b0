"""Keeps what a team's lines come to on days that are over; `credits.sums` reads it.

Why so: a month may have a million lines, and summing those takes a page half a second. Lines are added and
never changed, and each carries the moment at which it was written; so the sums of a day that is over stay
true, whatever is refunded later (a refund is a line of its own day). Nothing is kept up in the transaction
that settles a picture, and nothing there waits for it. `close_days` runs on beat.

Two tables, by model and by member, since a table by both would be about as long as the ledger itself.
`audit_ledger` holds them against the lines.
"""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q, Sum
from django.utils import timezone

from generations.credits import periods
from generations.credits.models import DayOfMember, DayOfModel, RolledUp, Transfer
from generations.credits.totals import Key, Total, enter, lines_on
from generations.teams.models import Team

log = logging.getLogger(__name__)

MARGIN = timedelta(hours=1)  # far more than a transaction takes to commit, or clocks of two machines differ
AT_ONCE = timedelta(days=31)  # days summed in one transaction


def close_days(now: datetime | None = None) -> int:
    """Sum up the days that are over, of every team; how many days. Harmless when repeated, or at once."""
    ready = (now or timezone.now()) - MARGIN
    behind = 0
    for team in Team.objects.select_related("rolled_up").order_by("pk"):
        try:
            while days := _close_some(team, periods.today(team, ready)):
                behind += days
                team.refresh_from_db()
        except Exception:  # one team's trouble keeps no other waiting
            log.exception("The days of %s could not be summed up", team)
    return behind


def wrong_teams() -> list[Team]:
    """Those whose kept sums are not those of their lines; there should be none."""
    return [row.team for row in RolledUp.objects.select_related("team") if not _is_true(row)]


def _close_some(team: Team, ready: date) -> int:
    """Sum up the next days before `ready`; how many, 0 if there are none left."""
    known = getattr(team, "rolled_up", None)  # came with the row; a new team has none
    if known and known.time_zone == team.time_zone and known.until >= ready:
        return 0
    with transaction.atomic():
        row = _begun(team)
        if row is None or row.until >= ready:
            return 0
        since = row.until
        row.until = min(since + AT_ONCE, ready)
        _sum_up(team, since, row.until - periods.DAY)
        row.save(update_fields=["until"])
    return (row.until - since).days


def _begun(team: Team) -> RolledUp | None:
    """Where the team's sums have come to, locked; from the first line on for a new team or time zone."""
    first = Transfer.objects.filter(team=team).order_by("created_at", "pk").first()
    if first is None:
        return None
    began = periods.today(team, first.created_at)
    RolledUp.objects.get_or_create(team=team, defaults={"time_zone": team.time_zone, "until": began})
    row = RolledUp.objects.select_for_update().get(team=team)
    if row.time_zone != team.time_zone:
        for table in (DayOfModel, DayOfMember):
            table._default_manager.filter(team=team).delete()
        row.time_zone, row.until = team.time_zone, began
        row.save(update_fields=["time_zone", "until"])
    return row


def _sum_up(team: Team, since: date, until: date) -> None:
    lines = lines_on(team, since, until)
    models: dict[Key, Total] = {}
    members: dict[Key, Total] = {}
    enter(models, lines, ("day", "kind", "model"), Count("pk"))
    enter(members, lines, ("day", "kind", "member"), Count("pk"))
    DayOfModel.objects.bulk_create(
        [
            DayOfModel(team=team, day=day, kind=kind, model=model, amount=total.amount, lines=total.lines)
            for (day, kind, model), total in models.items()
        ],
        batch_size=2_000,
    )
    DayOfMember.objects.bulk_create(
        [
            DayOfMember(
                team=team, day=day, kind=kind, member_id=member, amount=total.amount, lines=total.lines
            )
            for (day, kind, member), total in members.items()
        ],
        batch_size=2_000,
    )


def _is_true(row: RolledUp) -> bool:
    before = Q(created_at__lt=periods.begin(Team(time_zone=row.time_zone), row.until))
    said: dict[Key, Total] = {}
    enter(said, Transfer.objects.filter(before, team=row.team), ("kind",), Count("pk"))
    for table in (DayOfModel, DayOfMember):
        kept: dict[Key, Total] = {}
        days = table._default_manager.filter(team=row.team, day__lt=row.until)  # more may be closed meanwhile
        enter(kept, days, ("kind",), Sum("lines"))
        if kept != said:
            return False
    return True
