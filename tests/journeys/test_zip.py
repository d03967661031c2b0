"""A zip in a real browser: whole, or plainly a failed download, whatever happens to the storage or to us."""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Download, Page, expect

from sdweb.process.ports import LOOPBACK, answers, free_port
from tests import migrated
from tests.chaos.proxy import Manner, Proxy
from tests.journeys.console import Console
from tests.stage import Stage

COUNT, SIZE = 60, 1_000_000
FILL = f"from tests.journeys.filling import fill; fill({COUNT}, {SIZE})"
EMAIL, PASSWORD = "mei@studio.example", "a long enough passphrase"


class Place:
    """A web process, its database and a storage that fails when it is told to; no more is needed here."""

    def __init__(self) -> None:
        self.stage = Stage("sqlite")  # that is: without a PostgreSQL of its own
        self.stage.start_servers()
        self.proxy, self.port = Proxy(self.stage.storage_port), free_port()
        self.address = f"http://{LOOPBACK}:{self.port}"
        self.stage.environment |= {
            "PUBLIC_URL": self.address,
            "S3_ENDPOINT_URL": f"http://{LOOPBACK}:{self.proxy.port}",
            "DATABASE_URL": migrated.new_database(f"zips_{os.getpid()}"),
            "STATIC_ROOT": os.environ["STATIC_ROOT"],
        }
        console = Console(self.stage.environment)
        console.manage("add_user", EMAIL, "--password", PASSWORD)
        console.manage("shell", "-c", FILL)
        console.close()
        self.serve()

    def serve(self) -> None:
        """Start the web process as `make run` does."""
        command = f"-m uvicorn sdweb.asgi:application --host {LOOPBACK} --port {self.port}"
        command += " --timeout-graceful-shutdown 3 --no-access-log"
        self.web = self.stage.start("web", tuple(command.split()), ready=lambda: answers(self.port))
        self.web.wait_until_ready()

    def restart(self) -> None:
        """As whoever runs the portal does it."""
        assert self.web.process
        self.web.process.terminate()
        self.web.process.wait(30)
        self.serve()


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    running = Place()
    yield running
    running.stage.strike()


@pytest.fixture
def proxy(place: Place) -> Iterator[Proxy]:
    yield place.proxy
    place.proxy.behave(Manner.PASS)


@pytest.fixture
def page(chrome: Browser, place: Place) -> Iterator[Page]:
    """The library, to somebody who is signed in."""
    context = chrome.new_context(base_url=place.address)
    page = context.new_page()
    page.goto("/")
    page.fill("[name=login]", EMAIL)
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/create/")
    yield page
    context.close()


def ask(page: Page, **form: Any) -> Download:
    """Ask for a zip of everything, and go to its page, where it begins by itself."""
    library = page.url.replace("/create/", "/library/")
    page.goto(library)
    token = page.evaluate("JSON.parse(document.body.getAttribute('hx-headers'))['X-CSRFToken']")
    given = {"csrfmiddlewaretoken": token, "all": "1", "search": "q=lighthouse&order=oldest"} | form
    answer = page.request.post(f"{library}archives/", form=given, headers={"Referer": library})
    with page.expect_download() as begun:
        page.goto(answer.url)
    return begun.value


def is_whole(path: Path) -> bool:
    """Whether it is a zip of all the pictures, each as it was stored."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as zipped:
        names = zipped.namelist()
        sums = {hashlib.sha256(zipped.read(name)).hexdigest() for name in names}
    return len(names) == len(sums) == COUNT


def until_some_are_packed(page: Page) -> None:
    expect(page.locator(".archive-progress")).to_have_text(
        re.compile(r"^\s*([2-9]|\d\d) of 60"), timeout=30_000
    )


@pytest.mark.parametrize("form", [{"format": "stored"}, {"parameters": "1"}])
def test_a_storage_that_fails_half_way_fails_the_download_and_again_is_whole(page, proxy, form):
    proxy.behave(Manner.SLOW)
    download = ask(page, **form)
    until_some_are_packed(page)
    proxy.behave(Manner.CUT)
    archive = page.locator(".archive")
    expect(archive).to_contain_text("The download failed", timeout=30_000)
    expect(archive).to_contain_text("The storage for pictures stopped answering")
    expect(archive).to_contain_text("not a whole zip: delete it")
    assert download.failure()  # Chromium does not take it for complete
    proxy.behave(Manner.PASS)
    with page.expect_download() as begun:
        page.get_by_role("button", name="Download again").click()
    expect(archive).to_contain_text("60 pictures downloaded", timeout=60_000)
    assert begun.value.failure() is None
    if form == {"format": "stored"}:
        assert is_whole(begun.value.path())
    assert page.locator("[hx-trigger='every 1s']").count() == 0  # nothing is asked any more


def test_a_storage_that_answers_503_fails_the_download(page, proxy):
    proxy.behave(Manner.SLOW)
    download = ask(page, format="stored")
    until_some_are_packed(page)
    proxy.behave(Manner.UNAVAILABLE)
    expect(page.locator(".archive")).to_contain_text("stopped answering", timeout=30_000)
    assert download.failure()


def test_a_download_that_is_cancelled_says_so(page, proxy):
    proxy.behave(Manner.SLOW)
    download = ask(page, format="stored")
    until_some_are_packed(page)
    download.cancel()
    expect(page.locator(".archive")).to_contain_text("the download was stopped", timeout=30_000)


def test_a_restart_of_the_portal_fails_the_download_and_the_page_hears_of_it(page, proxy, place):
    proxy.behave(Manner.SLOW)
    download = ask(page, format="stored")
    until_some_are_packed(page)
    place.restart()
    assert download.failure()
    expect(page.locator(".archive")).to_contain_text("The download failed", timeout=60_000)
    expect(page.locator(".archive")).to_contain_text(re.compile("restarted|connection was lost"))
