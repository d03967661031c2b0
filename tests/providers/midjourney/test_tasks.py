"""How tasks are polled: progress, half-done pictures, results with their next steps, and the last word."""

from __future__ import annotations

import json
import time

import pytest

from generations.providers.base import (
    Accepted,
    Busy,
    Done,
    OutputKind,
    ProviderError,
    Refused,
    Task,
    Unavailable,
    Unknown,
)
from generations.providers.midjourney import last_words
from generations.providers.midjourney.client import Midjourney
from tests.providers.fake_provider import KEY, assert_readable, error, response
from tests.providers.midjourney.answers import ADDRESS, BUTTON, CUSTOM, ID, refused, said, task

UNDER_WAY = Task(ID, state={"path": "/mj", "kind": "image", "seed": 7, "prompt": "a boat"})
TEXT = "1️⃣ a quiet harbour --ar 3:2\n\n2️⃣ two boats --ar 3:2"


def button(custom_id, label="", emoji=""):
    return {"customId": custom_id, "emoji": emoji, "label": label, "type": 2, "style": 2}


@pytest.mark.parametrize(
    ("sent", "progress"),
    [
        (task("", progress="0%"), 0),  # the relay, before it has asked
        (task("NOT_START", progress=None), None),
        (task("SUBMITTED"), 0),
        (task("IN_PROGRESS", progress="31%"), 31),
        (task("IN_PROGRESS", progress="waiting"), None),
        (task("IN_PROGRESS", progress="99999%"), None),
        (task("DREAMING", progress="12%"), 12),  # a word that is not known yet ends nothing
    ],
)
def test_a_task_under_way_says_how_far_it_is(fake_provider, proxy, sent, progress):
    fake_provider.plan = [sent]
    again = proxy.poll(UNDER_WAY, timeout=5)
    assert (again.task, again.progress) == (UNDER_WAY, progress)
    assert fake_provider.requests[0].path == f"/mj/task/{ID}/fetch"


def test_a_half_done_picture_is_no_result_and_says_where_it_is(fake_provider, relay):
    own = f"{fake_provider.address}/mj/image/1?rand=2"
    fake_provider.plan = [
        task("IN_PROGRESS", progress="62%", imageUrl=ADDRESS),
        task("IN_PROGRESS", imageUrl=own.replace("http:", "https:")),
        task("IN_PROGRESS", imageUrl=None),
    ]
    under_way = [relay.poll(UNDER_WAY, timeout=5) for _ in range(3)]
    assert [each.half_done for each in under_way] == [ADDRESS, own, ""]
    assert all(isinstance(each, Accepted) for each in under_way)


def test_what_is_described_is_no_half_done_picture(fake_provider, relay):
    fake_provider.plan = [task("IN_PROGRESS", action="DESCRIBE", imageUrl=ADDRESS)]
    assert relay.poll(Task(ID, state={"kind": "text"}), timeout=5).half_done == ""


def test_a_finished_task_has_its_picture_at_an_address(fake_provider, proxy):
    fake_provider.plan = [task("SUCCESS", progress="100%", imageUrl=ADDRESS)]
    done = proxy.poll(UNDER_WAY, timeout=5)
    assert isinstance(done, Done)
    [output] = done.outputs
    assert (output.kind, output.url, output.seed) == (OutputKind.IMAGE, ADDRESS, 7)


def test_a_picture_at_the_accounts_own_host_is_asked_for_as_the_account_is(fake_provider, proxy):
    other_scheme = fake_provider.address.replace("http:", "https:")
    fake_provider.plan = [task("SUCCESS", imageUrl=f"{other_scheme}/mj/image/1")]
    [output] = proxy.poll(UNDER_WAY, timeout=5).outputs
    assert output.url == f"{fake_provider.address}/mj/image/1"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (response(200), "task_not_found"),
        (response(204), "task_not_found"),
        (response(200, b" null "), "task_not_found"),
        (response(200, b"[]"), ""),
    ],
)
def test_nothing_at_all_means_that_the_order_is_not_known(fake_provider, relay, sent, code):
    fake_provider.plan = [sent]
    with pytest.raises(Unknown) as caught:
        relay.poll(UNDER_WAY, timeout=5)
    assert caught.value.code == code


