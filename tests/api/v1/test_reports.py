"""The team's ledger, spending and audit log."""

from __future__ import annotations

import pytest

from generations.office.models import AuditEntry
from tests.conftest import work

pytestmark = pytest.mark.django_db(transaction=True)
HARBOUR = {"model": "core", "prompt": "a quiet harbour at dawn"}


def test_the_ledger_and_the_audit_log_are_read_page_by_page_and_spending_adds_up(
    owner_api, member, submit, upstream
):
    for number in range(60):
        owner_api.post(f"/team/members/{member.pk}/take-back", {"credits": 0.5, "note": f"number {number}"})
    submit()
    work()
    seen, path = [], "/team/lines?kind=take_back"
    while path:
        page = owner_api.get(path.removeprefix("/api/v1")).json()
        seen += page["items"]
        path = page["next"]
    numbers = [line["number"] for line in seen]
    assert len(numbers) == len(set(numbers)) == 60
    assert [line["note"] for line in seen] == [f"number {number}" for number in reversed(range(60))]
    ends = {(line["source"], line["target"], line["amount"], line["by"]) for line in seen}
    assert ends == {("wallet", "pool", 0.5, "Ana")}
    [charge] = owner_api.get(f"/team/lines?member={member.pk}&model=core").json()["items"]
    assert (charge["kind"], charge["amount"], charge["target"]) == ("charge", 3, "spent")
    assert (charge["member"], charge["by"]) == ({"id": member.pk, "name": "Mei"}, None)
    spent = owner_api.get("/team/spending").json()
    assert (spent["spent"], spent["pictures"], spent["pool"], spent["with_members"]) == (3, 1, 30, 167)
    assert spent["members"] == [{"id": member.pk, "name": "Mei", "spent": 3}]
    assert spent["models"] == [{"model": "core", "spent": 3}]
    log, path = [], "/team/changes"
    while path:
        page = owner_api.get(path.removeprefix("/api/v1")).json()
        log += page["items"]
        path = page["next"]
    assert [entry["id"] for entry in log] == list(
        AuditEntry.objects.order_by("-at", "-pk").values_list("pk", flat=True)
    )
    taken = owner_api.get("/team/changes?what=taken_back").json()["items"][0]
    assert taken["sentence"] == "Ana took back 0.5 from Mei"
    assert (taken["who"]["name"], taken["member"]["id"], taken["after"]["amount"]) == ("Ana", member.pk, 50)
    assert owner_api.get("/team/changes?who=server&what=member_admitted").json()["items"][0]["who"] is None
