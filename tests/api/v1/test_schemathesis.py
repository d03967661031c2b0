"""Requests that schemathesis generates from the OpenAPI document: no 5xx, every response as documented."""

from __future__ import annotations

import random

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from generations.credits import integrity_check
from generations.credits.models import Account
from generations.jobs.models import Batch, Generation
from generations.library.models import Image
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Invitation, Role
from tests.api.client import ApiClient
from tests.conftest import work

pytestmark = pytest.mark.django_db(transaction=True)
# (examples of each operation, operations that must succeed at least once)
FEW = pytest.param(2, 20, id="few")
MANY = pytest.param(6, 35, marks=pytest.mark.slow, id="many")
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)


@pytest.mark.parametrize(("examples", "successes"), [FEW, MANY])
def test_no_request_that_the_openapi_document_allows_causes_a_server_error(
    live_server, client, make_member, submit, upstream, examples, successes
):
    owner, other = ApiClient(make_member("ana", role=Role.OWNER)), make_member("tom")
    for _ in range(2):
        submit(by=owner.token.membership)
    work(1)
    for number in (1, 2):
        owner.post("/team/invitations", {"uses": number})
    saved = {"model": "core", "parameters": {"prompt": "a harbour"}}
    real = {
        "generations": [str(pk) for pk in Generation.objects.values_list("pk", flat=True)],
        "batches": [str(pk) for pk in Batch.objects.values_list("pk", flat=True)],
        "images": [str(pk) for pk in Image.objects.values_list("pk", flat=True)],
        "members": [other.pk],
        "saved-prompts": [
            owner.post("/saved-prompts", saved | {"name": name}).json()["id"]
            for name in ("Harbours", "Boats")
        ],
        "tokens": [
            teams_api_tokens.issue(membership=other, name=str(number), scopes=["read"])[0].pk
            for number in (1, 2)
        ],
        "invitations": list(Invitation.objects.values_list("pk", flat=True)),
        "models": ["core", "ultra"],
    }
    chance, tried = random.Random(1), set()
    document = client.get("/api/v1/openapi.json").json()

    def ask(case):
        kind = next((kind for kind in real if f"/{kind}/{{" in case.path), None)
        if kind and chance.random() < 0.6:  # otherwise an id that does not exist
            case.path_parameters = dict.fromkeys(case.path_parameters, chance.choice(real[kind]))
        if kind == "tokens" and case.path_parameters["pk"] == owner.token.pk:
            case.path_parameters["pk"] = 0  # the token of this test must not be revoked
        response = case.call(base_url=live_server.url, headers={"Authorization": f"Bearer {owner.secret}"})
        case.validate_response(response, checks=CHECKS)
        tried.add((case.method.upper(), case.path, response.status_code))

    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = found.ok()
        bounded = settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        bounded(given(case=operation.as_strategy())(ask))()
    assert len({(method, path) for method, path, _status in tried}) > 50
    assert len({(method, path) for method, path, status in tried if status < 300}) > successes
    assert integrity_check.problems() == []
    assert Account.objects.filter(held__gt=0).count() <= 1  # generations that are still queued, of the owner
