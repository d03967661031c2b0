"""The verbs of the ledger."""

import uuid

import pytest
from django.db import connection
from django.utils import timezone

from generations.credits import ledger
from generations.credits.models import Account, Hold, Transfer


def wallet(member):
    return Account.objects.get(membership=member)


def pool(team):
    return Account.objects.get(team=team)


def end(member):
    member.ended_at = timezone.now()
    member.save()


def test_credits_are_issued_to_the_pool_and_granted_to_a_member(team, member):
    assert (pool(team).balance, wallet(member).balance) == (50_00, 100_00)


def test_a_hold_can_be_spent_only_once(member):
    ledger.hold(member=member, amount=60_00, reference=uuid.uuid4())
    assert wallet(member).available == 40_00
    with pytest.raises(ledger.InsufficientCredits) as problem:
        ledger.hold(member=member, amount=60_00, reference=uuid.uuid4())
    assert (problem.value.missing, problem.value.available) == (20_00, 40_00)
    assert str(problem.value) == "Not enough credits: 20 more needed, 40 available."


def test_a_settled_hold_is_a_charge_with_its_member_and_model(member):
    reference = uuid.uuid4()
    ledger.hold(member=member, amount=8_00, reference=reference, model="ultra")
    line = ledger.settle(reference=reference)
    assert (line.amount, line.model, line.member, line.team) == (8_00, "ultra", member, member.team)
    assert (wallet(member).balance, wallet(member).held) == (92_00, 0)
    assert ledger.spent().balance == 8_00
    assert Hold.objects.get(reference=reference).transfer == line


def test_the_whole_balance_can_be_spent(member):
    ledger.hold(member=member, amount=100_00, reference=(reference := uuid.uuid4()))
    ledger.settle(reference=reference)
    assert (wallet(member).balance, wallet(member).held) == (0, 0)


def test_settling_for_less_releases_the_rest(member):
    ledger.hold(member=member, amount=8_00, reference=(reference := uuid.uuid4()))
    ledger.settle(reference=reference, amount=3_00)
    assert (wallet(member).balance, wallet(member).held) == (97_00, 0)


@pytest.mark.parametrize("amount", [8_01, 0, -1])
def test_no_more_than_was_held_is_charged(member, amount):
    ledger.hold(member=member, amount=8_00, reference=(reference := uuid.uuid4()))
    with pytest.raises(ledger.AmountRefused):
        ledger.settle(reference=reference, amount=amount)
    assert wallet(member).held == 8_00


def test_a_released_hold_costs_nothing(member):
    ledger.hold(member=member, amount=8_00, reference=(reference := uuid.uuid4()))
    ledger.release(reference=reference)
    assert (wallet(member).balance, wallet(member).held) == (100_00, 0)


@pytest.mark.parametrize("first", [ledger.settle, ledger.release])
@pytest.mark.parametrize("second", [ledger.settle, ledger.release])
def test_a_hold_is_closed_once(member, first, second):
    ledger.hold(member=member, amount=8_00, reference=(reference := uuid.uuid4()))
    first(reference=reference)
    with pytest.raises(ledger.HoldClosed):
        second(reference=reference)


def test_what_was_never_held_cannot_be_charged(member):
    with pytest.raises(ledger.HoldClosed):
        ledger.settle(reference=uuid.uuid4())


def test_a_batch_is_held_whole_or_not_at_all(member):
    with pytest.raises(ledger.InsufficientCredits):
        ledger.hold_many(member=member, amounts={uuid.uuid4(): 30_00 for _ in range(4)})
    assert not Hold.objects.exists()
    assert wallet(member).held == 0


def test_a_large_batch_takes_as_many_queries_as_a_small_one(member, django_assert_num_queries):
    for count in (1, 10):
        with django_assert_num_queries(6 if connection.vendor == "postgresql" else 7):
            ledger.hold_many(member=member, amounts={uuid.uuid4(): 1_00 for _ in range(count)})


def test_holding_the_same_twice_holds_it_once(member):
    amounts = {uuid.uuid4(): 3_00, uuid.uuid4(): 4_00}
    first = ledger.hold_many(member=member, amounts=amounts, model="core")
    again = ledger.hold_many(member=member, amounts=amounts, model="core")
    assert [hold.pk for hold in first] == [hold.pk for hold in again]
    assert wallet(member).held == 7_00


def test_a_reference_belongs_to_one_hold(member, colleague):
    ledger.hold(member=member, amount=3_00, reference=(reference := uuid.uuid4()))
    with pytest.raises(ledger.ReferenceTaken):
        ledger.hold(member=member, amount=4_00, reference=reference)
    with pytest.raises(ledger.ReferenceTaken):
        ledger.hold(member=colleague, amount=3_00, reference=reference)


