"""The portal's own provider client against a portal: one portal can be the provider of another."""

from __future__ import annotations

import pytest

from generations.api.compat.stability_v1 import ENGINES
from generations.jobs.models import Generation
from generations.providers import open_provider
from generations.providers.base import Busy, Done, ImageRequest, Refused, Unavailable
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.operations import Operation
from tests.providers.conftest import start_image

# Those that generate and are served here: v1 by its engines.
MODELS = [
    model.name
    for model in catalogue_registry.SYSTEMS["stability"]
    if model.operation is Operation.GENERATE
    and (model.takes("output_format") or model.name in ENGINES.values())
]


@pytest.fixture
def outer(portal, secret):
    """Generate with the provider client of an outer portal at this portal's address."""

    def generate(model="core", image=None, key=secret, prefix="/sd", **parameters):
        provider = open_provider("stability", portal + prefix, key)
        request = ImageRequest(model, {"prompt": "a harbour"} | parameters, start_image(image))
        return provider.submit(request, timeout=120)

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
def test_every_model_generates_with_every_field(outer, prefix, picture):
    for model in MODELS:
        declared = catalogue_registry.MODELS[model]
        fields = {name: value for name, value in VALUES.items() if declared.takes(name)}
        done = outer(model, prefix=prefix, **fields)
        assert isinstance(done, Done)
        assert (done.outputs[0].seed, done.filtered, done.finish_reason) == (77, False, "SUCCESS")
        assert done.request_id
        assert Generation.objects.latest("created_at").parameters == {"prompt": "a harbour"} | fields
        if declared.input("image") and declared.takes("output_format"):  # v2beta
            assert outer(model, picture(), prefix=prefix, strength=0.5).outputs


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
        assert open_provider("stability", portal + prefix, secret).balance(timeout=120) == 100.0
