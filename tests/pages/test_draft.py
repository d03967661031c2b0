"""The draft of Create keeps every kind of field and the ids of pictures, and reads older drafts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

SCRIPTS = Path(__file__).parents[2] / "static" / "js"
PAGE = """<!doctype html><html lang="en"><p id="portal" data-user="1" data-team="2"></p>
<form data-prefilled="PREFILLED"><textarea name="prompt"></textarea>
<input type="checkbox" name="on" value="true"><input type="checkbox" name="off" value="true" checked>
<input type="radio" name="shape" value="1:1" checked><input type="radio" name="shape" value="3:2">
<input type="radio" name="visibility" value="team">
<input type="radio" name="visibility" value="private" checked>
<select name="paper"><option>rice<option>silk</select><input type="file" name="file_image">
<input type="hidden" name="submission" value="new"></form></html>"""
SAVE = "async () => (await import('/static/js/draft.js')).saveDraft(document.forms[0])"
READ = """async () => { const values = (await import('/static/js/draft.js')).withDraft(document.forms[0]);
return values && [...values].filter(([, value]) => typeof value === 'string'); }"""
ADD_PICTURES = """() => document.forms[0].insertAdjacentHTML('beforeend',
'<input type="hidden" name="input_image" value="b"><input type="hidden" name="input_image" value="a">')"""


@pytest.fixture
def page(chrome: Browser) -> Iterator[Page]:
    page = chrome.new_page()
    serve(page)
    yield page
    page.close()


def serve(page: Page, prefilled: str = "") -> None:
    """Answer with the form and our scripts."""

    def answer(route: Any) -> None:
        name = route.request.url.rsplit("/", 1)[1]
        if name.endswith(".js"):
            route.fulfill(body=(SCRIPTS / name).read_text(), content_type="text/javascript")
        else:
            route.fulfill(body=PAGE.replace("PREFILLED", prefilled), content_type="text/html")

    page.unroute_all()
    page.route("**/*", answer)
    page.goto("http://localhost/create")


def read(page: Page) -> dict[str, list[str]] | None:
    values: list[list[str]] | None = page.evaluate(READ)
    found: dict[str, list[str]] = {}
    for name, value in values or []:
        found.setdefault(name, []).append(value)
    return found if values else None


def store(page: Page, draft: Any) -> None:
    page.evaluate("draft => localStorage.setItem('draft-1-2', draft)", json.dumps(draft))


def test_a_draft_keeps_texts_choices_both_states_of_a_checkbox_and_pictures_in_order(page):
    assert read(page) is None
    page.fill("[name=prompt]", "a boat")
    page.check("[name=on]")
    page.uncheck("[name=off]")
    page.check("[value='3:2']")
    page.select_option("[name=paper]", "silk")
    page.evaluate(ADD_PICTURES)
    page.evaluate(SAVE)
    page.reload()
    found = read(page)
    assert found.pop("submission") == ["new"]
    assert found == {
        "prompt": ["a boat"],
        "on": ["true"],
        "off": [""],
        "shape": ["3:2"],
        "visibility": ["private"],
        "paper": ["silk"],
        "input_image": ["b", "a"],
    }


def test_a_draft_that_is_the_form_as_it_stands_changes_nothing(page):
    page.evaluate(SAVE)
    assert read(page) is None


def test_fields_that_the_server_has_prefilled_are_not_replaced(page):
    store(page, {"prompt": ["a boat"], "model": ["ultra"], "input_image": ["a"]})
    serve(page, "model input_image")
    found = read(page)
    assert found["prompt"] == ["a boat"]
    assert not {"model", "input_image"} & found.keys()
    serve(page, "*")
    assert read(page) is None


def test_drafts_of_older_versions_are_read(page):
    store(page, {"prompt": "a boat", "shape": "3:2", "start": "an-id", "on": "", "submission": "old"})
    found = read(page)
    assert (found["prompt"], found["shape"], found["start"]) == (["a boat"], ["3:2"], ["an-id"])
    assert found["submission"] == ["new"]


@pytest.mark.parametrize("draft", [None, 7, "text", [], {"prompt": None}, {"prompt": {"a": 1}, "shape": [3]}])
def test_a_draft_that_makes_no_sense_does_not_break_the_form(page, draft):
    store(page, draft)
    found = read(page)
    assert found is None or found["prompt"] == [""]


def test_a_draft_never_makes_a_private_default_public(page):
    store(page, {"visibility": ["team"], "prompt": ["a boat"]})
    assert read(page)["visibility"] == ["private"]
