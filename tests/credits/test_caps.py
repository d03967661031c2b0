"""Caps: no member spends more than theirs in a day or a month of the team's time zone."""

import uuid
from datetime import UTC, date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from generations.credits import caps, ledger, posting
from generations.credits.models import Account, Hold, HoldState, Transfer
from generations.teams.models import Membership, Team


def cap(member, **limits):
    Membership.objects.filter(pk=member.pk).update(**limits)
    member.refresh_from_db()


def hold(member, amount):
    return ledger.hold(member=member, amount=amount, reference=uuid.uuid4())


def charge(member, amount, at):
    """Charge a generation at that time; return its reference."""
    held = hold(member, amount)
    line = Transfer(kind="charge", amount=amount, reference=held.reference, created_at=at)
    line.source, line.target, line.member, line.team = held.account, ledger.spent(), member, member.team
    ledger._close(held, HoldState.SETTLED, posting.post(line, freed=amount))
    return held.reference


def usage(member, now):
    wallet = Account.objects.get(membership=member)
    return {cap.name: cap for cap in caps.usage(caps.limits_of(member), wallet, now)}


def in_zone(member, zone):
    Team.objects.filter(pk=member.team_id).update(time_zone=zone)
    member.team.refresh_from_db()


def test_no_more_than_the_cap_is_held_in_a_day(member):
    cap(member, cap_per_day=10_00)
    hold(member, 8_00)
    with pytest.raises(ledger.CapReached) as refused:
        hold(member, 2_01)
    assert (refused.value.cap, refused.value.left, refused.value.period) == (10_00, 2_00, "day")
    assert "Your cap of 10 credits a day leaves 2." in str(refused.value)
    hold(member, 2_00)
    assert Account.objects.get(membership=member).held == 10_00


def test_what_is_held_counts_until_it_is_released(member):
    cap(member, cap_per_day=10_00)
    held = hold(member, 10_00)
    with pytest.raises(ledger.CapReached):
        hold(member, 1)
    ledger.release(reference=held.reference)
    hold(member, 10_00)


def test_a_refund_frees_the_cap_again(member):
    cap(member, cap_per_day=10_00)
    held = hold(member, 10_00)
    ledger.settle(reference=held.reference)
    with pytest.raises(ledger.CapReached):
        hold(member, 1)
    ledger.refund(reference=held.reference)
    hold(member, 10_00)


def test_refunding_an_older_generation_does_not_raise_what_is_left_today(member):
    cap(member, cap_per_day=10_00)
    yesterday = charge(member, 8_00, timezone.now() - timedelta(days=1))
    ledger.refund(reference=yesterday)
    assert usage(member, timezone.now())["day"].left == 10_00
    with pytest.raises(ledger.CapReached):
        hold(member, 10_01)


def test_a_cap_of_zero_allows_no_spending(member):
    cap(member, cap_per_day=0)
    with pytest.raises(ledger.CapReached):
        hold(member, 1)


def test_a_batch_that_exceeds_the_cap_is_not_held_at_all(member):
    cap(member, cap_per_month=10_00)
    with pytest.raises(ledger.CapReached) as refused:
        ledger.hold_many(member=member, amounts={uuid.uuid4(): 3_00 for _ in range(4)})
    assert refused.value.period == "month"
    assert not Hold.objects.exists()


def test_the_error_names_the_tighter_of_two_caps(member):
    cap(member, cap_per_day=40_00, cap_per_month=5_00)
    with pytest.raises(ledger.CapReached, match="5 credits a month"):
        hold(member, 6_00)


def test_repeating_a_hold_ignores_a_cap_that_was_lowered_since(member):
    held = hold(member, 10_00)
    cap(member, cap_per_day=1_00)
    again = ledger.hold(member=member, amount=10_00, reference=held.reference)
    assert again.pk == held.pk


