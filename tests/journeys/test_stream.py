"""The stream in a real browser: a press shows at once, what is new says so, each picture has its tools."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.journeys.browsers import Window
from tests.journeys.studio import Studio, Visitor

# As in a tab that is not looked at, which a browser without a screen has none of.
AWAY = """
  window.isAway = false; window.told = [];
  Object.defineProperty(document, "hidden", { get: () => window.isAway });
  document.hasFocus = () => !window.isAway;
  window.look = (isAway) => {
    window.isAway = isAway;
    document.dispatchEvent(new Event("visibilitychange"));
  };
  window.Notification = class extends EventTarget {
    static permission = "default";
    static async requestPermission() { return Notification.permission = "granted"; }
    constructor(text, { body }) { super(); window.told.push(`${text}: ${body}`); }
  };
"""


# The opacity with which the pending batch begins.
SEEN_AT = """() => {
  const batch = document.querySelector("[data-pending]").cloneNode(true);
  document.getElementById("batches").prepend(batch);
  const { opacity } = getComputedStyle(batch);
  batch.remove();
  return Number(opacity);
}"""


@pytest.fixture
def window(chrome: Browser, studio: Studio) -> Iterator[Callable[..., Window]]:
    """Opens windows: window(phone=True). Afterwards nobody's console may have complained."""
    opened = []

    def make(**manners: Any) -> Window:
        opened.append(Window(chrome, studio, **manners))
        return opened[-1]

    yield make
    complaints = [complaint for one in opened for complaint in one.complaints]
    for one in opened:
        one.context.close()
    assert not complaints


def press(page: Page, prompt: str, *, count: int = 1, shape: str = "1:1") -> Any:
    """Ask for pictures; their batch."""
    page.fill("#id_prompt", prompt)
    page.locator(f"[name=aspect_ratio][value='{shape}']").check(force=True)
    page.fill("[name=count]", str(count))
    page.click("#generate")
    return page.locator(".batch", has_text=prompt)


def test_a_press_shows_its_batch_before_the_server_answers(window):
    page = window().sign_in()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route) if route.request.method == "POST" else route.continue_()

    def let_go() -> None:
        for _ in range(100):
            if held:
                held.pop().continue_()
                return
            page.wait_for_timeout(50)
        pytest.fail("the form was not sent within five seconds")

    page.route("**/create/", hold)
    batch = press(page, "shown at once", count=3, shape="16:9")
    expect(batch.locator(".tile.ratio-16x9")).to_have_count(3)
    expect(page.locator("[data-pending]")).to_have_count(1)
    assert page.evaluate(SEEN_AT) == 1  # not by and by
    let_go()
    expect(page.locator("[data-pending]")).to_have_count(0)
    expect(batch).to_have_count(1)
    expect(batch.locator("img.sharp")).to_have_count(3, timeout=20_000)
    refused = press(page, "one too many", count=11)
    expect(refused).to_have_count(1)
    let_go()
    expect(page.locator("#form-errors")).to_contain_text("whole number from 1 to 10")
    expect(refused).to_have_count(0)


def test_what_is_new_above_says_so_and_a_click_goes_there(window):
    page = window(viewport={"width": 1280, "height": 500}).sign_in()
    batch = press(page, "far below", count=10)
    expect(batch.locator("img.sharp")).to_have_count(10, timeout=20_000)
    page.get_by_role("button", name="Large pictures").click()
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(page.locator("#stream-title")).not_to_be_in_viewport()
    press(page, "far above", count=2)
    page.get_by_role("button", name="2 new above").click()
    expect(page.locator("#new-above")).to_be_hidden()
    expect(page.locator(".batch", has_text="far above")).to_be_in_viewport()


def test_the_menu_of_a_batch_stands_over_the_batch_below_it(window):
    page = window(viewport={"width": 1280, "height": 700}).sign_in()
    for prompt in ("under the menu", "with a menu"):
        batch = press(page, prompt, count=4, shape="21:9")
        expect(batch.locator("img.sharp")).to_have_count(4, timeout=20_000)
    page.get_by_role("button", name="Small pictures").click()  # another test may have left them large
    batch.locator(".batch-head summary").click()
    expect(batch.get_by_role("link", name="Use prompt")).to_be_visible()
    last = batch.locator(".menu-item").last
    assert last.bounding_box()["y"] > page.locator(".batch", has_text="under the menu").bounding_box()["y"]
    last.click(timeout=2_000)
    page.wait_for_url("**/generation/**")


