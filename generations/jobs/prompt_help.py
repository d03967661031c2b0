"""Ask the prompt helper: what is offered at which price, and one call for each press.

Its price is held at the press and charged when the answer is stored; the page shows the price before.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.core.prepared_queries import Param, PreparedQuery
from generations.credits import ledger, periods
from generations.credits.amounts import as_text, in_credits
from generations.jobs import pricing, tasks
from generations.jobs.models import HelpStatus, HelpTask, PromptHelp
from generations.providers.catalogue.registry import PROMPT_HELPER
from generations.teams.models import Membership
from generations.upstreams import accounts
from generations.upstreams.models import Upstream

MAX_TEXT = 4_000  # characters of a prompt
MAX_UNFINISHED = 3  # of a member
SHOWN_FOR = timedelta(hours=1)  # after the press, on a page that is opened again
_latest = PreparedQuery(
    lambda: PromptHelp.objects.filter(member=Param("member"), created_at__gt=Param("since")).order_by(
        "-created_at"
    )[:1]
)


@dataclass(frozen=True)
class Offer:
    """What the helper costs, and what a member may spend on it in a day; hundredths of a credit."""

    price: int
    cap: int | None


class NoHelp(Exception):
    """The helper cannot be asked; the message tells the member why."""


def offer(enabled: Iterable[Upstream] | None = None) -> Offer | None:
    """What the account that is asked first offers; None if none has a chat model for prompts.

    One query, unless the enabled accounts were read.
    """
    first = next(iter(accounts.helping_with_prompts(enabled)), None)
    return Offer(first.helper_price, first.helper_cap) if first else None


def latest(member: Membership) -> PromptHelp | None:
    """The member's last call of this hour whose answer they have neither taken nor left; one query."""
    since = timezone.now() - SHOWN_FOR
    row = _latest.first(member=member.pk, since=since)
    return row if row and row.closed_at is None and row.text else None


def ask(*, member: Membership, task: str, text: str, submission: uuid.UUID, shown_price: int) -> PromptHelp:
    """Record a call, hold its price, and wake a worker; the call that this press has made before, if any.

    `shown_price` is what the page said, in hundredths of a credit. Raises NoHelp, PriceRose,
    InsufficientCredits, CapReached and MembershipEnded; then nothing is recorded.
    """
    if known := _of_press(member, submission):
        return known
    text = text.replace("\0", "\ufffd").strip()
    offered = _checked(task, text)
    if offered.price > shown_price:
        raise pricing.PriceRose(shown_price, offered.price)
    row = PromptHelp(
        team_id=member.team_id,
        member=member,
        submission=submission,
        task=task,
        text=text,
        price=offered.price,
    )
    try:
        _record(row, offered)
    except IntegrityError:  # the same press was sent twice at once, and the other request came first
        return PromptHelp.objects.get(member=member, submission=submission)
    return row


def close(*, member: Membership, pk: uuid.UUID) -> bool:
    """Show a finished call no more: its answer was taken or left. False if it is not the member's."""
    mine = PromptHelp.objects.filter(member=member, pk=pk, ended_at__isnull=False, closed_at=None)
    return mine.update(closed_at=timezone.now()) == 1


def _of_press(member: Membership, submission: uuid.UUID) -> PromptHelp | None:
    return PromptHelp.objects.filter(member=member, submission=submission).first()


def _checked(task: str, text: str) -> Offer:
    """What is offered, if it can be asked for this."""
    if task not in HelpTask.values:
        raise NoHelp(_("The prompt helper cannot do this."))
    if not text:
        raise NoHelp(_("Write a prompt first."))
    if len(text) > MAX_TEXT:
        raise NoHelp(_("The prompt helper takes prompts of up to %(most)d letters.") % {"most": MAX_TEXT})
    if (offered := offer()) is None:
        raise NoHelp(_("The prompt helper is away at the moment. Nothing is charged."))
    return offered


@transaction.atomic
def _record(row: PromptHelp, offered: Offer) -> None:
    """Hold the price, which locks the wallet, and add the row; limits are counted under that lock."""
    ledger.hold_new(member=row.member, amounts={row.pk: row.price}, model=PROMPT_HELPER)
    _check_limits(row.member, offered)
    row.save(force_insert=True)
    transaction.on_commit(tasks.wake_prompt_help)


def _check_limits(member: Membership, offered: Offer) -> None:
    mine = PromptHelp.objects.filter(member=member)
    if mine.unfinished().count() >= MAX_UNFINISHED:
        raise NoHelp(_("Wait for the answers that you have asked for."))
    if offered.cap is None:
        return
    begin = periods.begin(member.team, periods.today(member.team, timezone.now()))
    today = mine.filter(created_at__gte=begin).exclude(status=HelpStatus.FAILED)
    left = max(0, offered.cap - (today.aggregate(all=Sum("price"))["all"] or 0))
    if offered.price > left:
        text = _("The cap of the prompt helper is %(cap)s a day, and leaves you %(left)s.")
        raise NoHelp(text % {"cap": in_credits(offered.cap), "left": as_text(left)})
