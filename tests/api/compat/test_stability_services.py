"""Stability's edit, upscale and control services, with their parts as its documentation has them."""

from __future__ import annotations

import base64
import io
import time
import uuid
from datetime import timedelta

import pytest
import requests
from django.db import connection
from django.utils import timezone
from PIL import Image as Pillow

from generations.api.compat import results as compat_results
from generations.credits import integrity_check
from generations.credits.models import Hold
from generations.jobs.models import Batch, Generation
from generations.library.models import Image, Upload
from generations.library.storage import client as storage_client
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Membership, Scope
from tests.api import servers
from tests.conftest import work
from tests.sandbox.conftest import encoded
from tests.sandbox.stability.pictures import AT_ONCE, IMAGE, LATER, LEAST, PROMPT, mask

CREDITS = {  # docs/providers/stability.md, "Edit, upscale and control"
    "edit/erase": 5,
    "edit/inpaint": 5,
    "edit/outpaint": 4,
    "edit/search-and-replace": 5,
    "edit/search-and-recolor": 5,
    "edit/remove-background": 5,
    "edit/replace-background-and-relight": 8,
    "upscale/fast": 2,
    "upscale/conservative": 40,
    "upscale/creative": 60,
    "control/sketch": 5,
    "control/structure": 5,
    "control/style": 5,
    "control/style-transfer": 8,
}
NEED_A_MASK = {"edit/erase", "edit/inpaint"}


@pytest.fixture
def member(make_member):
    return make_member("mei", granted=1_000)


def call(address, path, headers, files=None, data=None, prefix=""):
    parts = {name: (f"{name}.png", file) for name, file in (files or {"none": b""}).items()}
    return requests.post(
        f"{address}{prefix}/v2beta/stable-image/{path}", headers=headers, files=parts, data=data, timeout=120
    )


def least(path):
    """The least that a service takes: files, texts."""
    files, texts = LEAST[path]
    return (files | {"mask": mask()} if path in NEED_A_MASK else files), texts


def available(member):
    return Membership.objects.get(pk=member.pk).wallet.available


def result(address, name, headers, alias=False):
    path = "stable-image/upscale/creative/result" if alias else "results"
    return requests.get(f"{address}/v2beta/{path}/{name}", headers=headers, timeout=120)


def finished(address, name, headers):
    """Ask for a result until it is there, as clients do."""
    for _ in range(400):
        response = result(address, name, headers)
        if response.status_code != 202:
            return response
        assert response.json() == {"id": name, "status": "in-progress"}
        time.sleep(0.05)
    raise AssertionError("the result did not come")


def test_every_service_of_the_document_is_served_and_charged(portal, bearer, member, provider):
    left = available(member)
    assert set(CREDITS) == set(LEAST)
    for number, path in enumerate(AT_ONCE):
        files, texts = least(path)
        response = call(portal, path, bearer, files, texts, prefix="/sd" if number % 2 else "")
        assert response.status_code == 200, (path, response.text)
        assert response.headers["finish-reason"] == "SUCCESS"
        assert Pillow.open(io.BytesIO(response.content)).format == "PNG", path
        [sent] = [order for order in provider.calls() if order["method"] == "POST"][-1:]
        assert sent["path"].endswith(path)
        assert set(sent["files"]) == set(files), path
        assert {name: str(value) for name, value in texts.items()}.items() <= sent["fields"].items()
        left -= CREDITS[path] * 100
        assert available(member) == left, path
    assert Image.objects.count() == len(AT_ONCE)
    assert integrity_check.problems() == []


@pytest.mark.parametrize("path", LATER)
def test_a_result_that_comes_later_is_asked_for_by_its_id_and_charged_once(portal, bearer, member, path):
    files, texts = least(path)
    ordered = call(portal, path, bearer, files, texts | {"output_format": "webp", "seed": 7})
    assert ordered.status_code == 200
    assert ordered.json().keys() == {"id"}
    name = ordered.json()["id"]
    assert len(name) == 64
    assert set(name) <= set("0123456789abcdef")
    image = finished(portal, name, bearer)
    assert image.status_code == 200
    assert (image.headers["content-type"], image.headers["finish-reason"]) == ("image/webp", "SUCCESS")
    assert image.headers["seed"] == "7"
    assert Pillow.open(io.BytesIO(image.content)).format == "WEBP"
    again = result(portal, name, bearer | {"accept": "application/json"}, alias=True)
    assert again.headers["content-type"] == "application/json; type=image/webp"
    document = again.json()
    assert (document["finish_reason"], document["seed"]) == ("SUCCESS", 7)
    assert base64.b64decode(document["image"]) == base64.b64decode(document["result"]) == image.content
    assert result(portal, name, bearer).content == image.content
    assert available(member) == 1_000_00 - CREDITS[path] * 100
    assert Image.objects.count() == 1


def order(address, headers, **more):
    files, texts = least("upscale/creative")
    return call(address, "upscale/creative", headers | more, files, texts).json()["id"]


