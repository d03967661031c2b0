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

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}

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
        manners = {"viewport": PHONE if phone else DESK, "has_touch": phone, "is_mobile": phone} | manners
        self.context = browser.new_context(base_url=studio.portal.address, **manners)
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
