"""Expand in Chromium: the frame's edges, the numbers and the shapes are the same four sides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browsers import in_every_window
from tests.pages.editors import Fingers, inaccessible, page_with, png, rendered, shown

INCLUDE = '{% include "jobs/create/expand_editor.html" %}'
SIDES = ("left", "right", "up", "down")
NEW_SIZE = "[data-expand-size]"


@contextmanager
def expand(chrome: Browser, *, size: tuple[int, int] = (1024, 1024), **manners: Any) -> Iterator[Page]:
    body = f'<form id="form">{rendered(INCLUDE, picture="/pictures/photo")}</form>'
    with shown(chrome, page_with(body), photo=png(size), **manners) as page:
        expect(page.locator(".expand")).to_have_class("expand has-picture")
        yield page


def sides(page: Page) -> tuple[int, ...]:
    return tuple(int(page.input_value(f"[name={side}]")) for side in SIDES)


def edge(page: Page, name: str) -> tuple[float, float]:
    """The middle of a handle in the window, once the frame has come to rest."""
    page.wait_for_timeout(300)
    kind = "corner" if " " in name else "edge"
    where = page.locator(f".expand-{kind}.expand-{name.replace(' ', '.expand-')}").bounding_box()
    return where["x"] + where["width"] / 2, where["y"] + where["height"] / 2


def pixel(page: Page) -> float:
    """CSS pixels that a pixel of the picture is wide."""
    return page.locator(".expand-picture").bounding_box()["width"] / 1024


def test_an_edge_and_a_corner_can_be_dragged_and_the_new_size_is_written_beside(chrome):
    with expand(chrome) as page:
        expect(page.locator(NEW_SIZE)).to_have_text("1024 × 1024")
        x, y = edge(page, "right")
        scale = pixel(page)
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 20, y + 50, steps=4)
        page.mouse.up()
        assert sides(page) == (0, pytest.approx(20 / scale, abs=2), 0, 0)
        expect(page.locator(NEW_SIZE)).to_have_text(f"1024 × 1024 → {1024 + sides(page)[1]} × 1024")
        before = sides(page)[1]
        x, y = edge(page, "left up")
        scale = pixel(page)
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 10, y - 20, steps=4)
        page.mouse.up()
        assert sides(page) == (pytest.approx(10 / scale, abs=2), before, pytest.approx(20 / scale, abs=2), 0)


def test_an_edge_can_be_dragged_on_beyond_the_stage_up_to_the_most_and_back_to_nothing(chrome):
    with expand(chrome, phone=True) as page:
        x, y = edge(page, "right")
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 600, y, steps=60)
        assert sides(page) == (0, 2000, 0, 0)
        frame, stage = (page.locator(f".expand-{name}").bounding_box() for name in ("frame", "stage"))
        assert frame["x"] >= stage["x"]
        assert frame["x"] + frame["width"] <= stage["x"] + stage["width"]
        page.mouse.move(0, y, steps=60)
        page.mouse.up()
        assert sides(page) == (0, 0, 0, 0)


def test_a_finger_drags_an_edge_and_the_page_stays(chrome):
    with expand(chrome, phone=True) as page:
        touch = Fingers(page)
        x, y = edge(page, "down")
        scale = pixel(page)
        touch("touchStart", (x, y))
        for step in range(1, 6):
            touch("touchMove", (x, y + 4 * step))
        touch("touchEnd")
        assert sides(page) == (0, 0, 0, pytest.approx(20 / scale, abs=3))
        assert page.evaluate("scrollY") == 0


def test_arrow_keys_move_an_edge_where_they_point_and_say_its_pixels(chrome):
    with expand(chrome) as page:
        handle = page.get_by_role("slider", name="Left edge")
        handle.focus()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Shift+ArrowLeft")
        expect(handle).to_have_attribute("aria-valuenow", "72")
        expect(handle).to_have_attribute("aria-valuetext", "72 px")
        page.keyboard.press("ArrowRight")
        page.get_by_role("slider", name="Lower edge").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("End")
        assert sides(page) == (64, 0, 0, 2000)
        page.keyboard.press("Home")
        page.keyboard.press("PageUp")
        assert sides(page) == (64, 0, 0, 64)


def test_numbers_move_the_frame_and_are_held_between_their_bounds(chrome):
    with expand(chrome) as page:
        page.fill("[name=right]", "512")
        expect(page.get_by_role("slider", name="Right edge")).to_have_attribute("aria-valuenow", "512")
        expect(page.locator(NEW_SIZE)).to_have_text("1024 × 1024 → 1536 × 1024")
        page.wait_for_timeout(300)
        frame, picture = (page.locator(f".expand-{name}").bounding_box() for name in ("frame", "picture"))
        assert frame["width"] / picture["width"] == pytest.approx(1.5, rel=0.01)
        for typed, taken in (("9999", 2000), ("-4", 0), ("12.6", 13), ("", 0)):
            page.fill("[name=up]", typed)
            page.locator("[name=up]").blur()
            assert sides(page)[2] == taken


@pytest.mark.parametrize(
    ("shape", "expected", "text"),
    [
        ("3:2", (256, 256, 0, 0), "1024 × 1024 → 1536 × 1024"),
        ("2:3", (0, 0, 256, 256), "1024 × 1024 → 1024 × 1536"),
        ("16:9", (398, 398, 0, 0), "1024 × 1024 → 1820 × 1024"),
        ("9:16", (0, 0, 398, 398), "1024 × 1024 → 1024 × 1820"),
        ("21:9", (682, 683, 0, 0), "1024 × 1024 → 2389 × 1024"),
        ("1:1", (0, 0, 0, 0), "1024 × 1024"),
    ],
)
def test_a_shape_extends_one_direction_evenly(chrome, shape, expected, text):
    with expand(chrome) as page:
        page.fill("[name=left]", "33")
        page.get_by_role("button", name=shape).click()
        assert sides(page) == expected
        expect(page.locator(NEW_SIZE)).to_have_text(text)
        expect(page.get_by_role("button", name=shape)).to_have_attribute("aria-pressed", "true")


def test_a_shape_that_needs_more_than_the_most_cannot_be_chosen_and_reset_takes_all_back(chrome):
    with expand(chrome, size=(400, 2200)) as page:
        expect(page.get_by_role("button", name="21:9")).to_be_disabled()
        page.get_by_role("button", name="2:3").click()
        assert sides(page) == (533, 534, 0, 0)
        page.get_by_role("button", name="Reset").click()
        assert sides(page) == (0, 0, 0, 0)


def test_the_form_hears_every_change(chrome):
    with expand(chrome) as page:
        page.evaluate(
            """() => { window.heard = [];
            const form = document.querySelector("#form");
            const hear = ({ type, target }) => heard.push(`${type} ${target.name}`);
            for (const name of ["input", "change"]) form.addEventListener(name, hear); }"""
        )
        page.get_by_role("slider", name="Left edge").press("ArrowLeft")
        assert page.evaluate("window.heard") == ["input left", "change left"]
        x, y = edge(page, "up")
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x, y - 10)
        page.mouse.up()
        assert page.evaluate("window.heard.slice(2)") == ["input up", "change up"]


def test_another_picture_and_the_size_of_the_whole_one_are_taken(chrome):
    with expand(chrome) as page:
        page.evaluate("document.querySelector('.expand').dataset.width = 2048")
        page.evaluate("document.querySelector('.expand').dataset.height = 1024")
        page.fill("[name=right]", "100")
        expect(page.locator(NEW_SIZE)).to_have_text("2048 × 1024 → 2148 × 1024")


@in_every_window
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(chrome, phone, dark):
    with expand(chrome, phone=phone, dark=dark) as page:
        page.get_by_role("button", name="16:9").click()
        page.wait_for_timeout(300)
        assert inaccessible(page) == ""
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_scripts_the_numbers_stand_alone(chrome):
    body = rendered(INCLUDE, picture="/pictures/photo", right=512)
    with shown(chrome, page_with(body, scripts=()), photo=png((64, 64)), java_script_enabled=False) as page:
        expect(page.locator("[name=right]")).to_have_value("512")
        expect(page.get_by_label("Left", exact=True)).to_be_visible()
        for part in (".expand-stage", ".expand-shapes", "[data-expand-reset]"):
            expect(page.locator(part)).to_be_hidden()