def test_pictures_that_did_not_come_are_lines_from_which_they_are_asked_for_again(studio, window):
    page = window().sign_in()
    studio.provider.plan("403", "403")
    batch = press(page, "three of five", count=5)
    line = batch.locator(".batch-ended li")
    expect(line).to_contain_text("2 refused (content), not charged", timeout=20_000)
    expect(batch.locator("img.sharp")).to_have_count(3, timeout=20_000)
    line.get_by_role("button", name="Try again").click()
    expect(batch.locator("img.sharp")).to_have_count(5, timeout=20_000)
    expect(line).to_have_count(0)


def test_canceling_everything_can_be_undone(studio, window):
    page = window().sign_in()
    studio.provider.plan(*["429:10"] * 4)  # more than one may be sent before the first is answered
    batch = press(page, "second thoughts", count=4)
    expect(batch.get_by_text("asked us to wait")).to_have_count(4, timeout=20_000)
    studio.provider.clear_plan()
    page.get_by_role("button", name="Cancel 4 waiting").click()
    expect(batch.locator(".batch-ended li")).to_contain_text("4 canceled, not charged")
    expect(page.locator("#balance")).not_to_contain_text("held")
    page.get_by_role("button", name="Undo").dblclick()
    expect(page.locator("#bulk-action")).to_contain_text("4 wait again.")
    expect(batch.locator("img.sharp")).to_have_count(4, timeout=40_000)
    expect(batch.locator(".tile")).to_have_count(4)


def test_heart_menu_and_trash_are_reached_by_keyboard(window):
    page = window().sign_in()
    tile = press(page, "kept in mind").locator(".tile")
    tile.locator("a.picture").focus(timeout=20_000)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(tile.get_by_role("button", name="Favourite")).to_have_attribute("aria-pressed", "true")
    tile.get_by_role("link", name="More").focus()
    page.keyboard.press("Enter")
    menu = page.locator(".tile-menu")
    expect(menu.get_by_role("link", name="Details")).to_be_focused()
    expect(menu.get_by_role("link", name="Remove background")).to_be_visible()
    page.keyboard.press("Escape")
    expect(tile.get_by_role("link", name="More")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowUp")  # from the first to the last
    page.keyboard.press("Enter")
    expect(tile).to_contain_text("no longer in the library")
    page.locator("#bulk-action").get_by_role("button", name="Undo").click()
    expect(tile.get_by_role("button", name="Favourite")).to_have_attribute("aria-pressed", "true")


def test_a_batch_that_is_ready_says_so_in_the_title_and_on_the_desktop(window):
    one = window()
    one.context.add_init_script(AWAY)
    page = one.sign_in()
    bell = page.get_by_role("button", name="Desktop notice when pictures are ready")
    expect(bell).to_have_attribute("aria-pressed", "false")
    bell.click()
    expect(bell).to_have_attribute("aria-pressed", "true")
    press(page, "ready while away", count=2)
    page.evaluate("look(true)")
    expect(page).to_have_title(re.compile(r"^\(2\) Create"), timeout=20_000)
    assert page.evaluate("told") == ["2 pictures are ready: ready while away"]
    page.evaluate("look(false)")
    expect(page).to_have_title(re.compile(r"^Create"))
    page.reload()
    expect(page.get_by_role("button", name="Desktop notice")).to_have_attribute("aria-pressed", "false")


def test_the_way_back_leads_to_the_picture_last_looked_at(visitor: Visitor, window):
    for number in range(18):
        visitor.generate(model="sdxl", prompt=f"step {number:02}")
    page = window(viewport={"width": 1280, "height": 500}).sign_in()
    page.get_by_role("button", name="Large pictures").click()
    page.locator(".next-page").scroll_into_view_if_needed()
    tile = page.locator(".batch", has_text="step 02").locator(".tile")
    expect(tile.locator("img.sharp")).to_be_visible(timeout=20_000)
    tile.locator("a.picture").click()
    page.wait_for_url("**/picture/**")
    page.keyboard.press("Escape")
    page.wait_for_url("**/create/")
    expect(page.locator(".batch", has_text="step 17")).to_have_count(1)  # an odd number above
    expect(tile).to_be_in_viewport()
    page.reload()
    expect(tile).to_be_in_viewport()
    page.get_by_role("heading", name="Today").scroll_into_view_if_needed()
    expect(page.locator(".batch", has_text="step 17")).to_have_count(1)  # loaded above what was looked at
    expect(page.locator(".previous-page")).to_have_count(0)
    ids = page.locator(".batch[data-batch]").evaluate_all("all => all.map(({ id }) => id)")
    assert ids == sorted(set(ids), reverse=True)
