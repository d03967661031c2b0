"""A member's credits page, and the format of amounts."""

import uuid
from decimal import Decimal

import pytest
from django import forms

from generations.credits import ledger, statement
from generations.credits.amounts import CreditsField, as_text, from_credits
from generations.credits.models import Account, Transfer


@pytest.mark.parametrize(
    ("amount", "text"),
    [(650, "6.5"), (800, "8"), (100_000, "1,000"), (1, "0.01"), (0, "0"), (-825, "-8.25"), (90, "0.9")],
)
def test_credits_are_formatted_with_the_decimals_they_need(amount, text):
    assert as_text(amount) == text


def test_fractions_of_a_hundredth_are_rounded_up():
    assert (from_credits(Decimal("0.9")), from_credits(Decimal("0.001"))) == (90, 1)


@pytest.mark.parametrize("typed", ["0", "-1", "1.001", "many", "1e40", "NaN", ""])
def test_invalid_amounts_are_refused(typed):
    with pytest.raises(forms.ValidationError):
        CreditsField().clean(typed)
    assert CreditsField().clean("12.50") == 1250


def read(member, before=None):
    return statement.posted(member, Account.objects.get(membership=member), before=before)


def test_a_charge_links_to_its_generation(member):
    ledger.hold(member=member, amount=8_00, reference=(reference := uuid.uuid4()), model="ultra")
    ledger.settle(reference=reference)
    [charge, grant], older = read(member)
    assert (charge.amount, charge.model, charge.generation, charge.state) == (
        -8_00,
        "ultra",
        reference,
        "charge",
    )
    assert (grant.amount, grant.generation, older) == (100_00, None, None)


def test_a_hold_is_shown_until_it_is_closed(member):
    ledger.hold(member=member, amount=8_00, reference=(reference := uuid.uuid4()))
    wallet = Account.objects.get(membership=member)
    [held] = statement.held(wallet)
    assert (held.amount, held.state, held.generation) == (-8_00, "held", reference)
    ledger.release(reference=reference)
    assert statement.held(wallet) == []


def test_older_entries_are_on_the_next_page(member, colleague):
    for person in (member, colleague):
        for _ in range(60):
            ledger.take_back(member=person, amount=1, reference=uuid.uuid4())
    first, older = read(member)
    rest, end = read(member, Transfer.objects.get(pk=older))
    assert (len(first), len(rest), end) == (50, 11, None)
    numbers = [entry.transfer_id for entry in first + rest]
    assert numbers == sorted(numbers, reverse=True)
    assert set(numbers) == set(member.transfers.values_list("pk", flat=True))


@pytest.mark.parametrize("before", ["0", "x", "9" * 30, "-1"])
def test_a_page_that_does_not_exist_is_not_found(client, member, before):
    client.force_login(member.user)
    assert client.get(f"/t/{member.team.slug}/credits/?before={before}").status_code == 404


def test_paging_by_an_entry_of_another_member_is_not_found(client, member, colleague):
    line = colleague.transfers.first()
    client.force_login(member.user)
    assert client.get(f"/t/{member.team.slug}/credits/?before={line.pk}").status_code == 404


def test_the_page_shows_the_balance_the_holds_and_every_entry(client, member, colleague):
    ledger.hold(member=member, amount=8_00, reference=(drawn := uuid.uuid4()), model="ultra")
    ledger.settle(reference=drawn)
    ledger.hold(member=member, amount=6_50, reference=(waiting := uuid.uuid4()), model="core")
    ledger.hold(member=colleague, amount=1_00, reference=(foreign := uuid.uuid4()))
    client.force_login(member.user)
    page = client.get(f"/t/{member.team.slug}/credits/").content.decode()
    for shown in ("85.5", "6.5", "92", str(drawn), str(waiting)):
        assert shown in page
    assert str(foreign) not in page


def test_a_charge_shows_when_its_credits_were_held_and_settled(client, member):
    ledger.hold(member=member, amount=8_00, reference=(reference := uuid.uuid4()), model="ultra")
    ledger.settle(reference=reference, amount=6_00)
    [charge, grant], _older = read(member)
    assert (charge.hold.amount, charge.hold.closed_at, charge.amount) == (
        8_00,
        charge.hold.transfer.hold.closed_at,
        -6_00,
    )
    assert grant.hold is None
    client.force_login(member.user)
    page = client.get(f"/t/{member.team.slug}/credits/").content.decode()
    assert "8 held at" in page
    assert "settled at" in page


def test_a_released_hold_is_shown_as_not_charged(client, member, colleague):
    ledger.hold(member=member, amount=8_00, reference=(mine := uuid.uuid4()), model="ultra")
    ledger.hold(member=colleague, amount=8_00, reference=(other := uuid.uuid4()), model="ultra")
    for reference in (mine, other):
        ledger.release(reference=reference)
    client.force_login(member.user)
    page = client.get(f"/t/{member.team.slug}/credits/").content.decode()
    assert str(mine) in page
    assert "not charged" in page
    assert "given back at" in page
    assert str(other) not in page


def test_a_released_hold_is_on_the_page_of_its_time_only(client, member):
    def give_back():
        ledger.hold(member=member, amount=1, reference=(reference := uuid.uuid4()))
        ledger.release(reference=reference)
        return str(reference)

    early = give_back()
    for _ in range(60):
        ledger.take_back(member=member, amount=1, reference=uuid.uuid4())
    late = give_back()
    client.force_login(member.user)
    first = client.get(f"/t/{member.team.slug}/credits/").content.decode()
    older = client.get(f"/t/{member.team.slug}/credits/?before={read(member)[1]}").content.decode()
    assert (late in first, early in first) == (True, False)
    assert (late in older, early in older) == (False, True)
