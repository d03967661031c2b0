"""The history of a generation as steps: waited, called, waited again, stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from generations.jobs.engine import member_reasons
from generations.jobs.models import Attempt, Generation, Outcome, Status

LOOKS = {Outcome.OK: "done", Outcome.REFUSED: "bad", Outcome.FILTERED: "bad"}


@dataclass(frozen=True)
class Step:
    """One line: its look (waiting, busy, bad, done), what happened, from when, and for how long."""

    look: str
    text: str
    at: datetime
    seconds: float | None = None
    not_charged: bool = False
    why: str = ""


def timeline(row: Generation, attempts: Sequence[Attempt]) -> list[Step]:
    """The steps of a generation, oldest first."""
    steps = []
    free_since = row.created_at
    for attempt in attempts:
        steps.append(_waited(free_since, attempt))
        steps.append(_called(attempt, row.model))
        free_since = attempt.ended_at or attempt.started_at
    return [*steps, *_end(row, attempts)]


def _waited(since: datetime, attempt: Attempt) -> Step:
    seconds = max((attempt.started_at - since).total_seconds(), 0)
    text = _("Waited in the queue") if attempt.number == 1 else _("Waited for the provider")
    return Step("waiting", text, since, seconds)


def _called(attempt: Attempt, model: str) -> Step:
    outcome = attempt.outcome_text or _("drawing now")
    status = f" ({attempt.status_code})" if attempt.status_code and attempt.outcome != Outcome.OK else ""
    if attempt.expires_at and attempt.outcome != Outcome.ACCEPTED:  # a task that has ended
        text = _("Attempt %(number)d: accepted, then %(outcome)s")
    else:
        text = _("Attempt %(number)d: %(outcome)s")
    text %= {"number": attempt.number, "outcome": outcome}
    drawn = attempt.outcome in ("", Outcome.OK, Outcome.ACCEPTED)
    return Step(
        LOOKS.get(Outcome(attempt.outcome), "busy") if attempt.outcome else "waiting",
        text + status,
        attempt.started_at,
        attempt.seconds,
        not_charged=not drawn,
        why=member_reasons.with_titles(member_reasons.of_attempt(attempt), model),
    )


def _under_way(row: Generation, attempts: Sequence[Attempt]) -> list[Step]:
    if row.status == Status.SUBMITTED and attempts:
        return [_at_the_provider(attempts[-1], row.changed_at)]
    return [Step("busy", _("Being stored"), row.changed_at)] if row.status == Status.STORING else []


def _at_the_provider(attempt: Attempt, since: datetime) -> Step:
    """How a task is: what the provider says of it, how far it is, and whether it answers at all."""
    text = attempt.message or _("In progress at the provider")
    if attempt.progress is not None:
        text = _("%(what)s: %(percent)d %%") % {"what": text, "percent": attempt.progress}
    why = _("The provider did not answer the last time; it is asked again.") if attempt.failed_polls else ""
    return Step("busy", text, since, why=why)


def _end(row: Generation, attempts: Sequence[Attempt]) -> list[Step]:
    if row.status == Status.QUEUED and attempts:
        return [Step("waiting", _("Waits for the next attempt"), row.changed_at)]
    if row.status == Status.QUEUED:
        return [Step("waiting", _("Waits in the queue"), row.created_at)]
    if row.ended_at is None:
        return _under_way(row, attempts)
    if row.status == Status.SUCCEEDED:
        return [Step("done", _("Stored in the library"), row.ended_at)]
    if row.status == Status.CANCELED:
        return [Step("waiting", _("Canceled, not charged"), row.ended_at)]
    why = member_reasons.as_shown(row)
    return [Step("bad", _("Ended without a picture"), row.ended_at, not_charged=True, why=why)]
