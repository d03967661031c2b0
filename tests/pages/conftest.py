"""Pages of every room, and Create in Chromium on a server in a thread of the tests."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.test.testcases import LiveServerThread, _StaticFilesHandler
from playwright.sync_api import Browser, Page

from generations.teams.models import Membership
from tests.jobs.conftest import address, mei, press
from tests.journeys.browsers import CALM, DESK, PHONE, chromium

__all__ = ["address", "mei", "press"]

NOISE = re.compile(r"status of (404|422)|ERR_ABORTED")  # events have a server of their own, which is not here


@pytest.fixture(scope="package")
def chrome() -> Iterator[Browser]:
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright has an event loop in the thread of the tests
    with chromium() as running:
        yield running
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def server(transactional_db: None) -> Iterator[str]:
    """The address of the portal's pages, in a thread of this process: it knows the models of a test."""
    # Not pytest-django's: that one finds no file by the name that it has once collected.
    thread = LiveServerThread("127.0.0.1", _StaticFilesHandler)
    thread.daemon = True
    thread.start()
    assert thread.is_ready.wait(30)
    assert not thread.error
    yield f"http://127.0.0.1:{thread.port}"
    thread.terminate()


@pytest.fixture
def opened(
    chrome: Browser, server: str, mei: Client, member: Membership, upstream: Any
) -> Iterator[Callable[..., Page]]:
    """Opens Create: opened("?operation=blend", phone=True). Afterwards no console may have complained."""
    complaints: list[str] = []
    contexts = []

    def heard(message: Any) -> None:
        if message.type == "error" and not NOISE.search(message.text):
            complaints.append(message.text)

    def open_page(query: str = "", *, phone: bool = False, **manners: Any) -> Page:
        size = {"viewport": PHONE, "has_touch": True, "is_mobile": True} if phone else {"viewport": DESK}
        context = chrome.new_context(base_url=server, **(CALM | size | manners))
        contexts.append(context)
        cookie = mei.cookies[settings.SESSION_COOKIE_NAME]
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": server}])
        page = context.new_page()
        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"/t/{member.team.slug}/create/{query}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints
