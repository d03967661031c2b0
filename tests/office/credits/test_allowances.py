"""Monthly allowances are granted once, however often the task runs and in every time zone."""

import uuid
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from django.utils import timezone

from generations.credits import ledger
from generations.credits.models import Account, Transfer
from generations.office import tasks
from generations.office.audit_log.service import COMMAND
from generations.office.credits import allowances
from generations.office.members import service as members_service
from generations.office.members import team_settings
from generations.office.models import Allowance, AllowanceKind, AuditAction, AuditEntry
from generations.teams.models import Membership, Role, Team
from tests.concurrency import run_concurrently

pytestmark = pytest.mark.django_db
ADD, TOP_UP = AllowanceKind.ADD, AllowanceKind.TOP_UP


@pytest.fixture
def team(team):
    """It has 1,000 credits in its pool."""
    ledger.issue(team=team, amount=1_000_00, reference=uuid.uuid4())
    return team


@pytest.fixture
def member(member):
    """Mei, with 100 credits, who came in 2025."""
    Membership.objects.filter(pk=member.pk).update(joined_at=datetime(2025, 1, 1, tzinfo=UTC))
    return Membership.objects.select_related("team", "user").get(pk=member.pk)


def at(year, month, day, hour=12, minute=0):
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def allow(member, kind=ADD, amount=50_00, *, from_this_month=True, moment=None):
    return allowances.set_allowance(
        member=member,
        kind=kind,
        amount=amount,
        from_this_month=from_this_month,
        by=COMMAND,
        at=moment or at(2026, 1, 15),
    )


def balance(member):
    return Account.objects.get(membership=member).balance


def granted_months(member):
    lines = Transfer.objects.filter(kind="allowance", member=member).order_by("pk")
    return [(line.note, line.amount) for line in lines]


def spend(member, amount):
    ledger.hold(member=member, amount=amount, reference=(reference := uuid.uuid4()))
    ledger.settle(reference=reference)


def test_an_allowance_from_this_month_is_granted_at_once_and_then_each_month(member):
    allow(member)
    assert granted_months(member) == [("January 2026", 50_00)]
    for moment in (at(2026, 1, 31, 23, 59), at(2026, 2, 1, 0), at(2026, 2, 1, 0), at(2026, 2, 28)):
        allowances.grant_all_due(moment)
    assert granted_months(member) == [("January 2026", 50_00), ("February 2026", 50_00)]
    assert balance(member) == 200_00


def test_an_allowance_from_next_month_waits_for_it(member):
    allow(member, from_this_month=False)
    allowances.grant_all_due(at(2026, 1, 31, 23, 59))
    assert granted_months(member) == []
    allowances.grant_all_due(at(2026, 2, 1, 0))
    assert granted_months(member) == [("February 2026", 50_00)]


def test_a_top_up_fills_the_wallet_and_grants_nothing_to_a_full_one(member):
    allow(member, TOP_UP, 120_00)
    assert granted_months(member) == [("January 2026", 20_00)]
    allowances.grant_all_due(at(2026, 2, 1))
    assert granted_months(member) == [("January 2026", 20_00)]
    spend(member, 30_00)
    allowances.grant_all_due(at(2026, 2, 2))  # February was looked at, and needed nothing
    allowances.grant_all_due(at(2026, 3, 1))
    assert granted_months(member)[1:] == [("March 2026", 30_00)]
    assert balance(member) == 120_00


def test_held_credits_count_when_a_wallet_is_topped_up(member):
    ledger.hold(member=member, amount=100_00, reference=uuid.uuid4())
    allow(member, TOP_UP, 120_00)
    assert granted_months(member) == [("January 2026", 20_00)]


def test_a_top_up_missed_for_two_months_is_made_up_for_once(member):
    allow(member, TOP_UP, 200_00)
    spend(member, 150_00)
    for _ in range(3):
        allowances.grant_all_due(at(2026, 4, 10))
    assert granted_months(member) == [("January 2026", 100_00), ("April 2026", 150_00)]
    allowances.grant_all_due(at(2026, 5, 1))
    assert len(granted_months(member)) == 2  # it is full


def test_an_added_allowance_is_granted_for_every_missed_month(member):
    allow(member)
    for _ in range(3):
        allowances.grant_all_due(at(2026, 4, 10))
    months = ["January 2026", "February 2026", "March 2026", "April 2026"]
    assert granted_months(member) == [(month, 50_00) for month in months]


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        ("UTC", at(2026, 1, 31, 23, 59), at(2026, 2, 1, 0)),
        ("Europe/Berlin", at(2026, 3, 31, 21, 59), at(2026, 3, 31, 22)),  # summer time began on the 29th
        ("America/New_York", at(2026, 11, 1, 3, 59), at(2026, 11, 1, 4)),  # it ends two hours later
        ("Pacific/Apia", at(2026, 1, 31, 10, 59), at(2026, 1, 31, 11)),
        ("Pacific/Kiritimati", at(2026, 1, 31, 9, 59), at(2026, 1, 31, 10)),
        ("Pacific/Pago_Pago", at(2026, 2, 1, 10, 59), at(2026, 2, 1, 11)),
        ("Asia/Kathmandu", at(2026, 2, 28, 18, 14), at(2026, 2, 28, 18, 15)),
        ("UTC", at(2028, 2, 29, 23, 59), at(2028, 3, 1, 0)),
    ],
)
def test_a_month_begins_at_midnight_where_the_team_is(member, zone, before, after):
    Team.objects.filter(pk=member.team_id).update(time_zone=zone)
    member.team.refresh_from_db()
    allow(member, from_this_month=False, moment=before)
    allowances.grant_all_due(before)
    assert granted_months(member) == []
    allowances.grant_all_due(after)
    allowances.grant_all_due(after + timedelta(hours=3))
    assert len(granted_months(member)) == 1


