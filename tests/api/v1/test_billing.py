"""Caps, allowances, prices and model access."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from generations.credits import integrity_check
from generations.credits.models import Transfer, TransferKind
from generations.jobs.models import ModelRule
from generations.office.audit_log.service import Actor
from generations.office.credits import service as credits_service
from generations.office.models import AuditEntry
from generations.office.prices import service as prices_service
from tests.api.client import ApiClient, error

pytestmark = pytest.mark.django_db(transaction=True)
HARBOUR = {"model": "core", "prompt": "a quiet harbour at dawn"}


def audited_actions():
    return list(AuditEntry.objects.order_by("pk").values_list("act", flat=True))


def test_caps_are_set_apply_at_once_and_are_removed(owner_api, member, upstream):
    url, drawer = f"/team/members/{member.pk}/caps", ApiClient(member)
    assert owner_api.get(url).json() == {"per_day": None, "per_month": None, "standing": []}
    assert owner_api.get(f"/team/members/{member.pk}").json()["links"]["caps"] == f"/api/v1{url}"
    was = owner_api.request("put", url, {"per_day": 3.5, "per_month": 100}).json()
    assert (was["per_day"], was["per_month"]) == (3.5, 100)
    assert [(each["period"], each["left"]) for each in was["standing"]] == [("day", 3.5), ("month", 100)]
    assert drawer.post("/generations", HARBOUR).status_code == 202
    assert error(drawer.post("/generations", HARBOUR)) == (402, "cap_reached")
    assert owner_api.get(url).json()["standing"][0]["used"] == 3
    assert owner_api.request("put", url, {"per_day": 0, "per_month": None}).json()["per_day"] == 0
    assert owner_api.request("put", url, {"per_day": None, "per_month": None}).json()["standing"] == []
    assert drawer.post("/generations", HARBOUR).status_code == 202
    entry = AuditEntry.objects.filter(act="caps_set").earliest("pk")
    assert (entry.actor, entry.member, entry.address) == (
        owner_api.token.membership.user,
        member,
        "127.0.0.1",
    )
    assert entry.after == {"cap_per_day": 350, "cap_per_month": 10_000}


def test_an_allowance_is_granted_once_a_month_however_often_it_is_set(owner_api, member, team, owner):
    credits_service.issue(team=team, amount=1_000_00, reference=uuid.uuid4(), by=Actor(owner.user))
    url = f"/team/members/{member.pk}/allowance"
    nothing = {"kind": None, "credits": None, "first_month": None, "is_given": False}
    assert owner_api.get(url).json() == nothing
    for _time in range(2):
        response = owner_api.request("put", url, {"kind": "add", "credits": 25})
        assert response.json() | {"first_month": ""} == {
            "kind": "add", "credits": 25, "first_month": "", "is_given": True,
        }  # fmt: skip
    assert owner_api.get(f"/team/members/{member.pk}").json()["balance"] == 125
    assert owner_api.request("put", url, {"kind": "top_up", "credits": 500, "starts": "next"}).json()[
        "is_given"
    ]
    assert owner_api.request("delete", url).status_code == owner_api.request("delete", url).status_code == 204
    assert owner_api.get(url).json() == nothing | {"is_given": True}
    assert Transfer.objects.filter(kind=TransferKind.ALLOWANCE).count() == 1
    assert audited_actions().count("allowance_set") == 4
    assert integrity_check.problems() == []


def test_prices_are_listed_with_their_dates_and_models_restricted_to_roles(owner_api, member, team, upstream):
    prices_service.set_price(model="core", amount=400, by=Actor())
    soon = timezone.now() + timedelta(days=1)
    prices_service.set_price(model="core", amount=500, team=team, valid_from=soon, by=Actor())
    rows = {row["name"]: row for row in owner_api.get("/team/models").json()}
    core = rows["core"]
    assert (core["price"], core["price_everywhere"], core["is_own"], core["is_served"]) == (4, 4, False, True)
    assert core["since"]
    assert rows["ultra"]["since"] is None
    assert [(each["price"], each["is_own"]) for each in core["to_come"]] == [(5, True)]
    assert core["roles"] == ["owner", "administrator", "member"]
    shut = owner_api.request("put", "/team/models/core", {"roles": ["administrator", "owner", "owner"]})
    assert shut.json()["roles"] == ["owner", "administrator"]
    assert error(ApiClient(member).post("/generations", HARBOUR)) == (403, "model_not_allowed")
    assert owner_api.request("put", "/team/models/core", {"roles": []}).json()["roles"] == []
    assert owner_api.request("put", "/team/models/core", {"roles": core["roles"]}).status_code == 200
    assert not ModelRule.objects.exists()
    assert audited_actions().count("model_rule_set") == 3
    assert error(owner_api.request("put", "/team/models/core", {"roles": ["viewer"]})) == (422, "invalid")
    assert error(owner_api.request("put", "/team/models/dall-e", {"roles": []})) == (404, "not_found")
    assert owner_api.request("put", "/team/models/core", {"price": 1}).status_code == 422
