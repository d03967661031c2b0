"""Stability's v2beta format, with `requests` as in its documentation."""

from __future__ import annotations

import base64
import io

import pytest
import requests
from PIL import Image as Pillow

from generations.credits import ledger
from generations.jobs.models import Generation, ModelRule
from generations.library.models import Image
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Membership

GENERATE = "/v2beta/stable-image/generate/"


def ask(portal, endpoint, headers, data=None, files=None, prefix="", **more):
    """Post a form as the official sample does: a dummy part makes it multipart."""
    return requests.post(
        f"{portal}{prefix}{GENERATE}{endpoint}",
        headers={"accept": "image/*"} | headers,
        files={"none": ""} if files is None else files,
        data={"prompt": "a lighthouse on a cliff"} | (data or {}),
        timeout=120,
        **more,
    )


def available(member):
    return Membership.objects.get(pk=member.pk).wallet.available


@pytest.mark.parametrize("prefix", ["", "/sd"])
def test_the_official_sample_gets_an_image_that_is_charged_and_in_the_library(portal, bearer, member, prefix):
    response = ask(portal, "ultra", bearer, {"output_format": "webp", "seed": 42}, prefix=prefix)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "image/webp"
    assert response.headers["finish-reason"] == "SUCCESS"
    assert response.headers["seed"] == "42"
    assert response.headers["x-request-id"]
    assert Pillow.open(io.BytesIO(response.content)).format == "WEBP"
    image = Image.objects.get()
    assert image.owner == member
    assert image.prompt == "a lighthouse on a cliff"
    assert str(image.generation) == response.headers["x-generation-id"]
    assert available(member) == 100_00 - 8_00


@pytest.mark.parametrize("accept", ["application/json", "Default: image/*,Enum: application/json image/*"])
def test_json_has_the_image_the_finish_reason_and_the_seed_and_no_headers_for_them(portal, bearer, accept):
    response = ask(portal, "core", bearer | {"accept": accept}, {"seed": 7, "output_format": "jpeg"})
    assert response.headers["content-type"] == "application/json; type=image/jpeg"
    assert "seed" not in response.headers
    assert "finish-reason" not in response.headers
    value = response.json()
    assert value.keys() == {"image", "finish_reason", "seed"}
    assert (value["finish_reason"], value["seed"]) == ("SUCCESS", 7)
    assert Pillow.open(io.BytesIO(base64.b64decode(value["image"]))).format == "JPEG"


NAMES = {
    "sd3": "sd3.5-large",
    "sd3-turbo": "sd3.5-large-turbo",
    "sd3-large": "sd3.5-large",
    "sd3-large-turbo": "sd3.5-large-turbo",
    "sd3-medium": "sd3.5-medium",
    "sd3.5-large": "sd3.5-large",
    "sd3.5-large-turbo": "sd3.5-large-turbo",
    "sd3.5-medium": "sd3.5-medium",
    "sd3.5-flash": "sd3.5-flash",
    "": "sd3.5-large",
}


def test_older_model_names_are_served_and_charged_as_their_successors(portal, bearer, member):
    left = available(member)
    for name, ours in NAMES.items():
        response = ask(portal, "sd3", bearer, {"model": name} if name else {})
        assert response.status_code == 200, response.text
        assert Image.objects.latest("created_at").model == ours
        left -= catalogue_registry.get(ours).base_cost
        assert available(member) == left


def test_the_dummy_part_is_ignored_with_and_without_a_file_name(portal, bearer):
    for files in ({"none": ""}, {"none": ("", b"")}, {"prompt": (None, "from a part")}):
        assert ask(portal, "core", bearer, files=files).status_code == 200


def test_unknown_and_empty_fields_are_ignored(portal, bearer):
    strange = {"style": "vivid", "mode": "text-to-image", "n": "4", "negative_prompt": "", "seed": ""}
    assert ask(portal, "core", bearer, strange).status_code == 200
    assert "style" not in Generation.objects.get().parameters


