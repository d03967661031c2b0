"""A zip in a real browser: whole, or plainly a failed download, whatever happens to the storage or to us."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Download, Page, expect

from tests.chaos.proxy import Manner, Proxy
from tests.journeys import studio as studios
from tests.journeys.browsers import Window, chromium
from tests.journeys.conftest import _database
from tests.platform.portal import Portal, eventually

COUNT, SIZE = 60, 1_000_000
FILL = f"from tests.journeys.filling import fill; fill({COUNT}, {SIZE})"
S3 = ("S3_BUCKET", "S3_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@pytest.fixture(scope="module")
def proxy() -> Proxy:
    """What the portal takes for its storage."""
    return Proxy(urlsplit(os.environ["S3_ENDPOINT_URL"]).port or 0)


@pytest.fixture(scope="module")
def studio(proxy: Proxy) -> Iterator[studios.Studio]:
    folder = Path(tempfile.mkdtemp(prefix="sdweb-zip-"))
    given = {name: os.environ[name] for name in S3} | {"S3_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}"}
    given |= {"DATABASE_URL": database} if (database := _database()) else {}
    portal = Portal(folder / "var", **given)
    found = re.search(r"Sign in as (\S+) with the password (\S+)", portal.start())
    assert found
    running = studios.Studio(portal, *found.groups())
    running.manage("shell", "-c", FILL)
    yield running
    portal.stop()
    portal.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def page(chrome: Browser, studio: studios.Studio, proxy: Proxy) -> Iterator[Page]:
    window = Window(chrome, studio)
    yield window.sign_in()
    proxy.behave(Manner.PASS)
    window.context.close()


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
    expect(page.locator(".archive-far")).to_have_text(re.compile(r"^\s*([2-9]|\d\d) of 60"), timeout=30_000)


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


def test_a_restart_of_the_portal_fails_the_download_and_the_page_hears_of_it(page, proxy, studio):
    proxy.behave(Manner.SLOW)
    download = ask(page, format="stored")
    until_some_are_packed(page)
    os.kill(studio.portal.processes()["uvicorn"], signal.SIGTERM)
    assert download.failure()
    assert eventually(studio.portal.answers)
    expect(page.locator(".archive")).to_contain_text("The download failed", timeout=60_000)
