"""Credits for many at once: all or none, whatever else happens at the same moment."""

import random
import uuid
from functools import partial

import pytest

from generations.credits import bulk_transfers, ledger
from generations.credits.bulk_transfers import Share
from generations.credits.models import Account, Transfer
from generations.office.members import service as members_service
from generations.teams import users as teams_users
from generations.teams.models import Membership


def balance(member):
    return Account.objects.get(membership=member).balance


def pool(team):
    return Account.objects.get(team=team).balance


def shares(members, amount=5_00):
    return [Share(member, amount, uuid.uuid4()) for member in members]


def crowd(team, count):
    made = [teams_users.create(email=f"{uuid.uuid4()}@example.org") for _ in range(count)]
    return Membership.objects.bulk_create([Membership(team=team, user=user) for user in made])


def test_each_gets_their_own_amount(team, member, colleague):
    gifts = [Share(member, 3_00, uuid.uuid4(), "spring"), Share(colleague, 4_00, uuid.uuid4())]
    lines = bulk_transfers.grant_many(team=team, shares=gifts)
    assert (balance(member), balance(colleague), pool(team)) == (103_00, 104_00, 43_00)
    assert [(line.kind, line.note, line.member) for line in lines] == [
        ("grant", "spring", member),
        ("grant", "", colleague),
    ]


def test_all_or_none_are_granted(team, member, colleague):
    with pytest.raises(ledger.InsufficientCredits) as refused:
        bulk_transfers.grant_many(team=team, shares=shares([member, colleague], 26_00))
    assert refused.value.missing == 2_00
    assert (balance(member), balance(colleague), pool(team)) == (100_00, 100_00, 50_00)


def test_one_who_left_stops_the_grant_for_all(team, member, colleague):
    members_service.end_membership(member=colleague)
    with pytest.raises(ledger.MembershipEnded):
        bulk_transfers.grant_many(team=team, shares=shares([member, colleague]))
    assert balance(member) == 100_00


@pytest.mark.parametrize("amount", [0, -1])
def test_nobody_is_granted_nothing(team, member, colleague, amount):
    wrong = [Share(member, 5_00, uuid.uuid4()), Share(colleague, amount, uuid.uuid4())]
    with pytest.raises(ledger.AmountRefused):
        bulk_transfers.grant_many(team=team, shares=wrong)
    assert balance(member) == 100_00


def test_the_same_shares_again_change_nothing(team, member, colleague):
    gifts = shares([member, colleague])
    first = bulk_transfers.grant_many(team=team, shares=gifts)
    again = bulk_transfers.grant_many(team=team, shares=gifts)
    assert [line.pk for line in first] == [line.pk for line in again]
    assert [line.is_new for line in first + again] == [True, True, False, False]
    assert pool(team) == 40_00


def test_a_form_that_was_changed_after_it_was_sent_is_refused(team, member, colleague):
    gifts = shares([member])
    bulk_transfers.grant_many(team=team, shares=gifts)
    for changed in ([Share(member, 6_00, gifts[0].reference)], [*gifts, *shares([colleague])]):
        with pytest.raises(ledger.ReferenceTaken):
            bulk_transfers.grant_many(team=team, shares=changed)
    assert (balance(member), balance(colleague)) == (105_00, 100_00)


def test_credits_are_taken_back_from_all_or_from_none(team, member, colleague):
    ledger.hold(member=colleague, amount=60_00, reference=uuid.uuid4())
    with pytest.raises(ledger.InsufficientCredits):
        bulk_transfers.take_back_many(team=team, shares=shares([member, colleague], 50_00))
    assert (balance(member), pool(team)) == (100_00, 50_00)
    bulk_transfers.take_back_many(team=team, shares=shares([member, colleague], 40_00))
    assert (balance(member), balance(colleague), pool(team)) == (60_00, 60_00, 130_00)


def test_a_wallet_is_opened_for_who_has_none(team, member):
    [newcomer] = crowd(team, 1)
    bulk_transfers.grant_many(team=team, shares=shares([newcomer]))
    assert balance(newcomer) == 5_00


def test_many_take_as_many_queries_as_few(team, member, django_assert_max_num_queries):
    ledger.spent()
    everybody = crowd(team, 80)
    bulk_transfers.grant_many(team=team, shares=shares(everybody, 1))  # opens the wallets
    for count in (2, 80):
        with django_assert_max_num_queries(9) as asked:
            bulk_transfers.grant_many(team=team, shares=shares(everybody[:count], 1))
        assert len(asked) == 9


@pytest.mark.django_db(transaction=True)
def test_grants_and_takings_that_cross_neither_wait_for_ever_nor_lose_anything(team, member, together):
    everybody = [member, *crowd(team, 12)]
    ledger.issue(team=team, amount=1_000_00, reference=uuid.uuid4())
    bulk_transfers.grant_many(team=team, shares=shares(everybody, 20_00))

    def give(verb):
        for _ in range(4):
            verb(team=team, shares=shares(random.sample(everybody, 8), 1_00))
        return True

    def spend(person):
        for reference in [uuid.uuid4() for _ in range(4)]:
            ledger.hold(member=person, amount=1_00, reference=reference)
            ledger.settle(reference=reference)
        return True

    calls = [partial(give, verb) for verb in (bulk_transfers.grant_many, bulk_transfers.take_back_many) * 5]
    calls += [partial(spend, person) for person in everybody[:6]]
    assert together(*calls) == [True] * 16
    assert ledger.spent().balance == 24_00


@pytest.mark.django_db(transaction=True)
def test_one_form_sent_by_twenty_at_once_grants_once(team, member, colleague, together):
    grant = partial(bulk_transfers.grant_many, team=team, shares=shares([member, colleague]))
    results = together(*[grant] * 20)
    assert sum(line.is_new for lines in results for line in lines) == 2
    assert Transfer.objects.filter(kind="grant").count() == 4  # two came with the members
    assert pool(team) == 40_00
