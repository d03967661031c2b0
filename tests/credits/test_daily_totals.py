"""Stored daily totals equal the sums of the transfers."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from generations.credits import daily_totals, integrity_check, periods
from generations.credits import totals as credits_totals
from generations.credits.models import DayOfMember, DayOfModel, RolledUp
from generations.office.members import service as members_service
from generations.teams import users as teams_users
from generations.teams.models import Team
from tests import past
from tests.past import moment

SPENT = ("charge", "refund")


@pytest.fixture
def charge(member):
    """Post a charge in the past: charge(time, hundredths, model, by=...)."""
    return lambda at, amount, model="core", by=member, **more: past.charge(by, at, amount, model, **more)


def all_totals(team, **options):
    """Return the totals by day, kind and model, and by day, kind and member."""
    return [credits_totals.totals(team, by=("day", "kind", key), **options) for key in ("model", "member")]


def test_stored_totals_equal_the_sums_of_the_transfers(team, member, colleague, charge):
    for day in range(1, 20):
        for person in (member, colleague):
            charge(moment("2026-03-01T12:00") + timedelta(days=day, hours=day), 10 + day, by=person)
            charge(moment("2026-03-01T23:30") + timedelta(days=day), 7, "ultra", by=person)
    live = all_totals(team), all_totals(team, since=date(2026, 3, 5), until=date(2026, 3, 9))
    assert daily_totals.close_days() > 200
    assert RolledUp.objects.get(team=team).until <= periods.today(team)
    assert DayOfModel.objects.exists()
    assert (all_totals(team), all_totals(team, since=date(2026, 3, 5), until=date(2026, 3, 9))) == live
    assert integrity_check.problems() == []


def test_closing_again_changes_nothing_and_only_past_days_are_closed(team, charge):
    charge(moment("2026-03-01T12:00"), 100)
    charge(moment("2026-03-02T12:00"), 100)
    assert daily_totals.close_days(moment("2026-03-02T23:59")) == 1
    assert (
        daily_totals.close_days(moment("2026-03-03T00:30")) == 0
    )  # a transaction may not have committed yet
    assert daily_totals.close_days(moment("2026-03-03T01:01")) == 1
    assert daily_totals.close_days(moment("2026-03-03T01:01")) == 0
    assert sum(row.lines for row in DayOfMember.objects.all()) == 2


def test_a_refund_counts_on_its_own_day(team, charge):
    charge(moment("2026-03-01T12:00"), 800, refunded=moment("2026-03-05T12:00"))
    daily_totals.close_days()
    found = credits_totals.totals(team, by=("day", "kind"), until=date(2026, 3, 9))
    assert {key: total.amount for key, total in found.items()} == {
        (date(2026, 3, 1), "charge"): 800,
        (date(2026, 3, 5), "refund"): 800,
    }


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("UTC", date(2026, 3, 1)),
        ("Asia/Kathmandu", date(2026, 3, 2)),  # a quarter to six ahead
        ("Asia/Kolkata", date(2026, 3, 1)),
        ("America/Los_Angeles", date(2026, 3, 1)),
        ("Pacific/Apia", date(2026, 3, 2)),
    ],
)
def test_days_are_those_of_the_teams_time_zone(team, charge, zone, day):
    team.time_zone = zone
    team.save()
    charge(moment("2026-03-01T18:20"), 100)
    for _ in ("from the transfers", "from stored totals"):
        [(found,)] = [key[:1] for key in credits_totals.totals(team, by=("day",), until=date(2026, 4, 1))]
        assert found == day
        daily_totals.close_days()


def test_changing_the_time_zone_recomputes_the_days(team, charge):
    charge(moment("2026-03-01T23:30"), 100)
    daily_totals.close_days()
    team.time_zone = "Europe/Berlin"
    team.save()
    april = date(2026, 4, 1)
    assert list(credits_totals.totals(team, by=("day",), until=april)) == [
        (date(2026, 3, 2),)
    ]  # not closed yet
    assert daily_totals.close_days()
    assert list(DayOfModel.objects.filter(kind="charge").values_list("day", flat=True)) == [date(2026, 3, 2)]
    assert list(credits_totals.totals(team, by=("day",), until=april)) == [(date(2026, 3, 2),)]


CLOCKS_CHANGE = {
    "Europe/Berlin": "2026-03-29",
    "America/Havana": "2026-03-08",
    "Africa/Cairo": "2026-04-24",
    "Australia/Lord_Howe": "2026-04-05",  # by half an hour
}


@pytest.mark.parametrize(("zone", "day"), CLOCKS_CHANGE.items())
def test_when_clocks_change_no_transfer_is_lost_or_counted_twice(team, charge, zone, day):
    team.time_zone = zone
    team.save()
    change = moment(f"{day}T00:00")
    assert len({(change + timedelta(days=n)).astimezone(ZoneInfo(zone)).utcoffset() for n in (-2, 2)}) == 2
    moments = [change + timedelta(hours=hours) for hours in range(-72, 72, 7)]
    for at in moments:
        charge(at, 1)
    for _ in ("from the transfers", "from stored totals"):
        days = [change.date() + timedelta(days=number) for number in range(-6, 7)]
        counted = [credits_totals.totals(team, by=("kind",), since=day, until=day) for day in days]
        assert sum(found[("charge",)].lines for found in counted if found) == len(moments)
        daily_totals.close_days()


def test_filters_give_the_same_from_stored_totals(team, member, colleague, charge):
    for person, model in ((member, "core"), (member, "ultra"), (colleague, "core")):
        charge(moment("2026-03-01T12:00"), 100, model, by=person)
    filters = [
        {"member": member.pk},
        {"model": "core"},
        {"kind": "charge"},
        {"kind__in": SPENT},
        {"member": member.pk, "model": "core"},
        {"member__in": [member.pk, colleague.pk], "kind": "charge"},
    ]
    live = [credits_totals.totals(team, by=("kind",), where=where) for where in filters]
    daily_totals.close_days()
    assert [credits_totals.totals(team, by=("kind",), where=where) for where in filters] == live
    assert [found[("charge",)].lines for found in live] == [2, 2, 3, 3, 1, 3]


def test_a_wrong_total_is_found(corrupted, team, charge):
    charge(moment("2026-03-01T12:00"), 100)
    daily_totals.close_days()
    assert integrity_check.problems() == []
    DayOfModel.objects.filter(kind="charge").update(amount=99)
    [problem] = integrity_check.problems()
    assert "daily totals of Studio" in problem


def test_days_closed_during_the_check_are_not_reported(team, charge):
    charge(moment("2026-03-01T12:00"), 100)
    charge(moment("2026-03-05T12:00"), 100)
    daily_totals.close_days(moment("2026-03-10T12:00"))
    RolledUp.objects.update(until=date(2026, 3, 3))  # as it was read before the other days were closed
    assert daily_totals.teams_with_wrong_totals() == []


def test_an_error_of_one_team_does_not_stop_the_others(team, member, charge, caplog):
    charge(moment("2026-03-01T12:00"), 100)
    elsewhere = members_service.create_team("Elsewhere")
    tom = members_service.add_member(
        user=teams_users.create(email="tom@example.org"), team=elsewhere, granted=100_00
    )
    charge(moment("2026-03-01T12:00"), 100, by=tom)
    Team.objects.filter(pk=team.pk).update(time_zone="No/Where")
    assert daily_totals.close_days(moment("2026-03-10T12:00")) == 9
    assert RolledUp.objects.get().team == elsewhere
    assert "The daily totals of Studio could not be stored" in caplog.messages


@pytest.fixture
def corrupted():
    """Tell the conftest that this test corrupts the ledger."""


@pytest.mark.django_db(transaction=True)
def test_ten_concurrent_runs_store_each_day_once(team, charge, concurrently):
    for day in range(40):
        charge(moment("2026-01-01T12:00") + timedelta(days=day), 100)
    until = moment("2026-03-01T12:00")
    concurrently(*[partial(daily_totals.close_days, until)] * 10)
    assert credits_totals.totals(team, by=("kind",), until=date(2026, 2, 20))[
        ("charge",)
    ] == credits_totals.Total(4_000, 40)
    assert sum(row.lines for row in DayOfModel.objects.filter(kind="charge")) == 40
