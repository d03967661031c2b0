"""Fifty people with one link."""

import uuid
from datetime import timedelta
from functools import partial

import pytest
from django.core.cache import cache
from django.test import Client

from generations.credits import integrity_check as books
from generations.credits import ledger
from generations.office.audit_log.service import Actor
from generations.office.invitations.service import Offer, accept, invite_by_link
from generations.office.members import service as members_service
from generations.teams import users as teams_users
from generations.teams.invitation_links import InvitationInvalid
from generations.teams.membership import AlreadyMember
from generations.teams.models import Invitation, InvitationUse, Membership, Role, User
from tests.concurrency import run_concurrently

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner(make_member):
    return make_member("ana", role=Role.OWNER)


def token_of(owner, *, uses, start=10_00):
    offer = Offer(Role.MEMBER, start, timedelta(days=1))
    link = invite_by_link(inviter=owner, form_id=uuid.uuid4(), offer=offer, uses=uses, by=Actor(owner.user))
    return link.rstrip("/").rpartition("/")[2]


def crowd(count):
    return [teams_users.create(email=f"person{number}@example.org") for number in range(count)]


def names(results):
    return sorted({type(result).__name__ for result in results})


@pytest.mark.parametrize("uses", [1, 7])
def test_fifty_who_accept_one_invitation_are_as_many_as_it_lets_in(owner, team, uses):
    ledger.issue(team=team, amount=1_000_00, reference=uuid.uuid4())
    token = token_of(owner, uses=uses)
    calls = [partial(accept, token=token, user=user, by=Actor(user)) for user in crowd(50)]
    results = run_concurrently(*calls, expected=InvitationInvalid)
    came = [result for result in results if isinstance(result, Membership)]
    assert len(came) == uses
    assert names(results) == ["InvitationUsedUp", "Membership"]
    assert Membership.objects.filter(user__email__startswith="person").count() == uses
    assert Invitation.objects.get().used == InvitationUse.objects.count() == uses
    assert ledger.open_pool(team).balance == 1_000_00 - uses * 10_00
    assert books.problems() == []


def test_one_person_who_presses_twenty_times_comes_in_once(owner, team):
    ledger.issue(team=team, amount=1_000_00, reference=uuid.uuid4())
    token, [user] = token_of(owner, uses=20), crowd(1)
    calls = [partial(accept, token=token, user=user, by=Actor(user))] * 20
    results = run_concurrently(*calls, expected=(InvitationInvalid, AlreadyMember))
    assert sum(isinstance(result, Membership) for result in results) == 1
    assert Invitation.objects.get().used == 1
    assert user.memberships.get().wallet.balance == 10_00
    assert books.problems() == []


def test_coming_in_while_the_inviter_is_removed_and_credits_are_granted_ends(owner, team, make_member):
    sofia = make_member("sofia", role=Role.OWNER)
    ledger.issue(team=team, amount=1_000_00, reference=uuid.uuid4())
    token = token_of(sofia, uses=30)
    coming = [partial(accept, token=token, user=user, by=Actor(user)) for user in crowd(12)]
    granting = [
        partial(ledger.grant, member=owner, amount=1_00, reference=uuid.uuid4()) for _number in range(12)
    ]
    removing = [partial(members_service.end_membership, member=sofia)]
    results = run_concurrently(*(coming + granting + removing), expected=InvitationInvalid)
    assert results[-1] is True
    came = sum(isinstance(result, Membership) for result in results)
    assert InvitationUse.objects.count() == came
    assert books.problems() == []


def test_of_eight_who_make_an_account_with_one_link_one_has_it(owner):
    link = f"/join/{token_of(owner, uses=1, start=0)}/account/"
    cache.clear()

    def sign_up(number):
        form = {"name": "x", "email": f"new{number}@example.org", "password1": "correct horse battery"}
        return Client().post(link, form).status_code

    statuses = run_concurrently(*[partial(sign_up, number) for number in range(8)])
    assert sorted(statuses) == [302] + [410] * 7
    assert User.objects.filter(email__startswith="new").count() == 1
    assert Membership.objects.filter(user__email__startswith="new").count() == 1
