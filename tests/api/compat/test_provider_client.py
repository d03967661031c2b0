"""The portal's own provider client against a portal: one portal can be the provider of another."""

from __future__ import annotations

import time

import pytest

from generations.jobs.models import Generation
from generations.providers import open_provider
from generations.providers.base import Accepted, Busy, Done, Refused, Unavailable
from generations.providers.catalogue import registry as catalogue_registry
from tests.providers.smallest_requests import smallest

MODELS = catalogue_registry.names_of_system("stability")


@pytest.fixture
def member(make_member):
    return make_member("mei", granted=1_000)


@pytest.fixture
def outer(portal, secret):
    """Generate with the provider client of an outer portal at this portal's address."""

    def generate(model="core", key=secret, prefix="/sd", from_image=False, **parameters):
        provider = open_provider("stability", portal + prefix, key)
        request = smallest(model, from_image=from_image, **parameters)
        answer = provider.submit(request, timeout=120)
        while isinstance(answer, Accepted):
            time.sleep(0.05)
            answer = provider.poll(answer.task, timeout=120)
        return answer

    return generate


VALUES = {
    "negative_prompt": "people",
    "aspect_ratio": "16:9",
    "style_preset": "anime",
    "seed": 77,
    "output_format": "jpeg",
    "cfg_scale": 5.5,
    "steps": 20,
}


@pytest.mark.parametrize("prefix", ["", "/sd"])
def test_every_model_generates_with_every_field(outer, prefix):
    for model in MODELS:
        declared = catalogue_registry.MODELS[model]
        fields = {name: value for name, value in VALUES.items() if declared.takes(name)}
        if model == "remove-background":
            fields["output_format"] = "webp"
        done = outer(model, prefix=prefix, **fields)
        assert isinstance(done, Done), model
        assert (done.filtered, done.finish_reason) == (False, "SUCCESS")
        assert done.outputs[0].seed == 77 or not declared.takes("seed")
        assert done.request_id
        made = Generation.objects.latest("created_at")
        assert (made.model, made.parameters) == (model, smallest(model).parameters | fields)
        if declared.input("image"):
            assert outer(model, prefix=prefix, from_image=True).outputs


@pytest.mark.parametrize(
    ("planned", "code"), [("403", "content_moderation"), ("422", "invalid_language"), ("400", "bad_request")]
)
def test_a_refusal_is_a_refusal_to_the_outer_portal(outer, provider, planned, code):
    for model in MODELS:
        provider.plan(planned)
        with pytest.raises(Refused) as refused:
            outer(model)
        assert (refused.value.code, refused.value.status) == (code, int(planned))


def test_a_filtered_image_is_filtered_to_the_outer_portal(outer, provider):
    for model in MODELS:
        provider.plan("filtered")
        assert outer(model).filtered


def test_an_account_that_cannot_pay_or_is_unknown_is_unavailable_to_the_outer_portal(
    outer, issue, make_member
):
    for key, status in ((issue(by=make_member("poor", granted=1)), 402), ("sk-wrong", 401)):
        with pytest.raises(Unavailable) as failed:
            outer(key=key)
        assert failed.value.status == status
        assert key not in str(failed.value)


def test_a_failure_is_busy_to_the_outer_portal(outer, provider, monkeypatch):
    monkeypatch.setattr("generations.jobs.engine.outcomes.MAX_BUSY_CALLS", 1)
    provider.plan("500")
    with pytest.raises(Busy):
        outer()


def test_the_balance_is_the_members_balance(portal, secret, member):
    for prefix in ("", "/sd"):
        assert open_provider("stability", portal + prefix, secret).balance(timeout=120) == 1_000.0
