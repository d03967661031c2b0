"""Operations on generations and batches."""

from __future__ import annotations

import io
import json
import threading
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image as Picture

from generations.credits import integrity_check
from generations.jobs.models import Batch, Generation, ModelRule
from generations.teams.models import Membership, Role
from tests.api.client import ApiClient, error
from tests.conftest import work

pytestmark = pytest.mark.django_db(transaction=True)
HARBOUR = {"model": "core", "prompt": "a quiet harbour at dawn"}


def wallet(member):
    member.wallet.refresh_from_db()
    return member.wallet.balance, member.wallet.held


def test_a_client_submits_a_batch_waits_and_downloads_its_images(api, member, upstream):
    accepted = api.post("/generations", HARBOUR | {"count": 2, "seed": 7, "aspect_ratio": "16:9"})
    assert accepted.status_code == 202
    batch = accepted.json()
    assert accepted["Location"] == batch["links"]["self"] == f"/api/v1/batches/{batch['id']}"
    assert [each["status"] for each in batch["generations"]] == ["queued", "queued"]
    assert [each["parameters"]["seed"] for each in batch["generations"]] == [7, 8]
    assert (batch["finished"], batch["generations"][0]["price"]) == (False, 3)
    assert wallet(member) == (10_000, 600)
    assert work() == 2
    done = api.get(f"/batches/{batch['id']}").json()
    assert done["finished"]
    for each in done["generations"]:
        path = each["links"]["original"].removeprefix("/api/v1")
        picture = api.get(path)
        assert picture["Content-Type"] == "image/png"
        assert Picture.open(io.BytesIO(picture.getvalue())).size == (1632, 912)
        assert api.get(f"/images/{each['image']}/thumbnail")["Content-Type"] == "image/webp"
        kept = api.get(f"/images/{each['image']}/download?format=webp&parameters=false")
        assert kept["Content-Type"] == "image/webp"
        assert HARBOUR["prompt"].encode() not in kept.content
        assert HARBOUR["prompt"].encode() in api.get(f"/images/{each['image']}/download").content
    assert wallet(member) == (9_400, 0)
    assert Batch.objects.get().token == api.token


def test_an_invalid_request_names_the_field_and_holds_no_credits(api, member, upstream):
    wrong = {
        "prompt": {"model": "core", "prompt": " "},
        "model": HARBOUR | {"model": "dall-e"},
        "seed": HARBOUR | {"seed": 2**70},
        "count": HARBOUR | {"count": 11},
        "aspect_ratio": HARBOUR | {"aspect_ratio": "17:3"},
        "steps": HARBOUR | {"steps": 20},
        "colour": HARBOUR | {"colour": "blue"},
        "visibility": HARBOUR | {"visibility": "everybody"},
    }
    for field, payload in wrong.items():
        response = api.post("/generations", payload)
        assert (response.status_code, response.json()["error"].get("field")) == (422, field), response.json()
    assert error(api.post("/generations", HARBOUR | {"start_image": str(uuid.uuid4())})) == (
        404,
        "not_found",
    )
    assert wallet(member) == (10_000, 0)
    assert not Batch.objects.exists()


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"[" * 50_000, b'{"model": NaN}', b"{" + b'"a":' * 9_000,
     b'{"model": "core", "prompt": "\\ud800"}', b'{"model": "core", "prompt": "a\\u0000"}', b"1" * 5_000],
)  # fmt: skip
def test_an_unreadable_body_is_refused(api, member, upstream, body):
    response = api.post("/generations", body)
    assert response.status_code in {400, 422}, response.content
    assert response.json()["error"]["code"] in {"bad_request", "invalid"}
    assert wallet(member) == (10_000, 0)


def test_a_body_that_is_too_large_is_refused(api):
    body = json.dumps(HARBOUR | {"negative_prompt": "x" * 1_100_000})
    assert error(api.post("/generations", body)) == (413, "too_large")


