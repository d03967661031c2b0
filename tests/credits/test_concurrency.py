"""The verbs of the ledger under concurrency."""

import uuid
from functools import partial

import pytest

from generations.credits import ledger
from generations.credits.models import Account, Hold, Transfer

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 20


def references(count):
    return [uuid.uuid4() for _ in range(count)]


def test_a_wallet_never_goes_below_what_it_holds(member, concurrently):
    def spend():
        won = 0
        for reference in references(15):
            try:
                ledger.hold(member=member, amount=1_00, reference=reference)
            except ledger.InsufficientCredits:
                continue
            won += 1
        return won

    assert sum(concurrently(*[spend] * THREADS)) == 100
    wallet = Account.objects.get(membership=member)
    assert (wallet.balance, wallet.held) == (100_00, 100_00)


def test_twenty_settlements_of_one_hold_charge_once(member, concurrently):
    ledger.hold(member=member, amount=8_00, reference=(reference := uuid.uuid4()))
    results = concurrently(*[partial(ledger.settle, reference=reference)] * THREADS)
    assert sorted(type(result).__name__ for result in results) == ["HoldClosed"] * 19 + ["Transfer"]
    assert ledger.spent().balance == 8_00


def test_a_hold_is_settled_or_released_but_never_both(member, concurrently):
    for reference in references(5):
        ledger.hold(member=member, amount=8_00, reference=reference)
        calls = [partial(verb, reference=reference) for verb in (ledger.settle, ledger.release) * 5]
        assert sum(isinstance(result, Transfer | Hold) for result in concurrently(*calls)) == 1


def test_twenty_concurrent_calls_with_one_reference_move_credits_once(team, member, concurrently):
    issue = partial(ledger.issue, team=team, amount=5_00, reference=uuid.uuid4())
    assert len({line.pk for line in concurrently(*[issue] * THREADS)}) == 1
    hold = partial(ledger.hold, member=member, amount=5_00, reference=uuid.uuid4())
    assert len({hold.pk for hold in concurrently(*[hold] * THREADS)}) == 1


def test_concurrent_verbs_do_not_deadlock_and_balances_add_up(team, member, colleague, concurrently):
    def hold_and_close(person, close):
        for reference in references(8):
            ledger.hold(member=person, amount=2_00, reference=reference)
            close(reference=reference)
        return True

    def manage(person):
        for reference in references(8):
            ledger.grant(member=person, amount=1_00, reference=reference)
            ledger.take_back(member=person, amount=1_00, reference=reference)
            ledger.issue(team=team, amount=1_00, reference=reference)
        return True

    def settle_and_refund(reference):
        ledger.settle(reference=reference)
        ledger.refund(reference=reference)

    closers = (ledger.settle, ledger.release, settle_and_refund)
    spending = [partial(hold_and_close, person, close) for person in (member, colleague) for close in closers]
    grants = [partial(manage, person) for person in (member, colleague)]
    assert concurrently(*(spending + grants) * 2) == [True] * 16
    assert ledger.spent().balance == 2 * 2 * 8 * 2_00
