"""Every page that links lead to: no fault by axe, nothing in the console, nothing wider than the window.

On a desk, in light and dark, and on a phone, where it is slow to ask axe about all pages again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.journeys.browsers import Window
from tests.journeys.studio import Studio

LEAST = 30  # pages; fewer means that a link was not found
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\b\d+\b")
OTHERS = re.compile(
    r"^/back-office/|\.(csv|json|zip|txt)$|/(original|download|export)/?$|^/static/|^/pictures/"
)
SWAGGER = "/api/docs/"
CONTRAST = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
OTHER = {"light": "dark", "dark": "light"}
FILL = "from tests.journeys.filling import in_use; print(in_use({email!r}))"


@pytest.fixture(scope="module")
def shared(studio: Studio) -> str:
    """The path of a shared collection of a team at work, which has a refused picture too."""
    visitor = studio.visitor()
    studio.provider.plan("403")
    visitor.generate(prompt="a magazine cover", aspect_ratio="16:9")
    visitor.generate(prompt="a quiet harbour", count=3)
    return studio.manage("shell", "-v", "0", "-c", FILL.format(email=studio.email)).strip()


def kind(path: str) -> str:
    """The path without its ids: pages that differ by nothing else are looked at once."""
    return ID.sub("1", path.partition("?")[0])


def links(page: Page) -> Iterator[str]:
    """The paths of the portal's own pages that a page leads to."""
    for path in page.eval_on_selector_all(
        "a[href]:not([download])",
        """links => links.filter(link => link.origin === location.origin)
            .map(link => link.pathname + (link.pathname.endsWith("/compare/") ? link.search : ""))""",
    ):
        if not OTHERS.search(path):
            yield path


def faults(page: Page) -> list[str]:
    """What axe finds."""
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in Axe().run(page).response["violations"]
        for node in violation["nodes"]
    ]


def faults_of_width(page: Page) -> list[str]:
    """Whether the page is wider than its window."""
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [f"{wide} pixels wider than the window"] if wide > 0 else []


def faults_of_contrast(page: Page, own: str) -> list[str]:
    """What axe, which is in the page by now, finds of its contrast in the other scheme."""
    other = OTHER[own]
    page.emulate_media(color_scheme=other)
    contrast = page.evaluate("options => axe.run(options)", CONTRAST)["violations"]
    page.emulate_media(color_scheme=own)
    return [
        f"{other}: {node['target']} {node['failureSummary']}" for each in contrast for node in each["nodes"]
    ]


def walk(window: Window, scheme: str, *start: str, axe: bool) -> dict[str, list[str]]:
    """The faults of each kind of page, from these on along all links."""
    page, waiting, found = window.page, [*start], dict[str, list[str]]()
    while waiting:
        path = waiting.pop(0)
        if kind(path) in found:
            continue
        window.complaints.clear()
        page.goto(path)
        page.wait_for_load_state("load")
        found[kind(path)] = faults_of_width(page) + (faults(page) if axe else []) + window.complaints
        if axe and not path.startswith(SWAGGER):  # it looks at the scheme once, when it is loaded
            found[kind(path)] += faults_of_contrast(page, scheme)
        waiting += links(page)
    return found


AXE_ON_A_PHONE = pytest.param(True, "dark", True, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("phone", "scheme", "axe"), [(False, "light", True), (True, "dark", False), AXE_ON_A_PHONE]
)
def test_no_page_has_a_fault(chrome, studio, shared, phone, scheme, axe):
    window = Window(chrome, studio, phone=phone, color_scheme=scheme)
    found = walk(window, scheme, "/accounts/login/", shared, axe=axe)
    found |= walk(window, scheme, window.sign_in().url.removeprefix(studio.portal.address), axe=axe)
    assert len(found) >= LEAST, sorted(found)
    said = [f"{path}: {fault}" for path, all_faults in found.items() for fault in all_faults]
    assert not said, "\n".join(said)
