"""Tiles of finished pictures are small and cost little, however many there are."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from generations.core.html_pattern import Pattern, mark
from generations.jobs.engine.queue_position import QueuePosition
from generations.jobs.live import feed, tiles
from generations.jobs.models import UNFINISHED, Attempt, Batch, Generation, Status
from generations.library.delivery import shown
from generations.library.models import Favourite, Image
from generations.teams.models import Membership
from tests.addresses import count_addresses
from tests.markup import compact

pytestmark = pytest.mark.django_db(transaction=True)

BYTES_OF_A_TILE = 1_300
HOSTILE = """100 % "><img src=x onerror=alert(1)> %(words)s {{ image.pk }} ' &"""


@pytest.fixture
def drawn(member: Membership):
    """Makes batches of finished pictures, which look different: drawn(batches=2, count=10)."""

    def make(*, batches: int = 1, count: int = 1, **of_image: object) -> list[Image]:
        asked = {"team": member.team, "member": member, "model": "core"}
        made = []
        for _ in range(batches):
            parameters = {"prompt": "a quiet harbour at dawn", "aspect_ratio": "16:9"}
            batch = Batch.objects.create(**asked, parameters=parameters, count=count, submission=uuid.uuid4())
            for position in range(count):
                row = Generation.objects.create(
                    **asked,
                    batch=batch,
                    position=position,
                    parameters=batch.parameters,
                    price=300,
                    virtual_start=0,
                    status=Status.SUCCEEDED,
                    ended_at=timezone.now(),
                )
                fields = {
                    "team": member.team,
                    "owner": member,
                    "generation": row.pk,
                    "batch": batch.pk,
                    "key": f"images/{row.pk}",
                    "sha256": "0" * 64,
                    "media_type": "image/png",
                    "width": 1344,
                    "height": 768,
                    "bytes": 1000,
                    "seed": 7,
                    "placeholder": "data:image/webp;base64," + "A" * 200,
                }
                made.append(Image.objects.create(**fields | of_image))
        return made

    return make


def context_of(member: Membership) -> dict[str, object]:
    [entry] = feed.page(member).shown
    return entry.tiles[0]


@pytest.mark.parametrize("path", ["create/", "stream/"])
def test_neither_queries_nor_addresses_grow_with_the_pictures(mei, address, drawn, monkeypatch, path):
    def cost() -> tuple[int, int]:
        mei.get(address(path))  # which renders what is rendered once
        with CaptureQueriesContext(connection) as queries:
            addresses = count_addresses(monkeypatch, lambda: mei.get(address(path)))
        assert mei.get(address(path)).content.count(b"tile tile-done") == Image.objects.count()
        return len(queries), addresses

    drawn(count=2)
    few = cost()
    for model in (Image, Generation, Batch):
        model.objects.all().delete()
    drawn(count=20)
    assert cost() == few


def test_a_tile_is_small(mei, address, drawn):
    page = address("stream/")
    drawn(count=2)
    two = len(mei.get(page).content)
    for model in (Image, Generation, Batch):
        model.objects.all().delete()
    drawn(count=10)
    assert (len(mei.get(page).content) - two) / 8 < BYTES_OF_A_TILE


