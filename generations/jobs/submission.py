"""What members do to the queue: submit a batch, cancel, retry."""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
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
from generations.jobs import inputs as job_inputs
from generations.jobs.inputs import NewInput
from generations.jobs.models import Attempt, Batch, BatchInput, Generation, Outcome, Status
from generations.library.models import Image
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.inputs import IMAGE
from generations.teams.models import Membership, Token
from generations.upstreams.models import Upstream

log = logging.getLogger(__name__)

_enabled = PreparedQuery(lambda: Upstream.objects.filter(enabled=True))


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
    only the account that made the parent can do. `token` is the API token of the request.
    Raises InvalidParameters, ModelNotAllowed, NoUpstream, PriceRose, InsufficientCredits, CapReached
    and TokenCapReached, and what `inputs.prepare` raises; then nothing is created.
    """
    if submission and (batch := Batch.objects.filter(member=member, submission=submission).first()):
        return batch
    declared = catalogue_registry.get(model)
    chosen = _action(parent, model, action) if action else None
    cleaned = (
        dict(parent.parameters)
        if parent and chosen
        else catalogue_registry.validate(declared, parameters, roles={each.role for each in inputs})
    )
    model_access.check(member, model, token)
    pinned_to = _account_of(parent, model) if parent and chosen else None
    _check_served(model)
    prepared = job_inputs.prepare(member, declared, inputs)
    price = pricing.agreed_price(model, cleaned, member.team, prices_at)
    batch = Batch(
        team=member.team,
        member=member,
        submission=submission or uuid.uuid4(),
        model=model,
        parameters=cleaned,
        start_image=next((each.upload for each in prepared if each.role == IMAGE), None),
        parent=parent.pk if parent else next((each.image for each in prepared if each.image), None),
        action=chosen or {},
        count=count,
        visibility=visibility or member.default_visibility,
        token=token,
    )
    try:
        return _record(batch, price, prepared, pinned_to)
    except IntegrityError:  # the same form was sent twice at once, and the other request came first
        return Batch.objects.get(member=member, submission=batch.submission)


def cancel(*, member: Membership, generation: uuid.UUID) -> bool:
    """Cancel a waiting generation of the member and release its hold; False if it does not wait."""
    row = member.generations.filter(pk=generation).first()
    return row is not None and _cancel(row)


@transaction.atomic
def cancel_all(*, member: Membership) -> int:
    """Cancel all waiting generations of the member, in a fixed number of queries; how many."""
    waiting = Generation.objects.filter(member=member, status=Status.QUEUED)
    mine = waiting.lock_in_order()
    if not mine:
        return 0
    Generation.objects.filter(pk__in=mine).update(status=Status.CANCELED, changed_at=Now(), ended_at=Now())
    Generation.objects.shift_behind(Generation.objects.select_related("member").get(pk=mine[-1]), -len(mine))
    ledger.release_many(member=member, references=mine)
    transaction.on_commit(partial(events.generations_canceled, member, mine))
    return len(mine)


def retry(*, member: Membership, generation: uuid.UUID, token: Token | None = None) -> Generation:
    """Create a new generation of the same batch for one that ended without an image, at the current price.

    It counts against the cap of `token`, whatever token the batch was requested with. Retrying twice returns
    the same new generation. Raises Generation.DoesNotExist if it is not the member's, not ended or erased,
    RetryPriceRose if it costs more than before, and what `submit` raises.
    """
    old = member.generations.exclude(status=Status.SUCCEEDED).get(pk=generation, ended_at__isnull=False)
    try:
        return old.retries.first() or _retry(old, token)
    except IntegrityError:  # retried twice at once, and the other request came first
        return old.retries.get()


def _check_served(model: str) -> None:
    if not any(upstream.serves(model) for upstream in _enabled.all()):
        raise NoUpstream


def _action(parent: Image | None, model: str, name: str) -> dict[str, Any]:
    """The next step of this name that the parent offers, as its provider described it."""
    offered = parent.actions if parent and parent.model == model else []
    for action in offered:
        if action["name"] == name:
            return dict(action)
    raise catalogue_registry.InvalidParameters({"action": _("This image does not offer this next step.")})


def _account_of(parent: Image, model: str) -> Upstream:
    """The account that made the parent; NoUpstream if it does not serve the model any more."""
    made_by = Attempt.objects.filter(generation=parent.generation, outcome=Outcome.OK)
    attempt = made_by.select_related("upstream").last()
    if attempt is None or not (attempt.upstream.enabled and attempt.upstream.serves(model)):
        raise NoUpstream
    return attempt.upstream


@transaction.atomic
def _record(
    batch: Batch, price: int, inputs: Sequence[NewInput] = (), pinned_to: Upstream | None = None
) -> Batch:
    batch.save(force_insert=True)
    if inputs:
        _add_inputs(batch, inputs)
    rows = [_row(batch, position, price, pinned_to) for position in range(batch.count)]
    _queue(batch.member, rows)
    batch.created = rows
    transaction.on_commit(partial(events.batch_created, batch))
    transaction.on_commit(tasks.wake_after_commit)  # one: each claim wakes further workers
    transaction.on_commit(partial(_log_submitted, rows))
    return batch


def _add_inputs(batch: Batch, inputs: Sequence[NewInput]) -> None:
    positions: Counter[str] = Counter()
    rows = []
    for each in inputs:
        position = positions[each.role]
        rows.append(
            BatchInput(batch=batch, role=each.role, position=position, upload=each.upload, image=each.image)
        )
        positions[each.role] += 1
    BatchInput.objects.bulk_create(rows)


def _row(batch: Batch, position: int, price: int, pinned_to: Upstream | None = None) -> Generation:
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


def _queue(member: Membership, rows: list[Generation]) -> None:
    """Hold the price of new rows, set their virtual starts and insert them, under the wallet's lock."""
    amounts = {row.pk: row.price for row in rows}
    ledger.hold_new(member=member, amounts=amounts, model=rows[0].model)
    model_access.check_cap(rows[0].token, sum(amounts.values()))
    cost = rows[0].virtual_cost
    [(virtual_time, last_start)] = _virtual_times_of.rows(member=member.pk)
    # Behind the member's own last generation, and not before the current virtual time.
    now = virtual_time or 0
    first = now if last_start is None else max(now, last_start + cost)
    for index, row in enumerate(rows):
        row.virtual_start = first + index * cost
    Generation.objects.bulk_create(rows)


