"""The prompt helper from the page to the ledger: what it answers, costs, refuses, and never does."""

from __future__ import annotations

import json
import logging
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generations.credits import integrity_check, ledger
from generations.credits.models import Hold, Transfer
from generations.jobs import erasure, events, tasks
from generations.jobs import prompt_help as jobs_prompt_help
from generations.jobs.engine import claim as engine_claim
from generations.jobs.engine import prompt_help as engine_prompt_help
from generations.jobs.models import Generation, HelpStatus, Outcome, PromptHelp
from generations.jobs.reconciliation import calls as reconciliation_calls
from generations.jobs.reconciliation import report as reconciliation_report
from generations.office.members import service as members_service
from generations.providers.catalogue.registry import PROMPT_HELPER
from generations.teams.models import Membership, Role
from generations.upstreams.models import Upstream
from tests.conftest import open_limiter
from tests.markup import compact
from tests.pages.csp import csp_violations
from tests.providers.fake_provider import FakeProvider, response

pytestmark = pytest.mark.django_db(transaction=True)  # what workers do is committed
PRICE, COST = 20, 10  # hundredths of a credit, and of a US cent
FOX = "一只狐狸在雪里"


@pytest.fixture
def helper(upstream: Upstream) -> Upstream:
    """The sandbox as a gateway with a chat model for prompts."""
    upstream.kind, upstream.systems = "gateway", {"chat": {}}
    upstream.helper_model, upstream.helper_price, upstream.helper_cost = "gpt-5-mini", PRICE, COST
    upstream.save()
    return upstream


@pytest.fixture
def chat(helper: Upstream) -> Iterator[FakeProvider]:
    """A server whose answers are planned byte for byte, in place of the sandbox."""
    server = FakeProvider()
    Upstream.objects.filter(pk=helper.pk).update(base_url=server.address)
    yield server
    server.close()


@pytest.fixture
def ask(mei: Client, address: Callable[[str], str]) -> Callable[..., Any]:
    """Press a button of the helper: ask("english", prompt=...); what the page shows then."""

    def press(task: str = "english", *, by: Client = mei, **fields: Any) -> Any:
        filled = {"prompt": FOX, "help_submission": uuid.uuid4(), "help_price": PRICE, "task": task}
        return by.post(address("prompt-help/"), filled | fields, headers={"HX-Request": "true"})

    return press


@pytest.fixture
def shown(mei: Client, address: Callable[[str], str]) -> Callable[..., str]:
    """What the page shows of the last call."""

    def show(by: Client = mei) -> str:
        return compact(
            by.get(address(f"prompt-help/{PromptHelp.objects.latest('created_at').pk}/")).content.decode()
        )

    return show


def work() -> int:
    """Do what workers do until no call is ready; how many were made."""
    made = 0
    while engine_prompt_help.run_next():
        made += 1
    return made


def whole(text: Any, **more: Any) -> bytes:
    message = {"role": "assistant", "content": text}
    document = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"} | more]}
    return response(200, json.dumps(document).encode(), content_type="application/json")


def spent(member: Membership) -> int:
    member.wallet.refresh_from_db()
    return 10_000 - member.wallet.balance


def is_settled(member: Membership) -> bool:
    """Whether nothing is held and the books are exact."""
    member.wallet.refresh_from_db()
    return member.wallet.held == 0 and integrity_check.problems() == []


def test_a_translation_is_shown_beside_the_prompt_and_charged_when_it_is_there(
    helper, mei, ask, shown, member, provider
):
    page = compact(ask().content.decode())
    assert "0.2 credits are held" in page
    asks_again = re.search(r'hx-get="([^"]+)" hx-trigger="every 1s"', page)
    assert asks_again
    assert mei.get(asks_again[1]).status_code == 204  # nothing is new
    member.wallet.refresh_from_db()
    assert (member.wallet.held, spent(member)) == (PRICE, 0)
    assert work() == 1
    page = shown()
    assert FOX in page
    assert "a fox in snow" in page
    assert "0.2 credits charged" in page
    assert (spent(member), is_settled(member)) == (PRICE, True)
    [charge] = Transfer.objects.filter(kind="charge")
    assert (charge.model, charge.member, charge.reference) == (
        PROMPT_HELPER,
        member,
        PromptHelp.objects.get().pk,
    )
    [call] = [each for each in provider.calls() if each["method"] == "POST"]
    assert call["path"] == "/v1/chat/completions"
    assert not Generation.objects.exists()  # it never sends the form