def test_only_the_member_who_ordered_a_result_gets_it_and_for_a_day(portal, bearer, issue, make_member):
    name = order(portal, bearer)
    assert finished(portal, name, bearer).status_code == 200
    own_token = {"authorization": f"Bearer {issue()}"}
    assert result(portal, name, own_token).status_code == 200
    narrow = {"authorization": f"Bearer {issue(scopes=[Scope.GENERATE])}"}  # not what other tokens ordered
    foreign = {"authorization": f"Bearer {issue(by=make_member('tom'))}"}
    wrong = [name[:-1] + ("0" if name[-1] != "0" else "1"), name.upper(), "0" * 64, "x", name + "0"]
    found = [result(portal, name, narrow), result(portal, name, foreign)]
    found += [result(portal, each, bearer) for each in wrong]
    Batch.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    found.append(result(portal, name, bearer))
    for response in found:
        assert response.status_code == 404
        assert response.json()["name"] == "generation_not_found"
        assert response.json()["errors"] == ["id: the generation either does not exist or has expired."]
    assert result(portal, name, {}).status_code == 401


def test_an_id_of_another_batch_cannot_be_made_from_one(portal, bearer, submit, member):
    batch, other = submit(by=member), submit(by=member)
    mixed = other.pk.hex + compat_results.result_id(batch.pk, member.pk)[32:]
    assert result(portal, mixed, bearer).status_code == 404
    assert finished(portal, compat_results.result_id(other.pk, member.pk), bearer).status_code == 200


FAILED = [
    ("task-moderated", 403, "content_moderation"),
    ("task-failed:400", 400, "bad_request"),
    ("403", 403, "content_moderation"),
    ("422", 422, "invalid_language"),
]


def test_a_result_that_failed_says_so_with_its_documented_status_and_costs_nothing(
    portal, provider, bearer, member
):
    for planned, status, name in FAILED:
        provider.plan(planned)
        response = finished(portal, order(portal, bearer), bearer | {"accept": "application/json"})
        assert (response.status_code, response.json()["name"]) == (status, name), planned
        assert response.json()["errors"][0]
    assert available(member) == 1_000_00


def test_a_failure_of_the_portal_is_final_for_who_asks_for_the_result(idle_portal, bearer, member):
    name = order(idle_portal, bearer)
    Generation.objects.update(status="failed", ended_at=timezone.now(), reason="It took too long.")
    response = result(idle_portal, name, bearer)
    assert (response.status_code, response.json()["errors"]) == (400, ["It took too long."])


def test_a_result_whose_answer_was_lost_twice_is_final_for_who_asks_for_it(portal, provider, bearer, member):
    provider.plan("drop", "drop")
    response = finished(portal, order(portal, bearer), bearer)
    assert (response.status_code, response.json()["name"]) == (400, "bad_request")
    assert available(member) == 1_000_00


def test_a_filtered_result_is_reported_as_filtered_and_costs_nothing(portal, provider, bearer, member):
    provider.plan("filtered")
    response = finished(portal, order(portal, bearer), bearer)
    assert (response.status_code, response.headers["finish-reason"]) == (200, "CONTENT_FILTERED")
    assert available(member) == 1_000_00
    assert not Image.objects.exists()


def test_a_result_is_not_there_after_it_was_deleted_and_is_asked_for_again_without_storage(
    portal, bearer, monkeypatch
):
    name = order(portal, bearer)
    assert finished(portal, name, bearer).status_code == 200

    def unavailable(_key):
        raise storage_client.StorageUnavailable(OSError())

    with monkeypatch.context() as patch:
        patch.setattr(storage_client, "read", unavailable)
        response = result(portal, name, bearer)
    assert (response.status_code, response.json()["name"]) == (503, "service_unavailable")
    Image.objects.update(trashed_at=timezone.now())
    assert result(portal, name, bearer).json()["name"] == "generation_not_found"


def test_an_order_is_answered_at_once_and_repeated_with_a_key_it_is_the_same_order(
    idle_portal, bearer, provider, member
):
    name = order(idle_portal, bearer, **{"idempotency-key": "k"})
    assert result(idle_portal, name, bearer).status_code == 202
    assert order(idle_portal, bearer, **{"idempotency-key": "k"}) == name
    assert order(idle_portal, bearer) != name
    assert Generation.objects.count() == 2
    assert work() == 2  # both are accepted by the provider
    assert set(Generation.objects.values_list("status", flat=True)) == {"submitted"}
    response = result(idle_portal, name, bearer)
    assert (response.status_code, response.json()) == (202, {"id": name, "status": "in-progress"})
    while servers.poll_tasks():
        pass
    assert result(idle_portal, name, bearer).status_code == 200
    connection.close()


def test_an_id_is_not_given_to_a_token_that_may_only_generate_elsewhere(idle_portal, issue):
    reader = {"authorization": f"Bearer {issue(scopes=[Scope.READ])}"}
    files, texts = least("upscale/creative")
    assert call(idle_portal, "upscale/creative", reader, files, texts).status_code == 403
    assert not Generation.objects.exists()


