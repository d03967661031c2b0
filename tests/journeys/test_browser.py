"""The main job in a real browser: from a prompt to a picture that was paid for, without a reload."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from sdweb.process.local_environment import BASE_DIR
from tests.journeys.browsers import Window
from tests.journeys.studio import Studio

FIRST_PAGE = 120 * 1024  # bytes, compressed: our scripts and styles and the vendored ones, without pictures


@pytest.fixture
def window(chrome: Browser, studio: Studio) -> Iterator[Callable[..., Window]]:
    """Opens windows: window(phone=True). Afterwards nobody's console may have complained."""
    opened = []

    def make(**manners: Any) -> Window:
        opened.append(Window(chrome, studio, **manners))
        return opened[-1]

    yield make
    complaints = [complaint for one in opened for complaint in one.complaints]
    for one in opened:
        one.context.close()
    assert not complaints


def ask(page: Page, prompt: str, *, model: str = "core", count: int = 1) -> None:
    page.fill("#id_prompt", prompt)
    page.locator(f"[name=model][value='{model}']").check(force=True)
    page.fill("[name=count]", str(count))


def batch(page: Page, prompt: str) -> Any:
    return page.locator(".batch", has_text=prompt)


def test_a_prompt_becomes_a_picture_without_a_reload_and_costs_eight_credits(studio, window):
    page = window().sign_in_by_password()
    page.evaluate("window.sameDocument = true")
    before = float(page.get_attribute("#balance", "data-available"))
    ask(page, "a lighthouse in the fog", model="ultra")
    expect(page.locator("#generate")).to_have_text(re.compile(r"Generate 1\s*· 8 credits"))
    page.click("#generate")
    tile = batch(page, "a lighthouse in the fog").locator(".tile")
    expect(tile).to_have_count(1)
    expect(tile.locator("img.sharp")).to_be_visible(timeout=20_000)
    assert tile.locator("img.sharp").evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    assert page.evaluate("window.sameDocument")
    expect(page.locator("#balance")).to_have_attribute("data-available", str(int(before - 800)))
    expect(page.locator("#balance")).not_to_contain_text("held")
    tile.locator("a.picture").click()
    expect(page.locator(".ledger")).to_contain_text("Settled")
    expect(page.locator(".about")).to_contain_text("a lighthouse in the fog")
    studio.manage("audit_ledger")


def test_pressing_twice_makes_one_batch(window):
    page = window().sign_in()
    ask(page, "two quick presses", count=2)
    page.dblclick("#generate")
    expect(batch(page, "two quick presses").locator("img.sharp")).to_have_count(2, timeout=20_000)
    page.reload()
    expect(batch(page, "two quick presses")).to_have_count(1)


def refuse_large_requests(route: Any) -> None:
    """Answer an upload as nginx does without `client_max_body_size`; everything else goes on."""
    is_form = "multipart/form-data" in route.request.headers.get("content-type", "")
    if not is_form or route.request.url.endswith("/create/"):
        return route.continue_()
    page = "<html><head><title>413 Request Entity Too Large</title></head><hr>nginx/1.22.1</html>"
    return route.fulfill(status=413, content_type="text/html", body=page)


def test_a_file_that_a_proxy_refuses_as_too_large_is_named_so(window):
    page = window().sign_in()
    page.route("**/*", refuse_large_requests)
    ask(page, "from a photo", model="sd3.5-large")
    photo = {"name": "photo.png", "mimeType": "image/png", "buffer": b"a photo"}
    page.set_input_files("#id_file_image", photo)
    sentence = "A server in front of the portal refuses files of this size"
    expect(page.locator("[data-input=image] [data-input-error]")).to_contain_text(sentence)
    page.goto(page.url.replace("create/", "library/upload/"))
    page.set_input_files("[name=image]", photo)
    item = page.locator(".upload-item.is-refused")
    expect(item).to_contain_text(sentence)
    expect(item).to_contain_text("client_max_body_size")


def test_the_keyboard_is_enough(window):
    page = window().sign_in()
    expect(page.locator("#id_prompt")).to_be_focused()
    page.keyboard.type("drawn by keys alone")
    page.locator("[name=aspect_ratio]:checked").focus()
    was = page.locator("[name=aspect_ratio]:checked").get_attribute("value")
    page.keyboard.press("ArrowRight")
    assert page.locator("[name=aspect_ratio]:checked").get_attribute("value") != was
    page.keyboard.press("Control+Enter")
    expect(batch(page, "drawn by keys alone")).to_be_visible()


