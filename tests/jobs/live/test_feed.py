"""The batches of the stream have what is theirs, read for all of them at once."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generations.jobs import inputs as job_inputs
from generations.jobs.live import feed
from generations.jobs.models import Batch, BatchInput, Generation, Status
from generations.library.models import Favourite, Image, Upload
from generations.office.members import service as members_service
from generations.teams.models import Membership, Role, Visibility

pytestmark = pytest.mark.django_db(transaction=True)

FILE = {"sha256": "0" * 64, "media_type": "image/png", "width": 64, "height": 64, "bytes": 100}


def uploaded(member: Membership) -> Upload:
    return Upload.objects.create(
        team=member.team, owner=member, key=f"uploads/{uuid.uuid4()}", **FILE | {"sha256": uuid.uuid4().hex}
    )


def drawn(row: Generation, by: Membership, **more: Any) -> Image:
    """The picture of a generation."""
    now = timezone.now()
    Generation.objects.filter(pk=row.pk).update(status=Status.SUCCEEDED, ended_at=now)
    return Image.objects.create(
        team=by.team, owner=by, generation=row.pk, key=f"images/{uuid.uuid4()}", **FILE | more
    )


def test_each_batch_has_its_own_generations_and_inputs_in_a_fixed_number_of_queries(member, submit, upstream):
    def add(count: int) -> None:
        batch = submit(count=count)
        for position in range(count):
            BatchInput.objects.create(batch=batch, role="image", position=position, upload=uploaded(member))

    def read() -> tuple[int, list[tuple[feed.FeedEntry, list[uuid.UUID]]]]:
        feed.page(member)  # which compiles its queries
        with CaptureQueriesContext(connection) as queries:
            shown = feed.page(member).shown
            assert not any(tile["generation"].is_erased for entry in shown for tile in entry.tiles)
            uploads = [[each.upload.pk for each in job_inputs.shown(entry.batch)] for entry in shown]
        return len(queries), list(zip(shown, uploads, strict=True))

    add(1)
    few, _entries = read()
    for count in (3, 2, 4, 1):
        add(count)
    many, entries = read()
    assert (many, len(entries)) == (few, 5)
    for entry, uploads in entries:
        expected = Batch.objects.get(pk=entry.batch.pk)
        rows = expected.generations.order_by("position")
        assert [tile["generation"] for tile in entry.tiles] == list(rows)
        assert all(tile["generation"].batch is entry.batch for tile in entry.tiles)
        assert uploads == [each.upload_id for each in expected.inputs.all()]


@pytest.mark.parametrize("role", Role)
def test_the_stream_shows_what_the_member_may_see_alone(member, make_member, submit, upstream, role):
    stranger, colleague = (
        make_member("eve", team=members_service.create_team("Elsewhere")),
        make_member("lin"),
    )
    private = Visibility.PRIVATE
    rows = [submit().generations.get() for _ in range(4)]
    drawn(rows[0], member)
    drawn(rows[1], member, visibility=private)
    drawn(rows[2], colleague, visibility=private)
    drawn(rows[3], stranger)
    Membership.objects.filter(pk=member.pk).update(role=role)
    member.refresh_from_db()
    seen = [entry.tiles[0]["generation"].pk for entry in feed.page(member).shown if entry.tiles[0]["image"]]
    expected = [rows[0].pk] if role == Role.VIEWER else [rows[1].pk, rows[0].pk]
    assert seen == expected


def test_a_heart_is_ones_own(member, make_member, submit, upstream):
    batch = submit(count=2)
    mine, hers = (drawn(row, member) for row in batch.generations.order_by("position"))
    Favourite.objects.create(member=member, image=mine)
    Favourite.objects.create(member=make_member("lin"), image=hers)
    [entry] = feed.page(member).shown
    assert [tile["is_favourite"] for tile in entry.tiles] == [True, False]


def test_tiles_stay_in_order_however_their_rows_lie_in_the_database(member, submit, upstream):
    batch = submit(count=4)
    for row in batch.generations.order_by("-position"):  # PostgreSQL writes a changed row anew, at the end
        Generation.objects.filter(pk=row.pk).update(virtual_start=row.virtual_start + 1)
    [entry] = feed.entries_of(member, [feed.batches().get()])
    assert [tile["generation"].position for tile in entry.tiles] == [0, 1, 2, 3]


def test_what_is_submitted_later_is_shown_by_the_next_look(member, submit, upstream):
    submit(prompt="one")
    assert len(feed.page(member).shown) == 1
    submit(prompt="two", count=2)
    shown = feed.page(member).shown
    assert [[tile["generation"].prompt for tile in entry.tiles] for entry in shown] == [
        ["two", "two"],
        ["one"],
    ]
    assert render_to_string("jobs/live/tile.html", shown[0].tiles[0])
