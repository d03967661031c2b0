"""The OpenAPI document and its page."""

from __future__ import annotations

import json

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_openapi_document_describes_every_error_and_the_page_shows_it(client):
    document = client.get("/api/v1/openapi.json").json()
    create = document["paths"]["/api/v1/generations"]["post"]
    assert create["responses"]["402"]["content"]["application/json"]["example"]["error"]["code"]
    assert set(create["responses"]) == {
        "202",
        "400",
        "401",
        "402",
        "403",
        "404",
        "409",
        "413",
        "422",
        "429",
        "500",
        "503",
    }
    page = client.get("/api/docs/")
    assert page.status_code == 200
    assert "swagger-ui-bundle" in page.content.decode()
    assert "'unsafe-inline'" not in page["Content-Security-Policy"]
    assert "https://" not in page.content.decode().replace("http://www.w3.org", "")
    assert json.loads(page.content.decode().split('id="swagger-settings">')[1].split("</script>")[0])["url"]


def test_the_documentation_is_public_and_redirects_to_its_trailing_slash(client, member):
    browser = Client()
    browser.force_login(member.user)
    for visitor in (client, browser):
        response = visitor.get("/api/docs")
        assert (response.status_code, response["Location"]) == (301, "/api/docs/")
        assert visitor.get("/api/docs/").status_code == 200
