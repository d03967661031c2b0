"""API tokens created by API tokens: once per key, and never able to do more."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from generations.api.models import IdempotentCall
from generations.office.members import service as members_service
from generations.office.models import AuditEntry
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Token
from tests.api.client import ApiClient, error

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = {"name": "shop", "scopes": ["read"]}


@pytest.fixture
def robot(team):
    return members_service.create_program(team=team, name="Robot")


def test_a_token_is_created_for_a_program_with_all_limits(owner_api, robot):
    payload = {
        "name": " the  shop",
        "scopes": ["read", "generate"],
        "member": robot.pk,
        "days": 30,
        "cap": 12.5,
    }
    response = owner_api.post("/team/tokens", payload | {"models": ["core", "core", "ultra"]})
    made = response.json()
    assert (response.status_code, response["Cache-Control"]) == (201, "no-store")
    token = teams_api_tokens.authenticate(made["secret"])
    assert (token.membership, token.name, token.cap) == (robot, "the shop", 1_250)
    assert (token.scopes, token.models) == (["generate", "read"], ["core", "ultra"])
    assert timedelta(days=29) < token.expires_at - timezone.now() <= timedelta(days=30)
    assert token.made_by == owner_api.token.membership.user
    assert (made["member"], made["state"], made["cap"]) == ({"id": robot.pk, "name": "Robot"}, "good", 12.5)
    entry = AuditEntry.objects.get(act="token_made")
    assert (entry.actor, entry.member, entry.subject) == (owner_api.token.membership.user, robot, "the shop")
    one = owner_api.get(f"/team/tokens/{token.pk}").json()
    assert (one["id"], one["used"], "secret" in one) == (token.pk, 0, False)


def test_the_same_key_creates_one_token_and_its_secret_is_not_stored(owner_api):
    responses = []

    def send():
        responses.append(owner_api.post("/team/tokens", TOKEN, Idempotency_Key="t"))
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {response.status_code for response in responses} == {201}
    [secret] = {response.json()["secret"] for response in responses}
    assert Token.objects.filter(name="shop").count() == 1
    assert AuditEntry.objects.filter(act="token_made").count() == 1
    again = owner_api.post("/team/tokens", TOKEN, Idempotency_Key="t")
    assert (again.json()["secret"], again["Idempotent-Replayed"]) == (secret, "true")
    assert secret not in str([list(kind.objects.values()) for kind in (IdempotentCall, Token, AuditEntry)])
    other = owner_api.post("/team/tokens", TOKEN | {"name": "desk"}, Idempotency_Key="t")
    assert error(other) == (409, "idempotency_key_reused")
    assert owner_api.post("/team/tokens", TOKEN).json()["secret"] != secret


def test_the_key_of_a_revoked_token_does_not_return_its_secret_again(owner_api):
    made = owner_api.post("/team/tokens", TOKEN, Idempotency_Key="t").json()
    url = made["links"]["self"].removeprefix("/api/v1")
    assert owner_api.request("delete", url).status_code == owner_api.request("delete", url).status_code == 204
    assert error(owner_api.post("/team/tokens", TOKEN, Idempotency_Key="t")) == (409, "token_over")
    with pytest.raises(teams_api_tokens.TokenRevoked):
        teams_api_tokens.authenticate(made["secret"])
    assert Token.objects.filter(name="shop").count() == 1


@pytest.mark.parametrize(
    ("limits", "payload"),
    [
        ({"scopes": ("administer",)}, {"scopes": ["read"]}),
        ({"scopes": ("administer", "read")}, {"scopes": ["generate", "read"]}),
        ({"models": ["core"]}, {"models": ["ultra"]}),
        ({"models": ["core"]}, {"models": ["core", "ultra"]}),
        ({"days": 10}, {"days": 11}),
        ({"cap": 100}, {}),
        ({"cap": 100}, {"cap": 0.5}),
        ({"cap": 100}, {"robot": True}),
        ({"models": ["core"]}, {"models": ["ultra"], "robot": True}),
    ],
)
def test_no_token_creates_one_that_can_do_more(owner, robot, limits, payload):
    more = {name: limits[name] for name in ("models", "cap") if name in limits}
    if "days" in limits:
        more["expires_at"] = timezone.now() + timedelta(days=limits["days"])
    limited = ApiClient(owner, *limits.get("scopes", ()), **more)
    body = TOKEN | {name: value for name, value in payload.items() if name != "robot"}
    if "robot" in payload:
        body["member"] = robot.pk
    for key in ({}, {"Idempotency_Key": "t"}, {"Idempotency_Key": "t"}):
        assert error(limited.post("/team/tokens", body, **key)) == (403, "beyond_token")
    assert list(Token.objects.values_list("pk", flat=True)) == [limited.token.pk]
    assert not AuditEntry.objects.filter(act="token_made").exists()


def test_omitted_limits_are_copied_from_the_token_of_the_request(owner):
    until = timezone.now() + timedelta(days=10)
    limited = ApiClient(owner, models=["core", "ultra"], expires_at=until)
    made = limited.post("/team/tokens", TOKEN).json()
    assert made["models"] == ["core", "ultra"]
    assert datetime.fromisoformat(made["expires_at"]) - until < timedelta(milliseconds=2)
    fewer = limited.post("/team/tokens", TOKEN | {"models": ["core"], "days": 9, "cap": 1}).json()
    assert (fewer["models"], fewer["cap"]) == (["core"], 1)


def test_a_weaker_token_does_not_get_the_secret_of_a_stronger_one_by_its_key(owner_api, owner):
    weaker = ApiClient(owner, models=["core"])
    strong = owner_api.post("/team/tokens", TOKEN, Idempotency_Key="t")
    assert strong.json()["models"] == []
    assert error(weaker.post("/team/tokens", TOKEN, Idempotency_Key="t")) == (403, "beyond_token")


def test_tokens_are_created_only_for_oneself_and_for_programs(owner_api, member, make_member, robot):
    assert error(owner_api.post("/team/tokens", TOKEN | {"member": member.pk})) == (403, "forbidden")
    assert error(owner_api.post("/team/tokens", TOKEN | {"member": 10**9})) == (404, "not_found")
    administer = {"name": "x", "scopes": ["administer"]}
    response = owner_api.post("/team/tokens", administer | {"member": robot.pk})
    assert (error(response), response.json()["error"]["field"]) == ((422, "invalid"), "scopes")
    assert owner_api.post("/team/tokens", administer).status_code == 201
    members_service.remove_member(
        member=robot, requester=owner_api.token.membership, by=members_service.COMMAND
    )
    assert error(owner_api.post("/team/tokens", TOKEN | {"member": robot.pk})) == (404, "not_found")


def test_an_owner_lists_and_revokes_all_tokens_and_never_sees_a_secret(owner_api, member, make_member):
    hers, secret = teams_api_tokens.issue(membership=member, name="hers", scopes=["read", "generate"])
    assert owner_api.request("delete", f"/team/tokens/{hers.pk}").status_code == 204
    with pytest.raises(teams_api_tokens.TokenRevoked):
        teams_api_tokens.authenticate(secret)
    for number in range(3):
        teams_api_tokens.issue(membership=member, name=str(number), scopes=["read"])
    seen, path = [], f"/team/tokens?limit=2&member={member.pk}"
    while path:
        page = owner_api.get(path.removeprefix("/api/v1"))
        assert hers.token_hash not in page.content.decode()
        seen += [row["name"] for row in page.json()["items"]]
        path = page.json()["next"]
    assert seen == ["2", "1", "0"]
    [ended] = owner_api.get("/team/tokens?state=ended").json()["items"]
    assert (ended["name"], ended["state"], ended["member"]["name"]) == ("hers", "revoked", "Mei")
    assert len(owner_api.get("/team/tokens").json()["items"]) == 4
    assert owner_api.request("delete", f"/team/tokens/{owner_api.token.pk}").status_code == 204
    assert error(owner_api.get("/team/tokens")) == (401, "unauthorized")


def test_the_limit_of_tokens_per_member_holds_for_the_api_too(owner_api, owner):
    for number in range(49):
        teams_api_tokens.issue(membership=owner, name=str(number), scopes=["read"])
    response = owner_api.post("/team/tokens", TOKEN, Idempotency_Key="t")
    assert error(response) == (409, "too_many_tokens")
    teams_api_tokens.revoke(Token.objects.get(name="1"))
    assert owner_api.post("/team/tokens", TOKEN, Idempotency_Key="t").status_code == 201
    assert owner_api.post("/team/tokens", TOKEN, Idempotency_Key="t").status_code == 201


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": " "}, {"name": "a\0"}, {"name": "\ud800"}, {"name": "x" * 121}, {"scopes": []},
     {"scopes": ["all"]}, {"scopes": "read"}, {"days": 0}, {"days": 3651}, {"days": 10**400}, {"cap": 0},
     {"cap": -1}, {"cap": 1e300}, {"member": "x"}, {"member": -1}, {"models": ["\0"]}, {"models": ["a"] * 51},
     {"secret": "sdw_x"}, {"expires_at": None}],
)  # fmt: skip
def test_an_invalid_value_creates_no_token(owner_api, wrong):
    assert error(owner_api.post("/team/tokens", TOKEN | wrong)) == (422, "invalid")
    assert error(owner_api.post("/team/tokens", TOKEN | {"models": ["dall-e"]})) == (422, "unknown_model")
    assert Token.objects.count() == 1