def test_the_monthly_cap_does_not_renew_with_the_daily_one(member):
    cap(member, cap_per_day=10_00, cap_per_month=15_00)
    noon = datetime(2026, 11, 10, 12, tzinfo=UTC)
    charge(member, 10_00, noon)
    assert {name: each.left for name, each in usage(member, noon).items()} == {"day": 0, "month": 5_00}
    tomorrow = usage(member, noon + timedelta(days=1))
    assert {name: each.left for name, each in tomorrow.items()} == {"day": 10_00, "month": 5_00}
    december = usage(member, datetime(2026, 12, 1, tzinfo=UTC))
    assert {name: each.left for name, each in december.items()} == {"day": 10_00, "month": 15_00}


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        ("UTC", (2026, 1, 31, 23, 59), (2026, 2, 1, 0, 0)),
        ("Europe/Berlin", (2026, 1, 31, 22, 59), (2026, 1, 31, 23, 0)),
        ("Pacific/Apia", (2026, 1, 31, 10, 59), (2026, 1, 31, 11, 0)),
        ("Asia/Kathmandu", (2026, 1, 31, 18, 14), (2026, 1, 31, 18, 15)),
        ("Pacific/Pago_Pago", (2026, 2, 1, 10, 59), (2026, 2, 1, 11, 0)),
        ("UTC", (2028, 2, 29, 23, 59), (2028, 3, 1, 0, 0)),  # the leap day is still February
    ],
)
def test_days_and_months_begin_at_midnight_in_the_teams_time_zone(member, zone, before, after):
    cap(member, cap_per_day=10_00, cap_per_month=10_00)
    in_zone(member, zone)
    before, after = datetime(*before, tzinfo=UTC), datetime(*after, tzinfo=UTC)
    charge(member, 4_00, before)
    assert {each.left for each in usage(member, before).values()} == {6_00}
    assert {each.renews_at for each in usage(member, before).values()} == {after}
    assert {each.left for each in usage(member, after).values()} == {10_00}


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Asia/Beirut", date(2026, 3, 29), 23),  # its clocks skip midnight itself
        ("Africa/Cairo", date(2026, 4, 24), 23),
        ("America/Havana", date(2026, 11, 1), 25),  # it has midnight twice
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
    ],
)
def test_a_day_on_which_clocks_change_has_its_real_length(member, zone, day, hours):
    cap(member, cap_per_day=10_00)
    in_zone(member, zone)
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone))
    end = usage(member, noon)["day"].renews_at
    begin = end.astimezone(UTC) - timedelta(hours=hours)
    charge(member, 1_00, begin - timedelta(seconds=1))
    assert usage(member, noon)["day"].spent == 0
    charge(member, 2_00, begin)
    assert usage(member, noon)["day"].spent == 2_00
    assert usage(member, end)["day"].spent == 0


def test_a_skipped_calendar_day_has_no_length(member):
    """Samoa had no 30 December 2011."""
    cap(member, cap_per_day=10_00)
    in_zone(member, "Pacific/Apia")
    the_29th = datetime(2011, 12, 29, 12, tzinfo=ZoneInfo("Pacific/Apia"))
    end = usage(member, the_29th)["day"].renews_at
    assert end.astimezone(UTC) == datetime(2011, 12, 30, 10, tzinfo=UTC)
    assert end.date() == date(2011, 12, 31)
    charge(member, 1_00, the_29th)
    assert usage(member, end)["day"].left == 10_00


def test_checking_caps_takes_one_query_and_none_without_caps(member, django_assert_num_queries):
    ledger.spent()
    one = 1 if connection.vendor == "postgresql" else 2  # message for the account and the hold
    with django_assert_num_queries(5 + one):
        hold(member, 1_00)
    cap(member, cap_per_day=50_00, cap_per_month=60_00)
    assert member.team  # loaded, as it is in every request
    with django_assert_num_queries(6 + one):
        hold(member, 1_00)


@pytest.mark.django_db(transaction=True)
def test_fifty_concurrent_holds_do_not_exceed_the_cap(member, concurrently):
    cap(member, cap_per_day=60_00, cap_per_month=40_00)

    def spend(number):
        reference = uuid.uuid4()
        ledger.hold(member=member, amount=1_00, reference=reference)
        if number % 2:
            ledger.settle(reference=reference)

    results = concurrently(*[partial(spend, number) for number in range(50)])
    refused = [result for result in results if isinstance(result, ledger.CapReached)]
    assert len(refused) == 10
    assert [result for result in results if result is not None] == refused
    wallet = Account.objects.get(membership=member)
    assert wallet.held + ledger.spent().balance == 40_00
