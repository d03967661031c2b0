"""The list of models on Create, with an account at a gateway that sells many systems."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from generations.jobs.models import Batch
from generations.providers.registry import usual_switch
from generations.upstreams.models import Upstream
from tests import sandboxes
from tests.pages.editors import until

pytestmark = pytest.mark.django_db(transaction=True)  # the server has its own connection

SYSTEMS = ("openai", "bfl", "midjourney", "ideogram", "recraft", "kling")


@pytest.fixture
def gateway(upstream: Upstream) -> Upstream:
    """Beside the account at Stability, one at a gateway with six systems."""
    row = Upstream(name="gateway", kind="gateway", base_url=upstream.base_url)
    row.systems = {system: {"prefix": usual_switch(system).prefix} for system in SYSTEMS}
    row.set_key(sandboxes.KEY)
    row.save()
    return row


@pytest.fixture
def page(gateway: Upstream, opened: Callable[..., Page]) -> Page:
    """Create on a desk."""
    return opened()


def in_sight(page: Page) -> list[str]:
    """The names of the models whose cards are shown."""
    cards = page.locator("#cards .card:visible input")
    names: list[str] = cards.evaluate_all("all => all.map(({ value }) => value)")
    return names


def chosen(page: Page) -> str:
    """The name of the chosen model, once its choices are there."""
    known, wanted = "[name=shown_model]", "[name=model]:checked"
    until(page, f"document.querySelector('{known}').value === document.querySelector('{wanted}').value")
    return page.locator("[name=model]:checked").input_value()


def test_four_models_are_in_sight_under_the_titles_of_their_systems(page):
    assert len(in_sight(page)) == 4
    expect(page.locator(".cards-title:visible")).to_have_text(["Stability AI"])
    page.locator("#id_operation_edit").check(force=True)
    expect(page.locator("[name=shown_model]")).to_have_value("inpaint")
    assert len(in_sight(page)) == 4
    expect(page.locator(".cards-title:visible").first).to_have_text("Stability AI")
    assert page.locator(".cards-title:visible").count() > 1, "each system has its own"


def test_a_model_is_found_by_typing_and_chosen_by_enter_which_sends_nothing(page):
    page.fill("#id_prompt", "a harbour")
    page.focus("#model-search")
    page.keyboard.type("kling o1")
    assert in_sight(page) == ["kling-image-o1"]
    expect(page.locator(".cards-title:visible")).to_have_text(["Kling"])
    page.keyboard.press("Enter")
    assert chosen(page) == "kling-image-o1"
    expect(page.locator("#id_model_kling-image-o1")).to_be_focused()
    assert in_sight(page) == ["kling-image-o1"], "what was typed stays"
    page.keyboard.press("Enter")
    page.keyboard.type("x")
    expect(page.locator("#model-search")).to_have_value("kling o1x")
    expect(page.locator("[data-no-model]")).to_be_visible()
    assert not Batch.objects.exists()


def test_the_arrows_go_through_what_was_found(page):
    page.focus("#model-search")
    page.keyboard.type("recraft v4")
    found = in_sight(page)
    assert len(found) > 4
    page.keyboard.press("ArrowDown")
    assert chosen(page) == found[0]
    page.keyboard.press("ArrowDown")
    assert chosen(page) == found[1]
    expect(page.locator(f"#id_model_{found[1]}")).to_be_focused()
    assert in_sight(page) == found


@pytest.mark.parametrize("phone", [False, True])
def test_a_system_shows_its_models_alone(gateway, opened, phone):
    page = opened(phone=phone)
    if phone:
        page.locator(".chip", has_text="Core").click()
    everything = in_sight(page)
    assert len(everything) > 30 if phone else len(everything) == 4
    page.get_by_role("button", name="Flux").click()
    assert all(name.startswith("flux") for name in in_sight(page))
    page.get_by_role("button", name="Flux").click()
    assert in_sight(page) == everything
