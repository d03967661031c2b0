"""This side of the queue: what a member may do to it. Submit, cancel, try again."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from uuid6 import uuid7

from generations.core.prepared_queries import Param, PreparedQuery
from generations.credits import ledger
from generations.jobs import events, model_access, pricing, tasks
from generations.jobs.models import STEP, Batch, Generation, Status
from generations.library.models import Upload
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Membership, Token
from generations.upstreams.models import Upstream

log = logging.getLogger(__name__)

_enabled = PreparedQuery(lambda: Upstream.objects.filter(enabled=True))


def _stamps() -> QuerySet[Membership, Any]:
    """Virtual time, and where a member's line ends; None for none.

    Virtual time is the largest stamp that was ever started in turn, not before its turn by an operator.
    """
    newest = Generation.objects.order_by("-stamp").values("stamp")
    started = newest.exclude(status__in=[Status.QUEUED, Status.CANCELED]).filter(priority=0)
    mine = newest.exclude(status=Status.CANCELED).filter(member=OuterRef("pk"))
    member = Membership.objects.filter(pk=Param("member"))
    return member.values_list(Subquery(started[:1]), Subquery(mine[:1]))


_places = PreparedQuery(_stamps)


class NoUpstream(Exception):
    """No provider account is set up for this model."""

    def __init__(self) -> None:
        super().__init__(_("No provider is set up for this model yet. Ask the operator of this portal."))


def submit(
    *,
    member: Membership,
    model: str,
    parameters: Mapping[str, Any],
    count: int,
    submission: uuid.UUID | None,
    prices_at: datetime | None,
    start_image: Upload | None = None,
    visibility: str = "",
    token: Token | None = None,
) -> Batch:
    """Record `count` generations, hold their price, and ring once all is committed.

    The same `submission` of the same member returns the batch that it made before; without one, and
    without `prices_at`, it is asked once and at today's price. `token` is the API token that asks.
    Raises InvalidParameters, ModelNotAllowed, NoUpstream, PriceRose, InsufficientCredits, CapReached
    and TokenCapReached; then nothing is recorded.
    """
    if submission and (made := Batch.objects.filter(member=member, submission=submission).first()):
        return made
    cleaned = catalogue_registry.validate(
        catalogue_registry.get(model), parameters, has_image=start_image is not None
    )
    model_access.check(member, model, token)
    _must_be_served(model)
    price = pricing.agreed_price(model, cleaned, member.team, prices_at)
    batch = Batch(
        team=member.team,
        member=member,
        submission=submission or uuid.uuid4(),
        model=model,
        parameters=cleaned,
        start_image=start_image,
        count=count,
        visibility=visibility or _usual_visibility(member),
        token=token,
    )
    try:
        return _record(batch, price)
    except IntegrityError:  # the same form arrived twice at once, and the other was first
        return Batch.objects.get(member=member, submission=batch.submission)


def cancel(*, member: Membership, generation: uuid.UUID) -> bool:
    """Cancel one of my generations while it waits; False if it no longer does."""
    row = member.generations.filter(pk=generation).first()
    return row is not None and _cancel(row)


@transaction.atomic
def cancel_all(*, member: Membership) -> int:
    """Cancel all of mine that wait, whatever their number in the same few queries; how many."""
    waiting = Generation.objects.filter(member=member, status=Status.QUEUED)
    mine = waiting.locked()
    if not mine:
        return 0
    Generation.objects.filter(pk__in=mine).update(status=Status.CANCELED, changed_at=Now(), ended_at=Now())
    Generation.objects.shift(Generation.objects.select_related("member").get(pk=mine[-1]), -len(mine))
    ledger.release_many(member=member, references=mine)
    transaction.on_commit(partial(events.many_canceled, member, mine))
    return len(mine)


def retry(*, member: Membership, generation: uuid.UUID, token: Token | None = None) -> Generation:
    """Ask for an ended image of mine once more: a new generation of the same batch, at today's price.

    It counts against the cap of the API token that asks, whichever the batch was asked for by.
    Raises Generation.DoesNotExist if it is not mine or not ended, DearerNow if it costs more than
    it did, and whatever `submit` raises.
    Asking twice gives the same new generation.
    """
    old = member.generations.exclude(status=Status.SUCCEEDED).get(pk=generation, ended_at__isnull=False)
    try:
        return old.retries.first() or _again(old, token)
    except IntegrityError:  # pressed twice at once, and the other was first
        return old.retries.get()


def _must_be_served(model: str) -> None:
    if not any(upstream.serves(model) for upstream in _enabled.all()):
        raise NoUpstream


def _usual_visibility(member: Membership) -> str:
    return member.user.default_visibility if member.user else "team"


@transaction.atomic
def _record(batch: Batch, price: int) -> Batch:
    batch.save(force_insert=True)
    rows = [_row(batch, position, price) for position in range(batch.count)]
    _queue(batch.member, rows)
    batch.made = rows
    transaction.on_commit(partial(events.batch_made, batch))
    transaction.on_commit(tasks.ring_once)  # whoever claims the first rings for the next
    transaction.on_commit(partial(_log_submitted, rows))
    return batch


def _row(batch: Batch, position: int, price: int) -> Generation:
    return Generation(
        id=uuid7(),
        batch=batch,
        team=batch.team,
        member=batch.member,
        position=position,
        model=batch.model,
        parameters=_numbered(batch, position),
        price=price,
        token=batch.token,
    )


def _numbered(batch: Batch, position: int) -> dict[str, Any]:
    """The request with the seed of this position: seed, seed + 1, ... and from the last back to 1."""
    parameters = dict(batch.parameters)
    if parameters.get("seed"):
        last = catalogue_registry.get(batch.model).largest_seed
        parameters["seed"] = (parameters["seed"] - 1 + position) % last + 1
    return parameters


def _queue(member: Membership, rows: list[Generation]) -> None:
    """Hold the price of new rows and give them their places in line. The wallet's lock orders both."""
    amounts = {row.pk: row.price for row in rows}
    ledger.hold_new(member=member, amounts=amounts, model=rows[0].model)
    model_access.check_cap(rows[0].token, sum(amounts.values()))
    step = rows[0].step
    [(clock, last_start)] = _places.rows(member=member.pk)
    stamp = max(clock or 0, -STEP + step if last_start is None else last_start + step)
    for place, row in enumerate(rows):
        row.stamp = stamp + place * step
    Generation.objects.bulk_create(rows)


@transaction.atomic
def _cancel(row: Generation) -> bool:
    if not Generation.objects.move(row.pk, fence=row.attempt, to=Status.CANCELED, ended_at=Now()):
        return False
    Generation.objects.shift(row, -1)
    ledger.release(reference=row.pk)
    transaction.on_commit(partial(events.generation_ended, row))
    return True


@transaction.atomic
def _again(old: Generation, token: Token | None) -> Generation:
    model_access.check(old.member, old.model, token)
    _must_be_served(old.model)
    price = pricing.price(old.model, old.parameters, old.team)
    if price > old.price:  # nobody was shown that
        raise pricing.DearerNow(old.price, price)
    row = _row(old.batch, old.position, price)
    row.retry_of, row.parameters, row.token = old, old.parameters, token
    _queue(old.member, [row])
    transaction.on_commit(tasks.ring_once)
    transaction.on_commit(partial(_log_submitted, [row]))
    return row


def _log_submitted(rows: list[Generation]) -> None:
    log.info("submitted", extra={"model": rows[0].model, "generations": [str(row.pk) for row in rows]})
