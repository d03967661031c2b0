"""What members do to the queue: submit a batch, cancel. `retries.py` has what they do to what has ended."""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from uuid6 import uuid7

from generations.core.one_message import Asked, ask_together
from generations.core.prepared_queries import Param, PreparedQuery
from generations.core.prepared_writes import PreparedInsert
from generations.credits import ledger
from generations.jobs import events, model_access, next_steps, pricing, styles, tasks
from generations.jobs import inputs as job_inputs
from generations.jobs.inputs import NewInput
from generations.jobs.models import Batch, BatchInput, Generation, Status
from generations.library.models import Image
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.inputs import IMAGE
from generations.providers.catalogue.model import NEXT_STEP, Model
from generations.teams.models import Membership, Token
from generations.upstreams import accounts
from generations.upstreams.models import Upstream

log = logging.getLogger(__name__)

NO_CREDITS = (ledger.InsufficientCredits, ledger.CapReached, model_access.TokenCapReached)


def _virtual_times() -> QuerySet[Membership, Any]:
    """The current virtual time, and the last virtual start of a member; None where there is none.

    Virtual time is the largest virtual start that was ever claimed in turn, without an operator's priority.
    """
    newest = Generation.objects.order_by("-virtual_start").values("virtual_start")
    started = newest.exclude(status__in=[Status.QUEUED, Status.CANCELED]).filter(priority=0)
    mine = newest.exclude(status=Status.CANCELED).filter(member=OuterRef("pk"))
    member = Membership.objects.filter(pk=Param("member"))
    return member.values_list(Subquery(started[:1]), Subquery(mine[:1]))


_virtual_times_of = PreparedQuery(_virtual_times)
_known_batch = PreparedQuery(
    lambda: Batch.objects.filter(member=Param("member"), submission=Param("submission"))
)
_new_batch, _new_generations = PreparedInsert(Batch), PreparedInsert(Generation)


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
    inputs: Sequence[NewInput] = (),
    parent: Image | None = None,
    action: str = "",
    visibility: str = "",
    token: Token | None = None,
) -> Batch:
    """Create a batch of `count` generations, hold their price, and wake a worker after the commit.

    The same `submission` of the same member returns the batch that it created before; None always creates
    one. `prices_at` is when the member was shown the prices; None means the current price. `parent` is the
    image of the library that the request continues; `action` names the next step of it that is wanted, which
    only the account that made the parent can do; a style too is only drawn in by the account that made it.
    `token` is the API token of the request.
    Raises InvalidParameters, ModelNotAllowed, NoUpstream, PriceRose, InsufficientCredits, CapReached
    and TokenCapReached, and what `inputs.prepare` raises; then nothing is created.
    """
    if known := _batch_of(member, submission):
        return known
    declared = catalogue_registry.get(model)
    chosen = next_steps.offered(parent, model, action) if action else None
    if parent and chosen:
        cleaned = parent.parameters | {NEXT_STEP: chosen["name"]}
    else:
        cleaned = catalogue_registry.validate(declared, parameters, roles={each.role for each in inputs})
    pinned_to, price = _account_and_price(
        member, declared, cleaned, prices_at=prices_at, images=len(inputs), token=token
    )
    if inputs:  # their preparation is work, and leaves uploads behind
        _check_credits(member, price * count, submission, token)
    prepared = job_inputs.prepare(member, declared, inputs)
    if declared.continues and chosen is None:
        parent, chosen = next_steps.of_inputs(member, declared, prepared)
    if parent and chosen:
        pinned_to = _maker_of(parent, model)
    batch = Batch(
        team=member.team,
        member=member,
        submission=submission or uuid.uuid4(),
        model=model,
        parameters=cleaned,
        start_image=next((each.upload for each in prepared if each.role == IMAGE), None),
        parent=parent.pk if parent else _continued(prepared),
        action=chosen or {},
        count=count,
        visibility=visibility or member.default_visibility,
        token=token,
    )
    return _record_once(batch, price, prepared, pinned_to)


