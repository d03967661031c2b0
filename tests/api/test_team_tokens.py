"""Tokens made by tokens: once for a key, and never more than the one that asks."""

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
from tests.api.asking import Program, code

pytestmark = pytest.mark.django_db(transaction=True)
WISH = {"name": "shop", "scopes": ["read"]}


@pytest.fixture
def robot(team):
    return members_service.create_program(team=team, name="Robot")


def test_a_program_gets_a_token_with_all_that_a_page_would_give_it(boss, robot):
    wish = {"name": " the  shop", "scopes": ["read", "generate"], "member": robot.pk, "days": 30, "cap": 12.5}
    answer = boss.post("/team/tokens", wish | {"models": ["core", "core", "ultra"]})
    made = answer.json()
    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    token = teams_api_tokens.authenticate(made["secret"])
    assert (token.membership, token.name, token.cap) == (robot, "the shop", 1_250)
    assert (token.scopes, token.models) == (["generate", "read"], ["core", "ultra"])
    assert timedelta(days=29) < token.expires_at - timezone.now() <= timedelta(days=30)
    assert token.made_by == boss.token.membership.user
    assert (made["member"], made["state"], made["cap"]) == ({"id": robot.pk, "name": "Robot"}, "good", 12.5)
    entry = AuditEntry.objects.get(act="token_made")
    assert (entry.actor, entry.member, entry.subject) == (boss.token.membership.user, robot, "the shop")
    one = boss.get(f"/team/tokens/{token.pk}").json()
    assert (one["id"], one["used"], "secret" in one) == (token.pk, 0, False)


def test_the_same_key_makes_one_token_and_its_secret_is_kept_nowhere(boss):
    answers = []

    def press():
        answers.append(boss.post("/team/tokens", WISH, Idempotency_Key="t"))
        connection.close()

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    [secret] = {answer.json()["secret"] for answer in answers}
    assert Token.objects.filter(name="shop").count() == 1
    assert AuditEntry.objects.filter(act="token_made").count() == 1
    again = boss.post("/team/tokens", WISH, Idempotency_Key="t")
    assert (again.json()["secret"], again["Idempotent-Replayed"]) == (secret, "true")
    assert secret not in str([list(kind.objects.values()) for kind in (IdempotentCall, Token, AuditEntry)])
    other = boss.post("/team/tokens", WISH | {"name": "desk"}, Idempotency_Key="t")
    assert code(other) == (409, "idempotency_key_reused")
    assert boss.post("/team/tokens", WISH).json()["secret"] != secret


def test_the_key_of_a_token_that_was_revoked_does_not_tell_its_secret_again(boss):
    made = boss.post("/team/tokens", WISH, Idempotency_Key="t").json()
    here = made["links"]["self"].removeprefix("/api/v1")
    assert boss.ask("delete", here).status_code == boss.ask("delete", here).status_code == 204
    assert code(boss.post("/team/tokens", WISH, Idempotency_Key="t")) == (409, "token_over")
    with pytest.raises(teams_api_tokens.TokenRevoked):
        teams_api_tokens.authenticate(made["secret"])
    assert Token.objects.filter(name="shop").count() == 1