@pytest.mark.parametrize(
    ("task", "answers"),
    [
        (
            "richer",
            ["a fox, soft morning light, fine detail in the foreground, a calm and balanced composition"],
        ),
        (
            "variants",
            [
                "a fox, seen from close by, at dawn",
                "a fox, from far above, under a wide sky",
                "a fox, at night, lit by a single lamp",
            ],
        ),
    ],
)
def test_a_prompt_is_made_richer_or_varied(helper, ask, shown, task, answers):
    ask(task, prompt="a fox")
    work()
    assert PromptHelp.objects.get().answers == answers
    assert shown().count("Take it") == len(answers)
    assert "<ins>" in shown()  # what is new is marked


def test_the_page_offers_it_with_its_price_only_where_an_account_has_it(helper, mei, address):
    page = compact(mei.get(address("create/")).content.decode())
    assert "0.2 credits each" in page
    assert "Translate it for 0.2 credits" in page
    Upstream.objects.update(helper_model="")
    page = mei.get(address("create/")).content.decode()
    assert "Prompt helper" not in page
    assert "Translate it for" not in page


def test_a_press_that_is_sent_twice_asks_and_costs_once(helper, ask, member):
    same = uuid.uuid4()
    for _ in range(2):
        assert ask(help_submission=same).status_code == 200
    assert work() == 1
    ask(help_submission=same)
    assert work() == 0
    assert (spent(member), Hold.objects.count()) == (PRICE, 1)


def test_an_open_page_shows_the_answer_until_it_is_taken_or_left(helper, ask, mei, address):
    ask()
    work()
    assert "a fox in snow" in mei.get(address("create/")).content.decode()
    mei.post(address(f"prompt-help/{PromptHelp.objects.get().pk}/close/"))
    assert "a fox in snow" not in mei.get(address("create/")).content.decode()


def test_it_is_refused_in_words_and_nothing_is_held(helper, ask, member):
    refused = {
        "Write a prompt first.": {"prompt": " \n"},
        "up to 4000 letters": {"prompt": "x" * 4_001},
        "cannot do this": {"task": "draw"},
        "The price rose from 0.1 to 0.2 credits": {"help_price": PRICE - 10},
    }
    for sentence, fields in refused.items():
        answer = ask(fields.pop("task", "english"), **fields)
        assert answer.status_code == 422
        assert sentence in compact(answer.content.decode())
    assert ask(help_price="x").status_code == ask(help_submission="x").status_code == 404
    assert (Hold.objects.count(), PromptHelp.objects.count()) == (0, 0)


def test_who_has_too_few_credits_is_told_so(helper, ask, member):
    ledger.take_back(member=member, amount=9_990, reference=uuid.uuid4())
    assert "Not enough credits: 0.1 more needed" in ask().content.decode()
    assert not PromptHelp.objects.exists()


def test_the_caps_of_the_member_and_of_the_helper_hold(helper, ask, member):
    Membership.objects.filter(pk=member.pk).update(cap_per_day=PRICE)
    assert ask().status_code == 200
    assert "Your cap of 0.2 credits a day leaves 0" in ask().content.decode()
    Membership.objects.filter(pk=member.pk).update(cap_per_day=None)
    Upstream.objects.update(helper_cap=PRICE * 2 - 1)
    assert (
        "The cap of the prompt helper is 0.39 credits a day, and leaves you 0.19." in ask().content.decode()
    )
    work()
    assert ask().status_code == 422  # what was charged counts as what is held does
    PromptHelp.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert ask().status_code == 200


def test_a_member_waits_for_so_many_answers_at_once(helper, ask):
    assert [ask().status_code for _ in range(4)] == [200, 200, 200, 422]
    assert work() == 3
    assert ask().status_code == 200


