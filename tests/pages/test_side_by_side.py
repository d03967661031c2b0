"""Parts beside each other do not cover one another: what floats, marks, tools, words of tiles."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.pages.editors import page_with, png, shown

FLOATING = """
<div class="is-create has-result has-tabs"><div class="create"><div class="create-side"></div>
<section class="stream"></section></div>
<div class="bulk-status"><div class="bulk-result"><p>15 canceled.</p>
<button class="bulk-undo">Undo</button></div></div>
<div class="toasts"><div class="toast"><span>Copied.</span></div>
<div class="toast"><span>The provider is away; it
waits, and nothing is charged meanwhile.</span></div></div></div>
"""
MARKED = """
<ul class="tiles"><li class="tile tile-done tile-svg ratio-1x1">
<a class="picture" href="#"><span class="kind-mark">SVG</span><span class="more-mark">+3</span></a>
<span class="private-mark">p</span>
<div class="tile-tools"><button class="tool tool-heart">h</button>
<a class="tool tool-more end" href="#">m</a></div>
</li></ul>
"""
RUNNING = """
<ul class="tiles"><li class="tile tile-running ratio-21x9"><div class="tile-box"><div class="tile-foot">
<p class="tile-line"><span class="tile-state {said}">{words}</span>
<span class="tile-more">longer than usual</span></p>
<progress max="100" value="40" aria-label="Drawing"></progress></div></div></li></ul>
"""

FACTS = """
<div class="batches"><article class="batch batch-{count}"><header class="batch-head"><div class="batch-text">
<h2 class="batch-prompt">a boat</h2>
<p class="batch-meta"><span>Stable Image Core</span><span>Generate</span><span>1:1</span><span>3 min ago</span
>{cost}</p></div>
<div class="batch-actions"><details class="menu"><summary class="ghost ghost-icon">m</summary></details></div>
</header><ul class="tiles"></ul></article></div>
"""
WAITING = """
<ul class="tiles"><li class="tile tile-waiting ratio-21x9"><div class="tile-box">
<div class="ticks" aria-hidden="true" {hidden}><i></i><i></i></div>
<div class="tile-foot"><p class="tile-state">{words}</p>
<p class="tile-more">Nothing is charged meanwhile.</p></div></div>
<form class="tile-cancel"><button aria-label="Cancel">x</button></form></li></ul>
"""
COMPARED = """
<link rel="stylesheet" href="/static/css/compare.css">
<div class="compared-columns compared-2"><article><div class="compared-pane" data-pane>
<img src="/pictures/tall" width="640" height="1520" alt="a tower"></div></article>
<article><div class="compared-pane" data-pane>
<img src="/pictures/wide" width="1520" height="640" alt="a wall"></div></article></div>
"""


def boxes(page: Page, selector: str) -> list[dict[str, Any]]:
    """Where the elements are: left, right, top, bottom."""
    found: list[dict[str, Any]] = page.locator(selector).evaluate_all(
        "all => all.map((each) => each.getBoundingClientRect().toJSON())"
    )
    return found


def are_apart(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two boxes have nothing in common."""
    beside = one["right"] <= other["left"] or other["right"] <= one["left"]
    return beside or one["bottom"] <= other["top"] or other["bottom"] <= one["top"]


@pytest.mark.parametrize("phone", [False, True])
def test_what_floats_has_one_middle_which_is_that_of_what_is_looked_at(chrome: Browser, phone: bool):
    with shown(chrome, page_with(FLOATING), phone=phone) as window:
        floating = boxes(window, ".toast, .bulk-result")
        stream = boxes(window, ".stream")[0]
    middles = [(box["left"] + box["right"]) / 2 for box in floating]
    middle = (stream["left"] + stream["right"]) / 2
    assert all(abs(each - middle) < 1 for each in middles), (middle, middles)
    assert all(are_apart(floating[0], toast) for toast in floating[1:])


@pytest.mark.parametrize("phone", [False, True])
def test_the_marks_of_a_tile_cover_no_tool_that_is_always_there(chrome: Browser, phone: bool):
    with shown(chrome, page_with(MARKED), phone=phone) as window:
        marks = boxes(window, ".kind-mark, .more-mark, .private-mark")
        tools = boxes(window, ".tool") if phone else []  # with a mouse marks give way to them
    together = [*marks, *tools]
    for number, one in enumerate(together):
        assert all(are_apart(one, other) for other in together[number + 1 :])


