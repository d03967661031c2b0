"""What is made of the words of a chat model, and how a change of a prompt is shown."""

from __future__ import annotations

import pytest

from generations.jobs.create import prompt_diff
from generations.jobs.engine.prompt_help_text import answers_of

LINES = "1. a fox at dawn\n2) a fox at night\n\n- a fox in fog\n4. one too many"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("  a fox  ", "a fox"),
        ('"a fox"', "a fox"),
        ("“a fox”", "a fox"),
        ("```text\na fox\n```", "a fox"),
        ("a fox\nat dawn", "a fox at dawn"),  # what was asked is one line
        ('a sign that says "open"', 'a sign that says "open"'),
        ('"a" and "b"', '"a" and "b"'),
        ("f" * 5_000, "f" * 4_000),
    ],
)
def test_one_prompt_is_read_without_what_is_around_it(text, answer):
    assert answers_of("english", "ein Fuchs", text) == [answer]


def test_line_breaks_stay_where_the_prompt_had_some():
    assert answers_of("richer", "a fox\nsnow", "a fox\n\n  snow, deep  ") == ["a fox\nsnow, deep"]


@pytest.mark.parametrize("text", ["", "  ", "```\n```", " a  fox ", '"a fox"'])
def test_what_says_nothing_new_is_no_answer(text):
    assert answers_of("richer", "a fox", text) == []


def test_variants_are_lines_without_numbers_each_once_and_three_at_most():
    assert answers_of("variants", "a fox", LINES) == ["a fox at dawn", "a fox at night", "a fox in fog"]
    assert answers_of("variants", "a fox", "a fox\na hen\na hen") == ["a hen"]
    assert answers_of("variants", "a fox", "3 foxes run\n2.5 meters of snow") == [
        "3 foxes run",
        "2.5 meters of snow",
    ]


def marked(pieces: list[prompt_diff.Piece]) -> str:
    return "".join(f"[{piece.text}]" if piece.is_changed else piece.text for piece in pieces)


def test_words_that_differ_are_marked_on_both_sides():
    change = prompt_diff.of("a red fox in snow", "a red fox in deep snow, at dawn")
    assert (marked(change.before), marked(change.after)) == (
        "a red fox in snow",
        "a red fox in [deep ]snow[, at dawn]",
    )


@pytest.mark.parametrize("after", ["a fox in the snow", "x " * 5_000])
def test_a_translation_or_a_long_text_is_shown_unmarked(after):
    change = prompt_diff.of("一只狐狸", after)
    assert not any(piece.is_changed for piece in (*change.before, *change.after))
    assert "".join(piece.text for piece in change.after) == after


def test_comparing_ends_soon_whatever_the_words_are():
    words = " ".join(f"w{number % 97}" for number in range(370))
    assert prompt_diff.of(words, " ".join(reversed(words.split()))).after
