"""Midjourney in a real browser: half-done pictures, next steps, a window, a face, an expired link."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browsers import Window
from tests.journeys.studio import Studio
from tests.journeys.test_edit import add_file

LONG = 60_000  # milliseconds in which a task is drawn and fetched

# Midjourney at an account of its own, which is asked every five seconds, instead of at the gateway.
MOVE = """
from generations.upstreams.models import Upstream
Upstream.objects.filter(name="Midjourney").update(enabled={here})
for row in Upstream.objects.filter(kind="gateway"):
    switches = dict(row.systems)
    switches.pop("midjourney", None)
    if not {here}:
        switches["midjourney"] = {{}}
    row.systems = switches
    row.save()
"""


@pytest.fixture
def midjourney(studio: Studio) -> Iterator[None]:
    key, address = studio.settings["GATEWAY_API_KEY"], f"{studio.provider.url}/plus"
    options = ("--name", "Midjourney", "--dialect", "midjourney=plus", "--private-results")
    studio.manage("add_account", "midjourney", address, "--key", key, *options)
    studio.manage("shell", "-v", "0", "-c", MOVE.format(here=True))
    studio.provider.state(task_latency=30)
    yield
    studio.provider.state(task_latency=0.2, result_lifetime=600)
    studio.manage("shell", "-v", "0", "-c", MOVE.format(here=False))


@pytest.fixture
def page(chrome: Browser, studio: Studio, midjourney: None) -> Iterator[Page]:
    window = Window(chrome, studio)
    yield window.sign_in()
    window.context.close()
    assert not window.complaints


def chosen(page: Page, model: str, operation: str = "generate") -> None:
    page.goto(f"{page.url.partition('?')[0]}?operation={operation}&model={model}")


@pytest.mark.slow
def test_from_a_half_done_picture_to_a_wider_view_and_a_face(studio: Studio, page: Page):
    chosen(page, "midjourney")
    page.locator("[data-more]").click()
    page.select_option("[name=speed]", "turbo")
    page.fill("#id_prompt", "a boat that is half done")
    page.click("#generate")
    grid = page.locator(".batch", has_text="half done").locator(".tile")
    expect(grid.get_by_role("img", name="Half-done picture")).to_be_visible(timeout=LONG)
    expect(grid.locator(".tile-line")).to_contain_text("Half done")
    assert (
        grid.locator("img.half-done").evaluate("async (each) => (await each.decode(), each.naturalWidth)") > 0
    )
    expect(grid.locator("img.sharp")).to_be_visible(timeout=LONG)
    expect(grid.locator("img.half-done")).to_have_count(0)
    assert any(call["path"] == "/plus/mj-turbo/mj/submit/imagine" for call in studio.provider.calls())
    assert studio.provider.state(task_latency=0.2)["keys_at_results"] == 0

    grid.get_by_role("button", name="U2").click()
    enlarged = page.locator(".tile:has([data-step=zoom-out])")
    enlarged.get_by_text("More steps").click(timeout=LONG)
    enlarged.get_by_role("link", name="Zoom out…").click()
    expect(page.locator("[name=model][value=midjourney-zoom]")).to_be_checked()
    page.fill("#id_prompt", "the boat from far away")
    page.click("#generate")
    wider = page.locator(".batch", has_text="from far away").locator(".tile")
    expect(wider.locator("img.sharp")).to_be_visible(timeout=LONG)
    [answered] = [call for call in studio.provider.calls() if call["path"].endswith("/submit/modal")]
    assert answered["fields"]["prompt"].startswith("the boat from far away")

    chosen(page, "insight-face-swap", "swap_face")
    expect(page.locator("[data-input=image] [data-item]")).to_have_count(1)  # the form has kept it
    add_file(page, "face", Image.new("RGB", (200, 200), "orange"))
    studio.provider.state(result_lifetime=0)
    page.click("#generate")
    lost = page.locator(".batch", has_text="InsightFace Swap").locator(".tile").first
    expect(lost).to_contain_text("the address has expired", timeout=LONG)
    expect(lost).to_contain_text("You have the 5 credits back.")
    studio.provider.state(result_lifetime=600)
    lost.get_by_role("button", name="Try again").click()
    swapped = page.locator(".batch", has_text="InsightFace Swap").locator(".tile").first
    expect(swapped.locator("img.sharp")).to_be_visible(timeout=LONG)
