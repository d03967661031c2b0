"""A picture large, in a real browser: zoom it, go to its neighbours, throw it away and take that back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browsers import Window
from tests.journeys.studio import Studio

TRANSFORM = "document.querySelector('[data-large]').style.transform"


@pytest.fixture(scope="module")
def library(studio: Studio) -> str:
    """Where the library is, with three pictures in it before long."""
    visitor = studio.visitor()
    visitor.generate(count=3)
    return visitor.create_url.replace("create/", "library/")


def opened(page: Page, library: str, *, number: int = 1) -> str:
    """Look at a picture of the library; its address."""
    page.goto(library)
    while page.locator("a.picture").count() < 3:
        page.wait_for_timeout(300)
        page.reload()
    page.locator("a.picture").nth(number).click()
    page.wait_for_url("**/picture/**")
    page.wait_for_load_state("networkidle")
    return page.url


def test_keys_and_mouse_zoom_move_and_lead_back(chrome, studio, library):
    window = Window(chrome, studio)
    page = window.sign_in()
    first = opened(page, library)
    expect(page.locator(".position")).to_have_text("2 of 3")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda address: address != first)
    expect(page.locator(".position")).to_have_text("3 of 3")
    page.locator("[data-large]").click(position={"x": 60, "y": 60})
    assert "scale" in page.evaluate(TRANSFORM)
    page.mouse.wheel(0, 2_000)
    page.mouse.wheel(0, 2_000)
    page.wait_for_function(f"{TRANSFORM} === ''")
    page.keyboard.press("Escape")
    page.wait_for_url(library)  # one step back, however many pictures were looked at
    page.go_forward()
    expect(page.locator(".position")).to_have_text("3 of 3")
    assert not window.complaints


def test_what_is_done_to_a_picture_is_shown_at_once(chrome, studio, library):
    window = Window(chrome, studio)
    page = window.sign_in()
    here = opened(page, library)
    page.evaluate("window.sameDocument = true")
    page.locator("#heart-button").click()
    expect(page.locator("#heart-button")).to_have_attribute("aria-pressed", "true")
    page.fill("#title-field", "Harbour")
    page.keyboard.press("Enter")
    page.fill("#add-tag", "hero")
    page.keyboard.press("Enter")
    expect(page.locator(".organise .tag")).to_have_text(["hero"])
    page.locator(".collection-menu summary").click()
    page.fill("#new-collection", "Landing heroes")
    page.keyboard.press("Enter")
    expect(page.locator(".organise .tag")).to_have_text(["hero", "Landing heroes"])
    page.keyboard.press("Escape")
    page.locator("#visibility-private").check()
    expect(page.locator(".visibility .hint")).to_have_text("You alone see it.")
    assert page.evaluate("window.sameDocument")
    page.reload()
    expect(page.locator("#title-field")).to_have_value("Harbour")
    page.locator("[data-trash]").click()
    page.wait_for_url(lambda address: address != here)
    page.get_by_role("button", name="Undo").click()
    page.wait_for_url(here)
    page.keyboard.press("Escape")
    page.wait_for_url(library)
    assert not window.complaints


def test_fingers_swipe_pinch_and_pull_down(chrome, studio, library):
    window = Window(chrome, studio, phone=True)
    page = window.sign_in()
    first = opened(page, library)
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        fingers = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    touch("touchStart", (150, 180), (250, 180))
    for step in range(1, 8):
        touch("touchMove", (150 - 8 * step, 180), (250 + 8 * step, 180))
    touch("touchEnd")
    assert re.search(r"scale\((2|3)", page.evaluate(TRANSFORM))
    for _ in range(2):
        touch("touchStart", (200, 180))
        touch("touchEnd")
    page.wait_for_function(f"{TRANSFORM} === ''")
    touch("touchStart", (300, 180))
    for step in range(1, 8):
        touch("touchMove", (300 - 20 * step, 180))
    touch("touchEnd")
    page.wait_for_url(lambda address: address != first)
    page.wait_for_load_state("networkidle")
    touch("touchStart", (200, 100))
    for step in range(1, 9):
        touch("touchMove", (200, 100 + 20 * step))
    touch("touchEnd")
    page.wait_for_url(library)
    assert not window.complaints