LOOKS = {
    "as usual": {},
    "private": {"visibility": "private"},
    "without seed and placeholder": {"seed": None, "placeholder": ""},
    "a drawing": {"kind": "svg", "media_type": "image/svg+xml"},
    "moving": {"media_type": "image/gif", "is_animated": True},
    "tall": {"width": 400, "height": 900},
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("look", LOOKS)
def test_a_tile_says_what_its_template_says(member, drawn, look, language):
    drawn(**LOOKS[look])
    tile = context_of(member)
    picture = shown.thumbnail(tile["image"], member, "a session")
    image = tile["image"]
    with translation.override(language):
        by_template = render_to_string(
            "jobs/live/done_tile.html",
            tile
            | {
                "picture": picture,
                "ratio": shown.ratio_class(image.width, image.height),
                "words": tile["generation"].prompt,
            },
        )
        assert compact(tiles.html(tile, "a session")) == compact(by_template)


POSITIONS = {
    "none": None,
    "next": QueuePosition(1, 8),
    "third": QueuePosition(3, 95),
    "far": QueuePosition(900, 4_000),
    "again": QueuePosition(2, 9, "busy <b>%s</b>", retry_in=5, next_call=2, calls=6),
    "halted": QueuePosition(4, 9, "The operators know.", halted=True),
    "paused": QueuePosition(4, 9, halted=True, paused_since="2026-11-30T20:00:00+00:00"),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("place", POSITIONS)
def test_a_waiting_tile_says_what_its_template_says(member, submit, upstream, place, language):
    submit()
    tile = context_of(member) | {"queue_position": POSITIONS[place]}
    for token in ("", "a-token"):
        with translation.override(language):
            by_template = render_to_string("jobs/live/tile.html", tile | {"csrf_token": token})
            assert compact(tiles.html(tile, "", token)) == compact(by_template)
            assert ("a-token" in by_template) == bool(token)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("seconds", [3, 700])
@pytest.mark.parametrize("status", [Status.RUNNING, Status.STORING])
def test_a_running_tile_says_what_its_template_says(
    member, submit, upstream, status, seconds, language, monkeypatch
):
    submit()
    now = timezone.now()
    Generation.objects.update(status=status, claimed_at=now - timedelta(seconds=seconds))
    tile = context_of(member)
    monkeypatch.setattr(timezone, "now", lambda: now)
    with translation.override(language):
        by_template = render_to_string("jobs/live/tile.html", tile)
        assert compact(tiles.html(tile, "")) == compact(by_template)
        assert f'data-elapsed="{seconds}"' in compact(by_template)


@pytest.mark.parametrize("status", Status)
def test_a_tile_asks_for_itself_again_until_its_picture_has_ended(member, submit, upstream, status):
    submit()
    now = timezone.now()
    ended_at = None if status in UNFINISHED else now
    Generation.objects.update(status=status, claimed_at=now, ended_at=ended_at)
    tile = context_of(member)
    told = compact(tiles.html(tile, "") or render_to_string("jobs/live/tile.html", tile))
    row = tile["generation"]
    asks = f'hx-get="/t/{member.team.slug}/generation/{row.pk}/tile/" hx-trigger="every 30s"'
    assert (asks in told) == (status in UNFINISHED)
    begin = f'<li id="tile-{row.pk}" data-status="{status}" data-price="{row.price}"'
    assert told.startswith(begin)


def test_what_a_provider_says_of_a_task_is_left_to_the_template(member, submit, upstream):
    submit()
    tile = context_of(member)
    tile["generation"].status = Status.RUNNING
    assert tiles.html(tile, "")
    assert tiles.html(tile | {"task": Attempt(progress=40)}, "") is None


def test_a_heart_visibility_and_further_results_show_at_once(member, drawn):
    [image] = drawn()
    before = tiles.html(context_of(member), "")
    Favourite.objects.create(member=member, image=image)
    assert " data-liked" not in compact(before)
    assert " data-liked" in compact(tiles.html(context_of(member), ""))
    Image.objects.update(visibility="private")
    assert "private-mark" not in before
    assert "private-mark" in tiles.html(context_of(member), "")
    drawn_again = Image.objects.get()
    drawn_again.pk, drawn_again.position = uuid.uuid4(), 1
    drawn_again.save(force_insert=True)
    assert ">+1<" in tiles.html(context_of(member), "")


def test_words_of_a_prompt_are_words_and_nothing_else(member, drawn):
    drawn()
    tile = context_of(member)
    for prompt in (HOSTILE, str(mark("image")), "%s %(image)s"):
        tile["generation"].parameters = {"prompt": prompt}
        html = tiles.html(tile, "")
        assert "<img src=x" not in html
        assert f'data-image="{tile["image"].pk}"' in html
    assert 'alt="%s %(image)s"' in html


def test_a_pattern_escapes_what_is_filled_in():
    pattern = Pattern(f'<p\n  title="{mark("a")}"\n>\n  50 % of {mark("b")}\n</p>', ["a", "b"])
    filled = pattern.fill(a='"', b=f"<{mark('a')}>%(a)s")
    assert filled == f'<p\ntitle="&quot;">\n50 % of &lt;{mark("a")}&gt;%(a)s\n</p>'


def test_what_is_no_finished_picture_has_no_pattern(member, drawn):
    drawn()
    tile = context_of(member)
    assert tiles.html(tile, "")
    assert tiles.html(tile | {"image": None}, "") is None
    assert tiles.html(tile | {"follow_ups": object()}, "") is None
    tile["image"].kind = "text"
    assert tiles.html(tile, "") is None