def test_a_finished_task_without_an_address_is_asked_for_again(fake_provider, relay):
    fake_provider.plan = [task("SUCCESS", progress="100%", imageUrl="")]
    with pytest.raises(Unknown):
        relay.poll(UNDER_WAY, timeout=5)


@pytest.mark.parametrize(
    "fields",
    [
        {"properties": {"finalPrompt": TEXT}},
        {"properties": {"finalPrompt": ""}, "promptEn": TEXT},
        {"properties": None, "promptEn": None, "prompt": TEXT},
    ],
)
def test_a_description_is_a_text_wherever_it_stands(fake_provider, relay, fields):
    fake_provider.plan = [task("SUCCESS", action="DESCRIBE", imageUrl=ADDRESS, **fields)]
    [output] = relay.poll(Task(ID, state={"kind": "text"}), timeout=5).outputs
    assert (output.kind, output.text, output.url) == (OutputKind.TEXT, TEXT, "")


# Next steps ------------------------------------------------------------------------------


def steps(fake_provider, account, **fields):
    fake_provider.plan = [task("SUCCESS", imageUrl=ADDRESS, **fields)]
    [output] = account.poll(UNDER_WAY, timeout=5).outputs
    return output.actions


def test_the_buttons_of_a_grid_are_its_next_steps(fake_provider, relay):
    buttons = [
        button(CUSTOM, "U2"),
        button("MJ::JOB::reroll::0::3dbb::SOLO", "", "🔄"),
        button("MJ::JOB::variation::3::3dbb", "V3"),
    ]
    actions = steps(fake_provider, relay, buttons=buttons)
    assert [(action.name, action.title) for action in actions] == [
        ("u2", "U2"),
        ("v3", "V3"),
        ("reroll", "Draw again"),
    ], "what is of a quarter comes first"
    assert actions[0].state == {"task": ID, "custom_id": CUSTOM}


def test_a_picture_that_was_enlarged_can_be_zoomed_panned_and_varied(fake_provider, relay):
    buttons = [
        button("MJ::JOB::upsample_v6_2x_subtle::1::3dbb::SOLO", "Upscale (Subtle)"),
        button("MJ::JOB::low_variation::1::3dbb::SOLO", "Vary (Subtle)"),
        button("MJ::JOB::high_variation::1::3dbb::SOLO", "Vary (Strong)"),
        button("MJ::Outpaint::50::1::3dbb::SOLO", "Zoom Out 2x"),
        button("MJ::Outpaint::75::1::3dbb::SOLO", "Zoom Out 1.5x"),
        button("MJ::JOB::pan_left::1::3dbb::SOLO", "", "⬅️"),
        button("MJ::JOB::pan_down::1::3dbb::SOLO", "", "⬇️"),
        button("MJ::CustomZoom::3dbb", "Custom Zoom"),
        button("MJ::Inpaint::1::3dbb::SOLO", "Vary (Region)"),
    ]
    actions = steps(fake_provider, relay, action="UPSCALE", buttons=buttons)
    assert [(action.name, action.title) for action in actions] == [
        ("upscale-subtle", "Upscale (subtle)"),
        ("vary-subtle", "Vary a little"),
        ("vary-strong", "Vary a lot"),
        ("zoom-out-2", "Zoom out 2x"),
        ("zoom-out-1.5", "Zoom out 1.5x"),
        ("pan-left", "Pan left"),
        ("pan-down", "Pan down"),
        ("zoom-out", "Zoom out"),
        ("vary-region", "Vary a region"),
    ]


def test_buttons_that_order_nothing_known_are_left_out(fake_provider, relay):
    buttons = [
        button("MJ::BOOKMARK::3dbb", "", "❤️"),
        {"customId": None, "label": "Web", "type": 2, "style": 5},
        button("MJ::JOB::upsample::7::3dbb", "U7"),
        button("MJ::JOB::animate_high::1::3dbb", "Animate"),
        button("MJ::JOB::reroll::0::" + "x" * 900, "R"),
        "not a button",
    ]
    assert steps(fake_provider, relay, buttons=buttons) == ()


