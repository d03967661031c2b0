"""The library in a real browser: finding one picture among many, choosing, tagging, the trash and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browsers import Window, chromium
from tests.journeys.studio import Studio

# Three hundred pictures over four days that all have the bytes of one.
FILL = """
import random
from datetime import timedelta
from generations.library.search import indexer
from generations.library.models import Image
one = Image.objects.get(prompt="the first picture")
sizes = [(1536, 640), (1344, 768), (1216, 832), (1024, 1024), (832, 1216), (768, 1344)]
rows = []
for number in range(299):
    prompt = "a lighthouse under a comet" if number == 150 else "a lighthouse" if number % 3 else "a comet"
    place = "a quiet harbour" if number < 200 else "an orchard"
    width, height = sizes[number * 7 % 6]
    rows.append(Image(team=one.team, owner=one.owner, prompt=f"{prompt}, {place}, {number}", key=one.key,
        sha256=one.sha256, media_type=one.media_type, width=width, height=height, bytes=one.bytes,
        created_at=one.created_at - timedelta(minutes=20 * (number + 1))))
Image.objects.bulk_create(rows)
indexer.refresh([row.pk for row in rows])
"""
ONE_MORE = """
from django.utils import timezone
from uuid6 import uuid7
from generations.library.search import indexer
from generations.library.models import Image
row = Image.objects.order_by("created_at").first()
row.pk, row.generation, row.prompt, row.created_at = uuid7(), None, "a new comet", timezone.now()
row.save(force_insert=True)
indexer.refresh([row.pk])
"""
FORGET_IT = (
    "from generations.library.models import Image; Image.objects.filter(prompt='a new comet').delete()"
)
TILES = ".rows > li:not(.is-removed)"


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def full(studio: Studio, chrome: Browser) -> Studio:
    """A studio with three hundred pictures."""
    window = Window(chrome, studio)
    page = window.sign_in()
    page.fill("#id_prompt", "the first picture")
    page.click("#generate")
    expect(page.locator("img.sharp")).to_have_count(1, timeout=60_000)
    window.context.close()
    studio.manage("shell", "-c", FILL)
    return studio


@pytest.fixture
def library(chrome: Browser, full: Studio) -> Iterator[Callable[..., Page]]:
    """Opens the library: library("?q=…", phone=True). Nobody's console may have complained."""
    opened: list[Window] = []

    def make(query: str = "", **manners: Any) -> Page:
        opened.append(Window(chrome, full, **manners))
        page = opened[-1].sign_in()
        page.goto(page.url.replace("create/", f"library/{query}"))
        expect(page.locator(".rows.is-justified").first).to_be_visible()
        return page

    yield make
    complaints = [complaint for one in opened for complaint in one.complaints]
    for one in opened:
        one.context.close()
    assert not complaints


def tile(page: Page, number: int) -> Any:
    return page.locator(f"{TILES}:visible").nth(number)


def selected(page: Page) -> Any:
    return page.locator("[data-selected]")


def places(page: Page, most: int) -> list[list[float]]:
    """Where the first pictures lie on the page."""
    return page.evaluate(
        """most => [...document.querySelectorAll(".rows > li:not(.is-held)")].slice(0, most).map((one) => {
             const box = one.getBoundingClientRect();
             return [box.x, box.y + scrollY, box.width, box.height].map(Math.round);
           })""",
        most,
    )


def test_one_is_found_among_three_hundred_by_two_words(library):
    page = library()
    page.keyboard.press("/")
    page.keyboard.type("COMET lighthouse")
    page.keyboard.press("Enter")
    expect(page.locator(TILES)).to_have_count(1)
    expect(page.locator("#found")).to_have_text("1 of 300", timeout=20_000)
    page.locator(".rows .picture").click()
    expect(page.locator(".about-prompt, .about").first).to_be_visible()
    assert "q=COMET+lighthouse" in page.url


