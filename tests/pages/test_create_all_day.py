"""Create as it is used all day: files from anywhere, what is kept, keys, errors that go, the button."""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image as Pillow
from playwright.sync_api import Page, expect

from generations.jobs.models import Batch
from generations.library.models import Image
from generations.teams.models import Membership
from generations.upstreams.models import Upstream
from tests.conftest import work
from tests.pages.editors import add_file, encoded, inaccessible, png

pytestmark = pytest.mark.django_db(transaction=True)  # the server has its own connection
# Drops or pastes a file on the element that a selector names; whether the page took it.
GIVE_FILE = """([how, selector, type, base64]) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([bytes], "beach.png", { type }));
    const manners = { bubbles: true, cancelable: true };
    const event = how === "paste"
        ? new ClipboardEvent("paste", { ...manners, clipboardData: files })
        : new DragEvent("drop", { ...manners, dataTransfer: files });
    document.querySelector(selector).dispatchEvent(event);
    return event.defaultPrevented;
}"""
POLL = "htmx.trigger('#form-notes', 'portal:model')"


def give_file(page: Page, how: str, selector: str, kind: str = "image/png") -> bool:
    """Drop or paste a picture; whether the page took it instead of the browser."""
    data = base64.b64encode(encoded(Pillow.new("RGB", (300, 200), "teal"), "PNG")).decode()
    taken: bool = page.evaluate(GIVE_FILE, [how, selector, kind, data])
    return taken


def choose(page: Page, model: str) -> None:
    page.locator(f"[name=model][value='{model}']").check(force=True)
    expect(page.locator("[name=shown_model]")).to_have_value(model)


def generate(page: Page, prompt: str) -> None:
    """Send a prompt and wait for its batch."""
    before = page.locator(".batch[id]").count()
    page.fill("#id_prompt", prompt)
    page.click("#generate")
    expect(page.locator(".batch[id]")).to_have_count(before + 1)


# Files ---------------------------------------------------------------------------------------


def test_a_file_dropped_or_pasted_anywhere_is_kept_and_one_click_finds_a_model_for_it(opened):
    page = opened()
    page.fill("#id_prompt", "a beach")
    choose(page, "core")
    kept = page.locator("[data-kept-inputs]")
    expect(kept).to_be_hidden()
    assert give_file(page, "drop", ".stream")
    expect(kept.locator("[data-item]")).to_have_count(1)
    expect(kept).to_contain_text("This model takes no image")
    first = kept.locator("[name=input_image]").get_attribute("value")
    assert give_file(page, "paste", "#id_prompt")  # the same file: it takes its own place
    expect(kept.locator("[name=input_image]")).to_have_count(1)
    assert inaccessible(page) == ""
    kept.get_by_role("button", name=re.compile("Edit it with")).click()
    expect(page.locator("[data-input=image] [name=input_image]")).to_have_value(str(first))
    expect(page.locator("#id_operation_edit")).to_be_checked()
    expect(page.locator("#id_prompt")).to_have_value("a beach")
    assert not Batch.objects.exists()


def test_a_picture_stays_in_sight_with_a_model_that_takes_none_and_returns_with_one_that_does(opened):
    page = opened()
    choose(page, "ultra")
    add_file(page, "image", png((256, 256)))
    choose(page, "core")
    kept = page.locator("[data-kept-inputs]")
    expect(kept.locator("img")).to_be_visible()
    expect(kept).to_contain_text("kept, not sent")
    page.reload()
    expect(kept.locator("img")).to_be_visible()
    choose(page, "ultra")
    expect(page.locator("[data-input=image] [data-item]")).to_have_count(1)
    expect(kept).to_be_hidden()
    choose(page, "core")
    kept.get_by_role("button", name="Remove: Start image").click()
    expect(kept).to_be_hidden()


def test_a_dropped_file_that_is_no_picture_is_refused_in_words_and_opens_nothing(opened):
    page = opened()
    assert give_file(page, "drop", "#generate", "text/plain")
    expect(page.get_by_text("This file is no picture that can be used here")).to_be_visible()


# What is kept --------------------------------------------------------------------------------


def test_after_a_success_a_reload_and_a_look_elsewhere_everything_is_still_there(opened, member):
    page = opened()
    choose(page, "sd3.5-large")
    page.locator("[data-open=negative]").click()
    page.fill("#id_negative_prompt", "people")
    page.locator("[name=style_preset][value=anime]").check(force=True)
    page.locator(".more-toggle").click()
    page.fill("#id_seed", "77")
    add_file(page, "image", png((256, 256)))
    generate(page, "a quiet harbour")
    for _visit in range(2):
        page.goto(f"/t/{member.team.slug}/library/")
        page.goto(f"/t/{member.team.slug}/create/")
        expect(page.locator("#id_prompt")).to_have_value("a quiet harbour")
        expect(page.locator("#id_negative_prompt")).to_have_value("people")
        expect(page.locator("[name=style_preset]:checked")).to_have_value("anime")
        expect(page.locator("#id_seed")).to_have_value("77")
        expect(page.locator("[data-input=image] [data-item]")).to_have_count(1)