@pytest.mark.parametrize(
    ("said", "words"), [("", "Drawing"), ("tile-said", "Accepted, 3rd in the queue of Midjourney")]
)
def test_the_words_of_a_running_tile_are_whole_in_a_narrow_one(chrome: Browser, said: str, words: str):
    body = RUNNING.format(said=said, words=words)
    with shown(chrome, page_with(body), phone=True) as window:
        box, more, bar = (boxes(window, each)[0] for each in (".tile-box", ".tile-more", "progress"))
        state = boxes(window, ".tile-state")[0]
    assert more["bottom"] - more["top"] < 20, "on one line"
    assert are_apart(state, more)
    assert bar["bottom"] <= box["bottom"]
    assert more["right"] <= box["right"]


def test_the_words_of_a_running_tile_go_below_each_other_where_they_do_not_fit(chrome: Browser):
    body = RUNNING.format(said="", words="Drawing pictures")
    with shown(chrome, page_with(body), phone=True) as window:
        state, more = boxes(window, ".tile-state")[0], boxes(window, ".tile-more")[0]
        foot = boxes(window, ".tile-foot")[0]
    assert more["top"] >= state["bottom"], "not squeezed beside each other"
    assert state["bottom"] - state["top"] < 25, "on one line"
    assert state["left"] == more["left"] == foot["left"]


@pytest.mark.parametrize(
    ("count", "cost", "facts"),
    [
        (1, "3 credits held", ["3 credits held"]),
        (1, "3 credits", ["3 min ago", "3 credits"]),
        (1, "", ["3 min ago"]),
        (2, "6 credits held", ["Stable Image Core", "3 min ago", "6 credits held"]),
        (4, "12.5 credits held, 137.5 settled", ["3 min ago", "12.5 credits held, 137.5 settled"]),
    ],
)
def test_the_facts_of_a_batch_on_a_phone_are_whole_or_not_there(chrome: Browser, count, cost, facts):
    written = f"<span data-cost>{cost}</span>" if cost else "<span data-cost hidden></span>"
    with shown(chrome, page_with(FACTS.format(count=count, cost=written)), phone=True) as window:
        line = boxes(window, ".batch-meta")[0]
        seen = [
            each.inner_text()
            for each in window.locator(".batch-meta > span").all()
            if (box := each.bounding_box()) and box["y"] < line["bottom"]
        ]
        cut = window.locator(".batch-meta > span").evaluate_all(
            "all => all.filter((each) => each.scrollWidth > each.clientWidth).length"
        )
        right = max(box["right"] for box in boxes(window, ".batch-meta > span"))
    assert (seen, cut) == (facts, 0)
    assert right <= line["right"] + 0.5


@pytest.mark.parametrize(
    ("hidden", "words"),
    [
        ("hidden", "Waits: the provider is paused since 06:12"),
        ("", "Tries again in 11 s, 5 of 6 of the calls"),
    ],
)
def test_the_button_of_a_waiting_tile_covers_no_words(chrome: Browser, hidden: str, words: str):
    with shown(chrome, page_with(WAITING.format(hidden=hidden, words=words)), phone=True) as window:
        button, *texts = boxes(window, ".tile-cancel button") + boxes(window, ".tile-state, .tile-more")
        box = boxes(window, ".tile-box")[0]
    assert all(are_apart(button, text) for text in texts)
    assert all(text["bottom"] <= box["bottom"] for text in texts)


@pytest.mark.parametrize("phone", [False, True])
def test_pictures_are_compared_whole_however_tall_or_wide_they_are(chrome: Browser, phone: bool):
    pictures = {"tall": png((640, 1520)), "wide": png((1520, 640))}
    with shown(chrome, page_with(COMPARED), phone=phone, **pictures) as window:
        panes, images = boxes(window, ".compared-pane"), boxes(window, "img")
    for pane, image in zip(panes, images, strict=True):
        assert image["height"] <= pane["height"] + 0.5
        assert image["width"] <= pane["width"] + 0.5
    assert images[0]["width"] / images[0]["height"] == pytest.approx(640 / 1520, rel=0.02)
