"""A member's credits page, and the format of amounts."""

import uuid
from decimal import Decimal

import pytest
from django import forms
from django.utils import timezone

from generations.credits import (
    adjustments,
    bulk_transfers,
    daily_totals,
    ledger,
    periods,
    statement,
)
from generations.credits.amounts import CreditsField, as_text, from_credits
from generations.credits.models import Account, Hold
from generations.credits.periods import Month
from tests import past


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


def read(member, before="", **chosen):
    return statement.page(
        member,
        Account.objects.get(membership=member),
        chosen=statement.StatementFilter(**chosen),
        before=statement.position(member, before),
    )


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
    assert (grant.amount, grant.generation, older) == (100_00, None, "")


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
    rest, end = read(member, older)
    assert (len(first), len(rest), end) == (50, 11, "")
    numbers = [entry.transfer_id for entry in first + rest]
    assert numbers == sorted(numbers, reverse=True)
    assert set(numbers) == set(member.transfers.values_list("pk", flat=True))


@pytest.mark.parametrize("before", ["0", "x", "9" * 30, "-1", "t", "h0", "t-1", "hh"])
def test_a_page_that_does_not_exist_is_not_found(client, member, before):
    client.force_login(member.user)
    assert client.get(f"/t/{member.team.slug}/credits/?before={before}").status_code == 404


def test_paging_by_an_entry_of_another_member_is_not_found(client, member, colleague):
    line = colleague.transfers.first()
    ledger.hold(member=colleague, amount=1, reference=(reference := uuid.uuid4()))
    hold = ledger.release(reference=reference)
    client.force_login(member.user)
    for name in (line.pk, f"t{line.pk}", f"h{hold.pk}"):
        assert client.get(f"/t/{member.team.slug}/credits/?before={name}").status_code == 404


def test_an_address_of_an_older_version_pages_by_the_number_of_its_entry(member):
    ledger.take_back(member=member, amount=1, reference=uuid.uuid4())
    newest = member.transfers.latest("pk")
    assert [entry.state for entry in read(member, str(newest.pk))[0]] == ["grant"]


def test_transfers_and_released_holds_are_each_on_exactly_one_page(member):
    """Also those of one moment, and more released ones than fit on a page."""
    moment = timezone.now()
    for number in range(160):
        ledger.hold(member=member, amount=1, reference=(reference := uuid.uuid4()))
        if number % 4:
            ledger.release(reference=reference)
        else:
            ledger.settle(reference=reference)
    Hold.objects.filter(state="released").update(closed_at=moment)
    seen, before = [], ""
    while True:
        entries, before = read(member, before)
        seen += [(entry.state, entry.pk) for entry in entries]
        if not before:
            break
    assert len(seen) == len(set(seen)) == 160 + 1
    in_one_go = [
        (entry.state, entry.pk)
        for chunk in statement.chunks(
            member, Account.objects.get(membership=member), statement.StatementFilter()
        )
        for entry in chunk
    ]
    assert in_one_go == seen


def test_lines_are_filtered_by_kind_and_by_month_of_the_team(team, member):
    team.time_zone = "Asia/Kathmandu"  # a quarter to six ahead
    team.save()
    past.charge(member, past.moment("2026-03-31T18:20"), 7_00)
    march, april = (Month.named(name) for name in ("2026-03", "2026-04"))
    assert [entry.amount for entry in read(member, month=april)[0]] == [-7_00]
    assert read(member, month=march)[0] == []
    assert read(member, month=april, kind="grant")[0] == []
    assert [entry.state for entry in read(member, kind="grant")[0]] == ["grant"]
    ledger.hold(member=member, amount=1, reference=(reference := uuid.uuid4()))
    ledger.release(reference=reference)
    assert [entry.state for entry in read(member, kind="released")[0]] == ["released"]


def test_the_totals_add_up_to_the_ledger(team, member):
    """Of all time to the balance, and each month from the balance before it to the one after."""
    for month in ("2026-01", "2026-02", "2026-04"):
        past.charge(member, past.moment(f"{month}-01T00:30"), 1_00)
        past.charge(member, past.moment(f"{month}-20T12:00"), 3_00)
        past.charge(member, past.moment(f"{month}-21T12:00"), 2_00, refunded=past.moment(f"{month}-28T23:59"))
    ledger.take_back(member=member, amount=5_00, reference=uuid.uuid4())
    for amount in (4_00, -1_50):
        adjustments.adjust_wallet(member=member, amount=amount, reference=uuid.uuid4(), note="x")
    bulk_transfers.grant_allowance(member=member, amount=6_00, reference=uuid.uuid4())
    wallet = Account.objects.get(membership=member)
    for _ in ("from the entries", "from stored days"):
        everything = statement.totals(member)
        assert everything.closing == wallet.balance
        entries = read(member)[0]
        for kind, amount in everything.by_kind.items():
            assert amount == sum(entry.amount for entry in entries if entry.state == kind)
        month, closing = Month.named("2025-12"), 0
        while month <= Month.of(periods.today(team)):
            of_month = statement.totals(member, month)
            assert of_month.opening == closing
            closing, month = of_month.closing, month.next
        assert closing == wallet.balance
        daily_totals.close_days()


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
