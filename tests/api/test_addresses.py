"""What clients make of the APIs' addresses is served, or refused as JSON; pages of any origin may ask."""

from __future__ import annotations

import itertools

import pytest
import requests

from generations.api import addresses
from generations.jobs.models import Generation
from tests.api.conftest import CORE, IMAGES, V1


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("/v1/models", "/v1/models"),
        ("//v1/models", "/v1/models"),
        ("/v1//models/", "/v1/models"),
        ("/v1/v1/models", "/v1/models"),
        ("/models", "/v1/models"),
        ("/models/core/", "/v1/models/core"),
        ("/images/generations", "/v1/images/generations"),
        ("/v1/v1//images/generations/", "/v1/images/generations"),
        ("/user/balance", "/v1/user/balance"),
        ("/engines/list", "/v1/engines/list"),
        ("/stable-image/generate/core", "/v2beta/stable-image/generate/core"),
        ("/v1/stable-image/generate/core", "/v2beta/stable-image/generate/core"),
        ("/v1/v2beta/stable-image/generate/core", "/v2beta/stable-image/generate/core"),
        ("/v2beta/v2beta/stable-image/generate/core/", "/v2beta/stable-image/generate/core"),
        ("/v2beta/generation/x/text-to-image", "/v1/generation/x/text-to-image"),
        ("/sd/stable-image/generate/core", "/sd/v2beta/stable-image/generate/core"),
        ("/sd/sd/v1/user/balance", "/sd/v1/user/balance"),
        ("/v1/sd/v1/user/balance", "/sd/v1/user/balance"),
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/chat/completions", "/v1/chat/completions"),
        ("/v1", "/v1/"),
        ("/sd", "/sd/v1/"),
        ("/v2beta/", "/v2beta/"),
        ("/api", "/api/v1/"),
        ("/api/v1", "/api/v1/"),
        ("//api//v1/me/", "/api/v1/me"),
        ("/api/v1/v1/me", "/api/v1/me"),
        ("/api/me", "/api/v1/me"),
        ("/api/v2/me", "/api/v1/v2/me"),
        ("/api/docs/", None),
        ("/", None),
        ("/t/v1/library/", None),
        ("/s/v1/", None),
        ("/accounts/login/", None),
        ("/pictures/0", None),
    ],
)
def test_a_path_is_taken_for_what_its_client_means(sent, meant):
    assert addresses.canonical(sent) == meant


@pytest.mark.parametrize(
    "path", ["//v1/models", "/v1/v1/models", "/v1/models/", "/models", "/sd/v1//user/balance"]
)
def test_an_address_that_is_a_little_wrong_is_served(idle_portal, bearer, path):
    response = requests.get(idle_portal + path, headers=bearer, timeout=60)
    assert response.status_code == 200, response.text
    assert not response.history


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/images/generations", {"prompt": "a harbour"}),
        ("/v1/v1/images/generations/", {"prompt": "a harbour"}),
        (f"/v2beta/{V1}", {"text_prompts": [{"text": "a harbour"}]}),
    ],
)
def test_a_picture_is_made_at_an_address_that_is_a_little_wrong(portal, bearer, path, body):
    response = requests.post(portal + path, headers=bearer, json=body, timeout=60)
    assert response.status_code == 200, response.text
    assert Generation.objects.count() == 1


@pytest.mark.parametrize("path", ["//api/v1/me", "/api/v1/me/", "/api/v1/v1/me", "/api/me"])
def test_the_portals_own_api_is_served_too(idle_portal, bearer, path):
    response = requests.get(idle_portal + path, headers=bearer, timeout=60, allow_redirects=False)
    assert response.status_code == 200, response.text


METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
NOT_SERVED = """
    /v1 /v1/ /v1/chat/completions /chat/completions /responses /v1/images/edits /sd /v2beta
    /models/no-such-model /api /api/ /api/v1 /api/v2/generations /api/v1/no/such/thing/
    /api/v1/images/not-an-id
"""


def test_what_is_not_served_is_refused_as_json(idle_portal, bearer):
    with requests.Session() as program:
        for path, method, headers in itertools.product(NOT_SERVED.split(), METHODS, ({}, bearer)):
            response = program.request(
                method, idle_portal + path, headers=headers, timeout=60, allow_redirects=False
            )
            assert 400 <= response.status_code < 500, (method, path)
            assert response.headers["content-type"].startswith("application/json"), (method, path)
            assert response.json(), (method, path)


def test_errors_of_django_are_json_too(idle_portal, bearer, settings):
    foreign = bearer | {"Host": "evil.example"}
    response = requests.get(f"{idle_portal}/api/v1/me", headers=foreign, timeout=60)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_request")
    response = requests.post(
        f"{idle_portal}/api/v1/uploads",
        headers=bearer | {"Content-Type": "multipart/form-data; boundary=x"},
        data=b"no form",
        timeout=60,
    )
    assert response.status_code in {400, 422}
    assert response.json()["error"]["code"]


# CORS --------------------------------------------------------------------------------------

ORIGIN = {"Origin": "https://canvas.example"}


@pytest.mark.parametrize(
    "path", [CORE, V1, IMAGES, "/v1/models", "/images/generations", "/api/v1/generations"]
)
def test_a_page_of_another_origin_may_ask(idle_portal, path):
    preflight = ORIGIN | {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-stainless-lang",
    }
    response = requests.options(idle_portal + path, headers=preflight, timeout=60)
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == "*"
    allowed = {name.strip().lower() for name in response.headers["access-control-allow-headers"].split(",")}
    assert {"authorization", "content-type", "x-stainless-lang", "idempotency-key"} <= allowed
    assert "POST" in response.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in response.headers
    assert "set-cookie" not in response.headers


def test_a_page_of_another_origin_reads_answers_and_errors(idle_portal, bearer):
    for path, headers, status in (
        ("/v1/models", bearer, 200),
        ("/v1/models", {}, 401),
        ("/api/v1/me", bearer, 200),
        ("/api/v1/me", {}, 401),
        ("/api/v1/nothing", bearer, 404),
    ):
        response = requests.get(idle_portal + path, headers=ORIGIN | headers, timeout=60)
        assert response.status_code == status
        assert response.headers["access-control-allow-origin"] == "*"
        assert "x-generation-id" in response.headers["access-control-expose-headers"].lower()
        assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize("path", ["/accounts/login/", "/t/studio-north/create/", "/api/docs/", "/healthz"])
def test_pages_are_for_their_own_origin_only(idle_portal, path):
    preflight = ORIGIN | {"Access-Control-Request-Method": "POST"}
    response = requests.options(idle_portal + path, headers=preflight, timeout=60, allow_redirects=False)
    assert "access-control-allow-origin" not in response.headers
    response = requests.get(idle_portal + path, headers=ORIGIN, timeout=60, allow_redirects=False)
    assert "access-control-allow-origin" not in response.headers


def test_names_of_headers_that_are_none_are_not_repeated(idle_portal):
    preflight = ORIGIN | {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-a; drop, <script>",
    }
    response = requests.options(idle_portal + CORE, headers=preflight, timeout=60)
    assert "script" not in response.headers["access-control-allow-headers"]