@pytest.mark.parametrize("action", ["IMAGINE", "VARIATION", "REROLL", "BLEND"])
def test_a_grid_of_a_proxy_without_buttons_can_be_changed_by_its_id(fake_provider, proxy, action):
    actions = steps(fake_provider, proxy, action=action, buttons=None)
    assert [each.name for each in actions] == ["u1", "u2", "u3", "u4", "v1", "v2", "v3", "v4", "reroll"]
    assert actions[1].state == {"task": ID, "change": "UPSCALE", "index": 2}
    assert all(len(json.dumps(dict(each.state))) < 2_048 for each in actions)


def test_what_was_enlarged_without_buttons_offers_nothing(fake_provider, proxy):
    assert steps(fake_provider, proxy, action="UPSCALE", buttons=None) == ()


# Seeds, windows, addresses ----------------------------------------------------------------


def test_a_seed_that_nobody_chose_is_asked_for_once(fake_provider, relay):
    grid = Task(ID, state={"kind": "image", "has_seed": True})
    fake_provider.plan = [task("SUCCESS", imageUrl=ADDRESS), said(1, result="343940597")]
    assert relay.poll(grid, timeout=5).outputs[0].seed == 343_940_597
    assert fake_provider.requests[1].path == f"/mj/task/{ID}/image-seed"


@pytest.mark.parametrize(
    "sent",
    [
        said(4, "no hash", http=400),
        response(504, b"<html>"),
        said(1, result="none"),
        response(200, b"[]"),
        b"",  # the connection is cut
    ],
)
def test_a_picture_is_not_lost_over_its_seed(fake_provider, relay, sent):
    grid = Task(ID, state={"kind": "image", "has_seed": True})
    fake_provider.plan = [task("SUCCESS", imageUrl=ADDRESS), sent]
    [output] = relay.poll(grid, timeout=5).outputs
    assert (output.url, output.seed) == (ADDRESS, None)


def test_a_task_that_tells_its_seed_is_not_asked_for_it(fake_provider, relay):
    fake_provider.plan = [task("SUCCESS", imageUrl=ADDRESS, seed="99")]
    grid = Task(ID, state={"kind": "image", "has_seed": True})
    assert relay.poll(grid, timeout=5).outputs[0].seed == 99


def test_a_window_that_opens_later_is_answered_once_when_the_task_is_polled(fake_provider, relay):
    fake_provider.plan = [task("MODAL"), said(1, result=ID), task("MODAL")]
    under_way = relay.poll(UNDER_WAY, timeout=5)
    assert isinstance(under_way, Accepted)
    sent = fake_provider.requests[1]
    assert (sent.path, json.loads(sent.body)) == ("/mj/submit/modal", {"taskId": ID, "prompt": "a boat"})
    assert isinstance(relay.poll(under_way.task, timeout=5), Accepted)  # the relay has not asked since
    assert len(fake_provider.requests) == 3


def test_a_window_that_was_answered_with_the_order_is_not_answered_again(fake_provider, relay):
    fake_provider.plan = [said(21, "Waiting for window confirm", ID), said(1, result=ID), task("MODAL")]
    accepted = relay.submit(BUTTON, timeout=5)
    assert isinstance(relay.poll(accepted.task, timeout=5), Accepted)
    assert len(fake_provider.requests) == 3


@pytest.mark.parametrize(
    ("base", "given", "asked"),
    [
        ("https://api.example", "http://localhost:3000/mj/image/1", "https://api.example/mj/image/1"),
        (
            "https://api.example",
            "http://api.example/mj/image/1?rand=2",
            "https://api.example/mj/image/1?rand=2",
        ),
        ("https://api.example", "http://127.0.0.1:8080/mj/image/1", "https://api.example/mj/image/1"),
        ("https://api.example", ADDRESS, ADDRESS),
        ("https://api.example", "http://[broken", "http://[broken"),
        ("http://127.0.0.1:9", "http://127.0.0.1:7/a", "http://127.0.0.1:7/a"),
    ],
)
def test_a_relay_that_does_not_know_its_own_address_is_asked_at_that_of_the_account(base, given, asked):
    from generations.providers.midjourney.tasks import reachable  # noqa: PLC0415

    assert reachable(given, base) == asked


# Errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        response(200),
        response(200, b"null"),
        response(204),
        refused("task_no_found"),
        response(404),
        response(400, b"<html>Bad Request</html>"),
        response(502, b"<html>"),
        response(504, b"<html>"),
        response(200, b"<html>"),
        response(200, b'{"hello": "world"}'),
        refused("do_request_failed", code=5, status=500),
        error(500, {"error": {"message": "oops", "type": "new_api_error"}}),
    ],
)
def test_what_says_nothing_of_the_task_ends_nothing(fake_provider, relay, sent):
    fake_provider.plan = [sent]
    with pytest.raises(Unknown) as caught:
        relay.poll(UNDER_WAY, timeout=5)
    assert_readable(caught.value)


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (response(401), Unavailable),
        (response(403, "未登录".encode()), Unavailable),
        (response(429), Busy),
        (refused("full", code=30, status=429), Busy),
    ],
)
def test_a_poll_that_the_account_was_refused_is_asked_again(fake_provider, relay, sent, kind):
    fake_provider.plan = [sent]
    with pytest.raises(ProviderError) as caught:
        relay.poll(UNDER_WAY, timeout=5)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("reason", "code", "words"),
    [
        ("Banned prompt detected", "content_moderation", "content"),
        ("Image denied", "content_moderation", "content"),
        ("您的提示词包含敏感词", "content_moderation", "content"),
        ("任务超时", "task_failed", "in time"),
        ("[Invalid parameter] --ar is wrong", "task_failed", "--ar is wrong"),
        ("", "task_failed", "could not finish"),
        (None, "task_failed", "could not finish"),
        ("<b>broken</b> " + "x" * 900, "task_failed", "broken"),
        (f"key {KEY} is over", "task_failed", "[key]"),
    ],
)
def test_a_failed_task_says_why_and_whether_it_was_moderated(fake_provider, proxy, reason, code, words):
    fake_provider.plan = [task("FAILURE", progress="", failReason=reason)]
    with pytest.raises(Refused, match=words.replace("[", r"\[")) as caught:
        proxy.poll(UNDER_WAY, timeout=5)
    assert caught.value.code == code
    assert_readable(caught.value)


def test_a_canceled_task_has_failed(fake_provider, relay):
    fake_provider.plan = [task("CANCEL", failReason=None, description=None)]
    with pytest.raises(Refused, match="canceled"):
        relay.poll(UNDER_WAY, timeout=5)


def ordered(*ids: str, **state: object) -> list[Task]:
    kept = {"path": "/mj", "kind": "image", "ordered_at": time.time()}
    return [Task(each, state=kept | state) for each in ids]


def listed(*tasks: bytes, status: int = 200) -> bytes:
    """The answer to a list of conditions, of the answers to single questions."""
    bodies = [json.loads(each.partition(b"\r\n\r\n")[2]) for each in tasks]
    return response(status, json.dumps(bodies).encode(), content_type="application/json")


def test_one_question_tells_of_many_tasks_that_go_on(fake_provider, proxy):
    fake_provider.plan = [
        listed(
            task("IN_PROGRESS", id="1", progress="31%", imageUrl=ADDRESS),
            task("", id=2, progress=""),
            task("SUCCESS", id="3", imageUrl=ADDRESS),
            task("FAILURE", id="4", failReason="Banned prompt detected"),
            task("MODAL", id="5"),
            task("IN_PROGRESS", id="of somebody else"),
            task("IN_PROGRESS", id=None),
        )
    ]
    asked = ordered("1", "2", "3", "4", "5", "6")
    found = proxy.poll_many(asked, timeout=5)
    assert {remote_id: each.progress for remote_id, each in found.items()} == {"1": 31, "2": None}
    assert (found["1"].task, found["1"].half_done) == (asked[0], ADDRESS)
    [sent] = fake_provider.requests
    assert (sent.path, json.loads(sent.body)) == (
        "/mj/task/list-by-condition",
        {"ids": ["1", "2", "3", "4", "5", "6"]},
    )
    assert proxy.list_of(asked[0])


def test_what_the_list_said_of_an_ended_task_is_taken_from_there_once(fake_provider, proxy):
    fake_provider.plan = [
        listed(
            task("SUCCESS", id="1", imageUrl=ADDRESS, buttons=[button(CUSTOM, "U2")]),
            task("FAILURE", id="2", failReason="Banned prompt detected"),
        ),
        task("SUCCESS", id="1", imageUrl=ADDRESS + "&asked=again"),
    ]
    finished, failed = ordered("1", "2")
    assert proxy.poll_many([finished, failed], timeout=5) == {}
    [output] = proxy.poll(finished, timeout=5).outputs
    assert (output.url, "u2" in [action.name for action in output.actions]) == (ADDRESS, True)
    with pytest.raises(Refused) as caught:
        proxy.poll(failed, timeout=5)
    assert caught.value.code == "content_moderation"
    assert len(fake_provider.requests) == 1
    assert proxy.poll(finished, timeout=5).outputs[0].url.endswith("again")


