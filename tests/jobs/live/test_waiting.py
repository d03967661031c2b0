"""What a waiting tile says: its place, the next try, or that nobody is called."""

from __future__ import annotations

import html
import re
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from generations.jobs.engine import outcomes, queue_position
from generations.jobs.models import Generation
from generations.providers.base import Unavailable
from generations.upstreams import accounts
from generations.upstreams.models import Upstream
from tests.conftest import work
from tests.markup import compact

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def said(mei, address):
    """What each waiting tile of the stream says: its first and its second line."""

    def read() -> list[tuple[str, str]]:
        page = compact(mei.get(address("create/")).content.decode())
        found = re.findall(r"data-queue-position>([^<]*)</p><p[^>]*data-about>([^<]*)</p>", page)
        return [(html.unescape(first), html.unescape(second)) for first, second in found]

    return read


def test_a_picture_in_line_says_its_place_and_about_when(said, submit, upstream):
    submit(count=2)
    assert [line for line, _about in said()] == ["Next in line", "2nd in line"]
    assert all(about.startswith("about ") for _line, about in said())


def test_between_two_tries_a_picture_says_when_and_which(said, submit, upstream, provider):
    provider.plan("500")
    submit()
    work()
    [(line, reason)] = said()
    assert re.fullmatch(r"Tries again in [12] s, 2 of 6", line)
    assert reason == "The provider is having trouble (HTTP 500)."
    Generation.objects.update(not_before=timezone.now())
    assert said()[0][0] == "Next in line"


def test_an_answer_that_was_lost_is_tried_once_more(said, submit, upstream, provider):
    provider.plan("drop")
    submit()
    work()
    assert said()[0][0].endswith(", 2 of 2")


def test_the_error_of_a_server_is_never_called_busy(monkeypatch, mei, address, submit, upstream, provider):
    monkeypatch.setattr(outcomes, "_jitter", lambda seconds: 0.0)
    provider.plan(*["500"] * 6)
    submit()
    work()
    row = Generation.objects.get()
    assert row.status == "failed"
    for path in ("create/", f"generation/{row.pk}/"):
        page = html.unescape(mei.get(address(path)).content.decode())
        assert "Tried 6 times. The last answer was: The provider is having trouble (HTTP 500)." in page
        assert "busy" not in re.sub(r"<[^>]*>", "", page).lower()
    assert "Attempt 1: the provider's server failed (500)" in page


def test_nothing_is_promised_while_the_account_is_paused(said, mei, address, submit, upstream, team):
    submit(count=2)
    accounts.pause(upstream, Unavailable("The key was refused.", 401))
    upstream.refresh_from_db()
    team.time_zone = "Asia/Shanghai"
    team.save()
    words = {line for line, _ in said()}
    [line] = words
    moment = upstream.paused_at.astimezone(ZoneInfo(team.time_zone))
    assert line.startswith("Waits: the provider is paused since ")
    assert f"{moment:%M}" in line
    page = mei.get(address("create/")).content.decode()
    assert "in line" not in re.sub(r"<template.*?</template>", "", page, flags=re.DOTALL)
    assert {about for _, about in said()} == {"The operators know. Nothing is charged meanwhile."}
    [places] = queue_position.positions_by_user().values()
    assert {place["paused_since"] for place in places.values()} == {upstream.paused_at.isoformat()}


def test_a_paused_account_does_not_stop_what_another_serves(said, submit, upstream):
    upstream.models_served = ["core"]
    upstream.save()
    other = Upstream(name="other", base_url=upstream.base_url, models_served=["ultra"])
    other.set_key("sk-another")
    other.save()
    accounts.pause(other, Unavailable("The key was refused.", 401))
    submit(model="ultra")
    submit(model="core")
    core, ultra = said()
    assert core[1].startswith("about ")
    assert ultra[0].startswith("Waits: the provider is paused since ")
