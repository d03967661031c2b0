"""Owners who go at the same moment, and members who are removed while they press Generate."""

import uuid
from functools import partial

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connections

from generations.credits import integrity_check as books
from generations.credits import ledger
from generations.jobs.models import Generation
from generations.office.audit_log.service import Actor
from generations.office.members import service as members_service
from generations.office.members import team_settings
from generations.teams import membership
from generations.teams.models import Membership, Role, Team
from tests.concurrency import run_concurrently

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _exact_books(db):
    yield
    assert books.problems() == []


def owners(team):
    return Membership.objects.filter(team=team, role=Role.OWNER, ended_at=None).count()


@pytest.mark.parametrize("attempt", range(3))
def test_of_ten_owners_who_leave_at_once_one_stays(team, make_member, attempt):
    rows = [make_member(f"owner{number}", role=Role.OWNER) for number in range(10)]
    calls = [partial(members_service.leave, member=row, by=Actor(row.user)) for row in rows]
    results = run_concurrently(*calls, expected=membership.LastOwner)
    assert [type(result).__name__ for result in results].count("LastOwner") == 1
    assert owners(team) == 1


def test_one_form_sent_eight_times_at_once_makes_one_team(member):
    same = {"name": "Mine", "time_zone": "UTC", "owner": member.user, "by": Actor(member.user)}
    call = partial(team_settings.create, reference=uuid.uuid4(), **same)
    results = run_concurrently(*[call] * 8, expected=membership.TeamExists)
    assert [type(result).__name__ for result in results].count("Team") == 1
    assert Team.objects.filter(name="Mine").count() == 1


def test_eight_who_call_their_teams_alike_at_once_have_eight(member):
    same = {"name": "Mine", "time_zone": "UTC", "owner": member.user, "by": Actor(member.user)}
    run_concurrently(*[partial(team_settings.create, reference=uuid.uuid4(), **same) for _ in range(8)])
    slugs = set(Team.objects.filter(name="Mine").values_list("slug", flat=True))
    assert slugs == {"mine", *(f"mine-{number}" for number in range(2, 9))}


def test_owners_who_demote_each_other_leave_one(team, make_member):
    rows = [make_member(f"owner{number}", role=Role.OWNER) for number in range(6)]
    calls = [
        partial(members_service.set_role, member=other, role=Role.MEMBER, by=Actor(row.user), requester=row)
        for row, other in zip(rows, rows[1:] + rows[:1], strict=True)
    ]
    run_concurrently(*calls, expected=(membership.LastOwner, PermissionDenied))
    assert owners(team) >= 1


def test_who_is_removed_ten_times_at_once_is_removed_once(make_member, member):
    make_member("boss", role=Role.OWNER)
    results = run_concurrently(*[partial(members_service.end_membership, member=member)] * 10)
    assert sorted(results) == [False] * 9 + [True]


@pytest.mark.parametrize("attempt", range(3))
def test_nothing_waits_for_who_was_removed_while_submitting(member, submit, upstream, attempt):
    def press():
        try:
            submit(count=2)
        except ledger.MembershipEnded:
            return "ended"
        finally:
            connections.close_all()
        return "submitted"

    calls = [press] * 12 + [partial(members_service.end_membership, member=member)]
    assert run_concurrently(*calls)[-1]
    assert not Generation.objects.filter(member=member, status="queued").exists()
    assert (ledger.open_wallet(member).balance, ledger.open_wallet(member).held) == (0, 0)
