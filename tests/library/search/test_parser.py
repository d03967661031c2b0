"""Parsing what is typed into the search field."""

from generations.library.search import parser as search_parser


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