def test_clear_empties_the_form_and_brings_it_back(opened):
    page = opened()
    clear = page.locator("[data-clear]")
    expect(clear).to_be_hidden()
    choose(page, "ultra")
    page.fill("#id_prompt", "a quiet harbour")
    page.locator("[name=style_preset][value=anime]").check(force=True)
    add_file(page, "image", png((256, 256)))
    clear.click()
    expect(page.locator("[data-input=image] [data-item]")).to_have_count(0)
    expect(page.locator("#id_prompt")).to_have_value("")
    expect(page.locator("[name=style_preset]:checked")).to_have_value("")
    expect(page.locator("[name=model]:checked")).to_have_value("ultra")
    expect(clear).to_have_text("Bring back")
    clear.click()
    expect(page.locator("[data-input=image] [data-item]")).to_have_count(1)
    expect(page.locator("#id_prompt")).to_have_value("a quiet harbour")
    expect(page.locator("[name=style_preset]:checked")).to_have_value("anime")
    clear.click()
    expect(page.locator("[data-input=image] [data-item]")).to_have_count(0)
    page.reload()
    expect(page.locator("#id_prompt")).to_have_value("")


def test_earlier_prompts_come_with_the_arrow_keys_and_from_a_list(opened, submit):
    for prompt in ("first", "second", "second", "third"):
        submit(prompt=prompt)
    page = opened()
    prompt = page.locator("#id_prompt")
    prompt.focus()
    page.keyboard.press("ArrowUp")
    expect(prompt).to_have_value("third")
    page.keyboard.press("ArrowUp")
    expect(prompt).to_have_value("second")
    expect(page.locator("#announcer")).to_have_text("Earlier prompt 2 of 3: second")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(prompt).to_have_value("first")
    page.keyboard.press("ArrowDown")
    expect(prompt).to_have_value("second")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(prompt).to_have_value("")
    page.keyboard.type("one line\nand another")
    page.keyboard.press("ArrowUp")  # moves the caret in a text that was written here
    expect(prompt).to_have_value("one line\nand another")
    page.locator("[data-prompt-history] summary").click()
    expect(page.locator("[data-use-prompt]")).to_have_text(["third", "second", "first"])
    assert inaccessible(page) == ""
    page.locator("[data-use-prompt]").last.click()
    expect(prompt).to_have_value("first")
    expect(prompt).to_be_focused()


def test_what_was_just_sent_counts_as_unchanged(opened, submit):
    submit(prompt="sent before")
    page = opened()
    generate(page, "sent now")
    page.locator("#id_prompt").press("ArrowUp")
    expect(page.locator("#id_prompt")).to_have_value("sent before")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#id_prompt")).to_have_value("sent now")


# Keys, errors, places ------------------------------------------------------------------------


def test_control_and_enter_generate_again_after_a_click_anywhere(opened):
    page = opened()
    generate(page, "by a click")
    page.locator(".stream").click(position={"x": 5, "y": 5})
    page.keyboard.press("Control+Enter")
    expect(page.locator(".batch[id]")).to_have_count(2)
    page.locator("[name=model]:checked").locator("xpath=..").click()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".batch[id]")).to_have_count(3)


def test_errors_go_when_their_cause_goes_and_no_sooner(opened):
    page = opened()
    choose(page, "sd3.5-large")
    page.locator(".more-toggle").click()
    page.fill("#id_seed", "twelve")
    page.fill("[name=count]", "11")
    page.click("#generate")
    errors = page.locator(".error:visible")
    expect(page.locator("#prompt-error")).to_be_visible()
    expect(page.locator("#form-errors [data-look-at]")).to_have_text(
        re.compile("Look at:\\s*Prompt,\\s*Seed")
    )
    page.fill("#id_seed", "12")
    expect(page.locator("#error-seed")).to_have_count(0)
    page.fill("[name=count]", "12")
    expect(page.locator("#form-errors")).to_contain_text("whole number from 1 to 10")
    page.fill("[name=count]", "2")
    expect(page.locator("#form-errors")).not_to_contain_text("whole number")
    page.fill("#id_prompt", "a harbour")
    expect(errors).to_have_count(0)
    expect(page.locator("[aria-invalid]")).to_have_count(0)


def test_models_keep_their_places_when_one_is_chosen_and_used(opened):
    page = opened()
    places = lambda: page.locator("[name=model]").evaluate_all("all => all.map((one) => one.value)")  # noqa: E731
    before = places()
    choose(page, before[2])
    generate(page, "a harbour")
    choose(page, before[1])
    assert places() == before
    page.reload()
    assert places()[0] == before[2]  # on a new page the last used is the first