def picture(size=(96, 64), kind="PNG", mode="RGB"):
    file = io.BytesIO()
    Pillow.new(mode, size, 120).save(file, kind)
    return file.getvalue()


LARGE = picture((7_000, 5_800), "PNG", "1")  # over 40 million pixels, in a few kilobytes
THING = {"image": IMAGE["image"]}
WRONG = [
    ("edit/inpaint", THING | {"mask": mask(size=(80, 64))}, PROMPT, "mask", "must be the same"),
    ("edit/inpaint", THING | {"mask": picture(kind="JPEG")}, PROMPT, "mask", "PNG"),
    ("edit/inpaint", THING | {"mask": b"black and white"}, PROMPT, "mask", "not a PNG"),
    ("edit/inpaint", THING, PROMPT, "mask", "mask"),
    ("edit/inpaint", {"mask": mask()}, PROMPT, "image", "Add an image"),
    ("edit/inpaint", THING | {"mask": mask()}, {}, "prompt", "Fill in"),
    ("edit/erase", THING | {"mask": mask()}, {"grow_mask": 21}, "grow_mask", "from 0 to 20"),
    ("edit/erase", {"image": LARGE, "mask": mask()}, {}, "image", "too many pixels"),
    ("edit/erase", {"image": b"cat.png", "mask": mask()}, {}, "image", "not a PNG"),
    ("edit/outpaint", THING, {}, "left", "at least one side"),
    ("edit/outpaint", THING, {"left": 2_001}, "left", "2000"),
    ("edit/outpaint", {"image": picture((64, 200))}, {"left": 9}, "image", "too long"),
    ("edit/search-and-replace", THING, PROMPT, "search_prompt", "Fill in"),
    ("edit/remove-background", THING, {"output_format": "jpeg"}, "output_format", "png"),
    ("edit/replace-background-and-relight", THING, {"background_prompt": "x"}, "subject_image", "Add"),
    ("upscale/conservative", THING, PROMPT | {"creativity": "0.1"}, "creativity", "0.2"),
    ("control/style-transfer", {"init_image": IMAGE["image"]}, {}, "style_image", "Add an image"),
    (
        "control/style-transfer",
        {"init_image": IMAGE["image"], "style_image": b"a style"},
        {},
        "style_image",
        "not a PNG",
    ),
    ("generate/core", THING, PROMPT, "image", "start image"),
]


def test_wrong_input_names_the_part_and_nothing_is_held(idle_portal, bearer, member):
    for path, files, texts, field, words in WRONG:
        response = call(idle_portal, path, bearer, files, texts)
        assert response.status_code == 400, (path, field, response.text)
        assert response.json()["name"] == "bad_request"
        said = [error for error in response.json()["errors"] if error.startswith(f"{field}: ")]
        assert said, (path, response.json())
        assert words in said[0]
    assert not Generation.objects.exists()
    assert not Hold.objects.exists()
    assert available(member) == 1_000_00


def test_a_service_that_does_not_exist_is_not_found(idle_portal, bearer):
    for path in ("edit/paint", "upscale", "control/", "edit/erase/mask", "results/x", "generate/inpaint"):
        response = call(idle_portal, path, bearer, THING, PROMPT)
        assert (response.status_code, response.json()["name"]) == (404, "not_found"), path


def test_the_transparency_of_an_image_is_its_mask(portal, bearer, provider):
    image = Pillow.new("RGBA", (96, 64), "teal")
    image.paste((0, 0, 0, 0), (10, 10, 40, 40))
    response = call(portal, "edit/inpaint", bearer, {"image": encoded(image)}, PROMPT)
    assert response.status_code == 200, response.text
    assert set(provider.calls()[-1]["files"]) == {"image"}
    assert Upload.objects.get().has_alpha


def test_the_same_mask_on_another_image_is_another_request(idle_portal, bearer):
    headers = bearer | {"idempotency-key": "k"}
    files, texts = least("upscale/creative")
    assert call(idle_portal, "upscale/creative", headers, files, texts).status_code == 200
    other = call(idle_portal, "upscale/creative", headers, {"image": picture()}, texts)
    assert (other.status_code, other.json()["name"]) == (409, "idempotency_key_reused")


def test_tokens_of_one_member_have_one_id_for_a_batch(member):
    batch = uuid.uuid4()
    token, _secret = teams_api_tokens.issue(membership=member, name="a", scopes=[Scope.GENERATE])
    assert compat_results.result_id(batch, token.membership_id) == compat_results.result_id(batch, member.pk)
    assert compat_results.result_id(batch, member.pk) != compat_results.result_id(batch, member.pk + 1)


def test_every_model_of_stability_is_served():
    of_text = 6 + 2  # models of `generate`, and of v1
    assert len(catalogue_registry.names_of_system("stability")) == len(LEAST) + of_text
