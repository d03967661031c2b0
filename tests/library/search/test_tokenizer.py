"""Splitting texts into terms, in scripts with and without spaces."""

import pytest

from generations.library.search import tokenizer


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("A red-fox,  RUNNING\n", ["a", "red", "fox", "running"]),
        ("Café ＦＯＸ ﬁne İzmir Straße", ["cafe", "fox", "fine", "izmir", "strasse"]),
        ("fox_trot don't 3.5", ["fox", "trot", "don", "t", "3", "5"]),
        ("हिन्दी", ["हिन्दी"]),
        ("红色狐狸 fox", ["红", "色", "狐", "狸", "fox"]),
        ("ｶﾀ 한국 ไทย", ["カ", "タ", "한", "국", "ไ", "ท", "ย"]),
        ("🦊!", ["🦊"]),
        ("\0 \ud800 | ' \" \\ % & ( ) : * § ", []),
        ("x" * 500, ["x" * tokenizer.MAX_TERM_LENGTH]),
    ],
)
def test_a_text_is_split_into_terms(text, terms):
    assert tokenizer.terms(text) == terms


def test_adjacent_characters_without_spaces_make_bigrams():
    assert [tokenizer.bigrams(run) for run in tokenizer.runs("红狐狸 fox 犬")] == [["红狐", "狐狸"], [], []]
