"""The catalogue: parameters of the models and their prices."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from generations.providers.catalogue.fields import Choice, Colors, InvalidValue, Number
from generations.providers.catalogue.operations import Operation
from generations.providers.catalogue.registry import (
    MODELS,
    InvalidParameters,
    UnknownModel,
    get,
    names_of_system,
    validate,
)
from tests.providers.smallest_requests import smallest

ULTRA, CORE, LARGE, SDXL = (get(name) for name in ("ultra", "core", "sd3.5-large", "sdxl"))


def errors(model, parameters, **options):
    with pytest.raises(InvalidParameters) as caught:
        validate(model, {"prompt": "a harbour"} | parameters, **options)
    return caught.value.errors


def cleaned(model, parameters, **options):
    return validate(model, {"prompt": "a harbour"} | parameters, **options)


GENERATE = [model for model in MODELS.values() if model.operation is Operation.GENERATE]
OF_STABILITY = [*map(get, names_of_system("stability"))]


def test_the_models_have_their_list_prices():
    prices = {name: MODELS[name].cost({}) for name in names_of_system("stability")}
    assert prices == {
        "core": 300,
        "ultra": 800,
        "sd3.5-large": 650,
        "sd3.5-flash": 250,
        "sd3.5-large-turbo": 400,
        "sd3.5-medium": 350,
        "sdxl": 90,
        "sd-1.6": 90,
        "erase": 500,
        "inpaint": 500,
        "outpaint": 400,
        "search-and-replace": 500,
        "search-and-recolor": 500,
        "remove-background": 500,
        "replace-background-and-relight": 800,
        "upscale-fast": 200,
        "upscale-conservative": 4_000,
        "upscale-creative": 6_000,
        "sketch": 500,
        "structure": 500,
        "style": 500,
        "style-transfer": 800,
    }


def test_the_models_of_openai_have_the_list_prices_of_their_usual_quality():
    prices = {name: MODELS[name].cost({}) for name in names_of_system("openai")}
    assert prices == {
        "gpt-image-2.6-sunburst": 527,
        "gpt-image-2.6-flare": 527,
        "gpt-image-2.5-sunburst": 527,
        "gpt-image-2.5-flare": 527,
        "gpt-image-2": 700,
    }


def test_the_models_of_a_chat_have_the_list_prices_of_resellers():
    prices = {name: MODELS[name].cost({}) for name in names_of_system("chat")}
    assert prices == {
        "gpt-4o-image": 400,
        "gpt-image-2.6-all": 250,
        "gpt-image-2.5-all": 300,
        "gpt-image-2-all": 300,
        "gpt-4-all": 400,
    }


def test_the_models_of_recraft_have_their_list_prices_in_hundredths_of_a_cent():
    prices = {name: MODELS[name].cost({}) for name in names_of_system("recraft")}
    assert prices == {
        "recraftv4_1": 350,
        "recraftv4_1_pro": 2_100,
        "recraftv4_1_vector": 800,
        "recraftv4": 400,
        "recraftv4_pro": 2_500,
        "recraftv4_vector": 800,
        "recraftv4_pro_vector": 3_000,
        "recraftv3": 400,
        "recraftv3_vector": 800,
        "recraftv2": 220,
        "recraftv2_vector": 440,
        "recraft-inpaint": 400,
        "recraft-erase-region": 20,
        "recraft-replace-background": 400,
        "recraft-remove-background": 100,
        "recraft-vectorize": 100,
        "recraft-crisp-upscale": 40,
        "recraft-creative-upscale": 2_500,
        "recraft-style": 400,
        "recraft-vector-style": 400,
        "recraft-v4-style": 400,
        "recraft-v4-vector-style": 400,
        "recraftv4_styles": 350,
        "recraftv4_styles_pro": 1_000,
        "recraftv4_styles_vector": 500,
        "recraftv4_styles_pro_vector": 1_200,
        "recraft-generate-background": 400,
        "recraft-outpaint": 400,
        "recraft-variate": 400,
    }


def test_the_models_of_kling_have_their_list_prices_in_hundredths_of_a_cent():
    prices = {name: MODELS[name].cost({}) for name in names_of_system("kling")}
    assert prices == {
        "kling-v3": 280,
        "kling-v3-omni": 280,
        "kling-v3-omni-series": 560,
        "kling-image-o1": 280,
        "kling-v2-1": 140,
        "kling-v2": 140,
        "kling-v1-5": 280,
        "kling-v1": 140,
        "kling-expand": 280,
    }
    omni, series = MODELS["kling-v3-omni"], MODELS["kling-v3-omni-series"]
    assert [omni.cost({"resolution": each}) for each in ("1k", "2k", "4k")] == [280, 280, 560]
    assert [series.cost({"series_amount": each}) for each in ("2", "4", "9")] == [560, 1_120, 2_520]


def test_the_models_of_ideogram_have_their_list_prices_in_hundredths_of_a_cent():
    prices = {name: MODELS[name].cost({}) for name in names_of_system("ideogram")}
    assert prices == {
        "ideogram-4-5": 1_000,
        "ideogram-4-5-medium": 600,
        "ideogram-4-5-low": 300,
        "ideogram-4": 600,
        "ideogram-4-quality": 1_000,
        "ideogram-4-turbo": 300,
        "ideogram-v3": 600,
        "ideogram-v3-quality": 900,
        "ideogram-v3-turbo": 300,
        "ideogram-v3-flash": 300,
        "ideogram-v2": 800,
        "ideogram-v2-turbo": 500,
        "ideogram-v2a": 400,
        "ideogram-v2a-turbo": 250,
        "ideogram-v1": 600,
        "ideogram-v1-turbo": 200,
        "ideogram-v3-character": 1_500,
        "ideogram-v3-character-quality": 2_000,
        "ideogram-v3-character-turbo": 1_000,
        "ideogram-remove-background": 100,
        "ideogram-v3-edit": 600,
        "ideogram-v3-reframe": 600,
        "ideogram-v3-replace-background": 600,
        "ideogram-upscale": 800,
        "ideogram-describe": 100,
    }


def test_every_model_does_its_operation():
    assert {model.name: model.operation for model in OF_STABILITY if model not in GENERATE} == {
        "erase": Operation.ERASE,
        "inpaint": Operation.EDIT,
        "outpaint": Operation.OUTPAINT,
        "search-and-replace": Operation.REPLACE,
        "search-and-recolor": Operation.RECOLOR,
        "remove-background": Operation.REMOVE_BACKGROUND,
        "replace-background-and-relight": Operation.RELIGHT,
        "upscale-fast": Operation.UPSCALE,
        "upscale-conservative": Operation.UPSCALE,
        "upscale-creative": Operation.UPSCALE,
        "sketch": Operation.SKETCH,
        "structure": Operation.STRUCTURE,
        "style": Operation.STYLE,
        "style-transfer": Operation.STYLE_TRANSFER,
    }


def test_the_picture_that_an_operation_is_done_on_has_the_role_image():
    for model in OF_STABILITY:
        if model not in GENERATE:
            assert model.input("image").minimum == 1


@pytest.mark.parametrize(("steps", "cost"), [(10, 90), (30, 90), (31, 93), (50, 150)])
def test_more_than_thirty_steps_of_v1_cost_more(steps, cost):
    assert SDXL.cost({"steps": steps}) == get("sd-1.6").cost({"steps": steps}) == cost
    assert CORE.cost({"steps": steps}) == 300


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
def test_every_model_has_a_short_clause(model):
    assert len(model.clause) <= 27, "the card of Core in the design has 27 with its spaces"
    assert model.title
    assert model.languages == (("en",) if model in OF_STABILITY else ())
    assert model.expected_seconds > 0


@pytest.mark.parametrize(
    "model", [m for m in OF_STABILITY if m.takes("aspect_ratio")], ids=lambda model: model.name
)
def test_every_model_of_stability_with_shapes_has_a_size_for_all_nine_shapes(model):
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
    assert get("sd-1.6").size("16:9") == (896, 512)


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


def test_colors_are_written_in_full_with_spaces_between():
    field = Colors(name="inks", title="Inks", maximum=3)
    assert field.clean(" #ABC,ff8e3c\n#102030 ") == "#aabbcc #ff8e3c #102030"
    assert field.clean("  ") is None
    assert Colors.rgb("#aabbcc #ff8e3c") == [(170, 187, 204), (255, 142, 60)]
    for wrong in ("red", "#12345", "#1234567", "#gggggg", 7, "#000 #111 #222 #333", "\u0661\u0662\u0663"):
        with pytest.raises(InvalidValue):
            field.clean(wrong)


def test_a_choice_takes_made_styles_only_if_it_names_the_models_that_make_them():
    listed = Choice(name="style", title="Style", choices={"photo": "Photo"})
    offering = replace(listed, made_with=("maker",))
    assert offering.clean("229b2a75-05e4-4580-85f9-b47ee521a00d") == "229b2a75-05e4-4580-85f9-b47ee521a00d"
    assert not offering.is_made("photo")
    for field, value in ((listed, "229b2a75"), (offering, "a b"), (offering, "-x"), (offering, "x" * 101)):
        with pytest.raises(InvalidValue):
            field.clean(value)


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


@pytest.mark.parametrize("model", MODELS)
def test_both_ends_of_every_range_are_valid(model):
    request, declared = smallest(model, from_image=True), get(model)
    base = dict(request.parameters)
    if declared.takes("light_source_direction"):
        base["light_source_direction"] = "left"
    for field in declared.fields:
        if isinstance(field, Number):
            for value in (field.minimum, field.maximum):
                beside = {"left": {"right": 1}, "output_compression": {"output_format": "webp"}}
                got = validate(
                    declared, base | beside.get(field.name, {}) | {field.name: value}, roles=request.roles
                )
                assert got.get(field.name, 0) == value


@pytest.mark.parametrize("model", MODELS)
def test_the_smallest_request_is_valid_and_unchanged(model):
    request = smallest(model)
    once = validate(get(model), request.parameters, roles=request.roles)
    assert once == request.parameters
    assert validate(get(model), once, roles=request.roles) == once


def test_outpaint_needs_a_side():
    assert set(errors(get("outpaint"), {"left": 0, "up": "0"}, roles={"image"})) == {"left"}
    for side in ("left", "right", "up", "down"):
        assert cleaned(get("outpaint"), {side: "7"}, roles={"image"})[side] == 7


def test_relight_needs_a_background_and_a_light_for_its_strength():
    relight = get("replace-background-and-relight")
    wrong = {"light_source_strength": 0.5}
    with pytest.raises(InvalidParameters) as caught:
        validate(relight, wrong, roles={"image"})
    assert set(caught.value.errors) == {"background_prompt", "light_source_strength"}
    roles = {"image", "background_reference", "light_reference"}
    assert validate(relight, wrong, roles=roles) == wrong
    told = {"background_prompt": "a beach", "light_source_direction": "above", **wrong}
    assert validate(relight, told, roles={"image"}) == told


@pytest.mark.parametrize(
    "model", [m for m in OF_STABILITY if m not in GENERATE], ids=lambda model: model.name
)
def test_an_operation_needs_its_image(model):
    parameters = smallest(model.name).parameters
    with pytest.raises(InvalidParameters) as caught:
        validate(model, parameters)
    assert caught.value.errors["image"] == "Add an image here."


@pytest.mark.parametrize("model", ["sdxl", "erase", "inpaint"])
def test_a_mask_needs_an_image(model):
    assert "mask" in errors(get(model), {}, roles={"mask"})
    assert "mask" in errors(CORE, {}, roles={"mask"})


def test_an_image_for_sdxl_gets_the_nearest_of_its_sizes():
    image = SDXL.input("image")
    assert image.fit(4_000, 3_000) == (1152, 896)
    assert image.fit(512, 512) == image.fit(1_100, 1_000) == (1024, 1024)
    assert image.fit(900, 2_000) == (640, 1536)
    assert image.fit(1344, 768) == (1344, 768)


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
def test_the_images_of_a_request_fit_into_it(model):
    largest = 9 if model in OF_STABILITY else 100
    assert sum(each.max_bytes * each.maximum for each in model.inputs) <= largest * 1024 * 1024


def test_strength_is_only_sent_with_a_start_image():
    assert "strength" in errors(ULTRA, {}, roles={"image"})
    assert cleaned(ULTRA, {"strength": 0}, roles={"image"})["strength"] == 0
    assert "strength" not in cleaned(ULTRA, {"strength": 0.5})
    assert "strength" not in cleaned(SDXL, {"strength": 0.5})
    assert cleaned(SDXL, {}, roles={"image"}) == {"prompt": "a harbour"}, "its own default counts"


def test_a_start_image_decides_the_shape_of_sd3_but_not_of_ultra():
    given = {"strength": 1, "aspect_ratio": "16:9"}
    assert "aspect_ratio" not in cleaned(LARGE, given, roles={"image"})
    assert cleaned(LARGE, {"aspect_ratio": "16:9"})["aspect_ratio"] == "16:9"
    assert cleaned(ULTRA, given, roles={"image"})["aspect_ratio"] == "16:9"


def test_unknown_parameters_are_refused():
    assert errors(CORE, {"cfg_scale": 4}) == {"cfg_scale": "Core does not take this."}
    assert "image" in errors(CORE, {}, roles={"image"})
    assert "style" in errors(SDXL, {}, roles={"style"})
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


def test_the_models_of_midjourney_have_the_prices_of_the_usual_relay():
    prices = {name: MODELS[name].cost({}) for name in names_of_system("midjourney")}
    assert prices == {
        "midjourney": 1_000,
        "niji-journey": 1_000,
        "midjourney-blend": 1_000,
        "midjourney-region": 1_000,
        "midjourney-zoom": 1_000,
        "midjourney-describe": 500,
        "midjourney-shorten": 1_000,
        "insight-face-swap": 500,
    }


def test_a_next_step_of_midjourney_costs_less_if_it_only_enlarges():
    costs = {step: MODELS["midjourney"].cost({"next_step": step}) for step in ("u2", "v2", "upscale-subtle")}
    assert costs == {"u2": 500, "v2": 1_000, "upscale-subtle": 500}
