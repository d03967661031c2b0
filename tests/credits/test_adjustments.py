"""Adjustments and refunds are transfers of their own, posted once."""

import uuid
from functools import partial

import pytest

from generations.credits import adjustments as credits_adjustments
from generations.credits import ledger
from generations.credits.models import Account, Transfer
from generations.office.members import service as members_service


def balances(team, member):
    return Account.objects.get(team=team).balance, Account.objects.get(membership=member).balance


def adjust(member, amount, reference=None):
    return credits_adjustments.adjust_wallet(
        member=member, amount=amount, reference=reference or uuid.uuid4(), note="counted wrong"
    )


def test_a_wallet_is_adjusted_from_its_pool_in_both_directions(team, member):
    line = adjust(member, 5_00)
    assert (line.kind, line.note, line.amount) == ("adjustment", "counted wrong", 5_00)
    assert balances(team, member) == (45_00, 105_00)
    adjust(member, -15_00)
    assert balances(team, member) == (60_00, 90_00)


def test_an_adjustment_is_posted_once_per_reference(team, member):
    reference = uuid.uuid4()
    assert [adjust(member, 5_00, reference).is_new for _ in range(2)] == [True, False]
    with pytest.raises(ledger.ReferenceTaken):
        adjust(member, -5_00, reference)
    assert balances(team, member) == (45_00, 105_00)


def test_an_adjustment_cannot_exceed_what_is_available(team, member):
    ledger.hold(member=member, amount=60_00, reference=uuid.uuid4())
    for amount in (50_01, -40_01):
        with pytest.raises(ledger.InsufficientCredits):
            adjust(member, amount)
    with pytest.raises(ledger.AmountRefused):
        adjust(member, 0)
    assert balances(team, member) == (50_00, 100_00)


def test_a_wallet_of_an_ended_membership_cannot_be_filled(team, member):
    members_service.end_membership(member=member)
    with pytest.raises(ledger.MembershipEnded):
        adjust(member, 1_00)


def test_a_pool_is_adjusted_in_both_directions(team, member):
    outside = ledger.issued().balance
    for amount in (10_00, -25_00):
        credits_adjustments.adjust_pool(team=team, amount=amount, reference=uuid.uuid4(), note="invoice")
    assert balances(team, member)[0] == 35_00
    assert ledger.issued().balance == outside + 15_00
    with pytest.raises(ledger.InsufficientCredits):
        credits_adjustments.adjust_pool(team=team, amount=-35_01, reference=uuid.uuid4(), note="invoice")


@pytest.mark.django_db(transaction=True)
def test_one_of_fifty_concurrent_refunds_succeeds(member, concurrently):
    ledger.hold(member=member, amount=8_00, reference=(reference := uuid.uuid4()))
    ledger.settle(reference=reference)
    results = concurrently(*[partial(ledger.refund, reference=reference)] * 50)
    assert sorted({type(result).__name__ for result in results}) == ["AlreadyRefunded", "Transfer"]
    assert sum(isinstance(result, Transfer) for result in results) == 1
    assert Account.objects.get(membership=member).balance == 100_00