@pytest.mark.parametrize("planned", ["drop", "truncate", "garbage", "504-html"])
def test_a_lost_answer_is_not_charged_nor_asked_for_again(helper, ask, shown, provider, member, planned):
    provider.plan(planned)
    ask()
    assert work() == 1
    assert "No answer:" in shown()
    assert "Nothing was charged." in shown()
    assert (spent(member), is_settled(member), provider.orders()) == (0, True, 1)
    row = PromptHelp.objects.get()
    assert (row.outcome, row.cost, row.status) == (Outcome.UNKNOWN, COST, HelpStatus.FAILED)
    today = timezone.localdate()
    report = reconciliation_report.reconcile(since=today, until=today)
    assert (report.total("may_have_cost"), report.total("bought"), report.total("charged")) == (COST, 0, 0)
    assert [(line.member, line.may_have_cost) for line in report.uncharged] == [(str(member), COST)]
    assert not report.days[0].is_as_sold
    [lost] = reconciliation_calls.behind(today)
    assert (lost.why, lost.cost, lost.may_have_cost) == (
        "the answer was lost, so it may have been bought",
        0,
        COST,
    )


def test_operators_find_a_lost_call_without_its_prompt_even_if_it_costs_nothing(
    helper, ask, provider, member, mei
):
    Upstream.objects.update(helper_cost=0)
    provider.plan("drop")
    ask()
    work()
    member.user.is_staff = True
    member.user.save()
    today = timezone.localdate()
    assert "the calls behind it" in mei.get(reverse("operate:reconcile")).text
    page = compact(mei.get(reverse("operate:reconcile_day", args=[f"{today:%Y-%m-%d}"])).text)
    assert "<td>Prompt helper</td><td>the answer was lost, so it may have been bought</td>" in page
    assert str(member) in page
    assert FOX not in page
    assert csp_violations(page) == []
    other = Upstream.objects.create(name="other", base_url="http://host")
    assert [len(reconciliation_calls.behind(today, each)) for each in (helper, other)] == [1, 0]


def test_a_refunded_call_stands_behind_its_day(helper, ask):
    ask()
    work()
    ledger.refund(reference=PromptHelp.objects.get().pk)
    [call] = reconciliation_calls.behind(timezone.localdate())
    assert (call.why, call.cost, call.charged, call.refunded) == ("charged, and refunded", COST, PRICE, PRICE)


def test_operators_see_calls_that_wait_and_run_and_no_prompt(helper, ask, mei, member):
    member.user.is_staff = True
    member.user.save()
    assert "calls that wait or run" not in mei.get("/queue/").text
    ask("richer")
    ask()
    engine_prompt_help._claim(PromptHelp.objects.earliest("created_at").pk, helper)
    page = compact(mei.get("/queue/").text)
    rows = page[page.index("calls that wait or run") :]
    assert re.search(r"Make it richer.+?sandbox.+?Running.+?Translate to English.+?–.+?Waiting", rows)
    assert re.search(r"<dt>in flight</dt><dd>1</dd>", page)
    assert "<strong>1</strong><span>of" in page  # its call counts in the account's rate
    assert FOX not in page
    assert csp_violations(page) == []


def test_what_it_costs_and_brings_is_reconciled(helper, ask):
    ask()
    work()
    today = timezone.localdate()
    report = reconciliation_report.reconcile(since=today, until=today)
    assert (report.total("bought"), report.total("charged"), report.charged_without_call) == (COST, PRICE, 0)
    assert report.days[0].is_as_sold


def test_a_429_blocks_the_account_for_all_and_the_call_is_made_afterwards(
    helper, ask, shown, provider, member
):
    provider.plan("429:30")
    ask()
    assert work() == 1
    helper.refresh_from_db()
    assert helper.blocked_until > timezone.now() + timedelta(seconds=20)
    assert "The provider asked us to wait." in shown()
    assert PromptHelp.objects.get().status == HelpStatus.QUEUED
    assert engine_claim.claim_next()[0] is None
    Upstream.objects.update(blocked_until=None)
    open_limiter(helper)
    assert work() == 1
    assert (spent(member), is_settled(member)) == (PRICE, True)


def test_a_block_that_outlasts_the_wait_ends_it(helper, ask, shown, provider, member):
    provider.plan("429:600")
    ask()
    work()
    assert "No answer: The provider asked us to wait. Nothing was charged." in shown()
    assert (spent(member), is_settled(member)) == (0, True)


