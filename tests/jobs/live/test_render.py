"""Events for open pages are rendered with the state at the time of sending."""

import uuid

import pytest

from generations.core import redis_client
from generations.jobs import events, submission
from generations.jobs.live import render as live_render
from generations.jobs.models import Generation
from tests.conftest import work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent():
    """The events sent since, as changes and as rendered server-sent events."""
    events.flush()
    since = events.newest_id() or "0-0"

    def read():
        events.flush()
        entries = redis_client.client().xrange(events.STREAM, f"({since}")
        every = [live_render.Change.from_entry(*entry) for entry in entries]
        changes = [change for change in every if change.kind != events.ENDED]  # which is for no page
        return changes, [frame.decode() for _address, frame in live_render.render(changes)]

    return read


def test_a_tile_is_rendered_once_with_its_current_state(member, submit, upstream, sent):
    batch = submit()
    work()
    changes, frames = sent()
    assert [change.kind for change in changes] == ["batch", "tile", "tile"]  # made, claimed, stored
    assert {change.address for change in changes} == {(member.user_id, member.team_id)}
    row = batch.generations.get()
    [made, done] = frames
    assert f'id="batch-{batch.pk}"' in made
    assert 'data-status="succeeded"' in made
    assert done.index("event: wallet") < done.index(f"id: {changes[2].key.decode()}\nevent: tile")
    assert f'id="tile-{row.pk}"' in done
    assert 'data-available="9700"' in done


def test_queue_positions_are_sent_to_each_member_without_those_of_others(
    member, make_member, submit, upstream, sent
):
    submit(by=make_member("jonas"), prompt="a secret of Jonas")
    submit(prompt="mine")
    changes, frames = sent()
    assert [change.user == member.user_id for change in changes] == [False, True]
    assert "2nd in line" in frames[1]
    assert "secret" not in frames[1]


def test_a_cancel_updates_the_balance_on_the_page(member, submit, upstream, sent):
    row = submit().generations.get()
    submission.cancel(member=member, generation=row.pk)
    frames = sent()[1]
    assert 'data-status="canceled"' in frames[-1]
    assert 'data-available="10000"' in frames[-1]


def test_a_change_that_cannot_be_rendered_becomes_a_resync(member, submit, upstream, sent):
    submit()
    [made], _frames = sent()
    gone = live_render.Change(b"9-1", made.user, made.team, "tile", str(uuid.uuid4()))
    broken = live_render.Change(b"9-2", made.user, made.team, "tile", "no id at all")
    frames = [frame.decode() for _address, frame in live_render.render([gone, broken, made])]
    assert frames[:2] == ["id: 9-1\nevent: resync\ndata: \n\n", "id: 9-2\nevent: resync\ndata: \n\n"]
    assert frames[2].count("event: batch") == 1


def test_every_line_of_rendered_html_is_a_data_line_of_the_event():
    assert live_render.frame("tile", "<li>\n\r\none\u2028</li>") == (
        "event: tile\ndata: <li>\ndata: \ndata: one\u2028</li>\n\n".encode()
    )
    assert live_render.frame("wallet", "") == b"event: wallet\ndata: \n\n"


def test_no_page_events_are_sent_for_programs(member, submit, upstream, sent):
    batch = submit()
    sent()
    row = Generation.objects.select_related("member").get(batch=batch)
    row.member.user_id = None
    before = len(sent()[0])
    events.generation_changed(row)
    assert len(sent()[0]) == before


def test_ended_events_are_for_waiting_calls_and_not_for_pages(member, submit, upstream, sent):
    batch = submit()
    row = Generation.objects.select_related("member").get(batch=batch)
    row.member.user_id = None
    before = len(sent()[0])
    events.generation_ended(row)
    events.generations_canceled(row.member, [row.pk])
    assert len(sent()[0]) == before
    ends = [
        live_render.Change.from_entry(*entry)
        for entry in redis_client.client().xrevrange(events.STREAM, count=2)
    ]
    assert [(end.kind, end.address, end.data) for end in ends] == [("ended", (0, 0), str(row.pk))] * 2
