"""The list of models on Create, with an account at a gateway that sells many systems."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

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


def wait_for(page: Page, names: list[str]) -> None:
    """Wait until those are the models in sight."""
    shown = "[...document.querySelectorAll('#cards .card')].filter((card) => card.checkVisibility())"
    values = f"{shown}.map((card) => card.querySelector('input').value)"
    until(page, f"JSON.stringify({values}) === JSON.stringify({json.dumps(names)})")


def unfold(page: Page) -> None:
    """Press "All"."""
    button = page.locator("[data-expand=cards]")
    button.click()
    expect(button).to_have_attribute("aria-expanded", "true")


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
    wait_for(page, ["kling-image-o1"])
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
    expect(page.locator("#cards .card:visible").first).to_contain_text("Recraft V4")
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
        expect(page.locator("#part-model")).to_be_visible()
    everything = in_sight(page)
    assert len(everything) > 30 if phone else len(everything) == 4
    page.get_by_role("button", name="Flux").click()
    expect(page.locator(".cards-title:visible")).to_have_text(["Flux"])
    assert all(name.startswith("flux") for name in in_sight(page))
    page.get_by_role("button", name="Flux").click()
    wait_for(page, everything)


def test_the_whole_list_is_asked_for_once_and_a_later_page_has_it_from_the_browser(page):
    asked = []
    page.on(
        "request", lambda request: asked.append(request.url) if "/create/models/" in request.url else None
    )
    unfold(page)
    assert len(in_sight(page)) > 40
    page.locator("#id_model_flux-2-pro").check(force=True)
    assert chosen(page) == "flux-2-pro"
    assert len(in_sight(page)) > 40, "the list of the model's own form is whole as well"
    assert len(asked) == 1
    page.evaluate("localStorage.clear()")
    page.reload()
    assert len(in_sight(page)) == 4
    unfold(page)
    assert len(in_sight(page)) > 40
    lists = "performance.getEntriesByType('resource').filter(({ name }) => name.includes('/create/models/'))"
    assert page.evaluate(f"{lists}.map((entry) => entry.transferSize)") == [0], "nothing went over the wire"


def test_a_list_opens_whole_with_the_keyboard_and_keeps_what_is_chosen(page):
    page.locator("[data-expand=cards]").focus()
    waiting: list[Route] = []
    page.route("**/create/models/**", lambda route: waiting.append(route))  # noqa: PLW0108  Playwright knows handlers by their names
    page.keyboard.press("Enter")
    while not waiting:
        page.wait_for_timeout(20)
    assert len(in_sight(page)) == 4, "nothing moves before the list is there"
    waiting[0].continue_()
    expect(page.locator("[data-expand=cards]")).to_have_attribute("aria-expanded", "true")
    assert len(in_sight(page)) > 40
    expect(page.locator("[data-expand=cards]")).to_be_focused()
    assert page.locator("[name=model]:checked").input_value() == "core"
    page.keyboard.press("Enter")
    assert len(in_sight(page)) == 4


def test_a_list_that_cannot_be_had_leaves_what_is_in_sight(gateway, opened):
    page = opened(phone=True)
    page.route("**/create/models/**", lambda route: route.fulfill(status=404))
    page.locator(".chip", has_text="Core").click()
    expect(page.locator("#part-model")).to_be_visible()
    expect(page.locator(".toast")).to_contain_text("Something went wrong")
    assert len(in_sight(page)) == 4
    page.unroute("**/create/models/**")
    page.get_by_role("button", name="Flux").click()
    expect(page.locator(".cards-title:visible")).to_have_text(["Flux"])


def test_an_operation_under_more_is_there_when_it_is_opened_and_after_a_reload(page):
    page.locator("[data-more-operations] summary").focus()
    page.keyboard.press("Enter")
    page.locator("#id_operation_relight").check(force=True)
    expect(page.locator("[name=shown_model]")).to_have_value("replace-background-and-relight")
    expect(page.locator("[data-more-title]")).to_have_text("Replace background")
    page.reload()
    expect(page.locator("[name=shown_model]")).to_have_value("replace-background-and-relight")
    expect(page.locator("#id_operation_relight")).to_be_checked()
    expect(page.locator("[data-more-title]")).to_have_text("Replace background")
