"""Every operation of /api/v1, asked for by who may not: what the document lists is what is tried."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from generations.jobs.models import Batch, Generation
from generations.library.models import Image
from generations.office.members import service as members_service
from generations.office.models import Allowance
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Invitation, Membership, Role, Token
from tests.api.asking import Program, code
from tests.conftest import work

pytestmark = pytest.mark.django_db(transaction=True)
OPEN = {"/api/v1/openapi.json"}


def rows():
    return [list(kind.objects.values()) for kind in (Image, Membership, Invitation, Allowance)] + [
        list(Token.objects.filter(name="hers").values())
    ]


def operations(document):
    for path, methods in document["paths"].items():
        for method in methods:
            yield method, path


def number_of(document, method, path):
    """One that the address takes: a number, a UUID or a name."""
    named = document["paths"][path][method].get("parameters", [])
    kinds = [each["schema"] for each in named if each["in"] == "path"]
    is_number = kinds and kinds[0].get("type") == "integer"
    return "1" if is_number else str(uuid.uuid4())


@pytest.fixture
def document(client):
    return client.get("/api/v1/openapi.json").json()


def test_a_session_opens_no_door_of_the_api(document, make_member):
    browser = Client(raise_request_exception=False)
    browser.force_login(make_member("ana", role=Role.OWNER).user)
    named = dict.fromkeys(("get", "post", "put", "patch", "delete"), 0)
    for method, path in operations(document):
        address = re.sub(r"\{\w+\}", number_of(document, method, path), path)
        answer = getattr(browser, method)(
            address, **({} if method == "get" else {"data": "{}", "content_type": "application/json"})
        )
        assert code(answer) == (401, "unauthorized"), (method, path)
        named[method] += 1
    assert min(named.values()) > 0
    assert sum(named.values()) > 50


def test_nothing_of_a_team_is_reached_by_a_token_of_another(document, member, make_member, submit, upstream):
    submit()
    work()
    things = {
        "generations": Generation.objects.get().pk,
        "batches": Batch.objects.get().pk,
        "images": Image.objects.get().pk,
        "members": member.pk,
        "tokens": teams_api_tokens.issue(membership=member, name="hers", scopes=["read"])[0].pk,
        "invitations": Invitation.objects.create(
            team=member.team, token_hash="x", expires_at=timezone.now() + timedelta(days=1)
        ).pk,
    }
    other = members_service.create_team("Other")
    stranger = Program(make_member("eve", team=other, role=Role.OWNER))
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
        assert code(stranger.ask(method, address + query, body)) == (404, "not_found"), (method, path)
        tried += 1
    assert tried >= 30
    assert before == rows()


def test_the_page_of_the_api_is_found_without_its_last_stroke_by_everybody(client, member):
    browser = Client()
    browser.force_login(member.user)
    for visitor in (client, browser):
        answer = visitor.get("/api/docs")
        assert (answer.status_code, answer["Location"]) == (301, "/api/docs/")
        assert visitor.get("/api/docs/").status_code == 200
