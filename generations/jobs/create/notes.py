"""What Create says above its button before a press: whether pictures would wait, and what a cap leaves."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from generations.credits import caps
from generations.credits.caps import CapUsage
from generations.teams.models import Membership
from generations.upstreams import accounts
from generations.upstreams.models import Upstream

WORTH_SAYING = timedelta(seconds=15)  # that a provider asks us to wait; less is a pause between two calls


@dataclass(frozen=True)
class Notes:
    """Why pictures of the chosen model wait now ("" if they do not), and the member's tightest cap."""

    why_waiting: str
    cap: CapUsage | None

    @property
    def version(self) -> str:
        """A short text that changes with them."""
        left = (self.cap.name, self.cap.cap, self.cap.left) if self.cap else ()
        return hashlib.sha256(repr((self.why_waiting, left)).encode()).hexdigest()[:16]


def of_model(member: Membership, model: str, enabled: Sequence[Upstream] | None = None) -> Notes:
    """The notes of a member who has chosen this model, or none (""); `enabled` accounts if they were read."""
    return Notes(why_waiting(member, model, enabled), caps.tightest(member))


def why_waiting(member: Membership, model: str, enabled: Sequence[Upstream] | None = None) -> str:
    """Why pictures of the model wait now, as members read it; "" if an account takes them."""
    serving = [each for each in (accounts.enabled() if enabled is None else enabled) if each.serves(model)]
    if not serving or any(_is_open(each, model) for each in serving):
        return ""
    reason = _reason(serving, model, member.tzinfo)
    return " ".join((reason, _("Nothing is charged meanwhile.")))


def _is_open(upstream: Upstream, model: str) -> bool:
    is_stopped = upstream.paused_at or upstream.draining or upstream.is_closed(model)
    until = upstream.blocked_until_for(model)
    return not is_stopped and not (until and until > timezone.now() + WORTH_SAYING)


def _reason(serving: list[Upstream], model: str, zone: ZoneInfo) -> str:
    """What ends first is said: what the provider asked for, before what an operator must do."""
    running = [each for each in serving if not each.paused_at and not each.draining]
    blocked = [
        until for each in running if not each.is_closed(model) and (until := each.blocked_until_for(model))
    ]
    if blocked:
        until = min(blocked) + timedelta(minutes=1)  # it is written without seconds
        text = _("Pictures wait: the provider asked us to wait until %(time)s.")
        return text % {"time": _clock(until, zone)}
    if running:
        text = _("Pictures wait: the provider does not have this model now, and is asked again at %(time)s.")
        return text % {"time": _clock(min(each.closed_until(model) for each in running), zone)}
    if any(each.draining for each in serving):
        return _("Pictures wait: the provider takes no new ones at the moment, and the operators know.")
    since = max(each.paused_at for each in serving if each.paused_at)
    text = _("Pictures wait: the provider is paused since %(time)s, and the operators know.")
    return text % {"time": _clock(since, zone)}


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    """Hours and minutes, with the day unless it is today."""
    local = moment.astimezone(zone)
    is_today = local.date() == timezone.now().astimezone(zone).date()
    return date_format(local, "TIME_FORMAT" if is_today else "MONTH_DAY_TIME_FORMAT")
