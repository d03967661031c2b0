"""Stability's v1 format."""

from __future__ import annotations

import base64
import io

import pytest
import requests
from PIL import Image as Pillow

from generations.jobs import retries
from generations.jobs.models import Batch, Generation
from generations.library.models import Image
from generations.teams.models import Membership
from tests.sdweb.portal import eventually

ENGINE = "stable-diffusion-xl-1024-v1-0"


def ask(portal, headers, engine=ENGINE, prefix="", **values):
    return requests.post(
        f"{portal}{prefix}/v1/generation/{engine}/text-to-image",
        headers={"Accept": "application/json"} | headers,
        json={"text_prompts": [{"text": "a lighthouse on a cliff"}]} | values,
        timeout=120,
    )


@pytest.mark.parametrize("prefix", ["", "/sd"])
def test_samples_are_one_batch_and_are_returned_as_artifacts_with_their_seeds(portal, bearer, member, prefix):
    response = ask(
        portal, bearer, prefix=prefix, samples=3, seed=10, steps=30, cfg_scale=7, width=1024, height=1024
    )
    assert response.status_code == 200, response.text
    artifacts = response.json()["artifacts"]
    assert [artifact["seed"] for artifact in artifacts] == [10, 11, 12]
    assert {artifact["finishReason"] for artifact in artifacts} == {"SUCCESS"}
    for artifact in artifacts:
        assert Pillow.open(io.BytesIO(base64.b64decode(artifact["base64"]))).size == (1024, 1024)
    assert Batch.objects.get().count == 3
    assert Membership.objects.get(pk=member.pk).wallet.available == 100_00 - 3 * 90


def test_an_image_is_returned_as_a_file_if_the_client_accepts_it(portal, bearer):
    response = ask(portal, bearer | {"Accept": "image/png"}, seed=5)
    assert response.headers["content-type"] == "image/png"
    assert (response.headers["finish-reason"], response.headers["seed"]) == ("SUCCESS", "5")
    assert Pillow.open(io.BytesIO(response.content)).format == "PNG"


def test_weights_decide_the_negative_prompt_and_width_and_height_the_aspect_ratio(portal, bearer):
    prompts = [{"text": "a cliff", "weight": 1}, {"text": "people", "weight": -0.5}, {"text": "fog"}]
    assert ask(portal, bearer, text_prompts=prompts, width=832, height=1216).status_code == 200
    made = Image.objects.get()
    assert (made.prompt, made.negative_prompt) == ("a cliff, fog", "people")
    assert made.parameters["aspect_ratio"] == "2:3"


@pytest.mark.parametrize(
    "prompts",
    [
        [
            {"text": "a cliff", "weight": 0.7},
            {"text": "fog", "weight": 0.25},
            {"text": "people", "weight": -0.5},
        ],
        [{"text": "a cliff", "weight": 2}],
        [{"text": "a cliff", "weight": 1}, {"text": "fog", "weight": 1}],
        [{"text": "a cliff", "weight": 1}, {"text": "people", "weight": -0.8}],
    ],
)
def test_weights_reach_the_provider(portal, bearer, provider, prompts):
    assert ask(portal, bearer, text_prompts=prompts).status_code == 200
    [call] = provider.calls()
    assert call["fields"]["text_prompts"] == prompts
    made = Image.objects.get()
    assert made.prompt == ", ".join(each["text"] for each in prompts if each["weight"] > 0)


def test_prompts_without_weights_are_sent_with_those_that_they_have(portal, bearer, provider):
    assert ask(portal, bearer, text_prompts=[{"text": "a cliff"}, {"text": "fog"}]).status_code == 200
    sent = provider.calls()[0]["fields"]["text_prompts"]
    assert sent == [{"text": "a cliff", "weight": 1}, {"text": "fog", "weight": 1}]


def test_weights_survive_a_retry(portal, bearer, provider, member):
    prompts = [{"text": "a cliff", "weight": 0.5}]
    provider.plan("403")
    assert ask(portal, bearer, text_prompts=prompts).status_code == 403
    retries.retry(member=member, generation=Generation.objects.get().pk)
    assert eventually(Image.objects.exists)
    assert provider.calls()[-1]["fields"]["text_prompts"] == prompts


def test_a_plain_prompt_is_kept_without_weights(portal, bearer):
    prompts = [{"text": "a cliff", "weight": 1}, {"text": "people", "weight": -1}]
    assert ask(portal, bearer, text_prompts=prompts).status_code == 200
    assert "text_prompts" not in Generation.objects.get().parameters


def test_numbers_may_be_text_or_have_a_point(portal, bearer, provider):
    numbers = {
        "samples": "2",
        "seed": "5",
        "width": "1024",
        "height": 1024.0,
        "steps": 30.0,
        "cfg_scale": "7",
    }
    response = ask(portal, bearer, **numbers)
    assert response.status_code == 200, response.text
    assert [artifact["seed"] for artifact in response.json()["artifacts"]] == [5, 6]
    assert ask(portal, bearer, seed=-1).status_code == 200
    assert "seed" not in provider.calls()[-1]["fields"]


