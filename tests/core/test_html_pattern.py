"""What is filled into a kept pattern is what the template itself would say."""

from __future__ import annotations

import uuid

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from generations.core.html_pattern import filled
from tests.markup import compact

TEXTS = ("a fox", "<b>", "100 % %(name)s", '"&', "{{ name }}", "")
TEMPLATES = {
    "library/gallery/side_collection.html": (
        ("is_shown", "is_private", "has_cover"),
        ("cover", "grid_url", "collection", "name", "size"),
    ),
    "library/bulk/collect_choice.html": (("is_private",), ("collection", "name")),
    "library/gallery/filters/choice.html": (("is_chosen",), ("name", "value", "title")),
    "library/gallery/filters/linked_choice.html": (("is_chosen",), ("grid_url", "query_string", "title")),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("template", TEMPLATES)
def test_a_filled_template_says_what_the_template_says(template, language):
    flags, names = TEMPLATES[template]
    with translation.override(language):
        for number in range(2 ** len(flags)):
            chosen = {flag: bool(number >> place & 1) for place, flag in enumerate(flags)}
            for text in TEXTS:
                values = chosen | {name: f"{text}{place}" for place, name in enumerate(names)}
                assert compact(filled(template, **values)) == compact(render_to_string(template, values))


def test_values_that_are_no_text_are_written_as_text():
    key = uuid.uuid4()
    assert f'value="{key}"' in filled(
        "library/bulk/collect_choice.html", is_private=False, collection=key, name="Boats"
    )
