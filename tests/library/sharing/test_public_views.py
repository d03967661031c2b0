"""Public pages of share links: what they show, and which visits they count."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generations.library.images import service as images_service
from generations.library.models import Share
from generations.library.sharing import service as sharing_service
from generations.library.sharing.service import Lifetime, Options
from tests.library.conftest import decoded, encoded, pixels
from tests.library.share_links import PERSON, answers, collect, every_address, path_of
from tests.markup import compact

# What a link shows ------------------------------------------------------------


def test_a_link_shows_the_image_without_an_account(visitor, member, make_image):
    image = make_image()
    share = sharing_service.share_image(member=member, image=image.pk)
    assert answers(visitor, share, image) == {200}
    page = visitor.get(path_of(share)).content.decode()
    assert path_of(share, image.pk, "original") in page
    assert decoded(visitor.get(path_of(share, image.pk, "small")).content).format == "WEBP"


def test_the_url_of_a_link_is_stored_nowhere_and_can_be_computed_again(member, make_image):
    share = sharing_service.share_image(member=member, image=make_image().pk)
    link = sharing_service.share_url(Share.objects.get())
    assert link == sharing_service.share_url(share)
    assert link.startswith("http://")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM library_share")
        row = str(cursor.fetchall())
    _id, seal = sharing_service.token(share.pk).split("-")
    assert seal not in row
    assert len(seal) >= 20


def test_a_link_by_default_lasts_a_week_and_hides_the_prompt(member, make_image):
    image, now = make_image(), timezone.now()
    share = sharing_service.share_image(member=member, image=image.pk)
    assert timedelta(days=7) <= share.expires_at - now < timedelta(days=7, minutes=1)
    assert not share.shows_prompt
    days = {
        lifetime: sharing_service.share_image(
            member=member, image=image.pk, options=Options(lifetime)
        ).expires_at
        for lifetime in Lifetime
    }
    assert days.pop(Lifetime.NEVER) is None
    assert [(end - now).days for end in days.values()] == [1, 7, 30]


def test_a_link_shows_the_one_image_and_no_other(visitor, member, make_image):
    image, other = make_image(), make_image()
    share = sharing_service.share_image(member=member, image=image.pk)
    for path in every_address(share, other)[1:]:
        assert visitor.get(path).status_code == 404


def test_a_collection_shows_what_its_links_maker_may_see(
    visitor, member, teammate, stranger, make_image, collection
):
    shared, mine = make_image(teammate), make_image(visibility="private")
    theirs, trashed = make_image(teammate, visibility="private"), make_image()
    foreign = make_image(stranger)
    collect(collection, shared, mine, theirs, trashed, foreign)
    images_service.trash(member=member, images=[trashed.pk])
    share = sharing_service.share_collection(member=member, collection=collection.pk)
    assert set(sharing_service.visible_images(share)) == {shared, mine}
    page = visitor.get(path_of(share)).content.decode()
    assert "Spring" in page
    assert {image for image in (shared, mine, theirs, trashed, foreign) if str(image.pk) in page} == {
        shared,
        mine,
    }
    assert answers(visitor, share, mine) == {200}
    for hidden in (theirs, trashed, foreign):
        assert {visitor.get(path).status_code for path in every_address(share, hidden)[1:]} == {404}
    by_lin = sharing_service.share_collection(member=teammate, collection=collection.pk)
    assert set(sharing_service.visible_images(by_lin)) == {shared, theirs}


def test_a_collection_has_pages(visitor, member, make_image, collection, monkeypatch):
    monkeypatch.setattr("generations.library.sharing.public_views.PAGE_SIZE", 2)
    data = encoded(pixels((64, 64)))
    images = [make_image(data=data) for _ in range(5)]
    collect(collection, *images)
    share = sharing_service.share_collection(member=member, collection=collection.pk)
    seen, path = [], path_of(share)
    while path:
        answer = visitor.get(path, headers=PERSON | {"HX-Request": "true"} if seen else PERSON)
        page = compact(answer.content.decode())
        assert ("<html" in page) == (not seen)
        seen += re.findall(r'class="picture" href="/s/[^/]+/([-0-9a-f]+)/"', page)
        found = re.search(r'<a class="button" href="([^"]+after=[^"]+)"', page)
        path = found and found[1]
    assert seen == [str(image.pk) for image in reversed(images)]
    middle = compact(visitor.get(f"{path_of(share, images[2].pk)}/").content.decode())
    assert f'rel="prev" href="{path_of(share, images[3].pk)}/"' in middle
    assert f'rel="next" href="{path_of(share, images[1].pk)}/"' in middle
    assert visitor.get(f"{path_of(share)}?after=nonsense").status_code == 404
    assert visitor.get(f"{path_of(share)}?after=%00").status_code == 404


def test_an_empty_collection_says_so(visitor, member, collection):
    share = sharing_service.share_collection(member=member, collection=collection.pk)
    answer = visitor.get(path_of(share))
    assert answer.status_code == 200
    assert "No pictures here yet" in answer.content.decode()


def test_the_number_of_queries_does_not_grow_with_the_collection(visitor, member, make_image, collection):
    data = encoded(pixels((64, 64)))
    collect(collection, make_image(data=data))
    share = sharing_service.share_collection(member=member, collection=collection.pk)
    visitor.get(path_of(share))
    with CaptureQueriesContext(connection) as for_one:
        visitor.get(path_of(share))
    collect(collection, *[make_image(data=data) for _ in range(20)])
    with CaptureQueriesContext(connection) as for_many:
        visitor.get(path_of(share))
    assert len(for_many) == len(for_one)


# Counting ------------------------------------------------------------


def views(share):
    return Share.objects.get(pk=share.pk).views


def test_a_visit_of_a_person_is_counted_once(visitor, member, make_image):
    image = make_image()
    share = sharing_service.share_image(member=member, image=image.pk)
    assert Share.objects.get().viewed_at is None
    visitor.get(path_of(share))
    assert views(share) == 1
    assert timezone.now() - Share.objects.get().viewed_at < timedelta(minutes=1)
    for path in every_address(share, image)[1:5]:
        visitor.get(path)
    visitor.head(path_of(share))
    assert views(share) == 1
    visitor.get(path_of(share))
    assert views(share) == 2


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"User-Agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"},
        {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
        {"User-Agent": "facebookexternalhit/1.1"},
        {"User-Agent": "WhatsApp/2.23"},
        {"User-Agent": "curl/8.5.0"},
        PERSON | {"Sec-Purpose": "prefetch;prerender"},
        PERSON | {"Sec-Fetch-Site": "same-origin"},  # leafing within the link
        PERSON | {"HX-Request": "true"},  # scrolling
    ],
)
def test_bots_and_further_pages_are_not_counted(member, make_image, headers):
    share = sharing_service.share_image(member=member, image=make_image().pk)
    assert Client(headers=headers).get(path_of(share)).status_code == 200
    assert views(share) == 0
    Client(headers=PERSON | {"Sec-Fetch-Site": "cross-site"}).get(path_of(share))
    assert views(share) == 1


def test_a_visit_of_a_revoked_link_is_not_counted(visitor, member, make_image):
    share = sharing_service.share_image(member=member, image=make_image().pk)
    sharing_service.revoke(member=member, share=share.pk)
    visitor.get(path_of(share))
    assert views(share) == 0


def test_requests_are_limited_by_ip_address(visitor, member, make_image, settings):
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"share": "3/m/ip", "share_file": "2/m/ip"}
    image = make_image()
    share = sharing_service.share_image(member=member, image=image.pk)
    statuses = [visitor.get(path_of(share)).status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    answer = visitor.get(path_of(share))
    assert answer["Cache-Control"] == "no-store"
    assert answer.cookies == {}
    files = [visitor.get(path_of(share, image.pk, "original")).status_code for _ in range(3)]
    assert files == [200, 200, 429]
    assert visitor.get(path_of(share, image.pk, "small")).status_code == 200
    elsewhere = Client(headers=PERSON, REMOTE_ADDR="192.0.2.7")
    assert elsewhere.get(path_of(share)).status_code == 200


def test_a_forged_link_is_refused_before_anything_is_asked_of_the_database(visitor, member, make_image):
    image = make_image()
    share = sharing_service.share_image(member=member, image=image.pk)
    token = sharing_service.token(share.pk)
    forged = f"{token.split('-')[0]}-{'1' * 20}"
    for path in every_address(share, image):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert visitor.get(path.replace(token, forged)).status_code == 404
        assert [query["sql"] for query in queries] == [], path
