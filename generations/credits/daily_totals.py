"""Stored daily totals of a team's transfers; `totals` reads them.

A month may have a million transfers, and summing them takes half a second per page. Transfers are added and
never changed, so the totals of a day that is over stay true, whatever is refunded later (a refund is a
transfer of its own day). Settling a generation updates no totals and waits for none; Celery beat runs
`close_days`.

Two tables, by model and by member, since one by both would have about as many rows as the ledger itself.
`audit_ledger` compares them with the transfers.
"""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q, Sum
from django.utils import timezone

from generations.credits import periods
from generations.credits.models import DayOfMember, DayOfModel, RolledUp, Transfer
from generations.credits.totals import Key, Total, add_groups, transfers_on
from generations.teams.models import Team

log = logging.getLogger(__name__)

MARGIN = timedelta(hours=1)  # far longer than a transaction, and than clocks of two machines differ
CHUNK = timedelta(days=31)  # days stored in one transaction


def close_days(now: datetime | None = None) -> int:
    """Store the totals of all days that are over, of every team; return how many days. Safe to run twice."""
    ready = (now or timezone.now()) - MARGIN
    closed = 0
    for team in Team.objects.select_related("rolled_up").order_by("pk"):
        try:
            while days := _close_chunk(team, periods.today(team, ready)):
                closed += days
                team.refresh_from_db()
        except Exception:  # an error of one team must not stop the others
            log.exception("The daily totals of %s could not be stored", team)
    return closed


def teams_with_wrong_totals() -> list[Team]:
    """Return the teams whose stored totals differ from their transfers; there should be none."""
    return [row.team for row in RolledUp.objects.select_related("team") if not _is_exact(row)]


def _close_chunk(team: Team, ready: date) -> int:
    """Store the totals of the next days before `ready`; return how many days, 0 if there are none left."""
    stored = getattr(team, "rolled_up", None)  # read with the team; a new team has none
    if stored and stored.time_zone == team.time_zone and stored.until >= ready:
        return 0
    with transaction.atomic():
        row = _lock_progress(team)
        if row is None or row.until >= ready:
            return 0
        since = row.until
        row.until = min(since + CHUNK, ready)
        _store(team, since, row.until - periods.DAY)
        row.save(update_fields=["until"])
    return (row.until - since).days


def _lock_progress(team: Team) -> RolledUp | None:
    """Lock and return the team's row; from its first transfer on for a new team or time zone."""
    first = Transfer.objects.filter(team=team).order_by("created_at", "pk").first()
    if first is None:
        return None
    first_day = periods.today(team, first.created_at)
    RolledUp.objects.get_or_create(team=team, defaults={"time_zone": team.time_zone, "until": first_day})
    row = RolledUp.objects.select_for_update().get(team=team)
    if row.time_zone != team.time_zone:
        for table in (DayOfModel, DayOfMember):
            table._default_manager.filter(team=team).delete()
        row.time_zone, row.until = team.time_zone, first_day
        row.save(update_fields=["time_zone", "until"])
    return row


def _store(team: Team, since: date, until: date) -> None:
    transfers = transfers_on(team, since, until)
    models: dict[Key, Total] = {}
    members: dict[Key, Total] = {}
    add_groups(models, transfers, ("day", "kind", "model"), Count("pk"))
    add_groups(members, transfers, ("day", "kind", "member"), Count("pk"))
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


def _is_exact(row: RolledUp) -> bool:
    before = Q(created_at__lt=periods.begin(Team(time_zone=row.time_zone), row.until))
    expected: dict[Key, Total] = {}
    add_groups(expected, Transfer.objects.filter(before, team=row.team), ("kind",), Count("pk"))
    for table in (DayOfModel, DayOfMember):
        stored: dict[Key, Total] = {}
        days = table._default_manager.filter(team=row.team, day__lt=row.until)  # more may be stored meanwhile
        add_groups(stored, days, ("kind",), Sum("lines"))
        if stored != expected:
            return False
    return True
