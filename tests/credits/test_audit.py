"""Whoever spoils the books is found out, line by line."""

import uuid

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from generations.credits import append_only, integrity_check, ledger, posting
from generations.credits.models import Account, Hold, Transfer
from generations.teams.models import Team


@pytest.fixture
def spoiled(member):
    """One settled, one released and one open hold; and the guard lifted, as a burglar would."""
    for close in (ledger.settle, ledger.release, None):
        ledger.hold(member=member, amount=8_00, reference=(reference := uuid.uuid4()))
        if close:
            close(reference=reference)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for statement in append_only.LIFT[connection.vendor]:
            cursor.execute(statement)
    return member


def charge():
    return Transfer.objects.get(kind="charge")


def settled():
    return Hold.objects.filter(state="settled")


SPOILS = {
    "has a balance of": lambda member: Account.objects.filter(membership=member).update(balance=99_00),
    "holds 9, but its open holds add up to 8": lambda member: Account.objects.filter(
        membership=member
    ).update(held=9_00),
    "All balances together": lambda member: Account.objects.filter(kind="spent").update(balance=9_00),
    "no line charges it rightly": lambda member: settled().update(transfer=None),
    "is released, but a line charges it": lambda member: settled().update(state="released"),
    "which no hold was settled for": lambda member: settled().update(transfer=None),
    "goes from": lambda member: Transfer.objects.filter(kind="grant").update(kind="take_back"),
    "refunds": lambda member: posting.enter(
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
    "no line charges it": lambda member: settled().update(amount=7_99),
    "but its lines add up to": lambda member: Transfer.objects.filter(pk=charge().pk).update(amount=7_00),
}


def test_an_exact_ledger_has_no_problems(spoiled, capsys):
    assert integrity_check.problems() == []
    call_command("audit_ledger")
    assert "The ledger is exact." in capsys.readouterr().out


@pytest.mark.parametrize("sentence", SPOILS)
def test_a_spoiled_ledger_is_found_out(spoiled, sentence, capsys):
    SPOILS[sentence](spoiled)
    with pytest.raises(SystemExit) as ended:
        call_command("audit_ledger")
    assert ended.value.code == 1
    assert sentence in capsys.readouterr().err
