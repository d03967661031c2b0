"""The operators' queue page and the press that cancels all, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.browsers import Window


@pytest.fixture
def window(chrome, studio) -> Iterator[Window]:
    """An operator's window, whose console may not complain."""
    opened = Window(chrome, studio)
    opened.sign_in()
    yield opened
    opened.context.close()
    assert not opened.complaints


def press_in_menu(page: Page, menu: str, words: str) -> None:
    page.get_by_label(menu).click()
    page.get_by_role("button", name=words, exact=True).click()


def account(page: Page) -> Locator:
    """The box of the account of the environment, beside that of its gateway."""
    return page.locator(".upstream", has=page.get_by_label("Actions for Environment"))


def test_an_operator_pauses_looks_on_and_resumes_while_a_member_cancels_all(window):
    page = window.page
    page.get_by_role("link", name="Operate").first.click()
    page.evaluate("window.sameDocument = true")
    press_in_menu(page, "Actions for Environment", "Pause")
    expect(account(page).locator(".tag")).to_contain_text("Paused by")

    create = window.open("/")
    create.fill("#id_prompt", "nobody draws this")
    create.fill("[name=count]", "3")
    create.click("#generate")
    cancel = create.locator(".cancel-all button")
    expect(cancel).to_have_text("Cancel 3 waiting")

    page.bring_to_front()
    expect(page.locator(".queue .live")).to_contain_text("3 waiting", timeout=15_000)
    expect(page.locator(".waiting-table tbody tr")).to_have_count(1)
    page.locator(".waiting-table summary").click()
    page.wait_for_timeout(2_500)
    expect(page.get_by_role("button", name="Serve what waits first")).to_be_visible()  # not swapped away
    page.get_by_role("button", name="Serve what waits first").click()
    expect(page.locator(".waiting-table .tag")).to_have_text("first")

    create.bring_to_front()
    cancel.click()
    expect(create.locator(".batch-ended")).to_contain_text("3 canceled")
    expect(create.locator("#balance")).not_to_contain_text("held")
    expect(cancel).to_be_hidden()

    page.bring_to_front()
    expect(page.locator(".queue .live")).to_contain_text("Nobody waits", timeout=15_000)
    press_in_menu(page, "Actions for Environment", "Resume")
    expect(account(page).locator(".tag")).to_have_text("open")
    page.locator("#calls-per-minute-switch").click()
    expect(page.locator("#calls-per-minute-table tbody tr")).to_have_count(60)
    page.wait_for_timeout(2_500)
    expect(page.locator("#calls-per-minute-table")).to_be_visible()  # and stays so
    assert page.evaluate("window.sameDocument")
    window.studio.manage("audit_ledger")
