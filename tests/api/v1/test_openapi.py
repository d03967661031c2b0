"""The OpenAPI document and its page."""

from __future__ import annotations

import hashlib
import json

import pytest
from django.test import Client

from generations.api.v1 import openapi

FIRST_IDS = "e70f59b889b7b3a34ad7766fa997017360353e8e3ead06ff5fe70c5dccb95247"
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


def test_every_operation_and_parameter_is_described(client):
    document = client.get("/api/v1/openapi.json").json()
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    assert len(operations) > 50
    for operation in operations:
        assert operation["summary"], operation["operationId"]
        assert operation["description"], operation["operationId"]
        for parameter in operation.get("parameters", ()):
            assert parameter.get("description"), (operation["operationId"], parameter["name"])
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description"), name


def test_operation_ids_are_unique_and_do_not_change(client):
    """Generated clients name their methods by them."""
    document = client.get("/api/v1/openapi.json").json()
    ids = {
        f"{method.upper()} {path}": operation["operationId"]
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert len(set(ids.values())) == len(ids)
    assert ids == openapi.OPERATION_IDS
    first = sorted(each for each in ids.values() if each.startswith("generations_api_v1_"))  # not later ones
    assert hashlib.sha256("\n".join(first).encode()).hexdigest() == FIRST_IDS
