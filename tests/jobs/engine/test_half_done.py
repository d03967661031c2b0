"""Half-done pictures: small ones in the tile of who asked for them, and of no consequence whatever comes."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from django.test import Client
from PIL import Image as Pillow

from generations.core import redis_client
from generations.credits.models import Transfer, TransferKind
from generations.jobs.engine import half_done
from generations.jobs.models import Attempt
from generations.library.models import Image
from generations.library.storage import client as storage_client
from generations.providers.base import Done
from generations.teams.models import Role
from generations.upstreams.models import Upstream
from tests.conftest import statuses, work
from tests.jobs.engine import test_tasks
from tests.jobs.engine.test_tasks import ACCEPTED, picture, png, poll_due
from tests.library.conftest import encoded, pixels

pytestmark = pytest.mark.django_db(transaction=True)
script, host = test_tasks.script, test_tasks.host


@pytest.fixture
def drawing(submit, script, host):
    """A batch whose task has a half-done picture at a host, each poll at another address."""
    Upstream.objects.update(private_results=True)
    host.plan = [(200, encoded(pixels((1_200, 800))))]
    batch = submit(count=1)
    work()
    script.polls = [under_way(host, f"{number}") for number in range(9)]
    return batch


def under_way(host, name):
    return replace(ACCEPTED, progress=45, half_done=f"{host.address}&name={name}")


def polled() -> None:
    """Poll, and wait until what that brings is shown."""
    poll_due()
    half_done.flush()


def time_passes(batch) -> None:
    """Let the interval pass in which no other picture of a task is fetched."""
    redis_client.client().delete(f"half-done:{batch.generations.get().pk}:turn")


def tile_of(batch, mei, address) -> str:
    return mei.get(address(f"generation/{batch.generations.get().pk}/tile/")).content.decode()


def shown(tile: str) -> str:
    """The address of the half-done picture in a tile; "" without one."""
    found = re.search(r'class="half-done"\s+src="([^"]+)"', tile)
    return found[1] if found else ""


def test_a_half_done_picture_stands_in_the_tile_with_its_percentage(drawing, host, upstream, mei, address):
    assert shown(tile_of(drawing, mei, address)) == ""
    polled()
    tile = tile_of(drawing, mei, address)
    assert "Half done" in tile
    assert "45 %" in tile
    assert host.address not in tile
    assert shown(mei.get(address("create/")).content.decode()) == shown(tile)
    answer = mei.get(shown(tile))
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/webp", "nosniff")
    with Pillow.open(io.BytesIO(answer.content)) as small:
        assert small.size == (400, 267)
    assert not any(upstream.key in str(headers) for headers in host.headers)


def test_it_is_no_result_costs_nothing_and_is_gone_with_the_task(drawing, script, mei, address):
    polled()
    source = shown(tile_of(drawing, mei, address))
    charges = Transfer.objects.filter(kind=TransferKind.CHARGE)
    assert (statuses(drawing), Image.objects.count(), charges.count()) == (["submitted"], 0, 0)
    script.polls = [Done((picture(),))]
    polled()
    assert statuses(drawing) == ["succeeded"]
    assert storage_client.read(Image.objects.get().key) == png()
    assert (shown(tile_of(drawing, mei, address)), mei.get(source).status_code) == ("", 404)


def test_nobody_else_sees_it(drawing, member, make_member, mei, address):
    polled()
    source = shown(tile_of(drawing, mei, address))
    stranger = Client()
    stranger.force_login(
        make_member("lin").user, backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    assert stranger.get(source).status_code == 404
    member.role = Role.VIEWER
    member.save()
    assert mei.get(source).status_code == 403
    assert shown(tile_of(drawing, mei, address)) == ""


def test_the_newest_is_shown_and_each_address_is_fetched_once_and_not_too_often(
    drawing, script, host, mei, address
):
    polled()
    polled()  # another address, too soon
    assert len(host.headers) == 1
    first = shown(tile_of(drawing, mei, address))
    host.plan = [(200, encoded(pixels((600, 600))))]
    time_passes(drawing)
    polled()
    second = shown(tile_of(drawing, mei, address))
    assert (len(host.headers), bool(second), first != second) == (2, True, True)
    script.polls = [under_way(host, "2")]
    time_passes(drawing)
    polled()  # the address of before
    assert (len(host.headers), shown(tile_of(drawing, mei, address))) == (2, second)


@pytest.mark.parametrize(
    "answer",
    [(403, b""), (500, b""), (200, b""), (200, b"no picture"), (200, encoded(pixels((64, 64)))[:90])],
)
def test_one_that_cannot_be_had_changes_nothing(drawing, script, host, mei, address, answer):
    host.plan = [answer]
    polled()
    attempt = Attempt.objects.get()
    assert (len(host.headers), shown(tile_of(drawing, mei, address))) == (1, "")
    assert (attempt.progress, attempt.failed_polls, statuses(drawing)) == (45, 0, ["submitted"])
    script.polls = [Done((picture(),))]
    polled()
    assert statuses(drawing) == ["succeeded"]


def test_no_address_leads_inside_where_results_may_not_come_from(drawing, host, mei, address):
    Upstream.objects.update(private_results=False)
    polled()
    assert (host.headers, shown(tile_of(drawing, mei, address))) == ([], "")
    assert Attempt.objects.get().progress == 45


def test_it_goes_by_itself_when_nothing_more_is_heard_of_the_task(drawing, mei, address):
    polled()
    key = f"half-done:{drawing.generations.get().pk}"
    kept = (key, f"{key}:addresses", f"{key}:turn")
    assert all(redis_client.client().ttl(name) > 0 for name in kept)
    redis_client.client().delete(key)
    assert shown(tile_of(drawing, mei, address)) == ""
