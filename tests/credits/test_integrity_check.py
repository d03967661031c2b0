"""Every kind of corruption of the ledger is found."""

import uuid

import pytest
from django.core.management import call_command
from django.utils import timezone

from generations.credits import integrity_check, ledger, posting
from generations.credits.models import Account, Hold, Transfer
from generations.teams.models import Team
from tests import guards


@pytest.fixture
def corrupted(member):
    """Post a settled, a released and an open hold, and drop the triggers that protect the entries."""
    for close in (ledger.settle, ledger.release, None):
        ledger.hold(member=member, amount=8_00, reference=(reference := uuid.uuid4()))
        if close:
            close(reference=reference)
    with guards.lifted():
        yield member


def charge():
    return Transfer.objects.get(kind="charge")


def settled():
    return Hold.objects.filter(state="settled")


CORRUPTIONS = {
    "has a balance of": lambda member: Account.objects.filter(membership=member).update(balance=99_00),
    "holds 9, but its open holds add up to 8": lambda member: Account.objects.filter(
        membership=member
    ).update(held=9_00),
    "All balances together": lambda member: Account.objects.filter(kind="spent").update(balance=9_00),
    "no entry charges it correctly": lambda member: settled().update(transfer=None),
    "is released, but an entry charges it": lambda member: settled().update(state="released"),
    "for which no hold was settled": lambda member: settled().update(transfer=None),
    "goes from": lambda member: Transfer.objects.filter(kind="grant").update(kind="take_back"),
    "refunds": lambda member: posting.post(
        Transfer(
            kind="refund",
            source=ledger.spent(),
            target=member.wallet,
            amount=1_00,
            reference=uuid.uuid4(),
            created_at=timezone.now(),
        )
    ),
    "which are not of one team": lambda member: (
        ledger.open_pool(member.team)
        and Account.objects.filter(team=member.team).update(
            team=Team.objects.create(name="Other", slug="other")
        )
    ),
    "no entry charges it": lambda member: settled().update(amount=7_99),
    "but its entries add up to": lambda member: Transfer.objects.filter(pk=charge().pk).update(amount=7_00),
}


def test_an_exact_ledger_has_no_problems(corrupted, capsys):
    assert integrity_check.problems() == []
    call_command("audit_ledger")
    assert "The ledger is exact." in capsys.readouterr().out


@pytest.mark.parametrize("sentence", CORRUPTIONS)
def test_corruption_is_found_and_exits_with_1(corrupted, sentence, capsys):
    CORRUPTIONS[sentence](corrupted)
    with pytest.raises(SystemExit) as ended:
        call_command("audit_ledger")
    assert ended.value.code == 1
    assert sentence in capsys.readouterr().err
