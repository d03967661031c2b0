"""Saved prompts and the prompt helper in Chromium: by keyboard, by touch, for a screen reader."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from django.db import connection
from playwright.sync_api import Page, expect

from generations.jobs.create import saved_prompts
from generations.jobs.engine import prompt_help as engine_prompt_help
from generations.jobs.models import Batch, PromptHelp, SavedPrompt
from generations.teams.models import Membership, Visibility
from generations.upstreams.models import Upstream
from tests.conftest import open_limiter
from tests.journeys.browsers import in_every_window
from tests.pages.editors import inaccessible

pytestmark = pytest.mark.django_db(transaction=True)  # the server has its own connection


@pytest.fixture
def helper(upstream: Upstream) -> Upstream:
    """The sandbox with pictures of Stability, and beside it a chat model for prompts."""
    chat = Upstream(name="chat", kind="chat", base_url=upstream.base_url, limit_calls=1_000, limit_window=1)
    chat.helper_model, chat.helper_price = "gpt-5-mini", 20
    chat.set_key(upstream.key)
    chat.save()
    open_limiter(chat)
    return chat


@contextmanager
def working() -> Iterator[None]:
    """A worker that makes calls of the prompt helper meanwhile."""
    over = Event()

    def work() -> None:
        while not over.wait(0.1):
            engine_prompt_help.run_next()
        connection.close()

    worker = Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join(20)


def save(member: Membership, name: str, **values: str) -> SavedPrompt:
    return saved_prompts.save(
        member=member, name=name, visibility=Visibility.TEAM, values={"prompt": name} | values
    )


def test_a_prompt_is_saved_and_taken_again_by_keyboard_alone(opened, member):
    save(member, "Harbour at dawn")
    page = opened()
    page.fill("#id_prompt", "a fox in snow")
    page.locator("[name=model][value=ultra]").check(force=True)
    expect(page.locator("[name=shown_model]")).to_have_value("ultra")
    page.get_by_label("Saved prompts", exact=True).first.press("Enter")
    page.get_by_role("button", name="Save what is filled in").press("Enter")
    dialog = page.get_by_role("dialog", name="Save this prompt")
    expect(dialog.get_by_label("Name")).to_be_focused()
    assert inaccessible(page) == ""
    page.keyboard.type("Foxes")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="is found by its name")).to_be_visible()
    assert SavedPrompt.objects.get(name="Foxes").values["model"] == "ultra"
    done = page.get_by_role("button", name="Done")
    expect(done).to_be_focused()
    page.keyboard.press("Enter")
    expect(done).to_have_count(0)
    page.fill("#id_prompt", "")
    page.locator("#id_prompt").focus()
    page.keyboard.type("/")
    field = page.get_by_label("Find a saved prompt")
    expect(field).to_be_focused()
    expect(page.locator("[data-saved-prompt]")).to_have_count(2)
    assert inaccessible(page) == ""
    page.keyboard.type("fox")
    expect(page.locator("[data-saved-prompt]")).to_have_count(1)
    expect(page.locator("#announcer")).to_have_text("1 saved prompt")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-saved-prompt]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#id_prompt")).to_have_value("a fox in snow")
    expect(page.locator("[name=model]:checked")).to_have_value("ultra")
    assert not Batch.objects.exists()


def test_escape_gives_the_slash_back_that_was_meant_as_one(opened, member):
    page = opened()
    page.locator("#id_prompt").focus()
    page.keyboard.type("/")
    expect(page.get_by_label("Find a saved prompt")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#id_prompt")).to_be_focused()
    expect(page.locator("#id_prompt")).to_have_value("/")
    page.keyboard.type(" and more")
    expect(page.locator("#id_prompt")).to_have_value("/ and more")
    expect(page.locator(".saved-prompts")).not_to_have_attribute("open", "")


def test_a_search_for_a_saved_prompt_is_no_part_of_the_draft(opened, member):
    page = opened()
    page.fill("#id_prompt", "a heron")
    page.locator(".saved-prompts summary").click()
    page.keyboard.type("nothing of that name")
    expect(page.get_by_text("No saved prompt is called that.")).to_be_visible()
    page.reload()
    expect(page.locator("#id_prompt")).to_have_value("a heron")


def ask(page: Page, name: str) -> None:
    page.locator(".prompt-help-menu summary").click()
    page.get_by_role("button", name=name).click()


def test_an_answer_is_taken_and_can_be_undone(opened, helper, member):
    page = opened()
    page.fill("#id_prompt", "a fox")
    with working():
        ask(page, "Make it richer")
        expect(page.get_by_text("0.2 credits charged")).to_be_visible(timeout=15_000)
    expect(page.locator(".prompt-help ins")).to_contain_text("soft morning light")
    expect(page.locator("#balance")).to_contain_text("99.8")
    assert inaccessible(page) == ""
    page.get_by_role("button", name="Take it").click()
    expect(page.locator("#id_prompt")).to_have_value(PromptHelp.objects.get().answers[0])
    expect(page.locator("#prompt-help .prompt-help")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#id_prompt")).to_have_value("a fox")
    page.reload()
    expect(page.locator("#id_prompt")).to_have_value("a fox")
    expect(page.locator("#prompt-help .prompt-help")).to_have_count(0)
    assert PromptHelp.objects.get().closed_at
    assert not Batch.objects.exists()


def test_a_language_that_the_model_does_not_read_offers_its_translation(opened, helper):
    page = opened()
    page.fill("#id_prompt", "一只狐狸在雪里")
    offer = page.get_by_role("button", name="Translate it for 0.2 credits")
    expect(offer).to_be_visible()
    with working():
        offer.click()
        expect(page.get_by_text("a fox in snow")).to_be_visible(timeout=15_000)
    page.get_by_role("button", name="Take it").click()
    expect(offer).to_be_hidden()


def test_a_second_press_of_the_same_page_is_a_second_call(opened, helper):
    page = opened()
    page.fill("#id_prompt", "a fox")
    for _ in range(2):
        with page.expect_response(lambda answer: answer.request.method == "POST"):
            ask(page, "Three variants")
        expect(page.get_by_text("are held, and charged when")).to_be_visible()
    assert PromptHelp.objects.count() == 2
    assert engine_prompt_help.run_next()
    assert engine_prompt_help.run_next()
    expect(page.get_by_role("button", name="Take it")).to_have_count(3)
    page.get_by_role("button", name="Leave it").click()
    expect(page.locator("#id_prompt")).to_have_value("a fox")


@in_every_window
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(opened, helper, member, phone, dark):
    for name in ("Harbour at dawn", "x" * 120):
        save(member, name, prompt="a quiet harbour, " * 40)
    page = opened(phone=phone, color_scheme="dark" if dark else "light")
    page.fill("#id_prompt", "w" * 400)
    for menu in (".saved-prompts", ".prompt-help-menu"):
        page.locator(f"{menu} summary").click()
        expect(page.locator(f"{menu} .menu-body")).to_be_visible()
        assert inaccessible(page) == ""
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), menu
    page.get_by_role("button", name="Three variants").click()
    expect(page.get_by_text("are held, and charged when")).to_be_visible()
    assert engine_prompt_help.run_next()
    expect(page.get_by_role("button", name="Take it")).to_have_count(3)
    assert inaccessible(page) == ""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(page.url.split("create/")[0] + "saved-prompts/")
    page.locator(".saved-list summary").first.click()
    assert inaccessible(page) == ""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
