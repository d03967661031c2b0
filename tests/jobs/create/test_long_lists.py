"""Create has of long lists what is in sight, and asks for the whole when they are opened."""

from __future__ import annotations

import html
import re

import pytest

from generations.jobs.models import Price
from generations.providers.registry import usual_switch
from generations.upstreams.models import Upstream
from tests import sandboxes
from tests.markup import compact

SYSTEMS = ("openai", "bfl", "midjourney", "ideogram", "recraft", "kling")
FOREVER = "private, max-age=31536000, immutable"


@pytest.fixture
def gateway(upstream) -> Upstream:
    """Beside the account at Stability, one at a gateway with six systems."""
    row = Upstream(name="gateway", kind="gateway", base_url=upstream.base_url)
    row.systems = {system: {"prefix": usual_switch(system).prefix} for system in SYSTEMS}
    row.set_key(sandboxes.KEY)
    row.save()
    return row


def models_of(page: str) -> list[str]:
    return re.findall(r'name="model" value="([^"]+)"', compact(page))


def whole(page: str) -> str:
    """The address of all models, as the page has it."""
    return html.unescape(re.search(r'data-whole="([^"]+)"', page)[1])


def create(mei, address, **change) -> str:
    answer = mei.post(address("create/"), change) if change else mei.get(address("create/"))
    return answer.content.decode()


def test_the_page_has_the_first_models_and_the_chosen_one_and_its_list_has_all(gateway, mei, address):
    page = create(mei, address)
    assert models_of(page) == ["core", "ultra", "sd3.5-large", "sd3.5-flash"]
    chosen = create(mei, address, change="model", model="flux-2-pro", operation="generate")
    assert models_of(chosen) == [*models_of(page), "flux-2-pro"]
    assert 'name="model" value="flux-2-pro" checked' in compact(chosen)
    answer = mei.get(whole(page))
    found = models_of(answer.content.decode())
    assert len(found) > 40
    assert found[:4] == models_of(page)
    assert f"All {len(found)}" in page
    assert "checked" not in answer.content.decode()
    assert answer["Cache-Control"] == FOREVER


def test_a_short_list_is_in_the_page(upstream, mei, address):
    page = create(mei, address)
    assert len(models_of(page)) > 4
    assert "data-whole" not in page


def test_the_address_of_a_list_differs_when_the_list_does_and_not_otherwise(gateway, mei, address):
    before = whole(create(mei, address))
    assert whole(create(mei, address)) == before
    Price.objects.create(model="flux-2-pro", amount=4_321)
    dearer = whole(create(mei, address))
    assert dearer != before
    assert 'data-price="4321"' in compact(mei.get(dearer).content.decode())
    gateway.models_served = ["flux-2-pro"]
    gateway.save()
    assert mei.get(dearer)["Cache-Control"] == "private, no-store", "it says something else now"


def test_a_list_has_the_prices_of_the_page_that_asks_for_it(gateway, mei, address):
    page = create(mei, address)
    shown_at = re.search(r'name="prices_at" value="([^"]+)"', compact(page))[1]
    Price.objects.create(model="flux-2-pro", amount=4_321)
    answer = mei.get(whole(page), headers={"Prices-At": shown_at})
    assert "4321" not in answer.content.decode()
    assert answer["Cache-Control"] == FOREVER
    assert "4321" in mei.get(whole(page)).content.decode(), "where it is not said, they are those of now"


def test_a_list_stands_in_the_order_of_the_page(gateway, mei, address, press):
    before = create(mei, address)
    assert press(model="sd3.5-flash").status_code == 302
    page = create(mei, address)
    assert models_of(page)[0] == "sd3.5-flash"
    assert models_of(mei.get(whole(page)).content.decode())[0] == "sd3.5-flash"
    assert models_of(mei.get(whole(before)).content.decode())[0] == "core"


def test_without_scripts_a_button_shows_all_models_and_operations_and_keeps_what_is_filled_in(
    gateway, mei, address
):
    page = create(mei, address)
    assert page.count('name="change" value="all"') == 2, "for models, and for what to do"
    assert 'value="describe"' not in page
    everything = create(mei, address, change="all", model="ultra", operation="generate", prompt="a boat")
    assert models_of(everything) == models_of(mei.get(whole(page)).content.decode())
    assert 'name="model" value="ultra" checked' in compact(everything)
    assert 'name="operation" value="describe"' in compact(everything)
    assert ">\na boat</textarea>" in everything
    assert 'name="change" value="all"' not in everything


def test_an_operation_under_more_is_in_the_page_while_it_is_chosen(gateway, mei, address):
    page = compact(create(mei, address, change="operation", operation="describe"))
    assert 'name="operation" value="describe" checked' in page


def test_menus_and_the_mask_editor_are_kept_until_what_they_offer_differs(gateway, mei, address, member):
    page = create(mei, address)
    for part in ("tile-menu", "batch-menu", "more-operations", "mask-editor"):
        assert f'id="{part}"' not in page, part
    opened = html.unescape(re.search(r'data-when-opened="([^"]+)"', page)[1])
    answer = mei.get(opened)
    said = answer.content.decode()
    for part in ("tile-menu", "batch-menu", "more-operations", "mask-editor"):
        assert f'id="{part}"' in said, part
    assert f"/t/{member.team.slug}/create/?from=" in said
    assert answer["Cache-Control"] == FOREVER
    Upstream.objects.update(models_served=["core"])
    assert opened not in html.unescape(create(mei, address))
    assert mei.get(opened)["Cache-Control"] == "private, no-store"
