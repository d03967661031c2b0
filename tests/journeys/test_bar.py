"""What every page has: the team and its switch, notices that come by themselves, messages at the foot."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.journeys.browsers import Window

SECOND_TEAM = """
from generations.office.members import service as members_service
from generations.teams.models import Role, User
team = members_service.create_team("Studio South")
members_service.add_member(user=User.objects.get(email={email!r}), team=team, role=Role.MEMBER)
"""
LOW = """
from generations.jobs import events
from generations.office.notices import service as notices_service
from generations.teams.models import Team
Team.objects.filter(memberships__user__email={email!r}).update(low_wallet=10**9)
notices_service.raise_and_clear()
events.flush()
"""


def is_over(page: Page, upper: str, lower: str) -> bool:
    """Whether an element ends before another begins, and begins on the page."""
    above, below = page.locator(upper).bounding_box(), page.locator(lower).bounding_box()
    assert above
    assert below
    return above["y"] >= 0 and above["y"] + above["height"] <= below["y"]


def test_messages_stand_at_the_foot_and_offer_to_undo(studio, chrome):
    visitor = studio.visitor()
    visitor.generate(prompt="a lamp in the window", count=2)
    window = Window(chrome, studio, phone=True)
    page = window.sign_in()
    expect(page.locator(".tile img.sharp")).to_have_count(2, timeout=30_000)
    page.locator(".tile a.picture").first.click()
    page.wait_for_url("**/picture/**")
    gone = page.url
    page.locator(".narrow-only summary").click()
    page.locator(".narrow-only").get_by_role("button", name="Trash").click()
    toast = page.locator("#toasts .toast")
    expect(toast).to_contain_text("Moved to the trash.")
    toast.get_by_role("button", name="Undo").click()
    page.wait_for_url(lambda url: url.partition("?")[0] == gone.partition("?")[0])
    page.goto("/accounts/profile/")
    page.get_by_role("button", name="Save").click()
    expect(toast).to_contain_text("Saved.")
    assert is_over(page, "#toasts .toast", ".tabs")
    toast.get_by_role("button", name="Put away").click()
    expect(toast).to_have_count(0)
    assert not window.complaints


def test_the_team_is_switched_and_a_notice_comes_by_itself(studio, chrome):
    studio.manage("shell", "-v", "0", "-c", SECOND_TEAM.format(email=studio.email))
    window = Window(chrome, studio)
    page = window.sign_in()
    page.get_by_role("link", name="Library").click()
    page.wait_for_url("**/library/")
    page.evaluate("window.sameDocument = true")
    studio.manage("shell", "-v", "0", "-c", LOW.format(email=studio.email))
    expect(page.locator("#notices")).to_contain_text("Your credits are running low", timeout=20_000)
    assert page.evaluate("window.sameDocument")
    page.locator(".team-switch summary").click()
    page.locator(".team-switch").get_by_role("link", name="Studio South").click()
    page.wait_for_url("**/t/studio-south*/library/")
    expect(page.locator(".team-switch summary")).to_contain_text("Studio South")
    expect(page.locator("#notices")).not_to_contain_text("Your credits are running low")
    assert not window.complaints