def test_a_window_of_which_the_list_told_is_answered_without_another_question(fake_provider, relay):
    fake_provider.plan = [listed(task("MODAL", id="5")), said(1, result="5")]
    [waiting] = ordered("5", prompt="a boat")
    assert relay.poll_many([waiting], timeout=5) == {}
    assert isinstance(relay.poll(waiting, timeout=5), Accepted)
    assert [sent.path for sent in fake_provider.requests][1:] == ["/mj/submit/modal"]


def test_a_list_without_buttons_is_not_the_last_word(fake_provider, relay):
    shortened = json.loads(task("SUCCESS", id="1", imageUrl=ADDRESS).partition(b"\r\n\r\n")[2])
    del shortened["buttons"]
    body = json.dumps([shortened]).encode()
    whole = task("SUCCESS", id="1", imageUrl=ADDRESS, buttons=[button(CUSTOM, "U2")])
    fake_provider.plan = [response(200, body, content_type="application/json"), whole]
    [finished] = ordered("1")
    assert relay.poll_many([finished], timeout=5) == {}
    [output] = relay.poll(finished, timeout=5).outputs
    assert [action.name for action in output.actions] == ["u2"]


def test_what_a_list_said_long_ago_is_asked_for_again(fake_provider, relay, monkeypatch):
    fake_provider.plan = [listed(task("FAILURE", id="1")), task("SUCCESS", id="1", imageUrl=ADDRESS)]
    [asked] = ordered("1")
    relay.poll_many([asked], timeout=5)
    monkeypatch.setattr(last_words, "KEPT", -1.0)
    assert isinstance(relay.poll(asked, timeout=5), Done)


def test_a_window_that_was_answered_goes_on(fake_provider, relay):
    fake_provider.plan = [listed(task("MODAL", id="5"))]
    assert set(relay.poll_many(ordered("5", is_answered=True), timeout=5)) == {"5"}


@pytest.mark.parametrize(
    "answer",
    [
        response(404),
        response(500, b"<html>", content_type="text/html"),
        response(200, b"{}"),
        response(200, b"[]"),
        response(200, b'[null, 1, {"id": []}, {"id": "1"}, {"status": "SUCCESS"}]'),
        response(200, b'{"code": 4}'),
        response(204),
        b"",
    ],
)
def test_without_a_list_that_tells_of_them_tasks_are_polled_one_by_one(fake_provider, relay, answer):
    fake_provider.plan = [answer]
    assert relay.poll_many(ordered("1", "2"), timeout=5) == {}
    assert relay.list_of(*ordered("1")) == ""


@pytest.mark.parametrize(("status", "kind"), [(401, Unavailable), (429, Busy)])
def test_a_list_that_is_refused_to_the_account_says_so(fake_provider, relay, status, kind):
    fake_provider.plan = [error(status, {})]
    with pytest.raises(kind):
        relay.poll_many(ordered("1", "2"), timeout=5)
    assert relay.list_of(*ordered("1"))


def test_an_old_task_is_polled_by_itself(relay):
    """A list may tell for ever how a task was."""
    assert relay.list_of(*ordered("1"))
    assert relay.list_of(*ordered("1", ordered_at=time.time() - 1_000)) == ""
    assert relay.list_of(Task("1", state={"path": "/mj"})) == ""  # ordered by an older version


def test_the_free_question_tells_a_wrong_key(fake_provider, proxy):
    fake_provider.plan = [response(200, b"[]"), response(401)]
    assert proxy.balance(timeout=5) is None
    with pytest.raises(Unavailable):
        proxy.balance(timeout=5)
    sent = fake_provider.requests[0]
    assert (sent.path, json.loads(sent.body)) == ("/mj/task/list-by-condition", {"ids": []})


def test_no_key_is_in_what_is_said_of_an_account():
    assert KEY not in repr(Midjourney("https://api.example", KEY))
