"""The pages of the library: every image once, newest first, by days of the team's time zone."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from generations.library.models import Image
from generations.library.search import indexer


def grid(client, member, **query):
    return client.get(reverse("library:grid", args=[member.team.slug]), query)


def many(member, count):
    """Images without bytes, one a minute, some at the very same moment."""
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    made = Image.objects.bulk_create(
        Image(
            team=member.team,
            owner=member,
            generation=uuid.uuid4(),
            key="images/x.png",
            sha256="0" * 64,
            media_type="image/png",
            width=10,
            height=10,
            bytes=100,
            created_at=start + timedelta(minutes=number // 2),
        )
        for number in range(count)
    )
    indexer.refresh([image.pk for image in made])


def shown(answer):
    return [image for _day, images in answer.context["days"] for image in images]


def test_the_grid_shows_every_picture_once_newest_first(sign_in, member):
    many(member, 130)
    signed_in, pictures, before = sign_in(member), [], {}
    for expected in (60, 60, 10):
        answer = grid(signed_in, member, **before)
        assert len(shown(answer)) == expected
        pictures += shown(answer)
        before = {"before": str(answer.context["older"])}
    assert answer.context["older"] is None
    assert len({picture.pk for picture in pictures}) == 130
    moments = [(picture.created_at, picture.pk) for picture in pictures]
    assert moments == sorted(moments, reverse=True)


def test_days_are_those_of_the_teams_time_zone(sign_in, member):
    type(member.team).objects.update(time_zone="Pacific/Auckland")
    many(member, 3)  # noon in UTC is the next day's morning there
    answer = grid(sign_in(member), member)
    assert [(str(day), len(images)) for day, images in answer.context["days"]] == [("2026-03-02", 3)]


def test_an_older_page_does_not_repeat_the_heading_of_its_first_day(sign_in, member):
    many(member, 70)
    first = grid(sign_in(member), member)
    assert first.context["day_begun"] is None
    second = grid(sign_in(member), member, before=str(first.context["older"]))
    assert str(second.context["day_begun"]) == "2026-03-01"


def test_paging_continues_after_a_trashed_picture(sign_in, member):
    many(member, 70)
    older = grid(sign_in(member), member).context["older"]
    Image.objects.filter(pk=older).update(trashed_at=timezone.now())
    assert len(shown(grid(sign_in(member), member, before=str(older)))) == 10


def test_the_number_of_queries_does_not_grow_with_the_grid(sign_in, member):
    signed_in = sign_in(member)
    many(member, 1)
    grid(signed_in, member)
    with CaptureQueriesContext(connection) as for_one:
        grid(signed_in, member)
    many(member, 100)
    with CaptureQueriesContext(connection) as for_sixty:
        assert len(shown(grid(signed_in, member))) == 60
    assert len(for_sixty) == len(for_one)


def test_the_grid_shows_what_the_member_may_see(sign_in, member, teammate, stranger, make_image):
    make_image(visibility="private")
    shared = make_image()
    make_image(stranger)
    assert shown(grid(sign_in(teammate), teammate)) == [shared]
    assert len(shown(grid(sign_in(member), member))) == 2


@pytest.mark.parametrize("before", ["nonsense", str(uuid.UUID(int=7, version=4))])
def test_a_page_after_an_unknown_picture_is_not_found(sign_in, member, before):
    assert grid(sign_in(member), member, before=before).status_code == 404


def test_a_page_after_a_foreign_picture_is_not_found(sign_in, member, stranger, make_image):
    foreign = make_image(stranger)
    assert grid(sign_in(member), member, before=str(foreign.pk)).status_code == 404


def test_htmx_gets_only_the_next_page(sign_in, member):
    many(member, 70)
    whole = grid(sign_in(member), member)
    path = f"{reverse('library:grid', args=[member.team.slug])}?before={whole.context['older']}"
    part = sign_in(member).get(path, headers={"HX-Request": "true"})
    assert b"<html" in whole.content
    assert b"<html" not in part.content
    assert "HX-Request" in part["Vary"]
