"""Parsing what is typed into the search field."""

from generations.library.search import parser as search_parser


def test_a_search_text_is_parsed_into_required_and_excluded_terms():
    parsed = search_parser.parse('fox "Red  Snow" -night -"old town" 狐狸 -')
    assert parsed.beginnings == ["fox"]
    assert parsed.required == ["red", "snow", "狐狸"]
    assert parsed.phrases == ["red snow", "狐 狸"]
    assert (parsed.excluded, parsed.excluded_phrases) == (["night"], ["old town"])
    assert parsed.exact == ["red snow", "狐狸"]
    assert parsed.without == ["night", "old town"]


def test_words_of_three_letters_are_beginnings_and_shorter_ones_whole():
    parsed = search_parser.parse("by the close-up 3D 1980")
    assert parsed.beginnings == ["the", "close", "1980"]
    assert parsed.required == ["by", "up", "3d"]


def test_the_index_is_not_asked_for_the_short_words_of_a_phrase_unless_it_has_no_others():
    assert search_parser.parse('"a fox in the 古老的 snow"').required == [
        "fox",
        "the",
        "snow",
        "古老",
        "老的",
    ]
    assert search_parser.parse('"as it is"').required == ["as", "it", "is"]
    assert search_parser.parse('"it" 狐').required == ["it", "狐"]


def test_a_text_without_letters_and_digits_is_empty():
    assert search_parser.parse("!!! - “”").is_empty
    assert not search_parser.parse("-fox").is_empty


def test_an_unclosed_quote_extends_to_the_end():
    assert search_parser.parse('"red fox').phrases == ["red fox"]
    assert search_parser.parse("“red fox”").phrases == ["red fox"]


def test_a_search_text_has_a_limited_number_of_terms():
    for words in (f"w{n}" for n in range(200)), (f"word{n}" for n in range(200)):
        parsed = search_parser.parse(" ".join(words))
        assert len(parsed.required) <= search_parser.MAX_TERMS
        assert len(parsed.beginnings) <= search_parser.MAX_TERMS
