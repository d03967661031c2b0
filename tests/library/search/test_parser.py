"""Parsing what is typed into the search field."""

from generations.library.search import parser as search_parser


def test_a_search_text_is_parsed_into_required_and_excluded_terms():
    parsed = search_parser.parse('fox "Red  Snow" -night -"old town" 狐狸 -')
    assert parsed.required == ["fox", "red", "snow", "狐", "狸", "狐狸"]
    assert parsed.phrases == ["red snow", "狐 狸"]
    assert (parsed.excluded, parsed.excluded_phrases) == (["night"], ["old town"])


def test_an_unclosed_quote_extends_to_the_end():
    assert search_parser.parse('"red fox').phrases == ["red fox"]
    assert search_parser.parse("“red fox”").phrases == ["red fox"]


def test_a_search_text_has_a_limited_number_of_terms():
    assert len(search_parser.parse(" ".join(f"w{n}" for n in range(200))).required) <= search_parser.MAX_TERMS
