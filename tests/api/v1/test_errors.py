"""Errors that Django raises, and rate limit headers."""

from __future__ import annotations

import pytest

from tests.api.client import error

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
