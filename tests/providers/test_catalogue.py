"""The catalogue: parameters of the models and their prices."""

from __future__ import annotations

import math

import pytest

from generations.providers.catalogue.fields import Number
from generations.providers.catalogue.registry import (
    MODELS,
    InvalidParameters,
    UnknownModel,
    get,
    names_of_system,
    validate,
)

ULTRA, CORE, LARGE, SDXL = (get(name) for name in ("ultra", "core", "sd3.5-large", "sdxl"))


def errors(model, parameters, **options):
    with pytest.raises(InvalidParameters) as caught:
        validate(model, {"prompt": "a harbour"} | parameters, **options)
    return caught.value.errors


def cleaned(model, parameters, **options):
    return validate(model, {"prompt": "a harbour"} | parameters, **options)


def test_the_seven_models_have_their_list_prices():
    prices = {name: MODELS[name].cost({}) for name in names_of_system("stability")}
    assert prices == {
        "core": 300,
        "ultra": 800,
        "sd3.5-large": 650,
        "sd3.5-flash": 250,
        "sd3.5-large-turbo": 400,
        "sd3.5-medium": 350,
        "sdxl": 90,
    }


@pytest.mark.parametrize(("steps", "cost"), [(10, 90), (30, 90), (31, 93), (50, 150)])
def test_more_than_thirty_steps_of_sdxl_cost_more(steps, cost):
    assert SDXL.cost({"steps": steps}) == cost
    assert CORE.cost({"steps": steps}) == 300


@pytest.mark.parametrize("model", MODELS.values(), ids=str)
def test_every_model_has_a_short_clause(model):
    assert len(model.clause) <= 27, "the card of Core in the design has 27 with its spaces"
    assert model.title
    assert model.languages == ("en",)
    assert model.expected_seconds > 0


@pytest.mark.parametrize("model", [*map(get, names_of_system("stability"))], ids=str)
def test_every_model_of_stability_has_a_size_for_all_nine_shapes(model):
    field = model.field("aspect_ratio")
    assert len(field.values) == 9
    ratios = [width / height for width, height in map(model.size, field.values)]
    assert ratios == sorted(ratios, reverse=True), "widest to tallest"
    for shape, ratio in zip(field.values, ratios, strict=True):
        across, down = map(int, shape.split(":"))
        assert math.isclose(ratio, across / down, rel_tol=0.06)


def test_sizes_are_those_that_the_pages_show():
    assert CORE.size("16:9") == (1632, 912)
    assert CORE.size("1:1") == (1216, 1216)
    assert ULTRA.size("16:9") == (1344, 768)
    assert SDXL.size("5:4") == (1152, 896)


def test_empty_values_are_not_sent():
    assert cleaned(CORE, {"negative_prompt": "  ", "seed": "", "style_preset": "", "aspect_ratio": None}) == {
        "prompt": "a harbour"
    }


def test_a_random_seed_is_not_sent():
    for random in ("0", 0, "-1", -1, -1.0):
        assert "seed" not in cleaned(CORE, {"seed": random})
    assert cleaned(CORE, {"seed": "1"})["seed"] == 1


def test_values_from_a_form_and_from_json_are_cleaned_the_same():
    typed = cleaned(LARGE, {"seed": 7, "cfg_scale": 4, "style_preset": "anime"})
    assert cleaned(LARGE, {"seed": " 7 ", "cfg_scale": "4.0", "style_preset": "anime"}) == typed
    assert type(typed["seed"]) is int
    assert type(typed["cfg_scale"]) is float


def test_lengths_count_code_points_after_trimming():
    assert len(cleaned(CORE, {"prompt": " " + "🌊" * 10_000 + "\n"})["prompt"]) == 10_000
    assert "10,001" in errors(CORE, {"prompt": "🌊" * 10_001})["prompt"]
    assert "2,000" in errors(SDXL, {"prompt": "x" * 2_001})["prompt"]
    assert cleaned(CORE, {"prompt": "x" * 5_000 + "\r\n" + "y" * 4_999})


@pytest.mark.parametrize("prompt", ["", "   ", None, 7, ["a"], "a\x00b", "a\x1bb", "\ud800"])
def test_a_prompt_must_be_readable_text(prompt):
    assert set(errors(CORE, {"prompt": prompt})) == {"prompt"}


@pytest.mark.parametrize(
    ("model", "name", "values"),
    [
        (
            CORE,
            "seed",
            [-2, 4_294_967_295, "1.5", 1.5, True, "\uff11", "1_0", "x" * 5000, 10**400, [1], "9" * 30],
        ),
        (SDXL, "seed", [4_294_967_296]),
        (
            LARGE,
            "cfg_scale",
            [0.99, 10.01, "nan", float("nan"), "inf", float("inf"), "1e999", True, {}, 10**400],
        ),
        (SDXL, "cfg_scale", [-0.1, 35.1]),
        (SDXL, "steps", [9, 51, "30.5"]),
        (CORE, "aspect_ratio", ["4:3", "16/9", 1, ["1:1"], {}]),
        (CORE, "style_preset", ["none", "Anime", 0]),
        (CORE, "output_format", ["gif", "PNG"]),
    ],
)
def test_a_value_out_of_range_has_an_error_at_its_field(model, name, values):
    for value in values:
        problems = errors(model, {name: value})
        assert set(problems) == {name}
        assert problems[name].endswith(".")
        assert len(problems[name]) < 300


def test_both_ends_of_every_range_are_valid():
    for model in MODELS.values():
        for field in model.fields:
            if isinstance(field, Number):
                for value in (field.minimum, field.maximum):
                    got = (
                        cleaned(
                            model, {field.name: value, "strength": 0.5} | {field.name: value}, roles={"image"}
                        )
                        if (model.input("image"))
                        else cleaned(model, {field.name: value})
                    )
                    assert got.get(field.name, 0) == value


def test_strength_is_only_sent_with_a_start_image():
    assert "strength" in errors(ULTRA, {}, roles={"image"})
    assert cleaned(ULTRA, {"strength": 0}, roles={"image"})["strength"] == 0
    assert "strength" not in cleaned(ULTRA, {"strength": 0.5})


def test_a_start_image_decides_the_shape_of_sd3_but_not_of_ultra():
    given = {"strength": 1, "aspect_ratio": "16:9"}
    assert "aspect_ratio" not in cleaned(LARGE, given, roles={"image"})
    assert cleaned(LARGE, {"aspect_ratio": "16:9"})["aspect_ratio"] == "16:9"
    assert cleaned(ULTRA, given, roles={"image"})["aspect_ratio"] == "16:9"


def test_unknown_parameters_are_refused():
    assert errors(CORE, {"cfg_scale": 4}) == {"cfg_scale": "Core does not take this."}
    assert "image" in errors(CORE, {}, roles={"image"})
    assert "image" in errors(SDXL, {}, roles={"image"})
    assert set(errors(CORE, {"model": "core", "seed": -2, "prompt": ""})) == {"model", "seed", "prompt"}
    assert cleaned(CORE, {"cfg_scale": ""}) == {"prompt": "a harbour"}


def test_validating_twice_changes_nothing():
    once = cleaned(LARGE, {"seed": "5", "strength": "0.25", "cfg_scale": "7.5"}, roles={"image"})
    assert validate(LARGE, once, roles={"image"}) == once


@pytest.mark.parametrize("name", ["", "sd3", "<b>", None, ["core"]])
def test_an_unknown_model_is_named_in_a_sentence(name):
    with pytest.raises(UnknownModel) as caught:
        get(name)
    assert "There is no model" in str(caught.value)
    assert "core" in str(caught.value)
