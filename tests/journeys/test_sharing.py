"""Sharing in a real browser: a link is made, opened signed out, revoked, and shows nothing any more."""

from __future__ import annotations

import re
import zipfile

from playwright.sync_api import Page, expect

from tests.journeys.browsers import Window
from tests.journeys.test_every_page import faults

PROMPT = "a heron at the edge of the pond"
# A headless browser says so, and is then not counted as a person.
PERSON = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)


def draw(page: Page, prompt: str = PROMPT) -> None:
    """One picture, and its page."""
    page.fill("#id_prompt", prompt)
    page.locator("[name=model][value='core']").check(force=True)
    page.click("#generate")
    tile = page.locator(".batch", has_text=prompt).locator(".tile")
    expect(tile.locator("img.sharp")).to_be_visible(timeout=30_000)
    href = tile.locator("a.picture").get_attribute("href") or ""
    page.goto(href)


def is_drawn(page: Page, selector: str = "img.sharp") -> bool:
    return bool(
        page.locator(selector).first.evaluate("image => image.decode().then(() => image.naturalWidth > 0)")
    )


def test_a_link_is_made_opened_signed_out_and_taken_back(studio, chrome):
    members, visitors = Window(chrome, studio), Window(chrome, studio, user_agent=PERSON)
    member = members.sign_in()
    draw(member)
    team = re.search(r"/t/[^/]+/", member.url)[0]

    member.get_by_role("link", name="Share").first.click()
    dialog = member.locator("#share-dialog")
    expect(dialog).to_be_visible()
    dialog.locator("[name=expires][value='30']").check(force=True)
    dialog.get_by_role("button", name="Make the link").click()
    expect(dialog.locator("#share-link")).to_have_value(re.compile(r"/s/\w+-\w+/$"))
    link = dialog.locator("#share-link").input_value()
    dialog.get_by_role("button", name="Copy").first.click()
    expect(dialog.locator(".toast")).to_have_text("Copied")
    member.keyboard.press("Escape")
    expect(dialog).to_have_count(0)

    visitor = visitors.page
    answered = visitor.goto(link)
    assert answered.status == 200
    assert is_drawn(visitor)
    assert visitors.context.cookies() == []
    assert PROMPT not in visitor.content()
    assert re.search(r"/t/([^/]+)/", member.url)[1] not in visitor.content()
    with visitor.expect_download() as download:
        visitor.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "picture.png"
    assert PROMPT.encode() not in download.value.path().read_bytes()
    file = visitor.locator("img.sharp").get_attribute("src") or ""

    member.goto(f"{team}library/shares/")
    row = member.locator(".links-table tbody tr")
    expect(row).to_have_count(1)
    expect(row.locator(".number")).to_have_text("1")
    row.get_by_role("button", name="Revoke").click()
    expect(row).to_contain_text("revoked")
    expect(row.get_by_role("button")).to_have_count(0)

    assert visitor.reload().status == 404
    expect(visitor.locator("main")).to_contain_text("There is nothing here")
    assert visitor.request.get(file).status == 404
    visitor.go_back()
    assert visitor.locator("img.sharp").count() == 0
    assert not members.complaints + visitors.complaints


def test_a_shared_collection_is_leafed_through_by_keys(studio, chrome):
    members, visitors = Window(chrome, studio), Window(chrome, studio)
    member = members.sign_in()
    draw(member, "a first heron in the reeds")
    member.go_back()
    draw(member, "a second heron at noon")
    link = studio.manage("shell", "-v", "0", "-c", COLLECT).strip().splitlines()[-1]

    visitor = visitors.page
    visitor.goto(link)
    expect(visitor.locator("h1")).to_have_text("Herons")
    pictures = visitor.locator("a.picture")
    assert pictures.count() >= 2
    assert is_drawn(visitor)
    pictures.first.click()
    expect(visitor.locator(".shared-frame")).to_be_visible()
    first = visitor.url
    visitor.keyboard.press("ArrowRight")
    visitor.wait_for_url(lambda address: address != first)
    visitor.keyboard.press("ArrowLeft")
    visitor.wait_for_url(first)
    visitor.keyboard.press("Escape")
    visitor.wait_for_url(link)
    assert visitors.context.cookies() == []
    assert not members.complaints + visitors.complaints


def test_chosen_pictures_are_shared_behind_a_password_and_compared(studio, chrome):
    members, visitors = Window(chrome, studio), Window(chrome, studio, user_agent=PERSON, phone=True)
    member = members.sign_in()
    draw(member, "a third heron asleep")
    member.goto(re.sub(r"picture/.*", "library/", member.url))
    boxes = member.locator(".rows .select-box")
    for number in range(2):
        boxes.nth(number).check(force=True)
    member.locator(".selection-bar").get_by_role("button", name="Share").click()
    dialog = member.locator("#share-dialog")
    expect(dialog).to_contain_text("Share 2 pictures")
    dialog.get_by_label("Title of the page").fill("Two herons")
    dialog.get_by_label("Password").fill("in the reeds")
    dialog.get_by_role("button", name="Make the link").click()
    link = dialog.locator("#share-link")
    expect(link).to_have_value(re.compile(r"/s/"))
    visitor = visitors.page
    visitor.goto(link.input_value())
    assert not faults(visitor)
    assert "heron" not in visitor.content()
    visitor.fill("[name=password]", "in the reeds")
    visitor.keyboard.press("Enter")
    expect(visitor.locator("h1")).to_have_text("Two herons")
    expect(visitor.locator("a.picture")).to_have_count(2)
    assert is_drawn(visitor)
    assert not faults(visitor)
    with visitor.expect_download() as download:
        visitor.get_by_role("link", name="Download all").click()
    assert download.value.suggested_filename == "two-herons.zip"
    assert len(zipfile.ZipFile(download.value.path()).namelist()) == 2
    member.keyboard.press("Escape")
    member.get_by_label("More to do with the selected pictures").or_(
        member.locator(".selection-acts > .menu").last.locator("summary")
    ).first.click()
    member.get_by_role("link", name="Compare").click()
    expect(member.locator("[data-pane]")).to_have_count(2)
    assert is_drawn(member, "[data-pane] img")
    member.keyboard.press("z")
    member.wait_for_function(
        "[...document.querySelectorAll('[data-pane] img')]"
        ".every(image => image.style.transform.includes('scale'))"
    )
    assert not members.complaints + visitors.complaints


COLLECT = """
from generations.library.organise import service as organise_service
from generations.library.sharing import service as sharing_service
from generations.library.models import Image
owner = Image.objects.filter(prompt__contains="heron").first().owner
made = organise_service.create_collection(member=owner, name="Herons", visibility="team")
pks = list(Image.objects.filter(owner=owner).values_list("pk", flat=True))
organise_service.add_to_collection(member=owner, images=pks, collection=made.pk)
print(sharing_service.share_url(sharing_service.share_collection(member=owner, collection=made.pk)))
"""
