"""Invalid bodies, filters and ids in the operations of the team."""

from __future__ import annotations

import pytest

from generations.office.models import AuditEntry
from generations.teams import api_tokens as teams_api_tokens
from tests.api.client import error
from tests.api.v1.test_authentication import ADMINISTER

pytestmark = pytest.mark.django_db(transaction=True)
HUGE = 10**400
CAPS = [
    {},
    [],
    "x",
    {"per_day": 1},
    {"per_day": -1, "per_month": None},
    {"per_day": 0.001, "per_month": None},
    *({"per_day": number, "per_month": 1} for number in (HUGE, float("nan"), float("inf"), "x", "\ud800")),
    {"per_day": 1, "per_month": 1, "per_year": 1},
]
ALLOWANCES = [
    {},
    {"kind": "add", "credits": 0},
    {"kind": "gift", "credits": 1},
    {"kind": "add\0", "credits": 1},
    {"kind": "add", "credits": 1e300},
    {"kind": "add", "credits": 1, "starts": "never"},
]
QUERIES = [
    "lines?since=0001-01-01",
    "lines?since=2026-02-01&until=2026-01-01",
    "lines?kind=x",
    "lines?text=%00",
    f"lines?member={2**63}",
    "lines?before=0",
    "lines?before=x",
    "lines?model=%00",
    "spending?month=2026-13",
    "spending?month=0000-01",
    "spending?month=2999-01",
    "spending?month=9999-12",
    "spending?month=%00",
    "spending?month=1999-12",
    "changes?what=x",
    "changes?who=%00",
    "changes?last=x",
    "changes?first=9999-12-31",
    f"changes?before={HUGE}",
    "tokens?member=-1",
    "tokens?state=x",
    "tokens?limit=101",
    "invitations?page=0",
]


def changes():
    return list(AuditEntry.objects.order_by("pk").values_list("act", flat=True))


@pytest.mark.parametrize(
    ("path", "body"),
    [*(("caps", body) for body in CAPS), *(("allowance", body) for body in ALLOWANCES)],
)
def test_an_invalid_body_changes_nothing(owner_api, member, path, body):
    before = changes()
    response = owner_api.request("put", f"/team/members/{member.pk}/{path}", body)
    assert error(response) in {(422, "invalid"), (400, "bad_request")}
    assert changes() == before


@pytest.mark.parametrize("query", QUERIES)
def test_an_invalid_filter_is_refused(owner_api, query):
    assert error(owner_api.get(f"/team/{query}")) == (422, "invalid")


@pytest.mark.parametrize("number", [0, 2**31, 2**63, HUGE])
def test_ids_that_do_not_exist_are_not_found(owner_api, number):
    for method, path, body in ADMINISTER:
        if "{pk}" in path or path.endswith("/1"):
            address = path.format(pk=number).replace("/1", f"/{number}")
            assert error(owner_api.request(method, address, body)) == (404, "not_found"), (method, path)
    assert teams_api_tokens.authenticate(owner_api.secret)
