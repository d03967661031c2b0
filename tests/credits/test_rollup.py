"""Days that are over are summed once, and say the same as the lines."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

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
def wrote(member):
    """Write a charge of the past: wrote(moment, hundredths, model, by=...)."""
    return lambda at, amount, model="core", by=member, **more: past.charge(by, at, amount, model, **more)


def everything(team, **options):
    """The sums by day, kind and model, and by day, kind and member."""
    return [credits_totals.totals(team, by=("day", "kind", key), **options) for key in ("model", "member")]


def test_closed_days_say_what_their_lines_say(team, member, colleague, wrote):
    for day in range(1, 20):
        for person in (member, colleague):
            wrote(moment("2026-03-01T12:00") + timedelta(days=day, hours=day), 10 + day, by=person)
            wrote(moment("2026-03-01T23:30") + timedelta(days=day), 7, "ultra", by=person)
    live = everything(team), everything(team, since=date(2026, 3, 5), until=date(2026, 3, 9))
    assert daily_totals.close_days() > 200
    assert RolledUp.objects.get(team=team).until <= periods.today(team)
    assert DayOfModel.objects.exists()
    assert (everything(team), everything(team, since=date(2026, 3, 5), until=date(2026, 3, 9))) == live
    assert integrity_check.problems() == []


def test_closing_again_changes_nothing_and_a_day_that_is_not_over_stays_open(team, wrote):
    wrote(moment("2026-03-01T12:00"), 100)
    wrote(moment("2026-03-02T12:00"), 100)
    assert daily_totals.close_days(moment("2026-03-02T23:59")) == 1
    assert daily_totals.close_days(moment("2026-03-03T00:30")) == 0  # a line may still be on its way
    assert daily_totals.close_days(moment("2026-03-03T01:01")) == 1
    assert daily_totals.close_days(moment("2026-03-03T01:01")) == 0
    assert sum(row.lines for row in DayOfMember.objects.all()) == 2


def test_a_refund_counts_on_its_own_day(team, wrote):
    wrote(moment("2026-03-01T12:00"), 800, refunded=moment("2026-03-05T12:00"))
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
def test_a_day_is_that_of_the_team(team, wrote, zone, day):
    team.time_zone = zone
    team.save()
    wrote(moment("2026-03-01T18:20"), 100)
    for _ in ("from the lines", "from the days"):
        [(found,)] = [key[:1] for key in credits_totals.totals(team, by=("day",), until=date(2026, 4, 1))]
        assert found == day
        daily_totals.close_days()


def test_another_time_zone_counts_the_days_anew(team, wrote):
    wrote(moment("2026-03-01T23:30"), 100)
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


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Havana", "Africa/Cairo", "Australia/Lord_Howe"])
def test_when_clocks_change_no_line_is_lost_or_counted_twice(team, wrote, zone):
    team.time_zone = zone
    team.save()
    at = moment("2026-03-01T00:00")
    lines = 0
    while at < moment("2026-04-10T00:00"):
        wrote(at, 1)
        at, lines = at + timedelta(hours=7), lines + 1
    for _ in ("from the lines", "from the days"):
        days = [date(2026, 2, 20) + timedelta(days=number) for number in range(70)]
        counted = [credits_totals.totals(team, by=("kind",), since=day, until=day) for day in days]
        assert sum(found[("charge",)].lines for found in counted if found) == lines
        daily_totals.close_days()


def test_filters_ask_the_days_as_they_would_the_lines(team, member, colleague, wrote):
    for person, model in ((member, "core"), (member, "ultra"), (colleague, "core")):
        wrote(moment("2026-03-01T12:00"), 100, model, by=person)
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


def test_a_sum_that_is_wrong_is_noticed(spoiled, team, wrote):
    wrote(moment("2026-03-01T12:00"), 100)
    daily_totals.close_days()
    assert integrity_check.problems() == []
    DayOfModel.objects.filter(kind="charge").update(amount=99)
    [problem] = integrity_check.problems()
    assert "summed up days of Studio" in problem


def test_what_is_closed_while_it_is_looked_at_is_nothing_wrong(team, wrote):
    wrote(moment("2026-03-01T12:00"), 100)
    wrote(moment("2026-03-05T12:00"), 100)
    daily_totals.close_days(moment("2026-03-10T12:00"))
    RolledUp.objects.update(until=date(2026, 3, 3))  # as it was read before the other days were closed
    assert daily_totals.wrong_teams() == []


def test_a_team_that_cannot_be_summed_keeps_no_other_waiting(team, member, wrote, caplog):
    wrote(moment("2026-03-01T12:00"), 100)
    elsewhere = members_service.create_team("Elsewhere")
    tom = members_service.add_member(
        user=teams_users.create(email="tom@example.org"), team=elsewhere, granted=100_00
    )
    wrote(moment("2026-03-01T12:00"), 100, by=tom)
    Team.objects.filter(pk=team.pk).update(time_zone="No/Where")
    assert daily_totals.close_days(moment("2026-03-10T12:00")) == 9
    assert RolledUp.objects.get().team == elsewhere
    assert "The days of Studio could not be summed up" in caplog.messages


@pytest.fixture
def spoiled():
    """Tells the conftest that this test breaks the books on purpose."""


@pytest.mark.django_db(transaction=True)
def test_ten_closings_at_once_sum_each_day_once(team, wrote, together):
    for day in range(40):
        wrote(moment("2026-01-01T12:00") + timedelta(days=day), 100)
    until = moment("2026-03-01T12:00")
    together(*[partial(daily_totals.close_days, until)] * 10)
    assert credits_totals.totals(team, by=("kind",), until=date(2026, 2, 20))[
        ("charge",)
    ] == credits_totals.Total(4_000, 40)
    assert sum(row.lines for row in DayOfModel.objects.filter(kind="charge")) == 40
