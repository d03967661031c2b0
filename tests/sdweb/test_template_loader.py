"""Pages come without the indentation of their templates; what is text stays as it is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.template import Engine

LOADERS = [("sdweb.template_loader.Loader", ["django.template.loaders.filesystem.Loader"])]
SOURCE = """<p
  class="a{% if wide %}
    wide
  {% endif %}"
>
  {{ text }}

  {% include "inner.html" %}
</p>
"""


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    (tmp_path / "page.html").write_text(SOURCE)
    (tmp_path / "inner.html").write_text("<i>\n    in it\n</i>\n")
    (tmp_path / "mail.txt").write_text("Hello,\n\n    indented\n")
    libraries = {"i18n": "django.templatetags.i18n"}
    return Engine(dirs=[str(tmp_path)], loaders=LOADERS, libraries=libraries)


def rendered(engine: Engine, name: str, **values: object) -> str:
    return str(engine.render_to_string(name, values))


@pytest.mark.parametrize("_time", [1, 2])
def test_a_page_has_no_indentation_and_values_keep_their_spaces(engine, _time):
    page = rendered(engine, "page.html", text="one\n    two", wide=True)
    assert page == '<p\nclass="a\nwide\n"\n>\none\n    two\n<i>\nin it\n</i>\n\n</p>\n'


def test_text_that_is_no_page_stays(engine):
    assert rendered(engine, "mail.txt") == "Hello,\n\n    indented\n"


def test_what_is_translated_is_still_found_in_the_catalogue(engine, tmp_path):
    (tmp_path / "said.html").write_text("{% load i18n %}{% blocktranslate %}a\n    b{% endblocktranslate %}")
    assert rendered(engine, "said.html") == "a\n    b"
