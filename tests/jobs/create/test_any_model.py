"""Form, validation, prefill, memory and the picture's page follow from a model's declaration alone."""

from __future__ import annotations

import html
import json
import re

import pytest

from generations.jobs.create import controls, model_cards
from generations.jobs.models import Batch, Generation
from generations.library.models import Upload
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.model import Model
from generations.upstreams.models import Upstream
from tests.jobs.create import any_model
from tests.jobs.create.any_model import FIELDS, VALUES
from tests.jobs.create.test_forms import errors_of, nothing_was_created, picture
from tests.markup import compact

WIDGETS = {
    "prompt": "textarea",
    "caption": "text",
    "story": "textarea",
    "finish": "segments",
    "paper": "select",
    "grain": "slider",
    "depth": "slider",
    "copies": "slider",
    "plate": "number",
    "inks": "colors",
    "signed": "flag",
}
SENT = {name: "true" if value is True else str(value) for name, value in VALUES.items()}


@pytest.fixture
def atelier(monkeypatch) -> Model:
    return any_model.add(monkeypatch, any_model.ATELIER)


def value_of(page: str, name: str) -> str | None:
    """What a field of the form holds; None for a box that is not checked."""
    tags = re.findall(rf'<(?:input|select|textarea)[^>]*name="{name}"[^>]*>[^<]*', page)
    for tag in tags:
        if 'type="radio"' in tag and " checked" not in tag:
            continue
        if tag.startswith("<textarea"):
            return tag.partition(">")[2].strip()
        if tag.startswith("<select"):
            chosen = re.search(rf'name="{name}".*?<option value="(\w*)" selected', page)
            return chosen[1] if chosen else ""
        if 'type="checkbox"' in tag:
            return "true" if " checked" in tag else None
        return re.search(r'value="([^"]*)"', tag)[1]
    raise AssertionError(name)


def test_each_kind_of_field_has_its_control():
    assert {field.name: controls.widget(field) for field in FIELDS} == WIDGETS


def test_without_scripts_the_model_is_changed_by_a_button_and_shows_its_fields(
    atelier, mei, address, upstream
):
    typed = {"prompt": "a heron", "operation": "blend", "model": "core", "count": "2", "change": "operation"}
    page = compact(mei.post(address("create/"), typed).content.decode())
    for field in FIELDS:
        assert f'name="{field.name}"' in page, field.name
    assert "a heron</textarea>" in page
    assert re.search(r'name="count"[^>]*value="2"', page)
    assert 'name="file_image"' in page
    assert re.search(r'name="file_reference"[^>]* multiple', page)
    assert "With a signature." in page
    assert "What is printed." in page
    assert value_of(page, "depth") == "0.4"  # suggested
    assert value_of(page, "grain") == ""  # usual, so that nothing must be sent
    assert nothing_was_created()


def test_all_fields_and_pictures_are_sent(atelier, press, member):
    files = {"file_image": picture(), "file_reference": [picture(300, 300), picture(400, 300)]}
    assert press(model="atelier", operation="blend", **SENT, **files).status_code == 302
    batch = Batch.objects.get()
    assert batch.parameters == VALUES
    roles = [(each.role, each.upload.width) for each in batch.inputs.all()]
    assert roles == [("image", 256), ("reference", 300), ("reference", 400)]


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("caption", "x" * 61, "at most 60 characters"),
        ("finish", "velvet", "Choose one of"),
        ("paper", "stone", "Choose one of"),
        ("grain", "11", "from 0 to 10"),
        ("depth", "", "Fill in this field"),
        ("copies", "2.5", "whole number from 1 to 9"),
        ("inks", "red", "such as #ff8e3c"),
        ("inks", "#000 #111 #222 #333", "at most 3 colors; these are 4"),
        ("signed", "perhaps", "on or off"),
    ],
)
def test_an_error_stands_at_the_field_and_what_was_filled_in_stays(atelier, press, field, value, sentence):
    sent = SENT | {field: value}
    page = compact(press(model="atelier", **sent, file_image=picture()).content.decode())
    assert [error for error in errors_of_markup(page, field) if sentence in error]
    for other in set(SENT) - {field, "signed"}:
        assert value_of(page, other) == sent[other].replace("\n", " "), other
    assert f'name="input_image" value="{Upload.objects.get().pk}"' in page
    assert nothing_was_created()


def errors_of_markup(page: str, field: str) -> list[str]:
    return re.findall(rf'id="error-{field}">([^<]+)<', page)


def test_a_missing_picture_is_an_error_at_its_field(atelier, press):
    response = press(model="atelier", **SENT)
    assert "Add an image here." in errors_of(response)
    assert 'id="error-input-image"' in response.content.decode()
    assert nothing_was_created()


def test_use_all_fills_in_every_field_and_picture(atelier, press, mei, address):
    press(
        model="atelier", **SENT, file_image=picture(), file_reference=[picture(300, 300), picture(400, 300)]
    )
    row = Generation.objects.get()
    page = compact(mei.get(address(f"create/?from={row.pk}&use=all")).content.decode())
    for name, value in SENT.items():
        assert value_of(page, name) == value.replace("\n", " "), name
    sent = [f'name="input_{each.role}" value="{each.upload_id}"' for each in row.batch.inputs.all()]
    places = [page.index(hidden) for hidden in sent]
    assert len(places) == 3
    assert places == sorted(places)
    assert 'id="id_operation_blend" name="operation" value="blend" checked' in page


