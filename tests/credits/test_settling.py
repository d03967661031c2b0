"""`settling`, which asks nothing first, writes what `settle` writes, or nothing."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from generations.core.one_message import write_together
from generations.credits import integrity_check, ledger
from generations.credits.models import Account, Hold, HoldState, Transfer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def reference(member):
    """A hold of 8 credits, where something was spent before."""
    ledger.hold(member=member, amount=1_00, reference=(before := uuid.uuid4()))
    ledger.settle(reference=before)
    ledger.hold(member=member, amount=8_00, reference=(reference := uuid.uuid4()), model="ultra")
    return reference


def settled(reference, amount=8_00):
    return write_together(ledger.settling(reference=reference, amount=amount))


def accounts():
    return {each.pk: (each.balance, each.held) for each in Account.objects.all()}


def written(reference):
    """The charge and the hold, column by column, without what differs for each."""
    charge, hold = Transfer.objects.get(reference=reference), Hold.objects.get(reference=reference)
    assert hold.transfer == charge
    assert abs(hold.closed_at - charge.created_at) < timedelta(seconds=1)
    values = {each.attname: getattr(row, each.attname) for row in (charge, hold) for each in row._meta.fields}
    own = {"id", "reference", "created_at", "opened_at", "closed_at", "transfer_id"}
    return {name: value for name, value in values.items() if name not in own}


def test_it_writes_what_settle_writes(member, reference):
    ledger.hold(member=member, amount=8_00, reference=(other := uuid.uuid4()), model="ultra")
    first = accounts()
    assert settled(reference)
    second = accounts()
    ledger.settle(reference=other)
    third = accounts()
    assert written(other).keys() > {"source_id", "target_id", "team_id", "member_id", "amount", "model"}
    assert written(reference) == written(other)
    changes = [
        {pk: tuple(b - a for a, b in zip(before[pk], after[pk], strict=True)) for pk in before}
        for before, after in ((first, second), (second, third))
    ]
    assert changes[0] == changes[1]
    assert integrity_check.problems() == []


def test_a_hold_is_settled_once(reference):
    assert [settled(reference) for _ in range(2)] == [True, False]
    assert Transfer.objects.filter(reference=reference).count() == 1


@pytest.mark.parametrize("amount", [7_99, 8_01])
def test_another_amount_than_is_held_is_left_to_settle(reference, amount):
    before = accounts()
    assert not settled(reference, amount)
    assert (accounts(), Hold.objects.get(reference=reference).state) == (before, HoldState.OPEN)


def test_a_released_hold_is_not_charged(reference):
    ledger.release(reference=reference)
    before = accounts()
    assert not settled(reference)
    assert accounts() == before
    assert not Transfer.objects.filter(reference=reference).exists()


def test_an_ended_membership_is_left_to_settle_which_empties_its_wallet(member, reference):
    member.ended_at = timezone.now()
    member.save()
    assert not settled(reference)


def test_before_anything_was_spent_it_is_left_to_settle_which_opens_that_account(member):
    ledger.hold(member=member, amount=8_00, reference=(reference := uuid.uuid4()))
    Account.objects.filter(kind="spent").delete()
    with pytest.raises(IntegrityError):
        settled(reference)
    ledger.settle(reference=reference)
    assert ledger.spent().balance == 8_00
