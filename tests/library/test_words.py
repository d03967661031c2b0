import pytest

from generations.library.search import parser as search_parser
from generations.library.search import tokenizer


@pytest.mark.parametrize(
    ("text", "tokens"),
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
def test_a_text_is_read_into_tokens(text, tokens):
    assert tokenizer.terms(text) == tokens


def test_neighbours_without_spaces_make_pairs():
    assert [tokenizer.bigrams(run) for run in tokenizer.runs("红狐狸 fox 犬")] == [["红狐", "狐狸"], [], []]


def test_a_question_is_read_into_what_must_and_what_must_not_be_there():
    parsed = search_parser.parse('fox "Red  Snow" -night -"old town" 狐狸 -')
    assert parsed.required == ["fox", "red", "snow", "狐", "狸", "狐狸"]
    assert parsed.phrases == ["red snow", "狐 狸"]
    assert (parsed.excluded, parsed.excluded_phrases) == (["night"], ["old town"])


def test_a_quote_that_is_not_closed_goes_to_the_end():
    assert search_parser.parse('"red fox').phrases == ["red fox"]
    assert search_parser.parse("“red fox”").phrases == ["red fox"]


def test_a_question_has_a_limit():
    assert len(search_parser.parse(" ".join(f"w{n}" for n in range(200))).required) <= search_parser.MAX_TERMS