@pytest.mark.parametrize("endpoint", ["ultra", "sd3"])
def test_a_start_image_is_sent_to_the_provider(portal, bearer, provider, picture, endpoint):
    mode = {"mode": "image-to-image"} if endpoint == "sd3" else {}
    response = ask(
        portal, endpoint, bearer, mode | {"strength": "0.6"}, {"image": ("start.png", picture(), "image/png")}
    )
    assert response.status_code == 200, response.text
    [call] = provider.calls()
    assert "image" in call["files"]
    assert call["fields"]["strength"] == "0.6"


def test_an_urlencoded_form_is_accepted_only_below_sd(portal, bearer):
    data = {"prompt": "a lighthouse"}
    for prefix, status in (("/sd", 200), ("", 400)):
        response = requests.post(f"{portal}{prefix}{GENERATE}ultra", headers=bearer, data=data, timeout=120)
        assert response.status_code == status
    assert response.json()["errors"] == ["content-type: must be multipart/form-data"]


def test_minus_one_is_a_random_seed(portal, bearer, provider):
    assert ask(portal, "core", bearer, {"seed": "-1"}).status_code == 200
    assert "seed" not in provider.calls()[0]["fields"]


REFUSED_FIELDS = [
    ("core", {"prompt": ""}, "prompt"),
    ("core", {"prompt": "x" * 10_001}, "prompt"),
    ("core", {"prompt": "nul \0"}, "prompt"),
    ("core", {"aspect_ratio": "4:3"}, "aspect_ratio"),
    ("core", {"seed": "4294967295"}, "seed"),
    ("core", {"seed": "-2"}, "seed"),
    ("core", {"output_format": "gif"}, "output_format"),
    ("ultra", {"style_preset": "vivid"}, "style_preset"),
    ("sd3", {"model": "sd4"}, "model"),
    ("sd3", {"cfg_scale": "11"}, "cfg_scale"),
    ("sd3", {"mode": "image-to-image"}, "image"),
    ("sd3", {"mode": "video"}, "mode"),
]


def test_an_invalid_field_is_named_and_no_credits_are_held(idle_portal, bearer, member):
    for endpoint, data, field in REFUSED_FIELDS:
        response = ask(idle_portal, endpoint, bearer, data)
        assert response.status_code == 400, (endpoint, data)
        value = response.json()
        assert value.keys() == {"id", "name", "errors"}
        assert value["name"] == "bad_request"
        assert any(error.startswith(f"{field}: ") for error in value["errors"]), value
    assert not Generation.objects.exists()
    assert available(member) == 100_00


def test_a_start_image_without_strength_or_broken_or_not_supported_is_refused(idle_portal, bearer, picture):
    cases = [
        ("ultra", {}, picture(), "strength"),
        ("ultra", {"strength": "0.5"}, b"no picture", "image"),
        ("ultra", {"strength": "0.5"}, picture(size=(20, 20)), "image"),
        ("core", {}, picture(), "image"),
        ("sd3", {"strength": "0.5"}, picture(), "image"),
    ]
    for endpoint, data, file, field in cases:
        response = ask(idle_portal, endpoint, bearer, data, {"image": ("start.png", file)})
        assert response.status_code == 400, (endpoint, response.text)
        assert response.json()["errors"][0].startswith(f"{field}: ")


NO_TOKENS = [
    None,
    "",
    "Bearer",
    "Bearer sk-not-ours",
    "Basic dXNlcjp3b3Jk",
    "Bearer sdw_" + "0" * 46,
    "Bearer é",
]


def test_a_missing_or_invalid_token_gets_the_providers_message(idle_portal):
    for given in NO_TOKENS:
        headers = {} if given is None else {"authorization": given.encode("latin-1")}
        response = ask(idle_portal, "core", headers)
        assert response.status_code == 401, given
        assert response.json()["name"] == "unauthorized"
        assert response.json()["errors"][0] == "authorization: invalid or missing header value"


def test_a_token_is_accepted_without_the_word_bearer(portal, secret):
    assert ask(portal, "core", {"authorization": secret}).status_code == 200


def test_too_few_credits_are_402_with_the_missing_amount(idle_portal, issue, make_member):
    response = ask(
        idle_portal, "ultra", {"authorization": f"Bearer {issue(by=make_member('poor', granted=5))}"}
    )
    assert response.status_code == 402
    assert response.json()["name"] == "payment_required"
    assert "3 more needed" in response.json()["errors"][0]