@transaction.atomic
def _cancel(row: Generation) -> bool:
    if not Generation.objects.move(row.pk, fence=row.attempt, to=Status.CANCELED, ended_at=Now()):
        return False
    Generation.objects.shift_behind(row, -1)
    ledger.release(reference=row.pk)
    transaction.on_commit(partial(events.generation_ended, row))
    return True


@transaction.atomic
def _retry(old: Generation, token: Token | None) -> Generation:
    # Locked, so that what it asked for is not erased meanwhile.
    batch = Batch.objects.select_for_update(no_key=True).get(pk=old.batch_id)
    old.parameters = Generation.objects.values_list("parameters", flat=True).get(pk=old.pk)
    if not (batch.parameters and old.parameters):
        raise Generation.DoesNotExist
    model_access.check(old.member, old.model, token)
    _check_served(old.model)
    price = pricing.price(old.model, old.parameters, old.team)
    if price > old.price:  # the member was not shown this price
        raise pricing.RetryPriceRose(old.price, price)
    row = _row(batch, old.position, price, old.pinned_to)
    row.retry_of, row.parameters, row.token = old, old.parameters, token
    _queue(old.member, [row])
    transaction.on_commit(tasks.wake_after_commit)
    transaction.on_commit(partial(_log_submitted, [row]))
    return row


def _log_submitted(rows: list[Generation]) -> None:
    log.info("submitted", extra={"model": rows[0].model, "generations": [str(row.pk) for row in rows]})