def check(
    *,
    member: Membership,
    model: str,
    parameters: Mapping[str, Any],
    roles: Collection[str],
    count: int,
    submission: uuid.UUID | None,
    prices_at: datetime | None,
    token: Token | None = None,
) -> None:
    """Raise what `submit` would raise whatever the images are, before these are stored or copied for it.

    `roles` are those that have an image. Nothing is held, so that `submit` still decides. A submission that
    has its batch passes.
    """
    if _batch_of(member, submission):
        return
    declared = catalogue_registry.get(model)
    cleaned = catalogue_registry.validate(declared, parameters, roles=roles)
    _account, price = _account_and_price(
        member, declared, cleaned, prices_at=prices_at, images=len(roles), token=token
    )
    _check_credits(member, price * count, submission, token)


def cancel(*, member: Membership, generation: uuid.UUID) -> bool:
    """Cancel a waiting generation of the member and release its hold; False if it does not wait."""
    row = member.generations.filter(pk=generation).first()
    return row is not None and _cancel(row)


@dataclass(frozen=True)
class Canceled:
    """How many generations were canceled at once, and when: the moment names them for `undo_cancel`."""

    count: int
    at: datetime


@transaction.atomic
def cancel_all(*, member: Membership) -> Canceled:
    """Cancel all waiting generations of the member, in a fixed number of queries."""
    waiting = Generation.objects.filter(member=member, status=Status.QUEUED)
    mine, now = waiting.lock_in_order(), timezone.now()
    if not mine:
        return Canceled(0, now)
    Generation.objects.filter(pk__in=mine).update(status=Status.CANCELED, changed_at=now, ended_at=now)
    Generation.objects.shift_behind(Generation.objects.select_related("member").get(pk=mine[-1]), -len(mine))
    ledger.release_many(member=member, references=mine)
    transaction.on_commit(partial(events.generations_canceled, member, mine))
    return Canceled(len(mine), now)


def _batch_of(member: Membership, submission: uuid.UUID | None) -> Batch | None:
    """The batch that this submission of the member has created before."""
    return _known_batch.first(member=member.pk, submission=submission) if submission else None


def _account_and_price(
    member: Membership,
    model: Model,
    parameters: Mapping[str, Any],
    *,
    prices_at: datetime | None,
    images: int,
    token: Token | None,
) -> tuple[Upstream | None, int]:
    """The only account that can do it, if a style says so, and the price; raises if the member may not."""
    model_access.check(member, model.name, token)
    check_served(model.name)
    account = styles.account_of(member, model, parameters)
    return account, pricing.agreed_price(model.name, parameters, member.team, prices_at, images=images)


def _check_credits(
    member: Membership, amount: int, submission: uuid.UUID | None, token: Token | None
) -> None:
    """Raise InsufficientCredits, CapReached or TokenCapReached if `amount` cannot be held now."""
    try:
        ledger.check(member=member, amount=amount)
        model_access.check_cap(token, amount)
    except NO_CREDITS:
        if not _batch_of(member, submission):  # else the same form, sent twice at once, has used them
            raise


def _continued(inputs: Sequence[NewInput]) -> uuid.UUID | None:
    """The image of the library that a request continues: the one it is about, or of several the first."""
    about = [each for each in inputs if each.role == IMAGE] or inputs
    return next((each.image for each in about if each.image), None)


def _maker_of(parent: Image, model: str) -> Upstream:
    """The account that made the image, which alone can do its next steps; NoUpstream if it is not in use."""
    account = next_steps.account_of(parent, model)
    if account is None:
        raise NoUpstream
    return account


def check_served(model: str) -> None:
    """Raise NoUpstream if no account in use serves the model."""
    if not any(upstream.serves(model) for upstream in accounts.enabled()):
        raise NoUpstream