def test_a_form_sent_twice_moves_credits_once(team, member):
    for _ in range(2):
        ledger.grant(member=member, amount=5_00, reference=uuid.UUID(int=1))
        ledger.issue(team=team, amount=7_00, reference=uuid.UUID(int=1))
        ledger.take_back(member=member, amount=1_00, reference=uuid.UUID(int=1))
    assert (pool(team).balance, wallet(member).balance) == (53_00, 104_00)


def test_a_form_sent_twice_with_another_amount_is_refused(member):
    ledger.grant(member=member, amount=5_00, reference=uuid.UUID(int=1))
    with pytest.raises(ledger.ReferenceTaken):
        ledger.grant(member=member, amount=6_00, reference=uuid.UUID(int=1))


def test_a_pool_grants_no_more_than_it_has(team, member):
    with pytest.raises(ledger.InsufficientCredits):
        ledger.grant(member=member, amount=50_01, reference=uuid.uuid4())
    assert pool(team).balance == 50_00


def test_what_is_held_cannot_be_taken_back(member):
    ledger.hold(member=member, amount=60_00, reference=uuid.uuid4())
    with pytest.raises(ledger.InsufficientCredits):
        ledger.take_back(member=member, amount=40_01, reference=uuid.uuid4())
    ledger.take_back(member=member, amount=40_00, reference=uuid.uuid4())
    assert wallet(member).available == 0


@pytest.mark.parametrize("amount", [0, -5_00])
def test_amounts_must_be_positive(team, member, amount):
    for verb in (ledger.grant, ledger.take_back, ledger.hold):
        with pytest.raises(ledger.AmountRefused):
            verb(member=member, amount=amount, reference=uuid.uuid4())
    with pytest.raises(ledger.AmountRefused):
        ledger.issue(team=team, amount=amount, reference=uuid.uuid4())


def test_a_charge_is_refunded_once(member):
    ledger.hold(member=member, amount=8_00, reference=(reference := uuid.uuid4()), model="ultra")
    ledger.settle(reference=reference)
    ledger.refund(reference=reference, note="Six fingers")
    with pytest.raises(ledger.AlreadyRefunded):
        ledger.refund(reference=reference, note="Six fingers")
    assert wallet(member).balance == 100_00
    assert ledger.spent().balance == 0


def test_what_was_not_charged_is_not_refunded(member):
    ledger.hold(member=member, amount=8_00, reference=(reference := uuid.uuid4()))
    ledger.release(reference=reference)
    with pytest.raises(ledger.NoSuchCharge):
        ledger.refund(reference=reference)


@pytest.mark.parametrize("close", [ledger.settle, ledger.release])
def test_the_remainder_of_an_ended_membership_goes_to_the_pool(team, member, close):
    ledger.hold(member=member, amount=8_00, reference=(reference := uuid.uuid4()))
    ledger.hold(member=member, amount=2_00, reference=uuid.uuid4())
    end(member)
    close(reference=reference)
    assert (wallet(member).available, wallet(member).held) == (0, 2_00)
    assert pool(team).balance == 50_00 + 90_00 + (8_00 if close == ledger.release else 0)


def test_the_refund_of_an_ended_membership_goes_to_the_pool(team, member):
    ledger.hold(member=member, amount=100_00, reference=(reference := uuid.uuid4()))
    ledger.settle(reference=reference)
    end(member)
    ledger.refund(reference=reference)
    assert (wallet(member).balance, pool(team).balance) == (0, 150_00)


def test_what_an_ended_membership_was_charged_too_much_and_refunded_goes_to_the_pool(team, member):
    ledger.hold(member=member, amount=100_00, reference=(reference := uuid.uuid4()))
    end(member)
    ledger.settle(reference=reference, amount=30_00)
    ledger.refund(reference=reference)
    assert (wallet(member).balance, pool(team).balance) == (0, 150_00)


def test_an_ended_membership_neither_gets_nor_spends_credits(member):
    end(member)
    for verb in (ledger.grant, ledger.hold):
        with pytest.raises(ledger.MembershipEnded):
            verb(member=member, amount=1_00, reference=uuid.uuid4())


def test_a_refused_verb_posts_no_entry(member):
    before = Transfer.objects.count()
    with pytest.raises(ledger.InsufficientCredits):
        ledger.take_back(member=member, amount=1000_00, reference=uuid.uuid4())
    assert Transfer.objects.count() == before
