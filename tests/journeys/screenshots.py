"""Pictures of the pages for README.md and docs/: `python -m tests.journeys.screenshots`.

Starts a portal on an empty folder, has its sandbox draw, and writes docs/screenshots/.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect

from sdweb.process.local_environment import BASE_DIR
from tests.journeys.browsers import Window, chromium
from tests.journeys.studio import Studio, start
from tests.pages.editors import until

SHOTS = BASE_DIR / "docs" / "screenshots"
LATE = "Long dunes at first light, low sun, one clean ridge line, soft haze in the distance"
BATCHES = (
    ("Layered paper landscape, warm sunset, deep shadows between the sheets", "core", "4:5", "", 3),
    ("Green aurora over a still lake, firs in silhouette, many stars", "ultra", "1:1", "", 1),
    ("City lights after rain, neon in wet glass, seen from the bridge", "core", "16:9", "neon-punk", 4),
    ("Glossy ceramic spheres on a seamless floor, soft window light", "core", "1:1", "photographic", 3),
    ("A magazine cover with a well-known face", "ultra", "1:1", "", 1),
    ("Morning mist between forest ridges, muted teal, ink wash on rough paper", "sd3.5-large", "3:2", "", 4),
)
LOADED = """[...document.images].every((image) => {
  const { top, bottom, height } = image.getBoundingClientRect();
  return !height || bottom < 0 || top > innerHeight || (image.complete && image.naturalWidth > 0);
})"""
NAME = "from generations.teams.models import User; User.objects.update(name='Mei Tan')"


def ask(page: Page, prompt: str, model: str, shape: str, style: str, count: int) -> None:
    """Fill in the form as a person would."""
    page.fill("#id_prompt", prompt)
    page.locator(f"[name=model][value='{model}']").check(force=True)
    page.locator(f"[name=aspect_ratio][value='{shape}']").check(force=True)
    page.locator(f"[name=style_preset][value='{style}']").check(force=True)
    page.fill("[name=count]", str(count))
    page.locator("#id_prompt").focus()
    page.evaluate("document.querySelector('.create-fields').scrollTop = 0")


def press(page: Page, *request: object) -> None:
    """Ask for it, and wait until its tiles are there."""
    ask(page, *request)  # type: ignore[arg-type]
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.keyboard.press("Control+Enter")


def fill(page: Page, studio: Studio) -> None:
    """A morning's work, the last of it under way."""
    studio.provider.plan({"outcome": "403", "match": "magazine"})
    for request in BATCHES:
        press(page, *request)
    expect(page.locator(".tile-waiting, .tile-running")).to_have_count(0, timeout=90_000)
    page.wait_for_load_state("networkidle")


def shoot(page: Page, name: str) -> None:
    """Write one picture, once everything on it has loaded."""
    until(page, LOADED)
    page.wait_for_timeout(700)  # what is new fades in
    page.screenshot(path=SHOTS / f"{name}.png")


def all_pages(studio: Studio, window: Window) -> None:
    """Every page once, Create in both themes."""
    page = window.sign_in()
    page.emulate_media(color_scheme="dark")
    fill(page, studio)
    studio.provider.plan(
        {"outcome": "ok", "match": "dunes"}, {"outcome": "slow:14", "match": "dunes", "times": 3}
    )
    press(page, LATE, "core", "16:9", "cinematic", 4)
    ask(
        page,
        "Wide skyline at dusk seen across still water, lit windows, calm",
        "core",
        "16:9",
        "cinematic",
        4,
    )
    page.wait_for_timeout(6_500)
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme=theme)
        shoot(page, f"create-{theme}")
    picture = page.locator(".batch", has_text="Morning mist").locator("a.picture").first
    page.goto(picture.get_attribute("href") or "")
    shoot(page, "picture")
    page.goto(page.locator("[data-close]").get_attribute("href") or "")
    page.emulate_media(color_scheme="dark")
    shoot(page, "library")


def main() -> None:
    """Make all pictures anew."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        studio = start(Path(folder))
        try:
            studio.provider.state(latency=4, plain=False)
            studio.manage("shell", "-c", NAME)
            all_pages(studio, Window(browser, studio))
            phone = Window(browser, studio, phone=True, color_scheme="dark")
            phone.sign_in()
            shoot(phone.page, "phone")
        finally:
            studio.portal.stop()


if __name__ == "__main__":
    main()
