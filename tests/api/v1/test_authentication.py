"""Tokens, scopes and roles: callers who may not use an operation try each of the OpenAPI document."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from generations.credits.models import Transfer
from generations.jobs.create import saved_prompts
from generations.jobs.models import Batch, Generation
from generations.library.models import Image
from generations.office.members import service as members_service
from generations.office.models import Allowance, AuditEntry
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Invitation, Membership, Role, Token, Visibility
from tests.api.client import ApiClient, error
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


def audited_actions():
    return list(AuditEntry.objects.order_by("pk").values_list("act", flat=True))


def rows():
    return [list(kind.objects.values()) for kind in (Image, Membership, Invitation, Allowance)] + [
        list(Token.objects.filter(name="hers").values())
    ]


def operations(document):
    for path, methods in document["paths"].items():
        for method in methods:
            yield method, path


def path_value(document, method, path):
    """Return a value for the path parameter: a number or a UUID."""
    named = document["paths"][path][method].get("parameters", [])
    kinds = [each["schema"] for each in named if each["in"] == "path"]
    is_number = kinds and kinds[0].get("type") == "integer"
    return "1" if is_number else str(uuid.uuid4())


@pytest.fixture
def document(client):
    return client.get("/api/v1/openapi.json").json()


def test_a_browser_session_does_not_authenticate_api_requests(document, make_member):
    browser = Client(raise_request_exception=False)
    browser.force_login(make_member("ana", role=Role.OWNER).user)
    named = dict.fromkeys(("get", "post", "put", "patch", "delete"), 0)
    for method, path in operations(document):
        address = re.sub(r"\{\w+\}", path_value(document, method, path), path)
        response = getattr(browser, method)(
            address, **({} if method == "get" else {"data": "{}", "content_type": "application/json"})
        )
        assert error(response) == (401, "unauthorized"), (method, path)
        named[method] += 1
    assert min(named.values()) > 0
    assert sum(named.values()) > 50


def test_no_operation_reaches_a_team_with_the_token_of_another(
    document, member, make_member, submit, upstream
):
    submit()
    work()
    things = {
        "generations": Generation.objects.get().pk,
        "batches": Batch.objects.get().pk,
        "images": Image.objects.get().pk,
        "members": member.pk,
        "saved-prompts": saved_prompts.save(
            member=member, name="Harbours", visibility=Visibility.TEAM, values=HARBOUR
        ).pk,
        "tokens": teams_api_tokens.issue(membership=member, name="hers", scopes=["read"])[0].pk,
        "invitations": Invitation.objects.create(
            team=member.team, token_hash="x", expires_at=timezone.now() + timedelta(days=1)
        ).pk,
    }
    other = members_service.create_team("Other")
    stranger = ApiClient(make_member("eve", team=other, role=Role.OWNER))
    bodies = {"tags": {"name": "x"}, "grant": {"credits": 1}, "take-back": {"credits": 1}}
    bodies |= {"caps": {"per_day": 1, "per_month": None}, "allowance": {"kind": "add", "credits": 1}}
    before = rows()
    tried = 0
    for method, path in operations(document):
        kind = next((kind for kind in things if f"/{kind}/{{" in path), None)
        if kind is None or "collections" in path:
            continue
        address = re.sub(r"\{\w+\}", str(things[kind]), path).removeprefix("/api/v1")
        body = bodies.get(path.rsplit("/", 1)[1], {}) if method not in {"get", "delete"} else None
        query = "?name=x" if (method, path.endswith("tags")) == ("delete", True) else ""
        assert error(stranger.request(method, address + query, body)) == (404, "not_found"), (method, path)
        tried += 1
    assert tried >= 30
    assert before == rows()


def test_a_token_may_do_what_its_scopes_and_its_members_role_allow(make_member, upstream):
    administrator = make_member("ana", role=Role.ADMINISTRATOR)
    reader, generator = ApiClient(administrator, "read"), ApiClient(administrator, "generate")
    assert error(reader.post("/generations", HARBOUR)) == (403, "scope_missing")
    assert error(generator.get("/images")) == (403, "scope_missing")
    assert error(generator.get("/team")) == (403, "scope_missing")
    assert generator.post("/generations", HARBOUR).status_code == 202
    assert generator.get("/generations").status_code == reader.get("/generations").status_code == 200
    members_service.set_role(member=administrator, role=Role.VIEWER)
    assert error(generator.post("/generations", HARBOUR)) == (403, "scope_missing")
    assert reader.get("/images").status_code == 200


def test_another_members_and_another_teams_resources_are_not_found(api, make_member, member, upstream):
    batch = api.post("/generations", HARBOUR).json()
    work()
    generation = batch["generations"][0]["id"]
    image = Image.objects.get().pk
    colleague = ApiClient(make_member("tom"))
    stranger = ApiClient(make_member("eve", team=members_service.create_team("Other"), role=Role.OWNER))
    assert colleague.get(f"/images/{image}").status_code == 200  # visible to the team
    for other in (colleague, stranger):
        for path in (f"/batches/{batch['id']}", f"/generations/{generation}"):
            assert other.get(path).status_code == 404
        assert other.post(f"/generations/{generation}/cancel").status_code == 404
        assert other.post(f"/generations/{generation}/retry").status_code == 404
    for path in ("", "/original", "/thumbnail", "/download"):
        assert stranger.get(f"/images/{image}{path}").status_code == 404
    assert stranger.get(f"/team/members/{member.pk}").status_code == 404
    assert stranger.post(f"/team/members/{member.pk}/grant", {"credits": 1}).status_code == 404
    assert stranger.request("delete", f"/images/{image}").status_code == 404
    assert stranger.get("/images").json()["items"] == []


def test_without_a_valid_token_every_request_is_401(api, member):
    browser = Client(raise_request_exception=False)
    browser.force_login(member.user)
    for header in ("", "Bearer", "Bearer sdw_x", f"Basic {api.secret}", api.secret, "Bearer \x00"):
        response = browser.get("/api/v1/credits", headers={"Authorization": header})
        assert error(response) == (401, "unauthorized")
        assert response["WWW-Authenticate"] == "Bearer"
    expired = ApiClient(member, expires_at=timezone.now() + timedelta(seconds=60))
    Token.objects.filter(pk=expired.token.pk).update(expires_at=timezone.now())
    assert error(expired.get("/credits")) == (401, "unauthorized")
    Token.objects.filter(pk=api.token.pk).update(revoked_at=timezone.now())
    assert error(api.post("/generations", HARBOUR)) == (401, "unauthorized")


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMINISTRATOR])
def test_owners_and_administrators_may_use_every_operation_of_the_team(make_member, member, role):
    administrator = ApiClient(make_member("kim", role=role))
    for method, path, body in ADMINISTER:
        response = administrator.request(method, path.format(pk=member.pk).replace("/1", "/0"), body)
        assert response.status_code in (200, 201, 204, 404), (method, path, response.content)


def test_a_token_without_the_scope_or_with_another_role_may_use_none_of_them(
    make_member, member, team, owner
):
    demoted = make_member("kim", role=Role.ADMINISTRATOR)
    lost = ApiClient(demoted)
    members_service.set_role(member=demoted, role=Role.MEMBER)
    robot = members_service.create_program(team=team, name="Robot")
    refused = [lost, ApiClient(member), ApiClient(make_member("lea", role=Role.VIEWER)), ApiClient(robot)]
    refused.append(ApiClient(owner, "generate", "read"))
    before = audited_actions()
    for program in refused:
        for method, path, body in ADMINISTER:
            response = program.request(method, path.format(pk=member.pk), body)
            assert error(response) == (403, "scope_missing"), (method, path)
    assert audited_actions() == before


def test_another_teams_ledger_audit_log_and_tokens_are_not_read_or_changed(owner_api, make_member, team):
    other = members_service.create_team("Other")
    eve = make_member("eve", team=other, role=Role.OWNER)
    stranger = ApiClient(eve)
    line = Transfer.objects.filter(team=team).latest("pk").pk
    entry = AuditEntry.objects.filter(team=team).latest("pk").pk
    assert error(stranger.get(f"/team/lines?before={line}")) == (404, "not_found")
    assert error(stranger.get(f"/team/changes?before={entry}")) == (404, "not_found")
    assert error(stranger.get(f"/team/tokens?before={owner_api.token.pk}")) == (404, "not_found")
    assert stranger.get(f"/team/tokens?member={owner_api.token.membership_id}").json()["items"] == []
    assert stranger.get(f"/team/lines?member={owner_api.token.membership_id}").json()["items"] == []
    assert {each["team"] for each in Transfer.objects.filter(team=other).values("team")} == {other.pk}
    assert {
        row["member"]["name"] for row in stranger.get("/team/lines").json()["items"] if row["member"]
    } == {"Eve"}
    stranger.request("put", "/team/models/core", {"roles": []})
    assert owner_api.get("/team/models").json()[1]["roles"] != []
