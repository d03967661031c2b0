"""A model with other fields than those of today: on the form, in the API, and on the wire."""

from __future__ import annotations

import json
from types import MappingProxyType

import pytest

from generations.api.compat import openai
from generations.api.v1 import catalogue
from generations.jobs.create import controls
from generations.jobs.models import Generation
from generations.providers import open_provider
from generations.providers.base import ImageRequest
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Field, Flag, Text
from generations.providers.catalogue.model import Model
from tests.providers.conftest import fake_provider
from tests.providers.fake_provider import KEY, make_image, response

__all__ = ["fake_provider"]
PROMPT = Text(name="prompt", title="Prompt", required=True, max_length=500)
TRANSPARENT = Flag(name="transparent", title="Transparent background")


def add_model(monkeypatch, *, system: str, name: str, fields: tuple[Field, ...]) -> Model:
    """Add a model without shapes, sizes and seed to the catalogue."""
    model = Model(name, name.title(), "Plain lines", 100, 3, {}, fields)
    systems = dict(catalogue_registry.SYSTEMS)
    systems[system] = (*systems.get(system, ()), model)
    monkeypatch.setattr(catalogue_registry, "SYSTEMS", MappingProxyType(systems))
    monkeypatch.setattr(catalogue_registry, "MODELS", {**catalogue_registry.MODELS, name: model})
    return model


@pytest.fixture
def sketch(monkeypatch) -> Model:
    """A model of Stability that has a prompt only."""
    return add_model(monkeypatch, system="stability", name="sketch", fields=(PROMPT,))


@pytest.fixture
def core_with_flag(monkeypatch) -> Model:
    """Core with one more field: a flag."""
    core = catalogue_registry.get("core")
    model = Model("core", "Core", core.clause, 300, 9, core.sizes, (*core.fields, TRANSPARENT))
    monkeypatch.setattr(catalogue_registry, "MODELS", {**catalogue_registry.MODELS, "core": model})
    return model


def test_create_shows_a_model_without_aspect_ratios(sketch, mei, address, upstream):
    page = mei.post(address("create/"), {"model": "sketch", "change": "model"}).content.decode()
    assert 'id="id_model_sketch"' in page
    assert 'name="aspect_ratio"' not in page


def test_a_model_without_aspect_ratios_can_be_asked_for(sketch, press):
    assert press(model="sketch", prompt="a boat", aspect_ratio="16:9").status_code == 302
    assert Generation.objects.get().parameters == {"prompt": "a boat"}


def test_openais_format_serves_a_model_without_aspect_ratios(sketch):
    assert openai.parse_values({"model": "sketch", "prompt": "a boat", "size": "1024x1024"}).parameters == {
        "prompt": "a boat"
    }
    assert sketch.size() == (1024, 1024)


def test_openais_format_names_the_system_of_a_model(monkeypatch):
    add_model(monkeypatch, system="aurora", name="polar", fields=(PROMPT,))
    entries = json.loads(openai.model_list(["core", "polar"]).body)["data"]
    assert [entry["owned_by"] for entry in entries] == ["stability", "aurora"]


@pytest.mark.parametrize(("sent", "kept"), [("true", True), ("on", True), ("", None), ("false", None)])
def test_a_flag_comes_from_a_checkbox(core_with_flag, press, sent, kept):
    assert press(transparent=sent).status_code == 302
    assert Generation.objects.get().parameters.get("transparent") is kept


@pytest.mark.parametrize("wrong", ["yes please", 1, 0.0, [True], {}])
def test_a_flag_is_on_or_off(core_with_flag, wrong):
    with pytest.raises(catalogue_registry.InvalidParameters) as caught:
        catalogue_registry.validate(core_with_flag, {"prompt": "a boat", "transparent": wrong})
    assert set(caught.value.errors) == {"transparent"}


def test_a_flag_is_true_on_the_wire_and_absent_if_it_is_off(core_with_flag, fake_provider):
    provider = open_provider("stability", fake_provider.address, KEY)
    for flag in (True, False):
        fake_provider.plan = [response(200, make_image())]
        request = ImageRequest("core", {"prompt": "a boat", "transparent": flag})
        provider.submit(request, timeout=5)
    on, off = (sent.body for sent in fake_provider.requests)
    assert b'name="transparent"\r\n\r\ntrue\r\n' in on
    assert b"transparent" not in off


def test_the_api_says_which_kind_a_field_is_and_leaves_out_one_without_a_kind():
    listed = catalogue._field(TRANSPARENT, {})
    assert (listed["kind"], listed["type"], listed["default"]) == ("flag", "flag", False)
    assert not Field(name="mask", title="Mask").kind


def test_every_field_of_the_catalogue_has_a_control_or_is_for_programs_only():
    declared = [field for model in catalogue_registry.MODELS.values() for field in model.fields]
    assert {field.name for field in declared if not controls.is_on_form(field)} <= {"text_prompts"}
    for field in declared:
        if controls.is_on_form(field):
            assert controls.widget(field)
    with pytest.raises(TypeError, match="no control for the kind of field Field"):
        controls.widget(Field(name="mask", title="Mask"))
