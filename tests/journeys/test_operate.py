"""An operator's day in a real browser: an account, a price, the books, and a user."""

from __future__ import annotations

import re
from collections.abc import Mapping

from playwright.sync_api import Page, expect

from tests.journeys.browsers import Window


def operate(page: Page, section: str) -> None:
    """Go to one of the operators' pages from wherever one is."""
    page.get_by_role("link", name="Operate", exact=True).first.click()
    page.get_by_role("navigation", name="Operate").get_by_role("link", name=section, exact=True).click()


def said(page: Page, words: str) -> None:
    """The page that answers says so."""
    expect(page.get_by_text(words).first).to_be_visible()


def add_a_gateway(page: Page, provider: Mapping[str, str]) -> None:
    """Add an account at a gateway with what a look at it proposes."""
    operate(page, "Provider accounts")
    page.get_by_role("link", name="Add a provider account").first.click()
    page.get_by_role("link", name="Add a gateway").click()
    page.get_by_label("Name", exact=True).fill("Reseller")
    page.get_by_label("base URL", exact=False).fill(provider["STABILITY_BASE_URL"])
    page.get_by_label("Key", exact=True).fill(provider["STABILITY_API_KEY"])
    page.get_by_role("button", name="Look what it sells").click()
    said(page, "It seems to sell")
    expect(page.get_by_role("checkbox", name="Stability AI")).to_be_checked()
    page.get_by_role("button", name="Test and save").click()
    said(page, "Reseller is saved. It answers.")
    page.get_by_role("button", name="Switch off").click()
    said(page, "Reseller is switched off")


def test_an_account_a_price_the_books_and_a_user(studio, chrome):
    window = Window(chrome, studio)
    page, provider = window.sign_in(), studio.settings
    team = page.url.split("/")[4]

    operate(page, "Provider accounts")
    page.get_by_role("link", name="Add a provider account").first.click()
    page.get_by_role("link", name="Stability AI").click()
    page.get_by_label("Name", exact=True).fill("Second account")
    page.get_by_label("base URL", exact=False).fill(provider["STABILITY_BASE_URL"])
    page.get_by_label("Key", exact=True).fill("sk-mistyped")
    page.get_by_label("Your own password").fill(studio.password)
    page.get_by_role("button", name="Test, without saving").click()
    expect(page.locator("#tested")).to_contain_text("(401)")
    page.get_by_label("Key", exact=True).fill(provider["STABILITY_API_KEY"])
    page.get_by_role("button", name="Test, without saving").click()
    expect(page.locator("#tested")).to_contain_text("It answers.")
    page.get_by_label("Cost of Core").fill("2.5")
    page.get_by_role("button", name="Test and save").click()
    said(page, "Second account is saved. It answers.")
    expect(page.locator(".account-facts")).to_contain_text("the same account at the provider as Environment")
    page.get_by_role("button", name="Switch off").click()
    said(page, "Second account is switched off")

    add_a_gateway(page, provider)

    operate(page, "Models and prices")
    ultra = page.locator(".model-prices tr", has_text="Finest detail, best light")
    for price in ("4", "5"):
        page.get_by_label("Model", exact=True).select_option("ultra")
        page.get_by_label("Credits", exact=True).fill(price)
        page.get_by_label("For", exact=True).select_option(team)
        page.get_by_role("button", name="Set the price").click()
        said(page, f"set to {price} credits")
    expect(ultra).to_contain_text("5 Studio")

    page.get_by_role("link", name="Create", exact=True).first.click()
    page.fill("#id_prompt", "a lamp in the window")
    page.locator("[name=model][value='core']").check(force=True)
    page.click("#generate")
    expect(page.locator(".tile img.sharp").first).to_be_visible(timeout=20_000)
    operate(page, "Reconcile")
    expect(page.locator(".days-table tbody tr").first).to_contain_text("Environment")

    operate(page, "Users")
    page.get_by_role("link", name="Add a user").click()
    page.get_by_label("Email address").fill("lin@studio.example")
    page.get_by_role("button", name="Add the user").click()
    expect(page.locator("#reset-link")).to_have_value(re.compile("/accounts/password/reset/key/"))
    assert not window.complaints, window.complaints
