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
    for expected in (40, 40, 40, 10):
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
    assert len(shown(grid(sign_in(member), member, before=str(older)))) == 30


def test_the_number_of_queries_does_not_grow_with_the_grid(sign_in, member):
    signed_in = sign_in(member)
    many(member, 1)
    grid(signed_in, member)
    with CaptureQueriesContext(connection) as for_one:
        grid(signed_in, member)
    many(member, 100)
    with CaptureQueriesContext(connection) as for_forty:
        assert len(shown(grid(signed_in, member))) == 40
    assert len(for_forty) == len(for_one)


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
    many(member, 130)
    whole = grid(sign_in(member), member)
    path = f"{reverse('library:grid', args=[member.team.slug])}?before={whole.context['older']}"
    part = sign_in(member).get(path, headers={"HX-Request": "true"})
    assert b"<html" in whole.content
    assert b"<html" not in part.content
    assert (len(shown(whole)), len(shown(part))) == (40, 60)  # what is on the screen soon, and more below it
    assert "HX-Request" in part["Vary"]


# The way back ------------------------------------------------------------------------


def pictures_of(member):
    """All of them, newest first."""
    return list(Image.objects.filter(team=member.team).order_by("-created_at", "-pk"))


def test_a_page_at_a_picture_has_it_with_those_before_and_after(sign_in, member):
    many(member, 200)
    every = pictures_of(member)
    answer = grid(sign_in(member), member, at=str(every[100].pk))
    assert shown(answer) == every[70:140]
    assert answer.context["earlier"] == every[70].pk
    assert answer.context["older"] == every[139].pk
    assert answer.context["first"] == every[0].pk  # from which new ones are counted


def test_a_page_at_one_of_the_first_pictures_begins_with_the_first(sign_in, member):
    many(member, 200)
    every = pictures_of(member)
    answer = grid(sign_in(member), member, at=str(every[30].pk))
    assert shown(answer) == every[:70]
    assert answer.context["earlier"] is None


def test_the_pictures_before_a_page_come_in_the_same_order_until_the_first(sign_in, member):
    many(member, 200)
    every, signed_in = pictures_of(member), sign_in(member)
    answer = grid(signed_in, member, at=str(every[150].pk))
    pictures = shown(answer)
    for expected in (40, 40, 40):
        answer = grid(signed_in, member, after=str(answer.context["earlier"]))
        assert len(shown(answer)) == expected
        assert answer.context["older"] is None
        pictures = shown(answer) + pictures
    assert pictures == every[:190]
    assert answer.context["earlier"] is None


def test_the_oldest_first_one_comes_back_too(sign_in, member):
    many(member, 200)
    every = pictures_of(member)[::-1]
    answer = grid(sign_in(member), member, at=str(every[100].pk), order="oldest")
    assert shown(answer) == every[70:140]
    before = grid(sign_in(member), member, after=str(answer.context["earlier"]), order="oldest")
    assert shown(before) == every[30:70]


def test_one_comes_back_to_where_a_trashed_picture_was_and_to_the_first_page_if_it_is_gone(sign_in, member):
    many(member, 200)
    every = pictures_of(member)
    Image.objects.filter(pk=every[100].pk).update(trashed_at=timezone.now())
    indexer.refresh([every[100].pk])
    answer = grid(sign_in(member), member, at=str(every[100].pk))
    assert shown(answer) == every[70:100] + every[101:141]
    for gone in (uuid.uuid4(), "nonsense"):
        assert shown(grid(sign_in(member), member, at=str(gone)))[0] == every[0]


def test_one_comes_back_to_a_picture_also_in_a_list_that_began_elsewhere(sign_in, member):
    many(member, 200)
    every, signed_in = pictures_of(member), sign_in(member)
    for beginning in ({"before": str(every[10].pk)}, {"after": str(every[199].pk)}):
        assert shown(grid(signed_in, member, at=str(every[100].pk), **beginning)) == every[70:140]


def test_nobody_comes_back_to_another_teams_picture(sign_in, member, stranger, make_image):
    foreign = make_image(stranger)
    many(member, 3)
    answer = grid(sign_in(member), member, at=str(foreign.pk))
    assert shown(answer) == pictures_of(member)
    assert grid(sign_in(member), member, after=str(foreign.pk)).status_code == 404
