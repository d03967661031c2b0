"""The fields and cards of the form that are rendered once say what their templates say."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from generations.jobs.create import controls
from generations.jobs.create.controls import Control
from generations.jobs.create.model_cards import CardList, ModelCard
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Choice
from generations.providers.catalogue.model import Model
from tests.markup import compact

MODELS = list(catalogue_registry.MODELS.values())


def values_of(model: Model) -> list[tuple[str, str]]:
    """The empty value and a choice of each field."""
    found = []
    for field in controls.fields_of(model):
        choices = list(field.choices)[-1:] if isinstance(field, Choice) else ["7"]
        found += [(field.name, value) for value in ("", *choices)]
    return found


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("model", MODELS[::5], ids=lambda model: model.name)
def test_a_control_is_what_its_template_makes_of_it(model, language):
    with translation.override(language):
        for name, value in values_of(model):
            control = Control(model.field(name), value, model=model)
            by_template = render_to_string(control.template, {"control": control})
            assert compact(control.html) == compact(by_template), name


def test_errors_and_styles_of_a_team_are_not_kept():
    model = catalogue_registry.get("core")
    usual = Control(model.field("aspect_ratio"), "1:1", model=model)
    assert "Wrong shape" not in usual.html
    wrong = Control(model.field("aspect_ratio"), "1:1", ["Wrong shape"], model=model)
    assert "Wrong shape" in wrong.html
    model = next(each for each in MODELS if each.style_fields)
    field = model.style_fields[0]
    assert "Our style" in Control(field, "", made=(("s1", "Our style"),), model=model).html
    assert "Our style" not in Control(field, "", model=model).html


def test_a_choice_that_was_never_offered_is_not_kept():
    model = catalogue_registry.get("core")
    kept = controls.kept_fragments._rendered.cache_info
    before = kept().currsize
    for number in range(20):
        assert str(Control(model.field("seed"), str(number), model=model).html)
        assert str(Control(model.field("aspect_ratio"), f"{number}:97", model=model).html)
    assert (
        controls.kept_fragments._rendered.cache_info().currsize <= before + 1
    )  # what a template keeps itself


def test_a_list_of_models_follows_prices_order_and_choice():
    first, second = (ModelCard(model, 300) for model in MODELS[:2])

    def shown(*cards: ModelCard, chosen: Model = first.model) -> str:
        return CardList(cards).html(chosen, is_whole=False)

    assert shown(first, second) == shown(first, second)
    assert shown(first, second) != shown(second, first)
    assert shown(first, second) != shown(first, second, chosen=second.model)
    dear = ModelCard(first.model, 700)
    assert 'data-price="700"' in compact(shown(dear, second))
    assert CardList((first, second)).version != CardList((dear, second)).version


def test_a_list_of_models_is_kept_for_each_language():
    cards = CardList((ModelCard(MODELS[0], 123_400),))
    for language, price in (("en", "1,234"), ("de", "1.234"), ("en", "1,234")):
        with translation.override(language):
            assert price in cards.html(None, is_whole=False)
            assert price in cards.whole
