"""The messages of notices, for pages and mails, with a link to the page where something can be done."""

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

from generations.credits.amounts import as_text, in_credits
from generations.office.models import CreditRequest, CreditRequestState, Notice, NoticeKind
from generations.teams.models import Team


@dataclass(frozen=True)
class NoticeMessage:
    """A sentence, its level (`warn` or `bad`), and a link to the page that helps."""

    text: str
    level: str
    url: str
    link_text: str


def message(notice: Notice) -> NoticeMessage:
    """Return the message of the notice. Load `team` with the notice."""
    values, kind = notice.values, NoticeKind(notice.kind)
    if kind in {NoticeKind.UPSTREAM_PAUSED, NoticeKind.PROVIDER_LOW}:
        return upstream_paused(values) if kind == NoticeKind.UPSTREAM_PAUSED else _provider_low(values)
    team = notice.team
    assert team is not None
    return {
        NoticeKind.WALLET_LOW: _wallet_low,
        NoticeKind.CAP_REACHED: _cap_reached,
        NoticeKind.POOL_LOW: _pool_low,
    }[kind](values, team)


def subject(kind: str, about: str) -> str:
    """Return the subject of a mail about a team or an account: a single line, whatever its name contains."""
    titles = {
        NoticeKind.WALLET_LOW: _("Your credits are running low"),
        NoticeKind.CAP_REACHED: _("Your cap is reached"),
        NoticeKind.CREDITS_ANSWERED: _("Your request for credits is answered"),
        NoticeKind.CREDITS_ASKED: _("Somebody asks for credits"),
        NoticeKind.POOL_LOW: _("The team credits are running low"),
        NoticeKind.UPSTREAM_PAUSED: _("A provider account is paused"),
        NoticeKind.PROVIDER_LOW: _("The balance at the provider is running low"),
    }
    return " ".join(f"[{about}] {titles[NoticeKind(kind)]}".split())


def credit_request(request: CreditRequest) -> NoticeMessage:
    """Return the message about a request for credits, or about its answer. Load the people with it."""
    slug = request.member.team.slug
    if request.state == CreditRequestState.OPEN:
        values = {"who": request.member, "credits": in_credits(request.amount), "note": request.note}
        with_note = _("%(who)s asks for %(credits)s: “%(note)s”")
        text = (with_note if request.note else _("%(who)s asks for %(credits)s.")) % values
        return NoticeMessage(text, "warn", reverse("office:overview", args=[slug]), _("Answer"))
    who = request.answered_by or _("Somebody")
    if request.state == CreditRequestState.GRANTED:
        text = _("%(who)s granted you %(credits)s.")
        text, level = text % {"who": who, "credits": in_credits(request.granted or 0)}, "ok"
    else:
        text = _("%(who)s did not grant the %(credits)s that you asked for.")
        text, level = text % {"who": who, "credits": in_credits(request.amount)}, "warn"
    if request.answer:
        text = _("%(text)s “%(answer)s”") % {"text": text, "answer": request.answer}
    return NoticeMessage(text, level, reverse("credits:lines", args=[slug]), _("See your credits"))


def upstream_paused(values: Mapping[str, Any]) -> NoticeMessage:
    """Return the message about a paused provider account."""
    text = _("%(name)s is not called: %(reason)s") % {"name": values["name"], "reason": values["reason"]}
    return NoticeMessage(text, "bad", reverse("queue:page"), _("Look at it"))


def _provider_low(values: Mapping[str, Any]) -> NoticeMessage:
    left = number_format(Decimal(values["left"]), 2, use_l10n=True, force_grouping=True)
    text = _("%(name)s has %(left)s left at the provider.") % {"name": values["name"], "left": left}
    return NoticeMessage(text, "warn", reverse("queue:page"), _("Look at it"))


def _wallet_low(values: Mapping[str, Any], team: Team) -> NoticeMessage:
    text = _("Your credits are running low: %(left)s left.") % {"left": as_text(values["left"])}
    return NoticeMessage(text, "warn", reverse("credits:lines", args=[team.slug]), _("See where they went"))


def _cap_reached(values: Mapping[str, Any], team: Team) -> NoticeMessage:
    values_text = {"cap": in_credits(values["cap"]), "when": _time_text(values["renews_at"], team)}
    text = (
        _("You have reached your cap of %(cap)s a day. It renews %(when)s.")
        if values["period"] == "day"
        else _("You have reached your cap of %(cap)s a month. It renews %(when)s.")
    )
    return NoticeMessage(
        text % values_text, "warn", reverse("credits:lines", args=[team.slug]), _("See where they went")
    )


def _pool_low(values: Mapping[str, Any], team: Team) -> NoticeMessage:
    values_text = {"team": team.name, "left": in_credits(values["left"])}
    text = _("The team credits of %(team)s are running low: %(left)s left.") % values_text
    return NoticeMessage(text, "warn", reverse("office:overview", args=[team.slug]), _("See where they went"))


def _time_text(text: str, team: Team) -> str:
    """Return a recorded time in the team's time zone."""
    time = parse_datetime(text)
    if time is None:
        return ""
    return _("on %(when)s") % {
        "when": date_format(time.astimezone(ZoneInfo(team.time_zone)), "DATETIME_ZONE_FORMAT")
    }
