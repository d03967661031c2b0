"""From a picture to an edited one in a real browser: by files, from the library, without a mask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browsers import Window
from tests.journeys.studio import Studio
from tests.pages.editors import encoded


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


def add_file(page: Page, role: str, image: Image.Image) -> None:
    """Choose a file for a role, and wait until it is shown."""
    file = {"name": f"{role}.png", "mimeType": "image/png", "buffer": encoded(image, "PNG")}
    page.set_input_files(f"#id_file_{role}", file)
    expect(page.locator(f"[data-input={role}] [data-item]")).to_have_count(1)


def half_mask(size: tuple[int, int]) -> Image.Image:
    """White on the right half."""
    mask = Image.new("L", size, 0)
    mask.paste(255, (size[0] // 2, 0, *size))
    return mask


def colour_at(page: Page, tile: Any, x: float) -> list[int]:
    """The colour in the middle row of a finished tile's picture, at a part of its width."""
    colour: list[int] = tile.locator("img.sharp").evaluate(
        """async (image, x) => {
            await image.decode();
            const canvas = document.createElement("canvas");
            [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
            const context = canvas.getContext("2d");
            context.drawImage(image, 0, 0);
            return [...context.getImageData(canvas.width * x, canvas.height / 2, 1, 1).data.slice(0, 3)];
        }""",
        x,
    )
    return colour


def test_a_picture_is_edited_where_its_mask_is_white(studio, window):
    page = window().sign_in()
    before = float(page.get_attribute("#balance", "data-available"))
    page.locator("#id_operation_edit").check(force=True)
    add_file(page, "image", Image.new("RGB", (512, 384), (10, 90, 160)))
    add_file(page, "mask", half_mask((512, 384)))
    page.fill("#id_prompt", "a red boat on the right")
    expect(page.locator("#generate")).to_contain_text("5 credits")
    page.click("#generate")
    batch = page.locator(".batch", has_text="a red boat on the right")
    expect(batch.locator("img.sharp")).to_be_visible(timeout=30_000)
    expect(batch.locator(".batch-inputs img")).to_have_count(2)
    expect(batch).to_contain_text("Edit")
    kept = colour_at(page, batch, 0.2)
    assert all(abs(found - sent) < 12 for found, sent in zip(kept, (10, 90, 160), strict=True)), kept
    expect(page.locator("#balance")).to_have_attribute("data-available", str(int(before - 500)))
    studio.manage("audit_ledger")


def test_a_picture_of_the_library_is_upscaled_and_the_chain_is_kept(window):
    page = window().sign_in()
    page.fill("#id_prompt", "a lighthouse to enlarge")
    page.click("#generate")
    tile = page.locator(".batch", has_text="a lighthouse to enlarge").locator(".tile")
    expect(tile.locator("img.sharp")).to_be_visible(timeout=30_000)
    tile.locator("a.picture").click()
    page.get_by_role("link", name="Upscale").click()
    expect(page.locator("#id_operation_upscale")).to_be_checked()
    expect(page.locator("[data-input=image] .input-name")).to_have_text("a lighthouse to enlarge")
    page.locator("[name=model][value=upscale-fast]").check(force=True)
    expect(page.locator("[name=shown_model]")).to_have_value("upscale-fast")
    page.click("#generate")
    enlarged = page.locator(".batch", has_text="Upscale").first
    expect(enlarged.locator("img.sharp")).to_be_visible(timeout=30_000)
    enlarged.get_by_role("link", name="More").first.click(force=True)
    page.locator(".tile-menu").get_by_role("link", name="Use all").click()
    expect(page.locator("[data-input=image] .input-name")).to_have_text("a lighthouse to enlarge")


def test_an_edit_without_a_mask_says_what_is_missing_and_costs_nothing(studio, window):
    page = window().sign_in()
    orders = studio.provider.orders()
    page.locator("#id_operation_edit").check(force=True)
    add_file(page, "image", Image.new("RGB", (512, 384), (10, 90, 160)))
    page.fill("#id_prompt", "a boat somewhere")
    page.click("#generate")
    expect(page.locator("#error-input-mask")).to_contain_text("Paint a mask")
    expect(page.locator("#id_prompt")).to_have_value("a boat somewhere")
    expect(page.locator("[data-input=image] [data-item]")).to_have_count(1)
    add_file(page, "mask", half_mask((512, 384)))
    page.click("#generate")
    batch = page.locator(".batch", has_text="a boat somewhere")
    expect(batch.locator("img.sharp")).to_be_visible(timeout=30_000)
    assert studio.provider.orders() == orders + 1
