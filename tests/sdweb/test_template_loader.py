"""Pages come without the indentation of their templates; what is text stays as it is written."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from django.template import Context, Engine, RequestContext
from django.test.utils import override_script_prefix
from django.urls import NoReverseMatch, include, path, resolve
from django.utils import translation

from sdweb import template_loader
from tests.addresses import count_addresses

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
    libraries = {"i18n": "django.templatetags.i18n", "portal": "sdweb.templatetags.portal"}
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


SAID = """{% load i18n portal %}{% if wide %}<b>{% translate "Cancel" %}{% icon "x" %}</b>{% endif %}
{% translate "Cancel" as word %}{{ word }}{% for each in numbers %}{{ each }}{% endfor %}"""


@pytest.mark.parametrize("_time", [1, 2])
def test_what_is_said_to_everybody_follows_the_language(engine, tmp_path, _time):
    (tmp_path / "words.html").write_text(SAID)
    for language, word in (("en", "Cancel"), ("de", "Abbrechen"), ("en", "Cancel")):
        with translation.override(language):
            page = rendered(engine, "words.html", wide=True, numbers=[1, 2])
        assert page.startswith(f"<b>{word}<svg ")
        assert page.count(word) == 2
        assert page.endswith("2")


def test_what_everybody_is_told_is_one_node(engine, tmp_path):
    (tmp_path / "words.html").write_text(SAID)
    inner = engine.get_template("words.html").nodelist
    assert [type(node).__name__ for node in inner[1].conditions_nodelists[0][1]] == ["SameForAll"]


ADDRESSES = """{% url 'library:grid' team %} {% url 'library:grid' team as grid %}{{ grid }}
{% url 'no:page' as no %}{{ no }}"""


def test_each_team_has_its_own_addresses(engine, tmp_path):
    (tmp_path / "links.html").write_text(ADDRESSES)
    for team in ("one", "two", "one"):
        assert rendered(engine, "links.html", team=team).split() == [f"/t/{team}/library/"] * 2
    with pytest.raises(NoReverseMatch):
        engine.from_string("{% url 'no:page' %}").render(Context())


def test_an_address_is_looked_up_once(engine, tmp_path, monkeypatch):
    (tmp_path / "links.html").write_text("{% url 'library:grid' team %}")
    page = rendered(engine, "links.html", team="known")
    assert count_addresses(monkeypatch, lambda: rendered(engine, "links.html", team="known")) == 0
    assert page == "/t/known/library/"


def test_addresses_by_names_of_arguments_and_of_one_of_many_ids_are_not_kept(engine, tmp_path):
    (tmp_path / "links.html").write_text(
        "{% url 'library:grid' team=team %} {% url 'jobs:tile' team generation %}"
    )
    before = template_loader._address.cache_info().currsize
    for team in ("one", "two"):
        generation = uuid.uuid4()
        page = rendered(engine, "links.html", team=team, generation=generation)
        assert page == f"/t/{team}/library/ /t/{team}/generation/{generation}/tile/"
    assert template_loader._address.cache_info().currsize == before


def test_an_address_begins_where_the_portal_is_mounted_and_is_escaped(engine, tmp_path):
    (tmp_path / "links.html").write_text("{% url 'library:grid' team %}")
    (tmp_path / "said.txt").write_text("{% autoescape off %}{% url 'library:grid' team %}{% endautoescape %}")
    for prefix, html in (("/a&b/", "/a&amp;b/t/one/library/"), ("/", "/t/one/library/")):
        with override_script_prefix(prefix):
            assert rendered(engine, "links.html", team="one") == html
            assert rendered(engine, "said.txt", team="one") == f"{prefix}t/one/library/"


class TwiceMounted:
    """Addresses of one application at two places."""

    page = ([path("page/", lambda request: None, name="page")], "twice")
    urlpatterns = (path("left/", include(page, "left")), path("right/", include(page, "right")))


def test_an_address_is_in_the_application_that_the_page_is_of(engine, tmp_path, settings, rf):
    settings.ROOT_URLCONF = TwiceMounted
    (tmp_path / "links.html").write_text("{% url 'twice:page' %}")
    template = engine.get_template("links.html")
    for place in ("left", "right", "left"):
        request = rf.get("/")
        request.resolver_match = resolve(f"/{place}/page/")
        assert template.render(RequestContext(request)) == f"/{place}/page/"
