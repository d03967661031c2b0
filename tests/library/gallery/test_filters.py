"""A filter by values of a fixed list is declared once: search, chip and page follow from it."""

from dataclasses import dataclass, field

import pytest
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from generations.api.v1.schemas.library import ImageSearch
from generations.library.models import Origin
from generations.library.search import address as search_address
from generations.library.search import engine as search_engine
from generations.library.search import indexer
from generations.library.search import terms as search_terms
from generations.library.search.filters import ChoiceFilter
from generations.library.search.query import Search
from tests.library.conftest import address
from tests.markup import compact


@dataclass(frozen=True)
class SearchByOrigin(Search):
    """The library's search with one filter more."""

    origin: tuple[str, ...] = field(
        default=(),
        metadata={
            "filter": ChoiceFilter(
                "origin",
                gettext_lazy("Origin"),
                titles=lambda: {value: str(title) for value, title in Origin.choices},
                value_of=lambda image: image.origin,
                term=search_terms.origin,
            )
        },
    )


@pytest.fixture
def _with_origin(monkeypatch):
    monkeypatch.setattr(search_address, "Search", SearchByOrigin)


def test_a_declared_filter_finds_the_images_with_its_values(member, enter):
    generated, uploaded, imported = (enter(origin=origin)[0] for origin in Origin.values)
    for query, expected in {
        "origin=uploaded": {uploaded},
        "origin=uploaded&origin=imported": {uploaded, imported},
        "origin=nonsense": {generated, uploaded, imported},
    }.items():
        search = SearchByOrigin.from_query(QueryDict(query))
        assert set(search_engine.page(member, search, size=9)) == expected, query


@pytest.mark.usefixtures("_with_origin")
def test_a_declared_filter_has_a_chip_on_the_page_without_a_template_of_its_own(sign_in, member, enter):
    enter(origin="uploaded")
    response = sign_in(member).get(address("grid", member), {"origin": "uploaded", "q": ""})
    chip = response.context["chips"]["origin"]
    assert (chip.title, chip.chosen, chip.without) == ("Origin", "Uploaded", "")
    content = compact(response.content.decode())
    assert '<input type="checkbox" name="origin" value="uploaded" checked>' in content
    assert '<input type="checkbox" name="origin" value="imported">' in content


def test_a_declared_filter_puts_its_terms_into_the_index(member, enter):
    (image,) = enter(model="ultra")
    document = indexer.build_document(image).split()
    for each in Search.declared():
        assert set(each.document_terms(image)) <= set(document), each.parameter
    assert {"§multra", "§h3x2", f"§o{member.pk}"} <= set(document)


def test_terms_of_filters_in_another_order_are_no_reason_to_build_an_entry_again(member, enter):
    (image,) = enter(prompt="red fox", model="ultra", seed=7)
    entry = image.entry
    words = [term for term in entry.document.split() if not term.startswith("§")]
    terms = [term for term in entry.document.split() if term.startswith("§")]
    entry.document = " ".join([*words[:-1], *reversed(terms), words[-1]])
    entry.save()
    assert indexer.outdated([image.pk]) == []
    entry.document = entry.document.replace("red fox", "fox red")
    entry.save()
    assert indexer.outdated([image.pk]) == [image.pk]


def test_the_apis_document_names_every_filter():
    """`ImageSearch` describes the parameters that `Search` parses: the same names, the same kinds."""
    declared = {each.parameter: isinstance(each.default, tuple) for each in Search.declared()}
    described = {name: field.annotation == list[str] for name, field in ImageSearch.model_fields.items()}
    assert described == declared
