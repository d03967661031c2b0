"""Keys on a picture and in the library: what each does, what lists them, and what keeps them quiet."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browsers import Window
from tests.journeys.studio import Studio
from tests.journeys.test_every_page import faults

FOCUSED = "document.activeElement.closest('.rows > li')?.dataset.id"


@pytest.fixture(scope="module")
def library(studio: Studio) -> str:
    """Where the library is, with three pictures in it before long."""
    visitor = studio.visitor()
    visitor.generate(count=3, prompt="a heron in the reeds")
    return visitor.create_url.replace("create/", "library/")


def opened(page: Page, library: str) -> None:
    page.goto(library)
    while page.locator("a.picture").count() < 3:
        page.wait_for_timeout(300)
        page.reload()
    expect(page.locator(".rows.is-justified").first).to_be_visible()


def moves_and_chooses(page: Page) -> None:
    """What arrows, f, Escape and Ctrl+A do."""
    items = page.locator(".rows > li")
    first = items.first
    while page.evaluate(FOCUSED) is None:  # until the script that hears keys is there
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(200)
    assert page.evaluate(FOCUSED) == first.get_attribute("data-id")
    page.keyboard.press("f")
    expect(first.locator(".heart")).to_be_visible()
    expect(page.locator("#bulk-action [data-finished]")).to_be_visible(timeout=20_000)
    expect(page.locator(".select-box:checked")).to_have_count(0)
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator(".select-box:checked")).to_have_count(2)
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator(".select-box:checked")).to_have_count(1)
    page.keyboard.press("Control+a")
    expect(page.locator("[data-selected]")).to_have_text("3 selected")
    page.keyboard.press("Escape")
    expect(page.locator(".select-box:checked")).to_have_count(0)


def switches_three_favourites_before_the_first_is_answered(page: Page, library: str) -> None:
    """f on one picture after another; none is lost, and the last result alone is shown."""
    hearts = page.locator(".rows > li .heart:visible")
    liked = hearts.count()
    for number in range(3):
        page.locator(".rows > li .picture").nth(number).focus()
        page.keyboard.press("f")
    expect(hearts).to_have_count(3 - liked)
    expect(page.locator("#bulk-action [data-finished]")).to_be_visible(timeout=20_000)
    found = page.request.get(f"{library}?liked=1").text()
    assert found.count('class="heart"') == 3 - liked


def test_keys_move_choose_and_act_in_the_library(chrome, studio, library):
    window = Window(chrome, studio)
    page = window.sign_in()
    opened(page, library)
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    expect(page.locator("#keys dd", has_text="Move to the trash")).to_be_visible()
    assert not faults(page)
    page.keyboard.press("Escape")
    moves_and_chooses(page)
    switches_three_favourites_before_the_first_is_answered(page, library)
    items = page.locator(".rows > li")
    items.first.locator(".picture").focus()
    page.keyboard.press("z")
    expect(page.locator("#look img")).to_have_attribute("src", re.compile("original"))
    shown = page.locator("#look img").get_attribute("src")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#look img")).not_to_have_attribute("src", shown)
    page.keyboard.press("z")
    expect(page.locator("#look")).to_be_hidden()
    expect(items.nth(1).locator(".picture")).to_be_focused()  # "close" is heard after it is hidden
    page.keyboard.press("/")
    page.keyboard.type("xfd")
    expect(page.locator("#search")).to_have_value("xfd")
    expect(page.locator(".select-box:checked")).to_have_count(0)
    page.fill("#search", "")
    page.keyboard.press("Escape")
    items.nth(1).locator(".picture").focus()
    page.keyboard.press("t")
    expect(page.locator("#tag-name")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    items.nth(1).locator(".picture").focus()
    page.keyboard.press("Delete")
    expect(page.locator(".rows > li.is-removed")).to_have_count(1)
    expect(page.locator("#bulk-action")).to_contain_text(
        "in the trash", timeout=20_000
    )  # not of what was before
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".rows > li.is-removed")).to_have_count(0, timeout=20_000)
    items.first.locator(".picture").focus()
    page.keyboard.press("r")
    page.wait_for_url("**/create/?image=*use=all")
    expect(page.locator("#id_prompt")).to_have_value("a heron in the reeds")
    assert not window.complaints


def test_keys_act_on_a_picture_unless_somebody_types_or_has_switched_them_off(chrome, studio, library):
    window = Window(chrome, studio)
    page = window.sign_in()
    opened(page, library)
    page.locator("a.picture").nth(1).click()
    page.wait_for_url("**/picture/**")
    heart, about = page.locator("#heart-button"), page.locator(".about")
    was = heart.get_attribute("aria-pressed")
    now = "false" if was == "true" else "true"
    page.keyboard.press("f")
    expect(heart).to_have_attribute("aria-pressed", now)
    page.keyboard.press("i")
    expect(about).to_be_hidden()
    page.keyboard.press("t")
    expect(about).to_be_visible()
    expect(page.locator("#add-tag")).to_be_focused()
    page.keyboard.type("fi")
    expect(page.locator("#add-tag")).to_have_value("fi")
    expect(heart).to_have_attribute("aria-pressed", now)
    page.fill("#add-tag", "")
    page.keyboard.press("Escape")
    page.keyboard.press("z")
    page.wait_for_function("document.querySelector('[data-large]').style.transform.includes('scale')")
    page.keyboard.press("z")
    with page.expect_download() as download:
        page.keyboard.press("d")
    assert download.value.suggested_filename.startswith("a-heron-in-the-reeds")
    page.keyboard.press("?")
    keys = page.locator("#keys")
    expect(keys).to_contain_text("Picture before and after")
    keys.get_by_label("Keys of one letter work").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    page.keyboard.press("?")
    expect(keys).to_be_hidden()
    here = page.url
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda address: address != here)
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(here)
    expect(heart).to_have_attribute("aria-pressed", now)
    page.goto("/accounts/profile/")  # the same switch, which other browsers have too
    expect(page.get_by_label("Keyboard shortcuts of one key")).not_to_be_checked()
    assert not window.complaints