def test_only_what_is_remembered_is_in_the_next_form(atelier, press, mei, address):
    press(model="atelier", **SENT, file_image=picture())
    page = compact(mei.get(address("create/?operation=blend")).content.decode())
    assert (value_of(page, "finish"), value_of(page, "grain")) == ("gloss", "3.5")
    assert (value_of(page, "paper"), value_of(page, "caption"), value_of(page, "signed")) == ("", "", None)
    press(model="core")  # which does not have them
    page = compact(mei.get(address("create/?operation=blend")).content.decode())
    assert value_of(page, "grain") == "3.5"


def test_the_page_of_a_generation_shows_every_parameter(atelier, press, mei, address):
    press(model="atelier", **SENT, file_image=picture())
    page = compact(mei.get(address(f"generation/{Generation.objects.get().pk}/")).content.decode())
    for title, value in {
        "Caption": "Heron, third state",
        "Finish": "Gloss",
        "Paper": "Rice",
        "Grain": "3.5",
        "Depth": "0.25",
        "Copies": "4",
        "Plate": "123456",
        "Signed": "yes",
    }.items():
        assert re.search(rf"<dt>{title}</dt><dd(?: dir=\"auto\")?>{re.escape(value)}</dd>", page)
    assert "<span>Image</span>" in page


def test_switching_keeps_what_both_models_share_by_name_and_kind(
    atelier, monkeypatch, mei, address, upstream
):
    values = SENT | {
        "model": "core",
        "operation": "generate",
        "shown_model": "atelier",
        "change": "operation",
    }
    page = compact(mei.post(address("create/"), values).content.decode())
    assert "a heron</textarea>" in page
    assert 'type="hidden" name="paper" value="rice"' in page  # for the way back
    back = values | {"operation": "blend", "shown_model": "core"}
    page = compact(mei.post(address("create/"), back).content.decode())
    for name, value in SENT.items():
        assert value_of(page, name) == value.replace("\n", " "), name


def test_a_value_that_the_next_model_does_not_take_is_not_kept(mei, address, upstream):
    values = {"model": "sd3.5-large", "shown_model": "sdxl", "cfg_scale": "30", "change": "model"}
    page = compact(mei.post(address("create/"), values).content.decode())
    assert value_of(page, "cfg_scale") == ""
    values = {"model": "sd3.5-flash", "shown_model": "sd3.5-large", "cfg_scale": "7", "change": "model"}
    page = compact(mei.post(address("create/"), values).content.decode())
    assert value_of(page, "cfg_scale") == "7"


def test_a_suggestion_that_was_not_changed_becomes_that_of_the_next_model(mei, address, upstream):
    shown = {"shown_model": "sd3.5-large", "model": "sd3.5-flash", "change": "model"}
    page = lambda strength: compact(  # noqa: E731
        mei.post(address("create/"), shown | {"strength": strength}).content.decode()
    )
    assert value_of(page("0.6"), "strength") == "0.95"
    assert value_of(page("0.5"), "strength") == "0.5"


def test_models_are_grouped_by_system_and_searched_above_twelve(monkeypatch, mei, address, upstream):
    page = mei.get(address("create/")).content.decode()
    assert "cards-title" not in page
    assert "data-search-models" not in page
    for number in range(9):
        model = Model(f"m{number}", f"M {number}", "One more", 100, 3, {}, FIELDS[:1])
        any_model.add(monkeypatch, model)
    page = mei.get(address("create/")).content.decode()
    assert "data-search-models" in page
    assert "cards-title" not in page
    monkeypatch.setattr(
        catalogue_registry, "system_of", lambda name: "aurora" if name == "m3" else "stability"
    )
    model_cards._html.cache_clear()  # the catalogue does not change while a portal runs
    whole = re.search(r'data-whole="([^"]+)"', mei.get(address("create/")).content.decode())[1]
    titles = re.findall(r'class="cards-title">([^<]+)<', mei.get(html.unescape(whole)).content.decode())
    assert titles == ["Stability AI", "Aurora"]


def test_a_card_says_from_where_parameters_raise_the_price(mei, address, upstream):
    page = compact(mei.get(address("create/")).content.decode())
    assert "from 0.9 credits" in page
    assert page.count("from 0.9 credits") == 2  # SDXL and SD 1.6


def test_a_model_whose_price_is_by_a_choice_says_from_where_on_and_tells_the_page_each_price(
    mei, address, upstream
):
    Upstream.objects.filter(pk=upstream.pk).update(kind="openai", models_served=["gpt-image-2.5-flare"])
    page = compact(mei.get(address("create/")).content.decode())
    assert "from 0.59 credits" in page
    assert 'data-price="527"' in page
    costs = json.loads(html.unescape(re.search(r'data-choice-costs="([^"]+)"', page)[1]))
    assert costs == {"quality": {"low": 59, "medium": 132, "high": 527, "xhigh": 937, "max": 2_107}}
