"""What the ledger promises however many spend at the same moment."""

import uuid
from functools import partial

import pytest

from generations.credits import ledger
from generations.credits.models import Account, Hold, Transfer

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 20


def references(count):
    return [uuid.uuid4() for _ in range(count)]


def test_a_wallet_never_goes_below_what_it_holds(member, together):
    def spend():
        won = 0
        for reference in references(15):
            try:
                ledger.hold(member=member, amount=1_00, reference=reference)
            except ledger.InsufficientCredits:
                continue
            won += 1
        return won

    assert sum(together(*[spend] * THREADS)) == 100
    wallet = Account.objects.get(membership=member)
    assert (wallet.balance, wallet.held) == (100_00, 100_00)


def test_twenty_settlements_of_one_hold_charge_once(member, together):
    ledger.hold(member=member, amount=8_00, reference=(reference := uuid.uuid4()))
    results = together(*[partial(ledger.settle, reference=reference)] * THREADS)
    assert sorted(type(result).__name__ for result in results) == ["HoldClosed"] * 19 + ["Transfer"]
    assert ledger.spent().balance == 8_00


def test_a_hold_is_settled_or_released_but_never_both(member, together):
    for reference in references(5):
        ledger.hold(member=member, amount=8_00, reference=reference)
        calls = [partial(verb, reference=reference) for verb in (ledger.settle, ledger.release) * 5]
        assert sum(isinstance(result, Transfer | Hold) for result in together(*calls)) == 1


def test_one_form_sent_by_twenty_at_once_moves_credits_once(team, member, together):
    issue = partial(ledger.issue, team=team, amount=5_00, reference=uuid.uuid4())
    assert len({line.pk for line in together(*[issue] * THREADS)}) == 1
    hold = partial(ledger.hold, member=member, amount=5_00, reference=uuid.uuid4())
    assert len({hold.pk for hold in together(*[hold] * THREADS)}) == 1


def test_everything_at_once_ends_and_adds_up(team, member, colleague, together):
    def life_of_a_picture(person, fate):
        for reference in references(8):
            ledger.hold(member=person, amount=2_00, reference=reference)
            fate(reference=reference)
        return True

    def manager(person):
        for reference in references(8):
            ledger.grant(member=person, amount=1_00, reference=reference)
            ledger.take_back(member=person, amount=1_00, reference=reference)
            ledger.issue(team=team, amount=1_00, reference=reference)
        return True

    def settle_and_refund(reference):
        ledger.settle(reference=reference)
        ledger.refund(reference=reference)

    fates = (ledger.settle, ledger.release, settle_and_refund)
    spending = [partial(life_of_a_picture, person, fate) for person in (member, colleague) for fate in fates]
    managing = [partial(manager, person) for person in (member, colleague)]
    assert together(*(spending + managing) * 2) == [True] * 16
    assert ledger.spent().balance == 2 * 2 * 8 * 2_00
