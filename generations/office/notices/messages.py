"""What a notice says, on a page and in a mail, and where its reader goes to do something about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from generations.credits.amounts import as_text
from generations.office.models import Notice, NoticeKind
from generations.teams.models import Team


@dataclass(frozen=True)
class Said:
    """A sentence, how it looks (`warn` or `bad`), and the page that helps."""

    words: str
    look: str
    link: str
    link_words: str


def said(notice: Notice) -> Said:
    """What the notice says; its team should come with it."""
    values, kind = notice.values, NoticeKind(notice.kind)
    if kind in {NoticeKind.UPSTREAM_PAUSED, NoticeKind.PROVIDER_LOW}:
        return paused(values) if kind == NoticeKind.UPSTREAM_PAUSED else _provider_low(values)
    team = notice.team
    assert team is not None
    return {
        NoticeKind.WALLET_LOW: _wallet_low,
        NoticeKind.CAP_REACHED: _cap_reached,
        NoticeKind.POOL_LOW: _pool_low,
    }[kind](values, team)


def subject(notice: Notice) -> str:
    """What a mail about it is called: one line, whatever names it holds."""
    about = notice.team.name if notice.team else str(notice.values.get("name", ""))
    titles = {
        NoticeKind.WALLET_LOW: _("Your credits are running low"),
        NoticeKind.CAP_REACHED: _("Your cap is reached"),
        NoticeKind.POOL_LOW: _("The pool is running low"),
        NoticeKind.UPSTREAM_PAUSED: _("A provider account is paused"),
        NoticeKind.PROVIDER_LOW: _("The balance at the provider is running low"),
    }
    return " ".join(f"[{about}] {titles[NoticeKind(notice.kind)]}".split())


def paused(values: Mapping[str, Any]) -> Said:
    """An account that is not called."""
    words = _("%(name)s is not called: %(reason)s") % {"name": values["name"], "reason": values["reason"]}
    return Said(words, "bad", reverse("queue:page"), _("Look at it"))


def _provider_low(values: Mapping[str, Any]) -> Said:
    left = number_format(Decimal(values["left"]), 2, use_l10n=True, force_grouping=True)
    words = _("%(name)s has %(left)s left at the provider.") % {"name": values["name"], "left": left}
    return Said(words, "warn", reverse("queue:page"), _("Look at it"))


def _wallet_low(values: Mapping[str, Any], team: Team) -> Said:
    words = _("Your credits are running low: %(left)s left.") % {"left": as_text(values["left"])}
    return Said(words, "warn", reverse("credits:lines", args=[team.slug]), _("See where they went"))


def _cap_reached(values: Mapping[str, Any], team: Team) -> Said:
    about = {"cap": as_text(values["cap"]), "when": _when(values["renews_at"], team)}
    words = (
        _("You have reached your cap of %(cap)s credits a day. It starts anew %(when)s.")
        if values["period"] == "day"
        else _("You have reached your cap of %(cap)s credits a month. It starts anew %(when)s.")
    )
    return Said(words % about, "warn", reverse("credits:lines", args=[team.slug]), _("See where they went"))


def _pool_low(values: Mapping[str, Any], team: Team) -> Said:
    about = {"team": team.name, "left": as_text(values["left"])}
    words = _("The pool of %(team)s is running low: %(left)s credits left.") % about
    return Said(words, "warn", reverse("office:overview", args=[team.slug]), _("See where they went"))


def _when(text: str, team: Team) -> str:
    """A moment as the team's clocks show it."""
    moment = parse_datetime(text)
    there = ZoneInfo(team.time_zone)
    return (
        _("on %(when)s") % {"when": date_format(moment.astimezone(there), "DATETIME_FORMAT")}
        if moment
        else ""
    )
