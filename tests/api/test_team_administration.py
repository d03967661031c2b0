"""What who runs a team does by programs: caps, allowances, models, and what the books say."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from generations.credits import integrity_check as books
from generations.credits.models import Transfer, TransferKind
from generations.jobs.models import ModelRule
from generations.office.audit_log.service import Actor
from generations.office.members import service as members_service
from generations.office.models import AuditEntry
from generations.office.prices import service as prices_service
from generations.teams.models import Membership, Role
from tests.api.asking import Program, code
from tests.conftest import work

pytestmark = pytest.mark.django_db(transaction=True)
HARBOUR = {"model": "core", "prompt": "a quiet harbour at dawn"}
ADMINISTER = [
    ("get", "/team", None),
    ("get", "/team/members/{pk}/caps", None),
    ("put", "/team/members/{pk}/caps", {"per_day": 1, "per_month": None}),
    ("get", "/team/members/{pk}/allowance", None),
    ("put", "/team/members/{pk}/allowance", {"kind": "add", "credits": 1}),
    ("delete", "/team/members/{pk}/allowance", None),
    ("get", "/team/models", None),
    ("put", "/team/models/core", {"roles": ["owner", "administrator", "member"]}),
    ("get", "/team/invitations", None),
    ("post", "/team/invitations", {}),
    ("delete", "/team/invitations/1", None),
    ("get", "/team/tokens", None),
    ("get", "/team/tokens/1", None),
    ("post", "/team/tokens", {"name": "x", "scopes": ["read"]}),
    ("delete", "/team/tokens/1", None),
    ("get", "/team/lines", None),
    ("get", "/team/spending", None),
    ("get", "/team/changes", None),
]


def acts():
    return list(AuditEntry.objects.order_by("pk").values_list("act", flat=True))


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMINISTRATOR])
def test_who_runs_the_team_is_let_in_everywhere(make_member, member, role):
    keeper = Program(make_member("kim", role=role))
    for method, path, body in ADMINISTER:
        answer = keeper.ask(method, path.format(pk=member.pk).replace("/1", "/0"), body)
        assert answer.status_code in (200, 201, 204, 404), (method, path, answer.content)


def test_a_token_without_the_scope_or_of_another_role_does_none_of_it(make_member, member, team, owner):
    demoted = make_member("kim", role=Role.ADMINISTRATOR)
    lost = Program(demoted)
    members_service.set_role(member=demoted, role=Role.MEMBER)
    robot = members_service.create_program(team=team, name="Robot")
    refused = [lost, Program(member), Program(make_member("lea", role=Role.VIEWER)), Program(robot)]
    refused.append(Program(owner, "generate", "read"))
    before = acts()
    for program in refused:
        for method, path, body in ADMINISTER:
            answer = program.ask(method, path.format(pk=member.pk), body)
            assert code(answer) == (403, "scope_missing"), (method, path)
    assert acts() == before


def test_caps_are_set_hold_at_once_and_are_taken_away(boss, member, upstream):
    here, drawer = f"/team/members/{member.pk}/caps", Program(member)
    assert boss.get(here).json() == {"per_day": None, "per_month": None, "standing": []}
    assert boss.get(f"/team/members/{member.pk}").json()["links"]["caps"] == f"/api/v1{here}"
    was = boss.ask("put", here, {"per_day": 3.5, "per_month": 100}).json()
    assert (was["per_day"], was["per_month"]) == (3.5, 100)
    assert [(each["period"], each["left"]) for each in was["standing"]] == [("day", 3.5), ("month", 100)]
    assert drawer.post("/generations", HARBOUR).status_code == 202
    assert code(drawer.post("/generations", HARBOUR)) == (402, "cap_reached")
    assert boss.get(here).json()["standing"][0]["used"] == 3
    assert boss.ask("put", here, {"per_day": 0, "per_month": None}).json()["per_day"] == 0
    assert boss.ask("put", here, {"per_day": None, "per_month": None}).json()["standing"] == []
    assert drawer.post("/generations", HARBOUR).status_code == 202
    entry = AuditEntry.objects.filter(act="caps_set").earliest("pk")
    assert (entry.actor, entry.member, entry.address) == (boss.token.membership.user, member, "127.0.0.1")
    assert entry.after == {"cap_per_day": 350, "cap_per_month": 10_000}


def test_an_allowance_is_given_once_a_month_however_often_it_is_set(boss, member, team, owner):
    members_service.issue(team=team, amount=1_000_00, reference=uuid.uuid4(), by=Actor(owner.user))
    here = f"/team/members/{member.pk}/allowance"
    nothing = {"kind": None, "credits": None, "first_month": None, "is_given": False}
    assert boss.get(here).json() == nothing
    for _time in range(2):
        answer = boss.ask("put", here, {"kind": "add", "credits": 25})
        assert answer.json() | {"first_month": ""} == {
            "kind": "add", "credits": 25, "first_month": "", "is_given": True,
        }  # fmt: skip
    assert boss.get(f"/team/members/{member.pk}").json()["balance"] == 125
    assert boss.ask("put", here, {"kind": "top_up", "credits": 500, "starts": "next"}).json()["is_given"]
    assert boss.ask("delete", here).status_code == boss.ask("delete", here).status_code == 204
    assert boss.get(here).json() == nothing | {"is_given": True}
    assert Transfer.objects.filter(kind=TransferKind.ALLOWANCE).count() == 1
    assert acts().count("allowance_set") == 4
    assert books.problems() == []


def test_prices_are_read_with_their_day_and_models_kept_to_some_roles(boss, member, team, upstream):
    prices_service.set_price(model="core", amount=400, by=Actor())
    soon = timezone.now() + timedelta(days=1)
    prices_service.set_price(model="core", amount=500, team=team, valid_from=soon, by=Actor())
    rows = {row["name"]: row for row in boss.get("/team/models").json()}
    core = rows["core"]
    assert (core["price"], core["price_everywhere"], core["is_own"], core["is_served"]) == (4, 4, False, True)
    assert core["since"]
    assert rows["ultra"]["since"] is None
    assert [(each["price"], each["is_own"]) for each in core["to_come"]] == [(5, True)]
    assert core["roles"] == ["owner", "administrator", "member"]
    shut = boss.ask("put", "/team/models/core", {"roles": ["administrator", "owner", "owner"]})
    assert shut.json()["roles"] == ["owner", "administrator"]
    assert code(Program(member).post("/generations", HARBOUR)) == (403, "model_not_allowed")
    assert boss.ask("put", "/team/models/core", {"roles": []}).json()["roles"] == []
    assert boss.ask("put", "/team/models/core", {"roles": core["roles"]}).status_code == 200
    assert not ModelRule.objects.exists()
    assert acts().count("model_rule_set") == 3
    assert code(boss.ask("put", "/team/models/core", {"roles": ["viewer"]})) == (422, "invalid")
    assert code(boss.ask("put", "/team/models/dall-e", {"roles": []})) == (404, "not_found")
    assert boss.ask("put", "/team/models/core", {"price": 1}).status_code == 422


def test_the_books_are_read_page_by_page_and_add_up(boss, member, submit, upstream):
    for number in range(60):
        boss.post(f"/team/members/{member.pk}/take-back", {"credits": 0.5, "note": f"number {number}"})
    submit()
    work()
    seen, path = [], "/team/lines?kind=take_back"
    while path:
        page = boss.get(path.removeprefix("/api/v1")).json()
        seen += page["items"]
        path = page["next"]
    numbers = [line["number"] for line in seen]
    assert len(numbers) == len(set(numbers)) == 60
    assert [line["note"] for line in seen] == [f"number {number}" for number in reversed(range(60))]
    ends = {(line["source"], line["target"], line["amount"], line["by"]) for line in seen}
    assert ends == {("wallet", "pool", 0.5, "Ana")}
    [charge] = boss.get(f"/team/lines?member={member.pk}&model=core").json()["items"]
    assert (charge["kind"], charge["amount"], charge["target"]) == ("charge", 3, "spent")
    assert (charge["member"], charge["by"]) == ({"id": member.pk, "name": "Mei"}, None)
    spent = boss.get("/team/spending").json()
    assert (spent["spent"], spent["pictures"], spent["pool"], spent["with_members"]) == (3, 1, 30, 167)
    assert spent["members"] == [{"id": member.pk, "name": "Mei", "spent": 3}]
    assert spent["models"] == [{"model": "core", "spent": 3}]
    log, path = [], "/team/changes"
    while path:
        page = boss.get(path.removeprefix("/api/v1")).json()
        log += page["items"]
        path = page["next"]
    assert [entry["id"] for entry in log] == list(
        AuditEntry.objects.order_by("-at", "-pk").values_list("pk", flat=True)
    )
    taken = boss.get("/team/changes?what=taken_back").json()["items"][0]
    assert taken["sentence"] == "Ana took back 0.5 from Mei"
    assert (taken["who"]["name"], taken["member"]["id"], taken["after"]["amount"]) == ("Ana", member.pk, 50)
    assert boss.get("/team/changes?who=server&what=member_admitted").json()["items"][0]["who"] is None


def test_of_another_team_nothing_is_read_or_changed(boss, make_member, team):
    other = members_service.create_team("Other")
    eve = make_member("eve", team=other, role=Role.OWNER)
    stranger = Program(eve)
    line = Transfer.objects.filter(team=team).latest("pk").pk
    entry = AuditEntry.objects.filter(team=team).latest("pk").pk
    assert code(stranger.get(f"/team/lines?before={line}")) == (404, "not_found")
    assert code(stranger.get(f"/team/changes?before={entry}")) == (404, "not_found")
    assert code(stranger.get(f"/team/tokens?before={boss.token.pk}")) == (404, "not_found")
    assert stranger.get(f"/team/tokens?member={boss.token.membership_id}").json()["items"] == []
    assert stranger.get(f"/team/lines?member={boss.token.membership_id}").json()["items"] == []
    assert {each["team"] for each in Transfer.objects.filter(team=other).values("team")} == {other.pk}
    assert {
        row["member"]["name"] for row in stranger.get("/team/lines").json()["items"] if row["member"]
    } == {"Eve"}
    stranger.ask("put", "/team/models/core", {"roles": []})
    assert boss.get("/team/models").json()[1]["roles"] != []


def test_guards_of_the_team_hold_for_programs_too(boss, make_member, owner):
    administrator = Program(make_member("kim", role=Role.ADMINISTRATOR))
    here = f"/team/members/{owner.pk}"
    assert code(administrator.ask("delete", here)) == (403, "forbidden")
    assert code(administrator.ask("patch", here, {"role": "member"})) == (403, "forbidden")
    assert code(boss.ask("patch", here, {"role": "member"})) == (409, "last_owner")
    assert code(boss.ask("delete", here)) == (409, "last_owner")
    robot = boss.post("/team/programs", {"name": "Robot"}).json()["id"]
    assert code(boss.ask("patch", f"/team/members/{robot}", {"role": "owner"})) == (403, "forbidden")
    boss.ask("delete", f"/team/members/{robot}")
    for path in ("caps", "allowance"):
        assert boss.get(f"/team/members/{robot}/{path}").status_code == 404


def test_a_program_is_made_once_for_a_key_from_many_clients_at_once(boss):
    answers = []

    def press():
        answers.append(boss.post("/team/programs", {"name": " Night  robot"}, Idempotency_Key="p"))
        connection.close()

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert Membership.objects.get(kind="program").name == "Night robot"
    assert code(boss.post("/team/programs", {"name": "x"}, Idempotency_Key="p")) == (
        409, "idempotency_key_reused",
    )  # fmt: skip
    assert code(boss.post("/team/programs", {"name": "night robot"})) == (409, "name_taken")
    assert code(boss.post("/team/programs", {"name": " \t "})) == (422, "invalid")