def test_what_was_typed_survives_a_reload_and_an_ended_session(window):
    one = window()
    page = one.sign_in()
    ask(page, "kept whatever happens", model="ultra", count=3)
    page.reload()
    expect(page.locator("#id_prompt")).to_have_value("kept whatever happens")
    one.context.clear_cookies(name=re.compile("sessionid$"))
    # Unless it has noticed by itself; in a task of its own, since the page may leave while it clicks.
    page.evaluate("setTimeout(() => document.querySelector('#generate')?.click())")
    page.wait_for_url("**/accounts/login/**")
    page.fill("[name=login]", one.studio.email)
    page.fill("[name=password]", one.studio.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/create/")
    expect(page.locator("#id_prompt")).to_have_value("kept whatever happens")
    expect(page.locator("[name=model]:checked")).to_have_value("ultra")
    expect(page.locator("[name=count]")).to_have_value("3")
    expect(batch(page, "kept whatever happens")).to_have_count(0)


def test_an_error_stands_beside_its_field_and_the_form_goes_on_working(window):
    page = window().sign_in()
    ask(page, "not eleven", count=11)
    page.click("#generate")
    expect(page.locator("#form-errors")).to_contain_text("whole number from 1 to 10")
    expect(page.locator("#id_prompt")).to_have_value("not eleven")
    page.fill("[name=count]", "1")
    page.click("#generate")
    expect(batch(page, "not eleven")).to_be_visible()
    expect(page.locator(".error:visible")).to_have_count(0)


def test_another_tab_shows_the_same_and_eight_tabs_share_one_stream(window):
    one = window()
    page = one.sign_in()
    streams = []
    one.context.on("request", lambda request: streams.append(request) if "/live?" in request.url else None)
    tabs = [one.open(page.url) for _ in range(8)]
    expect(tabs[0].locator("#id_prompt")).to_be_visible()
    ask(page, "seen in every tab")
    page.click("#generate")
    for tab in tabs:
        expect(batch(tab, "seen in every tab").locator("img.sharp")).to_be_visible(timeout=20_000)
    assert len(streams) <= 1


def test_a_cut_stream_says_so_and_the_picture_comes_all_the_same(window):
    one = window()
    one.context.route("**/live?*", lambda route: route.abort())
    page = one.sign_in()
    expect(page.locator("#live")).to_contain_text("Reconnecting, asking every 5 s")
    ask(page, "without a stream")
    page.click("#generate")
    expect(batch(page, "without a stream").locator("img.sharp")).to_be_visible(timeout=20_000)


def test_a_start_image_is_shown_at_once_and_stays_for_the_next_picture(window):
    page = window().sign_in()
    ask(page, "begun with a picture", model="ultra")
    page.set_input_files("#id_file_image", BASE_DIR / "static" / "samples" / "example-aurora.webp")
    expect(page.locator("[data-input=image] [data-item] img")).to_be_visible()
    for number in (1, 2):
        page.click("#generate")
        expect(batch(page, "begun with a picture")).to_have_count(number)
    expect(batch(page, "begun with a picture").last.get_by_alt_text("Start image")).to_be_visible()
    expect(batch(page, "begun with a picture").locator("img.sharp")).to_have_count(2, timeout=30_000)
    expect(batch(page, "begun with a picture").first.get_by_alt_text("Start image")).to_be_visible()
    page.get_by_role("button", name="Remove: Start image").click()
    expect(page.locator("[data-input=image] [data-item]")).to_have_count(0)


def test_a_refused_prompt_can_be_edited_and_sent_again(studio, window):
    page = window().sign_in()
    studio.provider.plan("403")
    ask(page, "a well-known face")
    page.click("#generate")
    refused = batch(page, "a well-known face")
    expect(refused).to_contain_text("Not charged", timeout=20_000)
    refused.get_by_role("link", name="Edit and try again").click()
    expect(page.locator("#id_prompt")).to_have_value("a well-known face")
    page.reload()
    expect(page.locator("#id_prompt")).to_have_value("a well-known face")


def test_a_waiting_picture_can_be_canceled(studio, window):
    page = window().sign_in()
    studio.provider.plan("429:4")
    ask(page, "never mind")
    page.click("#generate")
    tile = batch(page, "never mind").locator(".tile")
    expect(tile).to_have_attribute("data-status", "queued", timeout=20_000)
    tile.get_by_role("button", name="Cancel").click()
    expect(tile).to_contain_text("Canceled, not charged")
    tile.get_by_role("button", name="Generate again").click()
    expect(tile.locator("img.sharp")).to_be_visible(timeout=30_000)


def test_without_scripts_everything_is_reachable(window):
    page = window(java_script_enabled=False).sign_in_by_password()
    page.fill("#id_prompt", "by the form alone")
    page.fill("#id_negative_prompt", "people")
    page.locator("#part-model [value=all]").click()
    expect(page.locator("#id_negative_prompt")).to_have_value("people")
    page.locator("[name=model][value='sd3.5-medium']").check(force=True)
    with page.expect_navigation():
        page.get_by_role("button", name="Change model").click()
    expect(page.locator("#id_prompt")).to_have_value("by the form alone")
    for name in ("seed", "cfg_scale", "strength", "file_image", "style_preset", "output_format"):
        field = page.locator(f"[name={name}]")
        assert field.first.is_visible() or field.count() > 1, name
    page.click("#generate")
    expect(batch(page, "by the form alone")).to_be_visible()
    page.locator("#id_operation_upscale").check(force=True)
    page.get_by_role("button", name="Change what to do").click()
    page.set_input_files("#id_file_image", BASE_DIR / "static" / "samples" / "example-aurora.webp")
    page.click("#generate")
    page.wait_for_url("**/create/?from=*")
    expect(page.locator(".batch", has_text="Upscale")).to_be_visible()


def test_on_a_phone_the_choices_open_as_sheets(window):
    page = window(phone=True).sign_in()
    expect(page.locator("#part-model")).to_be_hidden()
    page.get_by_role("button", name="Core").or_(page.locator("[popovertarget=part-model]")).first.click()
    expect(page.locator("#part-model")).to_be_visible()
    page.locator("[name=model][value='ultra']").check(force=True)
    page.keyboard.press("Escape")
    expect(page.locator("[data-chip=model]")).to_have_text("Ultra")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_first_page_is_light(window):
    one = window()
    page = one.sign_in()
    one.context.clear_cookies(name="nothing")
    sizes = {}
    page.on(
        "response",
        lambda answer: (
            sizes.update({answer.url: answer})
            if answer.request.resource_type not in ("image", "eventsource")
            else None
        ),
    )
    page.goto(page.url, wait_until="networkidle")
    carried = {url: answer.request.sizes()["responseBodySize"] for url, answer in list(sizes.items())}
    assert sum(carried.values()) < FIRST_PAGE, carried
