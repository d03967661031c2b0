"""The library in a real browser: finding one picture among many, choosing, tagging, the trash and back."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browsers import Window
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
    while (loaded := page.locator(TILES).count()) < 300:
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        page.wait_for_function("many => document.querySelectorAll('.rows > li').length > many", arg=loaded)
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
    page.get_by_role("button", name="Clear").tap()
    expect(page.locator(".selection-bar")).to_be_hidden()
    page.get_by_role("button", name="Select", exact=True).tap()  # for those who do not know of a long press
    tile(page, 3).tap()
    expect(selected(page)).to_have_text("1 selected")
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


IN_SIGHT = """id => {
  const box = document.querySelector(`.rows > li[data-id="${id}"]`)?.getBoundingClientRect();
  return Boolean(box?.height) && box.top >= 40 && box.bottom <= innerHeight;
}"""
TOP_OF = "id => Math.round(document.querySelector(`.rows > li[data-id='${id}']`).getBoundingClientRect().top)"
TO_THE_TOP = """() => {
  scrollTo(0, 0);
  const rows = [...document.querySelectorAll(".rows > li:not(.is-pending)")];
  const first = rows.find((one) => one.getBoundingClientRect().top > 200);
  return [first.dataset.id, Math.round(first.getBoundingClientRect().top)];
}"""
SHOWN_IDS = "() => [...document.querySelectorAll('.rows > li')].map((one) => one.dataset.id)"


def picture_in(address: str) -> str:
    return re.search(r"/picture/([0-9a-f-]+)", address)[1]


def scroll_until_loaded(page: Page, many: int) -> None:
    """Scroll to the end, which moves while pictures come, until so many are there."""
    limit = time.monotonic() + 60
    while (loaded := page.locator(TILES).count()) < many:
        assert time.monotonic() < limit, loaded
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        page.wait_for_timeout(100)


def deep_picture(page: Page, number: int) -> tuple[str, list[str]]:
    """Scroll until all are loaded, and to one of them; its id, and all ids in order."""
    scroll_until_loaded(page, 300)
    every = page.evaluate(SHOWN_IDS)
    page.locator(f'[data-id="{every[number]}"]').scroll_into_view_if_needed()
    return every[number], every


def test_esc_leads_back_to_the_picture_looked_at_last_and_the_list_goes_on_at_both_ends(library):
    page = library()
    opened, every = deep_picture(page, 200)
    page.locator(f'[data-id="{opened}"] .picture').click()
    page.wait_for_url("**/picture/**")
    for _step in range(3):
        address = page.url
        page.locator('[rel="next"]').wait_for()
        page.keyboard.press("ArrowRight")
        page.wait_for_url(lambda url, left=address: url != left)
    last = picture_in(page.url)
    assert last == every[203]
    page.keyboard.press("Escape")
    page.wait_for_url("**/library/")
    page.wait_for_function(IN_SIGHT, arg=last)
    assert page.evaluate("document.activeElement.closest('li').dataset.id") == last
    assert page.locator(TILES).count() < 300
    while page.locator(".previous-page").count():
        loaded = page.locator(TILES).count()
        looked_at, top = page.evaluate(TO_THE_TOP)
        page.wait_for_function("many => document.querySelectorAll('.rows > li').length > many", arg=loaded)
        assert page.evaluate(TOP_OF, looked_at) == pytest.approx(
            top, abs=2
        )  # those before came without a jump
    scroll_until_loaded(page, 300)
    assert page.evaluate(SHOWN_IDS) == every
    expect(page.locator(".rows > li.is-pending")).to_have_count(0)
    days = page.locator("[data-day-count]").all_text_contents()
    assert sum(int(re.sub(r"\D", "", day)) for day in days) == 300
    assert len({(x, y) for x, y, _wide, _high in places(page, 300)}) == 300


def test_back_and_reload_show_what_was_shown(library):
    page = library("?q=harbour")
    scroll_until_loaded(page, 160)
    opened = page.evaluate(SHOWN_IDS)[150]
    page.locator(f'[data-id="{opened}"]').scroll_into_view_if_needed()
    top = page.evaluate(TOP_OF, opened)
    page.locator(f'[data-id="{opened}"] .picture').click()
    page.wait_for_url("**/picture/**")
    asked: list[tuple[str, str]] = []
    page.on("request", lambda request: asked.append((request.resource_type, request.url)))
    page.go_back()
    page.wait_for_function(IN_SIGHT, arg=opened)
    assert page.evaluate(TOP_OF, opened) == pytest.approx(top, abs=3)
    # The page itself came with that part, and its address is the one that was left.
    assert [kind for kind, address in asked if f"at={opened}" in address] == ["document"]
    assert page.url.endswith("/library/?q=harbour")
    page.reload()
    page.wait_for_function(IN_SIGHT, arg=opened)
    assert page.evaluate(TOP_OF, opened) == pytest.approx(top, abs=3)


def test_what_is_typed_is_completed_to_a_filter_by_keys(library, full):
    page = library()
    page.keyboard.press("/")
    page.keyboard.type("comet ultr")
    field, options = page.locator("#search"), page.get_by_role("option")
    expect(options.first).to_have_text("Model Ultra")
    expect(field).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#announcer")).to_contain_text("suggestion")
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    expect(field).to_be_focused()
    page.keyboard.type("a")
    expect(options.first).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", options.first.get_attribute("id"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/library/?q=comet&model=ultra")


def test_files_that_are_dropped_or_pasted_anywhere_become_uploads(library):
    give = """([kind, words]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([words], "notes.txt", { type: "text/plain" }));
      const manner = { bubbles: true, cancelable: true };
      const event = kind === "paste" ? new ClipboardEvent(kind, { ...manner, clipboardData: transfer })
        : new DragEvent(kind, { ...manner, dataTransfer: transfer });
      return !document.querySelector("h1, h2").dispatchEvent(event);
    }"""
    page = library()
    for path in ("", "trash/", "collections/", "upload/", "shares/"):
        page.goto(re.sub(r"library/.*", f"library/{path}", page.url))
        assert page.evaluate(give, ["dragover", ""]), path  # else the browser opens the file
        for number, kind in enumerate(("drop", "paste"), start=1):
            assert page.evaluate(give, [kind, f"no picture {path}{kind}"]), path
            expect(page.locator(".upload-item.is-refused")).to_have_count(number, timeout=20_000)


def test_the_trash_counts_what_is_picked(library, full):
    page = library("?q=orchard")
    for number in (0, 1, 2):
        tile(page, number).hover()
        tile(page, number).locator(".select-box").check()
    page.locator(".selection button[value=trash]").click()
    expect(page.locator("#bulk-action")).to_contain_text("3 in the trash", timeout=60_000)
    page.goto(re.sub(r"library/.*", "library/trash/", page.url))
    boxes, bar = page.locator(".trashed-select"), page.locator(".trash-bar")
    expect(bar).to_be_hidden()
    boxes.nth(0).check()
    expect(bar).to_contain_text("1 selected")
    boxes.nth(2).check()
    expect(bar).to_contain_text("2 selected")
    page.get_by_role("button", name="Clear").click()
    expect(bar).to_be_hidden()
    boxes.nth(1).check()
    expect(bar).to_contain_text("1 selected")
    page.get_by_role("button", name="Restore all").click()
    expect(boxes).to_have_count(0, timeout=30_000)