def test_a_model_that_the_token_or_the_role_may_not_use_is_403(idle_portal, issue, member, bearer):
    ModelRule.objects.create(team=member.team, model="core", roles=["owner"])
    narrow = {"authorization": f"Bearer {issue(models=['core'])}"}
    for headers, endpoint in ((bearer, "core"), (narrow, "ultra")):
        response = ask(idle_portal, endpoint, headers)
        assert response.status_code == 403
        assert response.json()["name"] == "permission_denied"


def test_a_token_with_only_the_scope_read_may_not_generate(idle_portal, issue):
    response = ask(idle_portal, "core", {"authorization": f"Bearer {issue(scopes=['read'])}"})
    assert response.status_code == 403


NOTHING_THERE = [
    ("GET", f"{GENERATE}core"),
    ("POST", f"{GENERATE}CORE"),
    ("POST", f"{GENERATE}mega"),
    ("POST", "/v2beta/stable-image/generate/core%00"),
    ("DELETE", "/v2beta/results/1"),
]


def test_other_paths_are_not_found(idle_portal, bearer):
    for method, path in NOTHING_THERE:
        response = requests.request(method, idle_portal + path, headers=bearer, timeout=120)
        assert response.status_code == 404, path
        assert response.json()["name"] == "not_found"
        assert requests.request(method, idle_portal + path, timeout=120).status_code == 401


REFUSALS = [
    ("400", 400, "bad_request"),
    ("403", 403, "content_moderation"),
    ("413", 413, "payload_too_large"),
    ("422", 422, "invalid_language"),
]


def test_a_refusal_of_the_provider_is_passed_on_and_costs_nothing(portal, provider, bearer, member):
    for planned, status, name in REFUSALS:
        provider.plan(planned)
        response = ask(portal, "core", bearer)
        assert (response.status_code, response.json()["name"]) == (status, name)
        assert response.headers["x-generation-id"] == str(Generation.objects.latest("created_at").pk)
    assert available(member) == 100_00


def test_a_filtered_image_is_reported_as_filtered_and_costs_nothing(portal, provider, bearer, member):
    provider.plan("filtered", "filtered")
    response = ask(portal, "core", bearer, {"output_format": "jpeg", "aspect_ratio": "16:9"})
    assert (response.status_code, response.headers["finish-reason"]) == (200, "CONTENT_FILTERED")
    shown = Pillow.open(io.BytesIO(response.content))
    assert (shown.format, shown.size) == ("JPEG", catalogue_registry.get("core").size("16:9"))
    value = ask(portal, "core", bearer | {"accept": "application/json"}).json()
    assert value["finish_reason"] == "CONTENT_FILTERED"
    assert available(member) == 100_00
    assert not Image.objects.exists()


def test_a_final_failure_is_500_and_costs_nothing(portal, provider, bearer, member, monkeypatch):
    monkeypatch.setattr("generations.jobs.engine.outcomes.MAX_BUSY_CALLS", 1)
    provider.plan("500")
    response = ask(portal, "core", bearer)
    assert (response.status_code, response.json()["name"]) == (500, "internal_error")
    assert available(member) == 100_00


def test_a_picture_that_was_perhaps_bought_is_not_ordered_again_by_clients(portal, provider, bearer, member):
    provider.plan("drop", "drop")
    response = ask(portal, "core", bearer)
    assert (response.status_code, response.json()["name"]) == (424, "internal_error")
    assert "lost twice" in response.json()["errors"][0]
    assert "retry-after" not in response.headers
    assert available(member) == 100_00
    assert ask(portal, "core", bearer).status_code == 200, "somebody who asks again gets a new order"
    assert provider.orders() == 3


def test_no_provider_for_the_model_is_503(idle_portal, bearer, upstream):
    upstream.models_served = ["ultra"]
    upstream.save()
    response = ask(idle_portal, "core", bearer)
    assert (response.status_code, response.json()["name"]) == (503, "service_unavailable")


def test_an_unexpected_error_is_500_in_the_format_without_details(idle_portal, bearer, monkeypatch):
    def broken(*_given):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(ledger, "lock_for_hold", broken)
    response = ask(idle_portal, "core", bearer)
    assert (response.status_code, response.json()["name"]) == (500, "internal_error")
    assert "secret" not in response.text
