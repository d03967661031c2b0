"""A team in a real browser: invited by a link, given credits, paid, refunded, and shown the door."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.journeys.browsers import Window

PASSWORD = "lighthouse keepers never sleep"


def invite(owner: Page) -> str:
    """A link that lets one person in as a member, with 50 credits."""
    owner.get_by_role("link", name="Team").first.click()
    owner.get_by_role("link", name="People", exact=True).click()
    owner.get_by_role("link", name="Invite").click()
    owner.get_by_label("Member", exact=False).last.check()
    owner.fill("[name=credits]", "50")
    owner.get_by_role("button", name="Make the link").click()
    return owner.input_value("#link")


def come_in(window: Window, link: str) -> Page:
    """Make an account with that link; on Create afterwards."""
    page = window.page
    page.goto(link)
    page.get_by_role("link", name="Make an account").click()
    page.fill("[name=name]", "Mei Tan")
    page.fill("[name=email]", "mei@studio.example")
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    page.get_by_role("button", name="Make my account and join").click()
    page.wait_for_url("**/create/")
    return page


def test_from_an_invitation_to_a_refund_and_the_door(studio, chrome):
    owners, members = Window(chrome, studio), Window(chrome, studio)
    owner = owners.sign_in()
    link = invite(owner)
    mei = come_in(members, link)
    expect(mei.locator("#balance")).to_contain_text("50 credits")
    team = re.search(r"/t/[^/]+/", mei.url)[0]

    mei.fill("#id_prompt", "a lamp in the window")
    mei.locator("[name=model][value='core']").check(force=True)
    mei.click("#generate")
    tile = mei.locator(".batch", has_text="a lamp in the window").locator(".tile")
    expect(tile.locator("img.sharp")).to_be_visible(timeout=20_000)
    expect(mei.locator("#balance")).to_contain_text("47 credits")
    assert mei.request.get(f"{team}team/").status == 403
    assert mei.request.get("/installation/").status == 404

    owner.goto(f"{team}team/")
    row = owner.locator(".members-table tr", has_text="Mei Tan")
    expect(row).to_contain_text("47.00")
    expect(row).to_contain_text("3.00")
    row.get_by_role("link", name="Grant").click()
    owner.fill("[name=amount]", "10")
    owner.fill("[name=note]", "for the spring campaign")
    owner.get_by_role("button", name="Grant credits").click()
    owner.get_by_role("link", name="Ledger", exact=True).click()
    owner.get_by_role("link", name="Refund").first.click()
    owner.fill("[name=note]", "six fingers")
    owner.get_by_role("button", name="Refund 3 credits").click()

    mei.goto(f"{team}credits/")
    for words in ("for the spring campaign", "six fingers", "refunded", "+10"):
        expect(mei.locator("main")).to_contain_text(words)
    expect(mei.locator("#balance")).to_contain_text("60 credits")
    owner.goto(f"{team}team/changes/")
    for words in ("granted 10 to Mei Tan", "refunded", "six fingers"):
        expect(owner.locator("main")).to_contain_text(words)

    owner.goto(f"{team}team/people/")
    owner.get_by_role("link", name="Change Mei Tan").click()
    owner.locator("summary", has_text="Remove").click()
    owner.get_by_role("button", name="Yes, do it").click()
    assert mei.request.get(f"{team}create/").status == 404
    assert mei.request.get(link).status == 410  # one person, once
    mei.set_viewport_size({"width": 390, "height": 844})
    mei.goto("/")
    expect(mei.get_by_role("heading", name="You are no longer in Studio")).to_be_visible()
    mei.get_by_role("button", name="You").click()
    mei.locator("#account-menu").get_by_role("button", name="Sign out").click()
    mei.wait_for_url("**/accounts/login/**")
    assert not owners.complaints + members.complaints
    studio.manage("audit_ledger")
