"""Before and after in Chromium: the divider cuts the upper picture, by pointer, finger and key."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browsers import in_every_window
from tests.pages.editors import Fingers, inaccessible, page_with, png, rendered, shown

INCLUDE = '{% include "parts/compare_slider.html" %}'
TALL = '<p class="quiet">{text}</p>' * 60
RED, BLUE = (200, 0, 0), (0, 0, 200)


@contextmanager
def compare(chrome: Browser, before: tuple[int, int] = (600, 400), **manners: Any) -> Iterator[Page]:
    context = {"before": "/pictures/before", "after": "/pictures/after", "width": 600, "height": 400}
    body = rendered(INCLUDE, **context, before_alt="a red field", after_alt="a blue field") + TALL.format(
        text="more"
    )
    pictures = {"before": png(before, "#c80000"), "after": png((600, 400), "#0000c8")}
    with shown(chrome, page_with(body), **pictures, **manners) as page:
        expect(page.locator(".compare")).to_have_attribute("data-ready", "yes")
        page.wait_for_load_state("networkidle")
        yield page


def colours(page: Page) -> list[tuple[int, ...]]:
    """The colours at 10, 30, 70 and 90 % of the width, a quarter from below."""
    shot = Image.open(io.BytesIO(page.locator(".compare").screenshot())).convert("RGB")
    return [
        shot.getpixel((int(shot.width * share), int(shot.height * 0.75))) for share in (0.1, 0.3, 0.7, 0.9)
    ]


def divider(page: Page) -> int:
    return int(page.get_by_role("slider").get_attribute("aria-valuenow"))


def test_the_pointer_moves_the_divider(chrome):
    with compare(chrome) as page:
        assert colours(page) == [RED, RED, BLUE, BLUE]
        box = page.locator(".compare").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 50)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 200, steps=3)
        page.mouse.up()
        assert divider(page) == 20
        page.mouse.move(box["x"], box["y"])
        assert colours(page) == [RED, BLUE, BLUE, BLUE]
        page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + 20)
        assert colours(page) == [RED, RED, RED, BLUE]


def test_keys_move_the_divider_and_its_text_says_how_far(chrome):
    with compare(chrome) as page:
        slider = page.get_by_role("slider", name="Divider between before and after")
        for key, expected in (
            ("ArrowRight", 52),
            ("Shift+ArrowLeft", 42),
            ("PageUp", 52),
            ("ArrowDown", 50),
            ("End", 100),
            ("ArrowRight", 100),
            ("Home", 0),
        ):
            slider.press(key)
            assert divider(page) == expected
        expect(slider).to_have_attribute("aria-valuetext", "0 % before")
        assert colours(page) == [BLUE] * 4


def test_a_finger_moves_the_divider_sideways_and_scrolls_up_and_down(chrome):
    with compare(chrome, phone=True) as page:
        touch = Fingers(page)
        touch("touchStart", (200, 120))
        for step in range(1, 9):
            touch("touchMove", (200 - 12 * step, 120))
        touch("touchEnd")
        assert divider(page) == pytest.approx(100 * (200 - 96) / 390, abs=2)
        assert page.evaluate("scrollY") == 0
        moved = divider(page)
        touch("touchStart", (300, 200))
        for step in range(1, 9):
            touch("touchMove", (300, 200 - 18 * step))
        touch("touchEnd")
        page.wait_for_timeout(300)
        assert page.evaluate("scrollY") > 50
        assert divider(page) == moved


def test_a_picture_of_another_shape_is_contained_and_covers_the_other_on_its_side(chrome):
    with compare(chrome, before=(200, 400)) as page:
        page.get_by_role("slider").press("End")
        left, *_ = colours(page)
        assert left not in {RED, BLUE}  # the ground beside the narrow picture
        shot = Image.open(io.BytesIO(page.locator(".compare").screenshot())).convert("RGB")
        assert shot.getpixel((shot.width // 2, int(shot.height * 0.25))) == RED
        assert shot.width / shot.height == pytest.approx(1.5, rel=0.01)


@in_every_window
def test_axe_finds_nothing(chrome, phone, dark):
    with compare(chrome, phone=phone, dark=dark) as page:
        assert inaccessible(page) == ""
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
