"""Flux in the form of Create: a shape that is left open, and a price that choices and images raise."""

from __future__ import annotations

import pytest

from generations.jobs.models import Generation
from generations.upstreams.models import Upstream
from tests.markup import compact


@pytest.fixture
def flux(upstream) -> Upstream:
    """The account is one of Black Forest Labs."""
    Upstream.objects.filter(pk=upstream.pk).update(kind="bfl")
    return upstream


def form(mei, address, **fields) -> str:
    return compact(mei.post(address("create/"), {"change": "model"} | fields).content.decode())


def test_a_card_says_from_which_price_and_what_raises_it(flux, mei, address):
    page = form(mei, address, model="flux-2-pro")
    card = page.partition('id="id_model_flux-2-pro"')[0].rpartition("<label")[2]
    assert 'data-price="300" data-cost="300"' in card
    assert "{&quot;megapixels&quot;: {&quot;1&quot;: 300, &quot;2&quot;: 450, &quot;4&quot;: 750}}" in card
    assert 'data-image-cost="150"' in card
    assert "from 3 credits" in page


def test_a_shape_may_be_left_open_and_is_not_stored_then(flux, mei, address, press):
    page = form(mei, address, model="flux-2-pro")
    assert 'value="auto" aria-label="Auto, left to the image or the model"' in page
    assert '<span class="shape-name" aria-hidden="true">Auto</span>' in page
    assert press(model="flux-2-pro", prompt="a boat", aspect_ratio="auto", megapixels="4").status_code == 302
    row = Generation.objects.get()
    assert (row.parameters.get("aspect_ratio"), row.price) == (None, 750)


def test_flux_3_has_no_seed_and_no_format(flux, mei, address):
    page = form(mei, address, model="flux-3-image")
    assert 'name="resolution"' in page
    assert 'name="grounding"' in page
    assert 'name="seed"' not in page
    assert 'name="output_format"' not in page


def test_sides_are_dragged_as_with_any_model_that_expands(flux, mei, address):
    page = form(mei, address, model="flux-pro-1.0-expand", operation="outpaint")
    for side in ("left", "right", "up", "down"):
        assert f'name="{side}"' in page