@pytest.mark.parametrize(
    ("limits", "wish"),
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
def test_no_token_makes_one_that_does_more_than_itself(owner, robot, limits, wish):
    more = {name: limits[name] for name in ("models", "cap") if name in limits}
    if "days" in limits:
        more["expires_at"] = timezone.now() + timedelta(days=limits["days"])
    limited = Program(owner, *limits.get("scopes", ()), **more)
    asked = WISH | {name: value for name, value in wish.items() if name != "robot"}
    if "robot" in wish:
        asked["member"] = robot.pk
    for key in ({}, {"Idempotency_Key": "t"}, {"Idempotency_Key": "t"}):
        assert code(limited.post("/team/tokens", asked, **key)) == (403, "beyond_token")
    assert list(Token.objects.values_list("pk", flat=True)) == [limited.token.pk]
    assert not AuditEntry.objects.filter(act="token_made").exists()


def test_what_is_left_out_is_as_the_token_that_asks_has_it(owner):
    until = timezone.now() + timedelta(days=10)
    limited = Program(owner, models=["core", "ultra"], expires_at=until)
    made = limited.post("/team/tokens", WISH).json()
    assert made["models"] == ["core", "ultra"]
    assert datetime.fromisoformat(made["expires_at"]) - until < timedelta(milliseconds=2)
    fewer = limited.post("/team/tokens", WISH | {"models": ["core"], "days": 9, "cap": 1}).json()
    assert (fewer["models"], fewer["cap"]) == (["core"], 1)


def test_a_weaker_token_of_the_same_person_is_not_told_the_secret_of_a_stronger_one(boss, owner):
    weaker = Program(owner, models=["core"])
    strong = boss.post("/team/tokens", WISH, Idempotency_Key="t")
    assert strong.json()["models"] == []
    assert code(weaker.post("/team/tokens", WISH, Idempotency_Key="t")) == (403, "beyond_token")


def test_tokens_are_made_for_oneself_and_for_programs_alone(boss, member, make_member, robot):
    assert code(boss.post("/team/tokens", WISH | {"member": member.pk})) == (403, "forbidden")
    assert code(boss.post("/team/tokens", WISH | {"member": 10**9})) == (404, "not_found")
    administer = {"name": "x", "scopes": ["administer"]}
    answer = boss.post("/team/tokens", administer | {"member": robot.pk})
    assert (code(answer), answer.json()["error"]["field"]) == ((422, "invalid"), "scopes")
    assert boss.post("/team/tokens", administer).status_code == 201
    members_service.remove_member(member=robot, requester=boss.token.membership, by=members_service.COMMAND)
    assert code(boss.post("/team/tokens", WISH | {"member": robot.pk})) == (404, "not_found")


def test_who_runs_the_team_sees_and_revokes_all_tokens_and_never_a_secret(boss, member, make_member):
    hers, secret = teams_api_tokens.issue(membership=member, name="hers", scopes=["read", "generate"])
    assert boss.ask("delete", f"/team/tokens/{hers.pk}").status_code == 204
    with pytest.raises(teams_api_tokens.TokenRevoked):
        teams_api_tokens.authenticate(secret)
    for number in range(3):
        teams_api_tokens.issue(membership=member, name=str(number), scopes=["read"])
    seen, path = [], f"/team/tokens?limit=2&member={member.pk}"
    while path:
        page = boss.get(path.removeprefix("/api/v1"))
        assert hers.token_hash not in page.content.decode()
        seen += [row["name"] for row in page.json()["items"]]
        path = page.json()["next"]
    assert seen == ["2", "1", "0"]
    [ended] = boss.get("/team/tokens?state=ended").json()["items"]
    assert (ended["name"], ended["state"], ended["member"]["name"]) == ("hers", "revoked", "Mei")
    assert len(boss.get("/team/tokens").json()["items"]) == 4
    assert boss.ask("delete", f"/team/tokens/{boss.token.pk}").status_code == 204
    assert code(boss.get("/team/tokens")) == (401, "unauthorized")


def test_a_member_has_no_more_tokens_by_programs_than_by_pages(boss, owner):
    for number in range(49):
        teams_api_tokens.issue(membership=owner, name=str(number), scopes=["read"])
    answer = boss.post("/team/tokens", WISH, Idempotency_Key="t")
    assert code(answer) == (409, "too_many_tokens")
    teams_api_tokens.revoke(Token.objects.get(name="1"))
    assert boss.post("/team/tokens", WISH, Idempotency_Key="t").status_code == 201
    assert boss.post("/team/tokens", WISH, Idempotency_Key="t").status_code == 201


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": " "}, {"name": "a\0"}, {"name": "\ud800"}, {"name": "x" * 121}, {"scopes": []},
     {"scopes": ["all"]}, {"scopes": "read"}, {"days": 0}, {"days": 3651}, {"days": 10**400}, {"cap": 0},
     {"cap": -1}, {"cap": 1e300}, {"member": "x"}, {"member": -1}, {"models": ["\0"]}, {"models": ["a"] * 51},
     {"secret": "sdw_x"}, {"expires_at": None}],
)  # fmt: skip
def test_what_makes_no_sense_makes_no_token(boss, wrong):
    assert code(boss.post("/team/tokens", WISH | wrong)) == (422, "invalid")
    assert code(boss.post("/team/tokens", WISH | {"models": ["dall-e"]})) == (422, "unknown_model")
    assert Token.objects.count() == 1
