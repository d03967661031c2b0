"""Results of every kind in a real browser: tiles, pages, the chain of edits, before and after."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browsers import Window, in_every_window
from tests.journeys.studio import Studio

SEED = "from tests.journeys.filling import every_kind; every_kind({email!r})"


@pytest.fixture(scope="module")
def seeded(studio: Studio) -> Studio:
    studio.manage("shell", "-v", "0", "-c", SEED.format(email=studio.email))
    return studio


@pytest.fixture
def window(chrome: Browser, seeded: Studio) -> Window:
    return Window(chrome, seeded)


def library(window: Window) -> Page:
    page = window.sign_in()
    page.goto(page.url.replace("create/", "library/"))
    page.wait_for_load_state("networkidle")
    return page


def opened(page: Page, tile: str) -> Page:
    """The page of the picture whose tile has this in it."""
    page.locator(".rows li").filter(has=page.locator(tile)).first.locator("a.picture").click()
    page.wait_for_url("**/picture/**")
    page.wait_for_load_state("networkidle")
    return page


def faults(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {[node['html'][:90] for node in each['nodes']]}" for each in found]


KINDS = {
    "svg": ".kind-mark:text('SVG')",
    "text": ".content-text",
    "file": ".content-file",
    "gif": ".kind-mark .icon",
}


@in_every_window
def test_no_kind_of_result_has_a_fault_by_axe(chrome, seeded, phone, dark):
    window = Window(chrome, seeded, phone=phone, color_scheme="dark" if dark else "light")
    page = library(window)
    assert not faults(page)
    address = page.url
    for tile in KINDS.values():
        assert not faults(opened(page, tile)), tile
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), tile
        page.goto(address)
    assert not window.complaints


def test_a_text_is_read_whole_and_copied_and_used(window):
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = opened(library(window), ".content-text")
    text = page.locator(".stage-text p").inner_text()
    assert text.count("comes from the left") == 30
    page.get_by_role("button", name="Copy", exact=True).click()
    assert page.evaluate("navigator.clipboard.readText()").startswith("A harbour at dawn with two boats.")
    page.locator(".stage-text-foot").get_by_role("link", name="Use prompt").click()
    page.wait_for_url("**/create/**")
    expect(page.locator("#id_prompt")).to_have_value(re.compile("^A harbour at dawn with two boats"))
    assert not window.complaints


def test_the_chain_of_edits_is_walked_back_and_forth(window):
    page = library(window)
    page.goto(f"{page.url}?operation=upscale")
    expect(page.locator(".rows li")).to_have_count(1)
    page = opened(page, "img.sharp")
    steps = page.locator("ol.chain li")
    expect(steps).to_have_text(["Original", "Erased", "Upscaled"])
    expect(page.locator("ol.chain [aria-current=step]")).to_have_text("Upscaled")
    steps.first.locator("a").click()
    expect(page.locator(".chain-children li")).to_have_text(["Erased"])
    page.locator(".chain-children a").click()
    expect(page.locator("ol.chain [aria-current=step]")).to_have_text("Erased")
    expect(page.locator(".chain-children li")).to_have_text(["Upscaled"])
    assert not window.complaints


def test_a_result_is_slid_over_what_it_was_made_from(window):
    page = library(window)
    page.goto(f"{page.url}?operation=erase")
    here = opened(page, "img.sharp").url
    page.get_by_role("link", name="Before and after").click()
    divider = page.get_by_role("slider")
    expect(divider).to_have_attribute("aria-valuetext", "50 % before")
    page.wait_for_load_state("networkidle")
    assert not faults(page)
    stage, pictures = page.locator(".stage-picture").bounding_box(), page.locator(".compare").bounding_box()
    assert pictures["width"] > 300
    assert pictures["y"] + pictures["height"] <= stage["y"] + stage["height"] + 1
    assert pictures["width"] / pictures["height"] == pytest.approx(1.5, abs=0.02)
    divider.focus()
    page.keyboard.press("ArrowLeft")
    expect(divider).to_have_attribute("aria-valuetext", "48 % before")  # and not to the next picture
    page.get_by_role("link", name="Result alone").click()
    expect(page.locator("[data-large]")).to_be_visible()
    assert page.url == here
    assert not window.complaints
