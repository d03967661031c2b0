"""The draft of Create keeps every kind of field of its form."""

from __future__ import annotations

from pathlib import Path

from tests.journeys.browsers import chromium

SCRIPTS = Path(__file__).parents[2] / "static" / "js"
PAGE = """<!doctype html><html lang="en"><p id="portal" data-user="1" data-team="2"></p>
<form data-prefilled=""><textarea name="prompt"></textarea><input type="checkbox" name="on" value="true">
<input type="checkbox" name="off" value="true" checked><input type="radio" name="shape" value="1:1" checked>
<input type="radio" name="shape" value="3:2"></form></html>"""
CALL = "async (name) => (await import('/static/js/draft.js'))[name](document.forms[0])"
VALUES = "() => [...document.forms[0].elements].map((field) => field.checked ?? field.value)"


def serve(route):
    name = route.request.url.rsplit("/", 1)[1]
    if name.endswith(".js"):
        route.fulfill(body=(SCRIPTS / name).read_text(), content_type="text/javascript")
    else:
        route.fulfill(body=PAGE, content_type="text/html")


def test_a_reload_keeps_texts_choices_and_both_states_of_a_checkbox():
    with chromium() as browser:
        page = browser.new_page()
        page.route("**/*", serve)
        page.goto("http://localhost/create")
        page.fill("[name=prompt]", "a boat")
        page.check("[name=on]")
        page.uncheck("[name=off]")
        page.check("[value='3:2']")
        page.evaluate(CALL, "saveDraft")
        page.reload()
        assert page.evaluate(VALUES) == ["", False, True, True, False]
        page.evaluate(CALL, "restoreDraft")
        assert page.evaluate(VALUES) == ["a boat", True, False, False, True]