def test_each_refusal_of_credits_caps_and_rules_has_its_own_code(make_member, upstream, team):
    poor = ApiClient(make_member("tom", granted=2))
    assert error(poor.post("/generations", HARBOUR)) == (402, "insufficient_credits")
    capped = ApiClient(make_member("eva"), cap=300)
    assert capped.post("/generations", HARBOUR).status_code == 202
    assert error(capped.post("/generations", HARBOUR)) == (402, "token_cap_reached")
    Membership.objects.filter(pk=capped.token.membership_id).update(cap_per_day=400)
    assert error(ApiClient(capped.token.membership).post("/generations", HARBOUR)) == (402, "cap_reached")
    narrow = ApiClient(make_member("kim"), models=["ultra"])
    assert error(narrow.post("/generations", HARBOUR)) == (403, "model_not_for_token")
    ModelRule.objects.create(team=team, model="core", roles=["owner"])
    assert error(poor.post("/generations", HARBOUR)) == (403, "model_not_allowed")
    upstream.delete()
    assert error(ApiClient(make_member("leo", role=Role.OWNER)).post("/generations", HARBOUR)) == (
        503,
        "no_upstream",
    )


def test_fifty_requests_with_one_key_create_one_batch_and_get_one_response(api, member, upstream):
    responses = []

    def send():
        response = ApiClient.post(api, "/generations", HARBOUR, Idempotency_Key="k-1")
        responses.append((response.status_code, response.content))
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(responses)) == 1
    assert responses[0][0] == 202
    assert Batch.objects.count() == Generation.objects.count() == 1
    work()
    later = api.post("/generations", HARBOUR, Idempotency_Key="k-1")
    assert (later.content, later["Idempotent-Replayed"]) == (responses[0][1], "true")
    assert error(api.post("/generations", HARBOUR | {"seed": 1}, Idempotency_Key="k-1")) == (
        409,
        "idempotency_key_reused",
    )
    assert error(api.post("/generations", HARBOUR, Idempotency_Key="a" * 256)) == (
        400,
        "bad_idempotency_key",
    )
    assert wallet(member) == (9_700, 0)
    assert integrity_check.problems() == []


def test_a_creation_is_so_many_statements_however_many_images_it_has(api, upstream):
    api.post("/generations", HARBOUR)  # which records when the token was last used
    for count in (1, 10):
        with CaptureQueriesContext(connection) as queries:
            assert api.post("/generations", HARBOUR | {"count": count}).status_code == 202
        in_one = 5 if connection.vendor == "postgresql" else 0
        assert len(queries) == 13 - in_one, [each["sql"][:70] for each in queries]


def test_a_refused_request_may_be_corrected_with_the_same_key(api, upstream):
    assert api.post("/generations", HARBOUR | {"steps": 3}, Idempotency_Key="k").status_code == 422
    assert api.post("/generations", HARBOUR, Idempotency_Key="k").status_code == 202


def test_queued_generations_are_canceled_and_failed_ones_retried(api, member, upstream, provider):
    batch = api.post("/generations", HARBOUR | {"count": 2}).json()
    first, second = (each["id"] for each in batch["generations"])
    assert api.post(f"/generations/{first}/cancel").json()["status"] == "canceled"
    assert api.post(f"/generations/{first}/cancel").status_code == 200
    assert error(api.post(f"/generations/{second}/retry")) == (409, "not_ended")
    provider.plan("403")
    work()
    failed = api.get(f"/generations/{second}").json()
    assert failed["status"] in {"failed", "filtered"}
    assert failed["reason"]
    again = api.post(f"/generations/{second}/retry")
    assert again.status_code == 202
    assert again.json()["retry_of"] == second
    assert api.post(f"/generations/{second}/retry").json()["id"] == again.json()["id"]
    assert [each["id"] for each in api.get(f"/batches/{batch['id']}").json()["generations"]] == [
        first,
        again.json()["id"],
    ]
    canceled = api.post(f"/batches/{batch['id']}/cancel").json()
    assert (canceled["finished"], wallet(member)) == (True, (10_000, 0))


def test_every_generation_is_on_exactly_one_page(api, upstream):
    for count in (3, 2):
        api.post("/generations", HARBOUR | {"count": count})
    seen, path = [], "/generations?limit=2&status=queued"
    while path:
        page = api.get(path.removeprefix("/api/v1")).json()
        assert len(page["items"]) <= 2
        seen += [each["id"] for each in page["items"]]
        path = page["next"]
    newest_first = Generation.objects.order_by("-created_at", "-pk")
    assert seen == [str(pk) for pk in newest_first.values_list("pk", flat=True)]
    assert api.get("/generations?status=failed").json() == {"items": [], "next": None}
    assert api.get("/generations?limit=101").status_code == 422
    assert api.get(f"/generations?before={uuid.uuid4()}").status_code == 404