def test_an_allowance_set_on_the_last_of_january_is_granted_in_short_months_too(member):
    allow(member, moment=at(2027, 12, 31))
    for month in range(1, 13):
        allowances.grant_all_due(at(2028, month, 28))
    assert len(granted_months(member)) == 13
    assert granted_months(member)[2] == ("February 2028", 50_00)


def test_a_pool_with_too_little_grants_nothing_in_part_and_all_of_it_later(team, member, caplog):
    ledger.grant(member=member, amount=980_00, reference=uuid.uuid4())
    allow(member, amount=15_00)
    for _ in range(3):
        allowances.grant_all_due(at(2026, 3, 10))
    assert granted_months(member) == [("January 2026", 15_00)]  # the pool has 5 left
    assert Allowance.objects.get().given_month == date(2026, 1, 1)
    assert sum("too few for its allowances" in line for line in caplog.messages) == 1
    ledger.issue(team=team, amount=10_00, reference=uuid.uuid4())
    allowances.grant_all_due(at(2026, 3, 11))
    assert granted_months(member)[1:] == [("February 2026", 15_00)]  # and March waits
    ledger.issue(team=team, amount=100_00, reference=uuid.uuid4())
    allowances.grant_all_due(at(2026, 3, 12))
    assert granted_months(member)[2:] == [("March 2026", 15_00)]


def test_an_allowance_that_the_pool_cannot_cover_does_not_delay_others(member, make_member):
    tom = make_member("tom", granted=0)
    Membership.objects.filter(pk=tom.pk).update(joined_at=at(2025, 1, 1))
    tom.refresh_from_db()
    allow(member, amount=2_000_00, from_this_month=False)
    allow(tom, amount=10_00, from_this_month=False)
    allowances.grant_all_due(at(2026, 2, 1))
    assert (len(granted_months(member)), len(granted_months(tom))) == (0, 1)


def test_a_former_member_is_granted_nothing_also_for_the_months_away_after_returning(member):
    allow(member)
    members_service.end_membership(member=member)
    allowances.grant_all_due(at(2026, 5, 1))
    assert len(granted_months(member)) == 1
    members_service.add_member(user=member.user, team=member.team)
    member.refresh_from_db()
    back = timezone.now()
    allowances.grant_all_due(back)
    assert len(granted_months(member)) == 2  # this month's alone
    members_service.end_membership(member=member)
    with pytest.raises(ledger.MembershipEnded):
        allow(member)


def test_a_closed_team_is_granted_nothing_for_the_months_it_was_closed(member):
    allow(member, moment=at(2026, 1, 15))
    team_settings.deactivate(team=member.team)
    allowances.grant_all_due()
    assert len(granted_months(member)) == 1
    team_settings.reactivate(team=member.team)
    for _ in range(2):
        allowances.grant_all_due()
    assert len(granted_months(member)) == 2  # this month's alone


def test_a_deactivated_user_is_granted_nothing_for_the_months_between(member, make_member):
    tom = make_member("tom", granted=0)
    Membership.objects.filter(pk=tom.pk).update(joined_at=at(2025, 1, 1))
    tom.refresh_from_db()
    for person in (member, tom):
        allow(person, from_this_month=False, moment=at(2026, 1, 15))
    allowances.resume(member.user.memberships.all(), at(2026, 4, 30, 23, 59))
    allowances.grant_all_due(at(2026, 5, 2))
    assert [month for month, _amount in granted_months(member)] == ["April 2026", "May 2026"]
    assert len(granted_months(tom)) == 4


def test_a_member_who_returns_before_the_first_month_waits_for_it(member):
    allow(member, from_this_month=False, moment=at(2026, 4, 15))
    allowances.resume(member.team.memberships.all(), at(2026, 4, 20))
    allowances.grant_all_due(at(2026, 4, 30))
    assert granted_months(member) == []


def test_an_unexpected_error_does_not_delay_other_teams(member, make_member, caplog):
    elsewhere = make_member("tom", granted=0, team=members_service.create_team("Elsewhere"))
    ledger.issue(team=elsewhere.team, amount=100_00, reference=uuid.uuid4())
    middle = timezone.now().replace(day=15)
    for person in (member, elsewhere):
        allow(person, from_this_month=False, moment=middle)
    Team.objects.filter(pk=member.team_id).update(time_zone="No/Where")
    allowances.grant_all_due(middle + timedelta(days=31))
    assert (len(granted_months(member)), len(granted_months(elsewhere))) == (0, 1)
    assert "The allowance of Mei could not be granted" in caplog.messages
    Team.objects.filter(pk=member.team_id).update(time_zone="UTC")


