"""What Create says before a press: that pictures would wait, and what a cap leaves."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from generations.jobs.create import notes
from generations.teams.models import Membership, Role
from generations.upstreams.models import Upstream
from tests import sandboxes

pytestmark = pytest.mark.django_db


def away(**fields: Any) -> None:
    Upstream.objects.update(**fields)


def second_account(upstream: Upstream, **fields: Any) -> Upstream:
    row = Upstream(name="second", base_url=upstream.base_url, **fields)
    row.set_key(sandboxes.KEY)
    row.save()
    return row


def in_minutes(minutes: int) -> datetime:
    return timezone.now() + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"paused_at": datetime(2020, 5, 4, 6, 12, tzinfo=UTC)},
            "paused since 4 May, 06:12, and the oper",
        ),
        ({"draining": True}, "takes no new ones at the moment, and the operators know."),
        ({"blocked_until": datetime(2100, 5, 4, 6, 12, tzinfo=UTC)}, "to wait until 4 May, 06:13."),
        (
            {"closed_models": {"core": {"until": "2100-05-04T06:12:00+00:00", "reason": "x"}}},
            "does not have this model now, and is asked again at 4 May, 06:12.",
        ),
    ],
    ids=["paused", "draining", "asked to wait", "without the model"],
)
def test_each_way_to_be_away_has_its_words(member, upstream, fields, words):
    member.team.time_zone = "UTC"
    assert notes.why_waiting(member, "core") == ""
    away(**fields)
    said = notes.why_waiting(member, "core")
    assert said.startswith("Pictures wait: the provider ")
    assert words in said
    assert said.endswith(" Nothing is charged meanwhile.")


def test_times_are_those_of_the_team(member, upstream):
    member.team.time_zone = "Asia/Shanghai"
    away(paused_at=datetime(2020, 5, 4, 20, 12, tzinfo=UTC))
    assert "since 5 May, 04:12" in notes.why_waiting(member, "core")


def test_one_account_that_takes_the_model_is_enough(member, upstream):
    away(paused_at=timezone.now())
    other = second_account(upstream, models_served=["core"])
    assert notes.why_waiting(member, "core") == ""
    assert "paused" in notes.why_waiting(member, "ultra")
    Upstream.objects.filter(pk=other.pk).update(blocked_until=in_minutes(9))
    assert "asked us to wait" in notes.why_waiting(member, "core")  # what ends first
    Upstream.objects.filter(pk=other.pk).update(blocked_until=timezone.now() + timedelta(seconds=3))
    assert notes.why_waiting(member, "core") == ""
    Upstream.objects.filter(pk=other.pk).update(enabled=False)
    assert "paused" in notes.why_waiting(member, "core")


def test_an_open_page_is_answered_only_if_something_changed(mei, address, upstream, member):
    page = mei.get(address("create/")).content.decode()
    shown = re.search(r'name="shown_notes"\s+value="(\w+)"', page)[1]
    ask = lambda: mei.get(address(f"form-notes/?model=core&shown_notes={shown}"))  # noqa: E731
    assert ask().status_code == 204
    away(paused_at=timezone.now())
    assert "paused since" in ask().content.decode()
    away(paused_at=None)
    assert ask().status_code == 204
    Membership.objects.filter(pk=member.pk).update(cap_per_day=10_00)
    assert 'data-left="1000"' in ask().content.decode()


def test_an_operator_gets_a_way_to_the_account(mei, address, upstream, member):
    away(paused_at=timezone.now())
    assert "/queue/" not in mei.get(address("form-notes/?model=core")).content.decode()
    member.user.is_staff = True
    member.user.save()
    assert "/queue/" in mei.get(address("form-notes/?model=core")).content.decode()


def test_an_unknown_model_and_a_viewer(mei, address, upstream, member):
    away(paused_at=timezone.now())
    assert "Pictures wait" not in mei.get(address("form-notes/?model=nonsense")).content.decode()
    Membership.objects.filter(pk=member.pk).update(role=Role.VIEWER)
    assert mei.get(address("form-notes/?model=core")).status_code == 403