def test_two_hundred_are_tagged_go_to_the_trash_and_come_back(library):
    page = library("?q=harbour")
    expect(page.locator("#found")).to_have_text("200 of 300", timeout=20_000)
    before = page.locator(f"{TILES} .select-box").evaluate_all("every => every.map((one) => one.value)")
    tile(page, 0).hover()
    tile(page, 0).locator(".select-box").check()
    expect(selected(page)).to_have_text("1 selected")
    page.get_by_role("button", name="Select all 200").click()
    expect(selected(page)).to_have_text("200 selected")
    page.locator(".selection summary", has_text="Tag").click()
    page.locator("#tag-name").fill("Ports & lights <b>")
    page.locator("#tag-name").press("Enter")
    expect(page.locator("#bulk-action")).to_contain_text("200 tagged “Ports & lights <b>”", timeout=60_000)
    page.locator(".selection button[value=trash]").click()
    expect(page.locator(f"{TILES}:visible")).to_have_count(0)
    expect(page.locator("#bulk-action")).to_contain_text("200 in the trash", timeout=60_000)
    expect(page.locator("#found")).to_have_text("0 of 100", timeout=20_000)
    page.locator("#bulk-action").get_by_role("button", name="Undo").click()
    expect(page.locator("#bulk-action")).to_contain_text("Undone for 200 pictures", timeout=60_000)
    after = page.locator(f"{TILES} .select-box").evaluate_all("every => every.map((one) => one.value)")
    assert after[: len(before)] == before
    page.goto(re.sub(r"\?.*", "?tag=ports+%26+lights+%3Cb%3E", page.url))
    expect(page.locator("#found")).to_have_text("200 of 300", timeout=20_000)
    expect(page.locator(".filter.is-set")).to_contain_text("Ports & lights <b>")


def test_rows_that_stand_stay_where_they_are_while_more_come(library):
    page = library()
    before = places(page, 30)
    assert len(before) == 30
    for loaded in (120, 180, 240, 300):
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        expect(page.locator(TILES)).to_have_count(loaded, timeout=30_000)
    expect(page.locator(".rows > li.is-pending")).to_have_count(0)
    assert places(page, 30) == before
    boxes = places(page, 300)
    width = page.locator("#pictures").evaluate("place => place.clientWidth")
    left = page.locator("#pictures").evaluate("place => place.getBoundingClientRect().x")
    assert all(left - 1 <= x and x + wide <= left + width + 1 for x, _y, wide, _high in boxes)
    assert len({(x, y) for x, y, _wide, _high in boxes}) == 300
    days = page.locator("[data-day-count]").all_text_contents()
    assert sum(int(re.sub(r"\D", "", day)) for day in days) == 300


def test_ranges_rectangles_and_keys_choose(library):
    page = library()
    tile(page, 1).hover()
    tile(page, 1).locator(".select-box").check()
    tile(page, 6).locator(".picture").click(modifiers=["Shift"])
    expect(selected(page)).to_have_text("6 selected")
    page.keyboard.press("Escape")
    expect(page.locator(".selection-bar")).to_be_hidden()
    first, third = tile(page, 0).bounding_box(), tile(page, 2).bounding_box()
    page.mouse.move(first["x"] + 60, first["y"] + 90)
    page.mouse.down()
    page.mouse.move(third["x"] + 30, third["y"] + 60, steps=6)
    page.mouse.up()
    expect(selected(page)).to_have_text("3 selected")
    assert "/library/" in page.url
    page.keyboard.press("Escape")
    tile(page, 0).locator(".picture").focus()
    page.keyboard.press("x")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(selected(page)).to_have_text("2 selected")
    page.keyboard.press("Enter")
    page.wait_for_url("**/picture/**")


def test_what_is_new_is_told_without_moving_the_page(library, full):
    page = library("?q=comet")
    before = places(page, 20)
    full.manage("shell", "-c", ONE_MORE)
    page.evaluate("dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#newer")).to_have_text("1 new picture", timeout=30_000)
    assert places(page, 20) == before
    page.locator("#newer").click()
    expect(page.locator("#newer")).to_be_hidden()
    full.manage("shell", "-c", FORGET_IT)


def test_a_long_press_chooses_on_a_phone(library):
    page = library("?q=harbour", phone=True)
    box = tile(page, 1).bounding_box()
    touch = page.context.new_cdp_session(page)
    points = [{"x": box["x"] + 40, "y": box["y"] + 40}]
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points})
    page.wait_for_timeout(700)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(selected(page)).to_have_text("1 selected")
    tile(page, 2).tap()
    expect(selected(page)).to_have_text("2 selected")
    expect(page.locator(".tabs")).to_be_hidden()  # the bar takes their place
    assert "/library/" in page.url


def test_the_page_acts_without_scripts(chrome, full):
    window = Window(chrome, full, java_script_enabled=False)
    page = window.sign_in()
    page.goto(page.url.replace("create/", "library/?q=orchard"))
    page.locator(".filter summary", has_text="Who").click()
    page.locator(".filter [name=who]").first.check()
    page.locator(".filter[class]", has_text="Who").get_by_role("button", name="Apply").click()
    assert "q=orchard" in page.url
    assert "who=" in page.url
    page.locator(".select-box").first.check()
    page.locator(".selection button[value=trash]").click()
    expect(page.locator("#bulk-action")).to_contain_text("1 in the trash")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#bulk-action")).to_contain_text("Undone for 1 picture")
    window.context.close()
