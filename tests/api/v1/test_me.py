"""The token's member, wallet and models."""

from __future__ import annotations

import pytest

from tests.conftest import work

pytestmark = pytest.mark.django_db(transaction=True)
HARBOUR = {"model": "core", "prompt": "a quiet harbour at dawn"}


def test_a_client_reads_its_credits_and_the_prices_of_models(api, member, upstream):
    api.post("/generations", HARBOUR)
    work()
    api.post("/generations", HARBOUR)
    assert api.get("/credits").json() == {"balance": 97, "held": 3, "available": 94, "caps": []}
    amounts = [line["amount"] for line in api.get("/credits/lines").json()["items"]]
    assert amounts == [-3, 100]
    models = {model["name"]: model for model in api.get("/models").json()}
    assert (models["core"]["price"], models["core"]["available"]) == (3, True)
    assert {field["name"] for field in models["ultra"]["fields"]} >= {"prompt", "start_image", "strength"}
    me = api.get("/me").json()
    assert (me["member"], me["role"], me["token"]["used"]) == ("Mei", "member", 6)