def test_a_month_is_granted_once_however_often_the_allowance_is_changed(member):
    allow(member, amount=50_00)
    allow(member, amount=70_00)
    allowances.end_allowance(member=member, by=COMMAND)
    allow(member, TOP_UP, 500_00)
    allowances.grant_all_due(at(2026, 1, 20))
    assert granted_months(member) == [("January 2026", 50_00)]
    allowances.grant_all_due(at(2026, 2, 1))
    assert granted_months(member)[1:] == [("February 2026", 350_00)]


def test_a_larger_top_up_in_the_same_month_grants_the_difference(member):
    allow(member, TOP_UP, 80_00)
    assert granted_months(member) == []  # there were 100
    allow(member, TOP_UP, 150_00)
    assert granted_months(member) == [("January 2026", 50_00)]


def test_a_team_that_changes_its_time_zone_back_over_the_end_of_a_month_is_granted_it_once(member):
    Team.objects.filter(pk=member.team_id).update(time_zone="Pacific/Kiritimati")
    member.team.refresh_from_db()
    allow(member, moment=at(2026, 1, 31))  # where it is February
    Team.objects.filter(pk=member.team_id).update(time_zone="UTC")
    member.team.refresh_from_db()
    allow(member, amount=70_00, moment=at(2026, 1, 31))
    for _ in range(2):
        allowances.grant_all_due(at(2026, 2, 1))
    assert granted_months(member) == [("February 2026", 50_00), ("January 2026", 70_00)]


def test_an_allowance_that_ended_is_not_granted(member):
    allow(member)
    assert allowances.end_allowance(member=member, by=COMMAND)
    assert not allowances.end_allowance(member=member, by=COMMAND)
    allowances.grant_all_due(at(2026, 6, 1))
    assert len(granted_months(member)) == 1


def test_the_task_grants_what_is_due_today(member):
    last_month = timezone.now().replace(day=1) - timedelta(days=10)
    allow(member, from_this_month=False, moment=last_month)
    for _ in range(2):
        tasks.grant_due_allowances()
        assert len(granted_months(member)) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", [ADD, TOP_UP])
def test_twenty_concurrent_runs_grant_each_month_once(team, member, make_member, kind):
    tom = make_member("tom", granted=0)
    for person in (member, tom):
        Membership.objects.filter(pk=person.pk).update(joined_at=at(2025, 1, 1))
        allow(person, kind, 50_00 if kind == ADD else 150_00, from_this_month=False)
    moment = at(2026, 3, 5)
    lines = run_concurrently(*[partial(allowances.grant_all_due, moment)] * 20)
    assert sum(lines) == len(granted_months(member)) + len(granted_months(tom)) == (4 if kind == ADD else 2)


@pytest.mark.django_db(transaction=True)
def test_a_run_that_stops_halfway_is_continued_by_the_next(member, monkeypatch):
    """Stopped after the line and before it is noted: neither stands, and the next beat writes both."""
    allow(member, from_this_month=False)
    real = allowances.bulk_transfers.grant_allowance

    def stop(**fields):
        real(**fields)
        raise KeyboardInterrupt

    monkeypatch.setattr(allowances.bulk_transfers, "grant_allowance", stop)
    with pytest.raises(KeyboardInterrupt):
        allowances.grant_all_due(at(2026, 3, 5))
    monkeypatch.undo()
    assert granted_months(member) == []
    allowances.grant_all_due(at(2026, 3, 5))
    assert len(granted_months(member)) == 2


def test_a_run_with_nothing_due_takes_one_query(team, member, make_member, django_assert_num_queries):
    for name in ("a", "b", "c"):
        allow(make_member(name, granted=0), amount=1, moment=timezone.now())
    with django_assert_num_queries(1):
        allowances.grant_all_due(timezone.now().replace(day=10))


def test_an_administrator_sets_changes_and_ends_an_allowance_on_the_page(client, team, member, make_member):
    client.force_login(make_member("ana", role=Role.ADMINISTRATOR).user)
    here = f"/t/{team.slug}/team/members/{member.pk}/"
    form = {"kind": "top_up", "amount": "150", "starts": "now"}
    for _ in range(2):
        said = client.post(f"{here}allowance/", form, follow=True).content.decode()
        assert "Mei is topped up to 150 credits each month." in said
    assert balance(member) == 150_00
    assert "was granted already; a change applies" in client.get(here).content.decode()
    for wrong in ({"amount": "x"}, {"kind": "y"}, {"starts": "z"}, {"amount": "-1"}):
        assert client.post(f"{here}allowance/", form | wrong).status_code == 422
    client.post(f"{here}allowance/end/")
    assert not Allowance.objects.exists()
    acts = AuditEntry.objects.filter(act=AuditAction.ALLOWANCE_SET, member=member).order_by("pk")
    assert [entry.after["amount"] for entry in acts] == [150_00, 150_00, None]
    assert acts[1].before == {"kind": "top_up", "amount": 150_00}
