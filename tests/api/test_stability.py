"""Stability's v2beta as its documentation shows it: `requests`, pointed at the portal by its address."""

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
    """As the official sample does: multipart by a dummy part."""
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
def test_the_official_sample_gets_a_picture_pays_for_it_and_finds_it_in_the_library(
    portal, bearer, member, prefix
):
    answer = ask(portal, "ultra", bearer, {"output_format": "webp", "seed": 42}, prefix=prefix)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["finish-reason"] == "SUCCESS"
    assert answer.headers["seed"] == "42"
    assert answer.headers["x-request-id"]
    assert Pillow.open(io.BytesIO(answer.content)).format == "WEBP"
    image = Image.objects.get()
    assert image.owner == member
    assert image.prompt == "a lighthouse on a cliff"
    assert str(image.generation) == answer.headers["x-generation-id"]
    assert available(member) == 100_00 - 8_00


@pytest.mark.parametrize("accept", ["application/json", "Default: image/*,Enum: application/json image/*"])
def test_json_carries_the_picture_the_finish_and_the_seed_and_no_headers_about_them(portal, bearer, accept):
    answer = ask(portal, "core", bearer | {"accept": accept}, {"seed": 7, "output_format": "jpeg"})
    assert answer.headers["content-type"] == "application/json; type=image/jpeg"
    assert "seed" not in answer.headers
    assert "finish-reason" not in answer.headers
    value = answer.json()
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


def test_older_names_of_models_are_drawn_and_paid_as_what_they_became(portal, bearer, member):
    left = available(member)
    for name, ours in NAMES.items():
        answer = ask(portal, "sd3", bearer, {"model": name} if name else {})
        assert answer.status_code == 200, answer.text
        assert Image.objects.latest("created_at").model == ours
        left -= catalogue_registry.get(ours).base_cost
        assert available(member) == left


def test_the_dummy_part_counts_for_nothing_with_a_file_name_or_without(portal, bearer):
    for files in ({"none": ""}, {"none": ("", b"")}, {"prompt": (None, "from a part")}):
        assert ask(portal, "core", bearer, files=files).status_code == 200


def test_fields_that_nobody_knows_and_empty_ones_are_ignored(portal, bearer):
    strange = {"style": "vivid", "mode": "text-to-image", "n": "4", "negative_prompt": "", "seed": ""}
    assert ask(portal, "core", bearer, strange).status_code == 200
    assert "style" not in Generation.objects.get().parameters


@pytest.mark.parametrize("endpoint", ["ultra", "sd3"])
def test_an_image_goes_into_an_image(portal, bearer, provider, picture, endpoint):
    mode = {"mode": "image-to-image"} if endpoint == "sd3" else {}
    answer = ask(
        portal, endpoint, bearer, mode | {"strength": "0.6"}, {"image": ("start.png", picture(), "image/png")}
    )
    assert answer.status_code == 200, answer.text
    [call] = provider.calls()
    assert "image" in call["files"]
    assert call["fields"]["strength"] == "0.6"


def test_a_gateways_page_that_says_urlencoded_is_believed_below_sd_only(portal, bearer):
    data = {"prompt": "a lighthouse"}
    for prefix, status in (("/sd", 200), ("", 400)):
        answer = requests.post(f"{portal}{prefix}{GENERATE}ultra", headers=bearer, data=data, timeout=120)
        assert answer.status_code == status
    assert answer.json()["errors"] == ["content-type: must be multipart/form-data"]


REFUSED_FIELDS = [
    ("core", {"prompt": ""}, "prompt"),
    ("core", {"prompt": "x" * 10_001}, "prompt"),
    ("core", {"prompt": "nul \0"}, "prompt"),
    ("core", {"aspect_ratio": "4:3"}, "aspect_ratio"),
    ("core", {"seed": "4294967295"}, "seed"),
    ("core", {"seed": "-1"}, "seed"),
    ("core", {"output_format": "gif"}, "output_format"),
    ("ultra", {"style_preset": "vivid"}, "style_preset"),
    ("sd3", {"model": "sd4"}, "model"),
    ("sd3", {"cfg_scale": "11"}, "cfg_scale"),
    ("sd3", {"mode": "image-to-image"}, "image"),
    ("sd3", {"mode": "video"}, "mode"),
]


def test_a_field_that_the_provider_would_refuse_is_named_and_nothing_is_held(idle_portal, bearer, member):
    for endpoint, data, field in REFUSED_FIELDS:
        answer = ask(idle_portal, endpoint, bearer, data)
        assert answer.status_code == 400, (endpoint, data)
        value = answer.json()
        assert value.keys() == {"id", "name", "errors"}
        assert value["name"] == "bad_request"
        assert any(error.startswith(f"{field}: ") for error in value["errors"]), value
    assert not Generation.objects.exists()
    assert available(member) == 100_00


def test_an_image_without_a_strength_a_broken_one_and_one_that_has_no_place_are_refused(
    idle_portal, bearer, picture
):
    cases = [
        ("ultra", {}, picture(), "strength"),
        ("ultra", {"strength": "0.5"}, b"no picture", "image"),
        ("ultra", {"strength": "0.5"}, picture(size=(20, 20)), "image"),
        ("core", {}, picture(), "image"),
        ("sd3", {"strength": "0.5"}, picture(), "image"),
    ]
    for endpoint, data, file, field in cases:
        answer = ask(idle_portal, endpoint, bearer, data, {"image": ("start.png", file)})
        assert answer.status_code == 400, (endpoint, answer.text)
        assert answer.json()["errors"][0].startswith(f"{field}: ")


