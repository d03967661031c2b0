"""Pictures of the grid are small and cost little, however many there are."""

from __future__ import annotations

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from generations.library.delivery import shown
from generations.library.gallery import tiles
from generations.library.models import Image
from generations.library.organise import service as organise_service
from tests.addresses import count_addresses
from tests.library.conftest import address
from tests.markup import compact

BYTES_OF_A_PICTURE = 1_600
LOOKS = {
    "as usual": {},
    "private": {"visibility": "private"},
    "without a placeholder": {"placeholder": ""},
    "a drawing": {"kind": "svg", "media_type": "image/svg+xml"},
    "moving": {"media_type": "image/gif", "is_animated": True},
    "tall": {"width": 400, "height": 900},
}


@pytest.fixture
def page(sign_in, member):
    """The part of the grid, as a script asks for it."""
    client = sign_in(member)
    return lambda: client.get(address("grid", member), headers={"HX-Request": "true"}).content


def test_neither_queries_nor_addresses_nor_much_is_added_by_a_picture(page, member, make_image, monkeypatch):
    def cost():
        page()  # which renders what is rendered once
        with CaptureQueriesContext(connection) as queries:
            addresses = count_addresses(monkeypatch, page)
        return len(queries), addresses

    for _ in range(2):
        make_image(member)
    Image.objects.update(placeholder="data:image/webp;base64," + "A" * 200)
    few, bytes_of_two = cost(), len(page())
    for _ in range(8):
        make_image(member)
    Image.objects.update(placeholder="data:image/webp;base64," + "A" * 200)
    assert cost() == few
    assert (len(page()) - bytes_of_two) / 8 < BYTES_OF_A_PICTURE


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("query", ["", "q=a+%25+b&liked=1"])
@pytest.mark.parametrize("look", LOOKS)
def test_a_picture_says_what_its_template_says(member, make_image, look, query, language):
    image = make_image(member)
    for name, value in LOOKS[look].items():
        setattr(image, name, value)
    with translation.override(language):
        by_template = render_to_string(
            tiles.TEMPLATE,
            {
                "image": image,
                "member": member,
                "picture": shown.thumbnail(image, member, "a session"),
                "ratio": shown.ratio_class(image.width, image.height),
                "words": shown.alternative_text(image.prompt),
                "query": query,
                "is_liked": True,
            },
        )
        drawn = tiles.html(image, member, "a session", is_liked=True, query=query)
    assert compact(drawn) == compact(by_template)


def test_a_heart_and_what_is_private_show_at_once(page, member, make_image):
    image = make_image(member)
    before = compact(page().decode())
    assert '<span class="heart" hidden>' in before
    assert "private-mark" not in before
    organise_service.like(member=member, images=[image.pk])
    Image.objects.update(visibility="private")
    after = compact(page().decode())
    assert '<span class="heart">' in after
    assert "private-mark" in after


def test_words_are_words_and_nothing_else(member, make_image):
    image = make_image(member)
    image.prompt = '"><img src=x onerror=alert(1)> %(image)s'
    html = tiles.html(image, member, "", is_liked=False, query='"><b>')
    assert "<img src=x" not in html
    assert "<b>" not in html
    assert 'alt="&quot;&gt;&lt;img src=x onerror=alert(1)&gt; %(image)s"' in html
