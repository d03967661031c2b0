"""Chromium as people use it; what its console says against a page is kept."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.gate import BROWSERS
from tests.journeys.studio import Studio

# Of a switch that is given twice the last one counts, so these are Playwright's own (1.65), and then ours:
# each new window would load two pages of the browser's address bar, which take more than our own.
SWITCHED_OFF = """
    AvoidUnnecessaryBeforeUnloadCheckSync DestroyProfileOnBrowserClose HttpsUpgrades
    HttpsFirstBalancedModeAutoEnable LensOverlay MediaRouter PaintHolding ThirdPartyStoragePartitioning
    AvoidCorsURLLoaderRestartOnRedirect OptimizationHints NetworkTimeServiceQuerying AimEnabled
    PreconnectToSearch
    WebUIOmniboxPopup WebUIOmniboxAimPopup SpareRendererForSitePerProcess
"""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    f"--disable-features={','.join(SWITCHED_OFF.split())}",
]
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
# Without a GPU the colours of a tile that is being drawn cost a third of a core while they move.
CALM = {"reduced_motion": "reduce"}

# For tests that take `phone` and `dark`: each once is what `make test` looks at.
in_every_window = pytest.mark.parametrize(
    ("phone", "dark"),
    [
        (False, False),
        (True, True),
        pytest.param(False, True, marks=pytest.mark.slow),
        pytest.param(True, False, marks=pytest.mark.slow),
    ],
)


class Window:
    """One person's browser window, signed in unless told otherwise."""

    def __init__(self, browser: Browser, studio: Studio, **manners: Any) -> None:
        self.studio, self.complaints = studio, []
        phone = manners.pop("phone", False)
        size = {"viewport": PHONE if phone else DESK, "has_touch": phone, "is_mobile": phone}
        self.context = browser.new_context(base_url=studio.portal.address, **(CALM | size | manners))
        self.page = self.open()

    def open(self, path: str = "") -> Page:
        """Another tab."""
        page = self.context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        if path:
            page.goto(path)
        return page

    def sign_in(self) -> Page:
        """Create, to somebody who has signed in before."""
        cookies, address = self.studio.signed_in.session.cookies, self.studio.portal.address
        self.context.add_cookies(
            [{"name": each.name, "value": each.value, "url": address} for each in cookies]
        )
        self.page.goto("/")
        self.page.wait_for_url("**/create/")
        return self.page

    def sign_in_by_password(self) -> Page:
        """From the front door to Create."""
        self.page.goto("/")
        self.page.fill("[name=login]", self.studio.email)
        self.page.fill("[name=password]", self.studio.password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url("**/create/")
        return self.page

    def _heard(self, message: Any) -> None:
        if message.type == "error" and not re.search(r"status of (404|422)|\b413\b|ERR_FAILED", message.text):
            self.complaints.append(message.text)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's own Chromium."""
    path = next(filter(None, map(shutil.which, BROWSERS)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