REFUSED_FIELDS = [
    ({"text_prompts": []}, "text_prompts"),
    ({"text_prompts": "a cliff"}, "text_prompts"),
    ({"text_prompts": [{"text": ""}]}, "text_prompts[0]"),
    ({"text_prompts": [{"text": "x", "weight": "heavy"}]}, "text_prompts[0]"),
    ({"text_prompts": [{"text": "x", "weight": 10**400}]}, "text_prompts[0]"),
    ({"text_prompts": [{"text": "x"}] * 101}, "text_prompts"),
    ({"text_prompts": [{"text": "x" * 2001}]}, "text_prompts"),
    ({"text_prompts": [{"text": "only", "weight": -1}]}, "text_prompts"),
    ({"text_prompts": [{"text": "\ud800"}]}, "text_prompts"),
    ({"width": 1000, "height": 1000}, "width, height"),
    ({"width": "wide"}, "width, height"),
    ({"width": [1024]}, "width, height"),
    ({"steps": 51}, "steps"),
    ({"steps": 10**400}, "steps"),
    ({"cfg_scale": 36}, "cfg_scale"),
    ({"seed": 2**32}, "seed"),
    ({"samples": 11}, "samples"),
    ({"samples": True}, "samples"),
    ({"sampler": "MAGIC"}, "sampler"),
    ({"clip_guidance_preset": 1}, "clip_guidance_preset"),
    ({"style_preset": {"a": 1}}, "style_preset"),
    ({"extras": "x"}, "extras"),
]


def test_an_invalid_field_is_named_in_the_message(idle_portal, bearer):
    for values, field in REFUSED_FIELDS:
        response = ask(idle_portal, bearer, **values)
        assert response.status_code == 400, values
        value = response.json()
        assert value.keys() == {"id", "name", "message"}
        assert value["name"] == "bad_request"
        assert f"{field}: " in value["message"]
    assert not Generation.objects.exists()


def test_several_samples_cannot_be_returned_as_one_file(idle_portal, bearer):
    assert ask(idle_portal, bearer | {"Accept": "image/png"}, samples=2).status_code == 400


def test_a_body_that_is_not_a_json_object_is_refused(idle_portal, bearer):
    address = f"{idle_portal}/v1/generation/{ENGINE}/text-to-image"
    for body in (b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000, b'{"seed": NaN}'):
        response = requests.post(address, headers=bearer, data=body, timeout=120)
        assert (response.status_code, response.json()["name"]) == (400, "bad_request")


def test_an_unknown_engine_is_not_found_and_a_missing_token_is_401(idle_portal, bearer):
    response = ask(idle_portal, bearer, engine="stable-diffusion-512-v2-1")
    assert (response.status_code, response.json()["name"]) == (404, "not_found")
    response = ask(idle_portal, {})
    assert (response.status_code, response.json()["name"]) == (401, "unauthorized")
    assert response.json().keys() == {"id", "name", "message"}


def test_failed_samples_are_listed_beside_the_others_and_are_free(portal, provider, bearer, member):
    provider.plan("403")
    artifacts = ask(portal, bearer, samples=3).json()["artifacts"]
    assert sorted(artifact["finishReason"] for artifact in artifacts) == ["ERROR", "SUCCESS", "SUCCESS"]
    assert Membership.objects.get(pk=member.pk).wallet.available == 100_00 - 2 * 90
    provider.plan("403", "403")
    response = ask(portal, bearer, samples=2)
    assert (response.status_code, response.json()["name"]) == (403, "permission_denied")


@pytest.mark.parametrize("prefix", ["", "/sd"])
def test_balance_account_and_engines_are_those_of_the_token(idle_portal, bearer, issue, member, prefix):
    def get(path, headers=bearer):
        response = requests.get(f"{idle_portal}{prefix}/v1/{path}", headers=headers, timeout=120)
        assert response.status_code == 200, response.text
        return response.json()

    assert get("user/balance") == {"credits": 100.0}
    assert get("user/balance", {"authorization": f"Bearer {issue(cap=12_50)}"}) == {"credits": 12.5}
    account = get("user/account")
    assert account["email"] == "mei@studio.example"
    assert account["organizations"] == [
        {"id": "studio-north", "name": "Studio North", "role": "MEMBER", "is_default": True}
    ]
    assert [engine["id"] for engine in get("engines/list")] == [ENGINE, "stable-diffusion-v1-6"]
    assert get("engines/list", {"authorization": f"Bearer {issue(models=['core'])}"}) == []
    for path in ("user/balance", "user/account", "engines/list"):
        assert requests.get(f"{idle_portal}{prefix}/v1/{path}", timeout=120).status_code == 401