NO_TOKENS = [
    *(None, "", "Bearer", "Bearer sk-not-ours", "Basic dXNlcjp3b3Jk", "Bearer sdw_" + "0" * 46, "Bearer é"),
]


def test_who_has_no_token_is_told_so_in_the_provider_s_words(idle_portal):
    for given in NO_TOKENS:
        headers = {} if given is None else {"authorization": given.encode("latin-1")}
        answer = ask(idle_portal, "core", headers)
        assert answer.status_code == 401, given
        assert answer.json()["name"] == "unauthorized"
        assert answer.json()["errors"][0] == "authorization: invalid or missing header value"


def test_a_token_is_taken_without_the_word_bearer_as_one_gateways_page_shows_it(portal, secret):
    assert ask(portal, "core", {"authorization": secret}).status_code == 200


def test_too_few_credits_are_402_and_say_what_is_missing(idle_portal, issue, make_member):
    answer = ask(
        idle_portal, "ultra", {"authorization": f"Bearer {issue(by=make_member('poor', granted=5))}"}
    )
    assert answer.status_code == 402
    assert answer.json()["name"] == "payment_required"
    assert "3 more needed" in answer.json()["errors"][0]


def test_a_model_that_the_token_or_the_role_may_not_use_is_403(idle_portal, issue, member, bearer):
    ModelRule.objects.create(team=member.team, model="core", roles=["owner"])
    narrow = {"authorization": f"Bearer {issue(models=['core'])}"}
    for headers, endpoint in ((bearer, "core"), (narrow, "ultra")):
        answer = ask(idle_portal, endpoint, headers)
        assert answer.status_code == 403
        assert answer.json()["name"] == "permission_denied"


def test_a_token_that_is_for_reading_makes_no_pictures(idle_portal, issue):
    answer = ask(idle_portal, "core", {"authorization": f"Bearer {issue(scopes=['read'])}"})
    assert answer.status_code == 403


NOTHING_THERE = [
    ("GET", f"{GENERATE}core"),
    ("POST", f"{GENERATE}core/"),
    ("POST", f"{GENERATE}CORE"),
    ("POST", f"{GENERATE}mega"),
    ("POST", "/sd/sd/v2beta/stable-image/generate/core"),
    ("POST", "/v2beta/stable-image/generate/core%00"),
    ("DELETE", "/v2beta/results/1"),
]


def test_there_is_nothing_at_other_addresses(idle_portal, bearer):
    for method, path in NOTHING_THERE:
        answer = requests.request(method, idle_portal + path, headers=bearer, timeout=120)
        assert answer.status_code == 404, path
        assert answer.json()["name"] == "not_found"
        assert requests.request(method, idle_portal + path, timeout=120).status_code == 401


REFUSALS = [
    ("400", 400, "bad_request"),
    ("403", 403, "content_moderation"),
    ("413", 413, "payload_too_large"),
    ("422", 422, "invalid_language"),
]


def test_what_the_provider_refuses_is_refused_alike_and_costs_nothing(portal, provider, bearer, member):
    for planned, status, name in REFUSALS:
        provider.plan(planned)
        answer = ask(portal, "core", bearer)
        assert (answer.status_code, answer.json()["name"]) == (status, name)
        assert answer.headers["x-generation-id"] == str(Generation.objects.latest("created_at").pk)
    assert available(member) == 100_00


def test_a_filtered_picture_says_so_and_costs_nothing(portal, provider, bearer, member):
    provider.plan("filtered", "filtered")
    answer = ask(portal, "core", bearer, {"output_format": "jpeg", "aspect_ratio": "16:9"})
    assert (answer.status_code, answer.headers["finish-reason"]) == (200, "CONTENT_FILTERED")
    shown = Pillow.open(io.BytesIO(answer.content))
    assert (shown.format, shown.size) == ("JPEG", catalogue_registry.get("core").size("16:9"))
    value = ask(portal, "core", bearer | {"accept": "application/json"}).json()
    assert value["finish_reason"] == "CONTENT_FILTERED"
    assert available(member) == 100_00
    assert not Image.objects.exists()


def test_what_fails_for_good_is_500_and_costs_nothing(portal, provider, bearer, member, monkeypatch):
    monkeypatch.setattr("generations.jobs.engine.outcomes.MAX_BUSY_CALLS", 1)
    provider.plan("500")
    answer = ask(portal, "core", bearer)
    assert (answer.status_code, answer.json()["name"]) == (500, "internal_error")
    assert available(member) == 100_00


def test_no_provider_for_the_model_is_503(idle_portal, bearer, upstream):
    upstream.models_served = ["ultra"]
    upstream.save()
    answer = ask(idle_portal, "core", bearer)
    assert (answer.status_code, answer.json()["name"]) == (503, "service_unavailable")


def test_what_nobody_foresaw_is_500_in_the_format_and_tells_nothing(idle_portal, bearer, monkeypatch):
    def broken(**_named):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(ledger, "hold_new", broken)
    answer = ask(idle_portal, "core", bearer)
    assert (answer.status_code, answer.json()["name"]) == (500, "internal_error")
    assert "secret" not in answer.text