@pytest.mark.parametrize(
    ("planned", "is_paused", "is_closed"),
    [("401", True, False), ("402", True, False), ("404-model", False, True)],
)
def test_an_account_that_cannot_answer_is_paused_or_asked_for_this_no_more(
    helper, ask, shown, provider, member, planned, is_paused, is_closed
):
    provider.plan(planned)
    ask()
    work()
    helper.refresh_from_db()
    assert (helper.paused_at is not None, helper.is_closed(PROMPT_HELPER)) == (is_paused, is_closed)
    assert "The provider's account cannot be used at the moment." in shown().replace("&#x27;", "'")
    assert (spent(member), is_settled(member)) == (0, True)
    assert "is away at the moment" in ask().content.decode()


def test_another_account_takes_what_the_first_could_not(helper, ask, provider, member):
    second = Upstream(
        name="second", base_url=provider.url, kind="openai", order=1, limit_calls=100, limit_window=1
    )
    second.helper_model, second.helper_price = "gpt-4o-mini", PRICE
    second.set_key(helper.key)
    second.save()
    open_limiter(second)
    provider.plan("401")
    ask()
    assert work() == 2
    assert PromptHelp.objects.get().upstream == second
    assert (spent(member), is_settled(member)) == (PRICE, True)


def test_an_account_that_costs_more_than_was_agreed_is_not_asked(helper, ask, member):
    ask()
    Upstream.objects.update(helper_price=PRICE + 1)
    assert work() == 0
    PromptHelp.objects.update(created_at=timezone.now() - timedelta(minutes=3))
    tasks.sweep()
    assert "Nobody answered within two minutes." in PromptHelp.objects.get().reason
    assert (spent(member), is_settled(member)) == (0, True)


@pytest.mark.parametrize(
    "answer",
    [
        whole(""),
        whole(" \u202e\u200b\x00 "),
        whole(None),
        whole([]),
        whole({"text": "x"}),
        whole(FOX),  # nothing new
        whole("", finish_reason="content_filter"),
        response(200, b"<html>a page</html>"),
        response(200, b"[" * 100_000),
        response(200, b'{"choices": 7}'),
        response(200, b'{"error": {"message": "upstream died", "type": "new_api_error"}}'),
        response(200, b'{"choices": [{"message": {"content": "' + b"x" * 3_000_000),
        response(302, b"", location="http://127.0.0.1:1/"),
    ],
)
def test_an_answer_that_says_nothing_is_not_charged(chat, ask, shown, member, answer):
    chat.plan = [answer]
    ask()
    assert work() == 1
    assert "Nothing was charged." in shown()
    assert (spent(member), is_settled(member), len(chat.requests)) == (0, True, 1)


def test_an_answer_is_only_ever_text(chat, helper, ask, shown, mei, address):
    hostile = (
        "<script>alert(1)</script><img src=x onerror=alert(2)>\r\n\x1b[31m{{ 7 }} \u202egnp.\ud800 "
        f"{helper.key} javascript:x\x00"
    )
    chat.plan = [whole(hostile), whole("x" * 39_000)]
    ask()
    assert work() == 1
    answer = PromptHelp.objects.get().answers[0]
    assert (
        answer == "<script>alert(1)</script><img src=x onerror=alert(2)> [31m{{ 7 }} gnp. [key] javascript:x"
    )
    for page in (shown(), compact(mei.get(address("create/")).content.decode())):
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert" not in page
        assert "onerror=alert(2)&gt;" in page
        assert helper.key not in page
    ask()
    work()
    assert len(PromptHelp.objects.latest("created_at").answers[0]) == 4_000


def test_nobody_else_sees_a_call_and_a_viewer_makes_none(helper, ask, make_member, address):
    ask()
    work()
    pk = PromptHelp.objects.get().pk
    other_team = members_service.create_team("Other")
    for other in (
        make_member("tom"),
        make_member("ana", role=Role.OWNER),
        make_member("eve", team=other_team),
    ):
        browser = Client()
        browser.force_login(other.user)
        for where in (f"prompt-help/{pk}/", f"prompt-help/{pk}/close/"):
            method = browser.post if "close" in where else browser.get
            assert method(address(where)).status_code == 404
            assert method(f"/t/{other.team.slug}/{where}").status_code == 404
        assert "a fox in snow" not in browser.get(f"/t/{other.team.slug}/create/").content.decode()
    viewer = Client()
    viewer.force_login(make_member("vic", role=Role.VIEWER).user)
    assert ask(by=viewer).status_code == 403