def _record_once(batch: Batch, price: int, inputs: Sequence[NewInput], pinned_to: Upstream | None) -> Batch:
    """Record the batch, or return the one that its submission has created meanwhile."""
    try:
        return _record(batch, price, inputs, pinned_to)
    except (IntegrityError, *NO_CREDITS):
        # The same form, sent twice at once: the other request came first, and may have used the credits.
        if known := _batch_of(batch.member, batch.submission):
            return known
        raise


@transaction.atomic
def _record(batch: Batch, price: int, inputs: Sequence[NewInput], pinned_to: Upstream | None) -> Batch:
    rows = [new_row(batch, position, price, pinned_to) for position in range(batch.count)]
    queue_rows(batch.member, rows, *_new_batch.asked([batch]))
    batch.given = _add_inputs(batch, inputs) if inputs else ()
    batch.created = rows
    transaction.on_commit(partial(events.batch_created, batch))
    transaction.on_commit(tasks.wake_after_commit)  # one: each claim wakes further workers
    transaction.on_commit(partial(log_submitted, rows))
    return batch


def _add_inputs(batch: Batch, inputs: Sequence[NewInput]) -> list[BatchInput]:
    positions: Counter[str] = Counter()
    rows = []
    for each in inputs:
        position = positions[each.role]
        rows.append(
            BatchInput(batch=batch, role=each.role, position=position, upload=each.upload, image=each.image)
        )
        positions[each.role] += 1
    return BatchInput.objects.bulk_create(rows)


def new_row(batch: Batch, position: int, price: int, pinned_to: Upstream | None = None) -> Generation:
    """A generation of the batch, which is not in the database yet."""
    return Generation(
        id=uuid7(),
        batch=batch,
        team=batch.team,
        member=batch.member,
        position=position,
        model=batch.model,
        parameters=_parameters_at(batch, position),
        price=price,
        token=batch.token,
        pinned_to=pinned_to,
    )


def _parameters_at(batch: Batch, position: int) -> dict[str, Any]:
    """The batch's parameters with the seed of this position: seed, seed + 1, ...; after the largest, 1."""
    parameters = dict(batch.parameters)
    if parameters.get("seed"):
        last = catalogue_registry.get(batch.model).largest_seed
        parameters["seed"] = (parameters["seed"] - 1 + position) % last + 1
    return parameters


def queue_rows(member: Membership, rows: list[Generation], *before: Asked) -> None:
    """Hold the price of new rows, set their virtual starts and insert them, under the wallet's lock.

    Two messages: what is locked and read, and after all checks what is written, `before` first.
    """
    wallet, [times] = ledger.lock_for_hold(member, _virtual_times_of.asked_rows(member=member.pk))
    amounts = {row.pk: row.price for row in rows}
    holds = wallet.holding(amounts, rows[0].model)
    model_access.check_cap(rows[0].token, sum(amounts.values()))
    _set_virtual_starts(rows, *times[0])
    ask_together([*before, *holds, *_new_generations.asked(rows)])


def _set_virtual_starts(rows: list[Generation], virtual_time: int | None, last_start: int | None) -> None:
    """Behind the member's own last generation, and not before the current virtual time."""
    cost, now = rows[0].virtual_cost, virtual_time or 0
    first = now if last_start is None else max(now, last_start + cost)
    for index, row in enumerate(rows):
        row.virtual_start = first + index * cost


@transaction.atomic
def _cancel(row: Generation) -> bool:
    if not Generation.objects.move(row.pk, fence=row.attempt, to=Status.CANCELED, ended_at=Now()):
        return False
    Generation.objects.shift_behind(row, -1)
    ledger.release(reference=row.pk)
    transaction.on_commit(partial(events.generation_ended, row))
    return True


def log_submitted(rows: list[Generation]) -> None:
    """Log the ids of new generations."""
    log.info("submitted", extra={"model": rows[0].model, "generations": [str(row.pk) for row in rows]})
