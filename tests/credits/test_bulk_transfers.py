"""Transfers for many wallets are posted all or none, also under concurrency."""

import random
import uuid
from functools import partial

import pytest

from generations.credits import bulk_transfers, ledger
from generations.credits.bulk_transfers import TransferItem
from generations.credits.models import Account, Transfer
from generations.office.members import service as members_service
from generations.teams import users as teams_users
from generations.teams.models import Membership


def balance(member):
    return Account.objects.get(membership=member).balance


def pool(team):
    return Account.objects.get(team=team).balance


def items(members, amount=5_00):
    return [TransferItem(member, amount, uuid.uuid4()) for member in members]


def add_members(team, count):
    made = [teams_users.create(email=f"{uuid.uuid4()}@example.org") for _ in range(count)]
    return Membership.objects.bulk_create([Membership(team=team, user=user) for user in made])


def test_each_member_gets_their_own_amount(team, member, colleague):
    granted = [
        TransferItem(member, 3_00, uuid.uuid4(), "spring"),
        TransferItem(colleague, 4_00, uuid.uuid4()),
    ]
    lines = bulk_transfers.grant_many(team=team, items=granted)
    assert (balance(member), balance(colleague), pool(team)) == (103_00, 104_00, 43_00)
    assert [(line.kind, line.note, line.member) for line in lines] == [
        ("grant", "spring", member),
        ("grant", "", colleague),
    ]


def test_all_or_none_are_granted(team, member, colleague):
    with pytest.raises(ledger.InsufficientCredits) as refused:
        bulk_transfers.grant_many(team=team, items=items([member, colleague], 26_00))
    assert refused.value.missing == 2_00
    assert (balance(member), balance(colleague), pool(team)) == (100_00, 100_00, 50_00)


def test_an_ended_membership_stops_the_whole_grant(team, member, colleague):
    members_service.end_membership(member=colleague)
    with pytest.raises(ledger.MembershipEnded):
        bulk_transfers.grant_many(team=team, items=items([member, colleague]))
    assert balance(member) == 100_00


@pytest.mark.parametrize("amount", [0, -1])
def test_an_amount_of_zero_or_less_is_refused(team, member, colleague, amount):
    wrong = [TransferItem(member, 5_00, uuid.uuid4()), TransferItem(colleague, amount, uuid.uuid4())]
    with pytest.raises(ledger.AmountRefused):
        bulk_transfers.grant_many(team=team, items=wrong)
    assert balance(member) == 100_00


def test_granting_the_same_items_again_changes_nothing(team, member, colleague):
    granted = items([member, colleague])
    first = bulk_transfers.grant_many(team=team, items=granted)
    again = bulk_transfers.grant_many(team=team, items=granted)
    assert [line.pk for line in first] == [line.pk for line in again]
    assert [line.is_new for line in first + again] == [True, True, False, False]
    assert pool(team) == 40_00


def test_used_references_with_other_values_are_refused(team, member, colleague):
    granted = items([member])
    bulk_transfers.grant_many(team=team, items=granted)
    for changed in ([TransferItem(member, 6_00, granted[0].reference)], [*granted, *items([colleague])]):
        with pytest.raises(ledger.ReferenceTaken):
            bulk_transfers.grant_many(team=team, items=changed)
    assert (balance(member), balance(colleague)) == (105_00, 100_00)


def test_credits_are_taken_back_from_all_or_from_none(team, member, colleague):
    ledger.hold(member=colleague, amount=60_00, reference=uuid.uuid4())
    with pytest.raises(ledger.InsufficientCredits):
        bulk_transfers.take_back_many(team=team, items=items([member, colleague], 50_00))
    assert (balance(member), pool(team)) == (100_00, 50_00)
    bulk_transfers.take_back_many(team=team, items=items([member, colleague], 40_00))
    assert (balance(member), balance(colleague), pool(team)) == (60_00, 60_00, 130_00)


def test_a_missing_wallet_is_opened(team, member):
    [newcomer] = add_members(team, 1)
    bulk_transfers.grant_many(team=team, items=items([newcomer]))
    assert balance(newcomer) == 5_00


def test_the_number_of_queries_does_not_grow_with_the_members(team, member, django_assert_max_num_queries):
    ledger.spent()
    members = add_members(team, 80)
    bulk_transfers.grant_many(team=team, items=items(members, 1))  # opens the wallets
    for count in (2, 80):
        with django_assert_max_num_queries(9) as asked:
            bulk_transfers.grant_many(team=team, items=items(members[:count], 1))
        assert len(asked) == 9


@pytest.mark.django_db(transaction=True)
def test_concurrent_grants_take_backs_and_charges_do_not_deadlock_or_lose_credits(team, member, concurrently):
    members = [member, *add_members(team, 12)]
    ledger.issue(team=team, amount=1_000_00, reference=uuid.uuid4())
    bulk_transfers.grant_many(team=team, items=items(members, 20_00))

    def give(verb):
        for _ in range(4):
            verb(team=team, items=items(random.sample(members, 8), 1_00))
        return True

    def spend(person):
        for reference in [uuid.uuid4() for _ in range(4)]:
            ledger.hold(member=person, amount=1_00, reference=reference)
            ledger.settle(reference=reference)
        return True

    calls = [partial(give, verb) for verb in (bulk_transfers.grant_many, bulk_transfers.take_back_many) * 5]
    calls += [partial(spend, person) for person in members[:6]]
    assert concurrently(*calls) == [True] * 16
    assert ledger.spent().balance == 24_00


@pytest.mark.django_db(transaction=True)
def test_twenty_concurrent_grants_of_one_form_grant_once(team, member, colleague, concurrently):
    grant = partial(bulk_transfers.grant_many, team=team, items=items([member, colleague]))
    results = concurrently(*[grant] * 20)
    assert sum(line.is_new for lines in results for line in lines) == 2
    assert Transfer.objects.filter(kind="grant").count() == 4  # two came with the members
    assert pool(team) == 40_00
