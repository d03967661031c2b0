"""Errors that Django raises, and rate limit headers."""

from __future__ import annotations

import pytest
from django.urls import path

from tests.api.client import ApiClient, error


def broken(_request):
    raise RuntimeError("a view that fails")


urlpatterns = [path("api/v1/broken", broken)]
pytestmark = pytest.mark.django_db(transaction=True)


def test_every_response_has_rate_limit_headers(api, settings):
    settings.API_REQUESTS_PER_TOKEN = 3
    responses = [
        api.get("/me"),
        api.get("/nothing"),
        api.get("/images?limit=0"),
        api.get("/me"),
    ]
    assert [each.status_code for each in responses] == [200, 404, 422, 200]
    assert [each.get("RateLimit-Remaining") for each in responses] == ["2", None, "1", "0"]
    refused = api.get("/me")
    assert error(refused) == (429, "rate_limited")
    assert (refused["RateLimit-Remaining"], refused["X-RateLimit-Limit"], refused["Retry-After"]) == (
        "0",
        "3",
        "20",
    )


def test_unknown_paths_and_methods_get_errors_in_the_same_format(api, owner_api):
    assert error(api.get("/no/such/thing")) == (404, "not_found")
    assert error(api.request("delete", "/credits")) == (405, "method_not_allowed")
    assert api.request("delete", "/credits")["Allow"] == "GET"
    assert error(owner_api.get("/team/members/99999999999999999999999")) == (404, "not_found")
    assert error(api.get("/images/not-an-id")) == (404, "not_found")


def test_what_django_refuses_by_itself_is_json_too(api, settings):
    assert error(api.get("/me", host="evil.example")) == (400, "bad_request")
    assert error(api.client.get("/api/v1")) == (404, "not_found")
    assert error(api.client.get("/api/nothing")) == (404, "not_found")
    assert api.client.get("/api/docs/")["Content-Type"].startswith("text/html")
    settings.ROOT_URLCONF = __name__
    assert error(api.get("/broken")) == (500, "internal_error")


def test_a_call_without_https_is_refused_and_not_redirected(api, settings):
    """A redirect would make a GET of it, and the token was sent in the clear already."""
    settings.SECURE_SSL_REDIRECT = True
    response = ApiClient(api.token.membership).get("/me")
    assert error(response) == (403, "https_required")
    assert "Location" not in response
