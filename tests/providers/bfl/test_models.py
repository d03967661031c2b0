"""The models of Black Forest Labs: their prices, sizes and limits."""

from __future__ import annotations

import pytest

from generations.providers.bfl.endpoints import ENDPOINTS
from generations.providers.bfl.fields import MEGAPIXEL, size_of
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.registry import InvalidParameters, get, validate

NAMES = catalogue_registry.names_of_system("bfl")


def test_the_models_have_their_list_prices():
    assert {name: get(name).cost({}) for name in NAMES} == {
        "flux-2-pro": 300,
        "flux-2-max": 700,
        "flux-2-flex": 500,
        "flux-2-klein-9b": 150,
        "flux-2-klein-4b": 140,
        "flux-3-image": 380,
        "flux-pro-1.1": 400,
        "flux-pro-1.1-ultra": 600,
        "flux-dev": 250,
        "flux-pro-1.0-fill": 500,
        "flux-pro-1.0-expand": 500,
        "flux-kontext-pro": 400,
        "flux-kontext-max": 800,
    }


@pytest.mark.parametrize(
    ("model", "parameters", "images", "cost"),
    [
        ("flux-2-pro", {"megapixels": "1"}, 0, 300),
        ("flux-2-pro", {"megapixels": "4"}, 0, 750),
        ("flux-2-pro", {"megapixels": "2"}, 3, 900),
        ("flux-2-max", {"megapixels": "2"}, 1, 1_300),
        ("flux-2-klein-4b", {}, 4, 180),
        ("flux-3-image", {"resolution": "1k"}, 10, 380),
        ("flux-3-image", {"resolution": "2k"}, 0, 800),
        ("flux-3-image", {"resolution": "4k"}, 0, 4_900),
        ("flux-kontext-pro", {}, 4, 400),
    ],
)
def test_megapixels_and_images_cost_more(model, parameters, images, cost):
    assert get(model).cost(parameters, images) == cost


def test_every_model_knows_how_it_is_asked():
    assert set(ENDPOINTS) == set(NAMES)


@pytest.mark.parametrize(("shape", "megapixels"), [("1:1", 1), ("16:9", 2), ("9:21", 4), ("4:3", 4)])
def test_a_size_is_the_largest_of_its_shape_within_the_megapixels(shape, megapixels):
    across, down = map(int, shape.split(":"))
    width, height = size_of(megapixels * MEGAPIXEL, across, down, step=16)
    assert width % 16 == height % 16 == 0
    assert 0.94 * megapixels * MEGAPIXEL < width * height <= megapixels * MEGAPIXEL
    assert width / height == pytest.approx(across / down, rel=0.03)


@pytest.mark.parametrize(("model", "most"), [("flux-pro-1.1", 6), ("flux-2-pro", 5), ("flux-3-image", 4)])
def test_the_safety_tolerance_has_another_end_in_each_generation(model, most):
    assert validate(get(model), {"prompt": "x", "safety_tolerance": most})["safety_tolerance"] == most
    with pytest.raises(InvalidParameters):
        validate(get(model), {"prompt": "x", "safety_tolerance": most + 1})


def test_flux_3_takes_no_seed_no_format_and_no_negative_prompt():
    for name in ("seed", "output_format", "negative_prompt", "width"):
        with pytest.raises(InvalidParameters):
            validate(get("flux-3-image"), {"prompt": "x", name: "1"})


def test_expanding_needs_a_side():
    with pytest.raises(InvalidParameters, match="at least one side"):
        validate(get("flux-pro-1.0-expand"), {}, roles=["image"])