def test_neither_prompt_nor_answer_is_logged(helper, ask, caplog):
    with caplog.at_level(logging.DEBUG, logger="generations"):
        ask()
        work()
    said = " ".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "helped" in said
    assert FOX not in said
    assert "a fox in snow" not in said


def test_what_waits_or_runs_too_long_ends_without_a_charge(helper, ask, shown, member):
    ask()
    row = PromptHelp.objects.get()
    assert engine_prompt_help._claim(row.pk, helper)
    assert engine_prompt_help._claim(row.pk, helper) is None  # one worker has it
    tasks.sweep()
    assert PromptHelp.objects.get().status == HelpStatus.RUNNING
    PromptHelp.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    tasks.sweep()
    assert "interrupted" in shown()
    assert (spent(member), is_settled(member)) == (0, True)


def test_an_answer_that_comes_after_the_end_is_not_charged(helper, ask, member):
    ask()
    row = engine_prompt_help._claim(PromptHelp.objects.get().pk, helper)
    PromptHelp.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    tasks.sweep()
    result = engine_prompt_help._call(row, helper)
    engine_prompt_help.record(row, helper, result)
    assert PromptHelp.objects.get().status == HelpStatus.FAILED
    assert (spent(member), is_settled(member)) == (0, True)


def test_calls_count_in_what_the_account_takes_at_the_same_time(helper, ask, submit):
    Upstream.objects.update(max_in_flight=1)
    helper.refresh_from_db()
    ask()
    ask()
    first = engine_prompt_help._claim(PromptHelp.objects.earliest("created_at").pk, helper)
    assert first
    assert not engine_prompt_help.run_next()
    submit(model="gpt-4o-image")
    assert engine_claim.claim_next()[0] is None
    engine_prompt_help.record(first, helper, engine_prompt_help._call(first, helper))
    assert engine_prompt_help.run_next()


def test_who_leaves_the_team_pays_nothing_and_what_waits_ends(helper, ask, member):
    ask()
    members_service.end_membership(member=member)
    assert PromptHelp.objects.get().status == HelpStatus.FAILED
    assert (integrity_check.problems(), Transfer.objects.filter(kind="charge").count()) == ([], 0)


def test_texts_are_forgotten_after_a_day_and_erased_with_the_account(helper, ask, member):
    ask()
    ask()
    work()
    PromptHelp.objects.filter(pk=PromptHelp.objects.earliest("created_at").pk).update(
        created_at=timezone.now() - timedelta(days=1, minutes=1)
    )
    tasks.forget_prompt_help()
    assert sorted(PromptHelp.objects.values_list("text", flat=True)) == ["", FOX]
    erasure.erase_member(member)
    assert set(PromptHelp.objects.values_list("text", flat=True)) == {""}
    assert [row.answers for row in PromptHelp.objects.all()] == [[], []]


def test_the_statement_names_it_and_links_to_no_picture(helper, ask, mei, address):
    ask()
    work()
    page = compact(mei.get(address("credits/")).content.decode())
    assert "Prompt helper ·" in page
    assert not re.search(rf"generation/{PromptHelp.objects.get().pk}", page)


def test_a_worker_is_woken_by_the_press(helper, ask, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "_send", lambda count, task=None: sent.append((count, task)))
    ask()
    tasks._sender.submit(lambda: None).result(5)
    assert sent == [(1, tasks.help_with_prompts)]
    events.flush()
    tasks.help_with_prompts()
    assert PromptHelp.objects.get().status == HelpStatus.SUCCEEDED


def test_the_offer_needs_no_words_of_a_paused_account(helper):
    assert jobs_prompt_help.offer() == jobs_prompt_help.Offer(PRICE, None)
    for change in ({"enabled": False}, {"draining": True}, {"paused_at": timezone.now()}):
        Upstream.objects.update(**({"enabled": True, "draining": False, "paused_at": None} | change))
        assert jobs_prompt_help.offer() is None