def test_what_stands_below_a_prompt_stays_in_its_box_on_a_phone(opened):
    page = opened(phone=True)
    page.fill("#id_prompt", "a harbour")
    inside = """box => [...box.querySelectorAll(".prompt-tools > *")]
        .filter((each) => each.checkVisibility())
        .every((each) => each.getBoundingClientRect().right <= box.getBoundingClientRect().right)"""
    expect(page.get_by_role("button", name="Clear")).to_be_visible()
    assert page.locator(".prompt-box").first.evaluate(inside)


# The button ----------------------------------------------------------------------------------


def test_pictures_thrown_away_one_after_another_all_go_and_undo_brings_back_the_last(opened, submit):
    submit(count=3)
    while work():
        pass
    page = opened()
    tiles, held = page.locator(".tile"), []
    page.route("**/library/deeds/", lambda route: route.continue_() if held else held.append(route))
    for tile in tiles.all():
        tile.hover()
        tile.locator("[data-trash-picture]").click()
        expect(page.locator("#bulk-action")).to_be_empty()
    held[0].continue_()
    undo = page.locator("#bulk-action").get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    assert not Image.objects.filter(trashed_at=None).exists()
    gone = tiles.filter(has_text="no longer in the library")
    expect(gone).to_have_count(3)
    undo.click()
    expect(gone).to_have_count(2)
    assert f"tile-{Image.objects.get(trashed_at=None).generation}" == tiles.last.get_attribute("id")


def limit(member: Membership, **caps: Any) -> None:
    Membership.objects.filter(pk=member.pk).update(**caps)


def test_a_cap_reaches_the_button(opened, member):
    limit(member, cap_per_day=10_00)
    page = opened()
    page.fill("#id_prompt", "a harbour")
    choose(page, "core")
    below = page.locator("[data-balance-after]")
    expect(below).to_have_text("leaves 7 of today’s 10")
    page.fill("[name=count]", "5")
    expect(page.locator("#generate")).to_have_text(re.compile("Generate 3\\s*· 9 credits"))
    expect(below).to_have_text("today’s cap pays for no more")
    expect(page.locator("[data-ask]")).to_be_hidden()  # more credits raise no cap
    page.click("#generate")
    expect(page.locator(".batch[id] .tile")).to_have_count(3)
    assert Batch.objects.get().count == 3
    expect(page.locator("#generate")).to_have_text(re.compile("1 of today’s 10 left"))
    limit(member, cap_per_day=20_00)
    page.evaluate(POLL)
    expect(page.locator("#generate")).to_have_text(re.compile("Generate 3\\s*· 9 credits"))


def test_who_lacks_credits_is_offered_what_can_be_paid_and_whom_to_ask(opened, make_member, upstream, mei):
    poor = make_member("pia", granted=25)
    mei.force_login(poor.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = opened()
    page.fill("#id_prompt", "a harbour")
    choose(page, "core")
    page.fill("[name=count]", "10")
    expect(page.locator("#generate")).to_have_text(re.compile("Generate 8\\s*· 24 credits"))
    expect(page.locator("[data-balance-after]")).to_have_text("5 credits missing for 10")
    ask = page.get_by_role("link", name="Ask for credits")
    expect(ask).to_have_attribute("href", re.compile(rf"/t/{poor.team.slug}/team/ask/\?amount=5$"))
    page.keyboard.press("Control+Enter")
    expect(page.locator(".batch[id] .tile")).to_have_count(8)
    expect(page.locator("#generate")).to_have_text(re.compile("credits missing"))


# The provider --------------------------------------------------------------------------------


def test_a_provider_that_is_away_is_said_before_the_press_and_only_as_long(opened, upstream):
    page = opened()
    notes = page.locator("#form-notes")
    expect(notes).not_to_contain_text("Pictures wait")
    Upstream.objects.update(paused_at=timezone.now(), paused_status=402, paused_reason="No money left, Acme")
    page.evaluate(POLL)
    expect(notes).to_contain_text("Pictures wait: the provider is paused since")
    expect(notes).to_contain_text("Nothing is charged meanwhile.")
    expect(notes).not_to_contain_text("Acme")
    assert inaccessible(page) == ""
    page.reload()
    expect(notes).to_contain_text("Pictures wait")
    Upstream.objects.update(paused_at=None)
    page.evaluate(POLL)
    expect(notes).not_to_contain_text("Pictures wait")


def test_the_note_is_about_the_chosen_model(opened, upstream):
    until = (timezone.now() + timedelta(minutes=9)).isoformat()
    Upstream.objects.update(closed_models={"ultra": {"until": until, "reason": "none"}})
    page = opened()
    choose(page, "core")
    expect(page.locator("#form-notes")).not_to_contain_text("Pictures wait")
    choose(page, "ultra")
    expect(page.locator("#form-notes")).to_contain_text("the provider does not have this model now")
    choose(page, "core")
    expect(page.locator("#form-notes")).not_to_contain_text("Pictures wait")
