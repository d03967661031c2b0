"""What members do to generations that ended without a picture: retry, undo a cancel."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import partial

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.jobs import events, model_access, pricing, submission, tasks
from generations.jobs.models import Batch, Generation, Status
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Membership, Token

UNDO_WITHIN = timedelta(seconds=60)  # in which a cancel of everything can be undone; pages offer it for less


class TooLateToUndo(Exception):
    """The time is over in which a cancel can be undone."""

    def __init__(self) -> None:
        super().__init__(_("It is too late to undo this. Each batch still offers to generate again."))


def undo_cancel(*, member: Membership, canceled_at: datetime) -> int:
    """Queue again what the member canceled at that moment, all of it or nothing; how many are queued again.

    It is a new request: credits are held anew, behind what the member has waiting by now, and it is checked
    as `retry_all` does. What was queued again before counts too, so a second press changes nothing. Raises
    TooLateToUndo after UNDO_WITHIN, and what `retry_all` raises.
    """
    if timezone.now() - canceled_at > UNDO_WITHIN:
        raise TooLateToUndo
    canceled = member.generations.filter(status=Status.CANCELED, ended_at=canceled_at)
    return len(retry_all(member=member, generations=list(canceled.values_list("pk", flat=True))))


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


@transaction.atomic
def retry_all(*, member: Membership, generations: Collection[uuid.UUID]) -> list[Generation]:
    """Retry all of these generations that ended without an image, or none; the new ones.

    Each counts against the cap of the token it was requested with. One that was retried before gives what
    that created; what has an image, has not ended, is erased or is not the member's is left out. Raises what
    `retry` raises, but not DoesNotExist.
    """
    ended = member.generations.exclude(status=Status.SUCCEEDED).filter(ended_at__isnull=False)
    chosen = ended.filter(pk__in=generations)
    # Locked, so that what they asked for is not erased meanwhile, nor retried by a second press.
    batches = Batch.objects.select_for_update(no_key=True).order_by("pk")
    locked = batches.in_bulk(list(chosen.order_by("batch").values_list("batch", flat=True).distinct()))
    rows = chosen.order_by("virtual_start", "pk").select_related("member__team", "token", "pinned_to")
    groups: dict[tuple[uuid.UUID, int | None], list[Generation]] = defaultdict(list)
    made: list[Generation] = []
    for row in rows.prefetch_related("retries"):
        if row.retries.all():
            made += row.retries.all()
            continue
        row.batch = locked[row.batch_id]
        if not row.is_erased:
            groups[row.batch_id, row.token_id].append(row)
    for (batch, _token), olds in groups.items():
        made += _requeue(locked[batch], olds, olds[0].token)
    if groups:
        transaction.on_commit(tasks.wake_after_commit)
        transaction.on_commit(partial(events.generations_requeued, member))
    return made


@transaction.atomic
def _retry(old: Generation, token: Token | None) -> Generation:
    # Locked, so that what it asked for is not erased meanwhile.
    batch = Batch.objects.select_for_update(no_key=True).get(pk=old.batch_id)
    old.parameters = Generation.objects.values_list("parameters", flat=True).get(pk=old.pk)
    old.batch = batch
    if old.is_erased:
        raise Generation.DoesNotExist
    [row] = _requeue(batch, [old], token)
    transaction.on_commit(tasks.wake_after_commit)
    return row


def _requeue(batch: Batch, olds: Sequence[Generation], token: Token | None) -> list[Generation]:
    """New rows for those of one batch, checked and priced as a new request; the batch is locked."""
    model_access.check(olds[0].member, batch.model, token)
    submission.check_served(batch.model)
    batch.member, batch.team = olds[0].member, olds[0].team
    declared, base = catalogue_registry.get(batch.model), pricing.base_price(batch.model, batch.team)
    rows, images = [], batch.inputs.count()
    for old in olds:
        price = pricing.of_model(declared, old.parameters, base, images=images)
        if price > old.price:  # the member was not shown this price
            raise pricing.RetryPriceRose(old.price, price)
        row = submission.new_row(batch, old.position, price, old.pinned_to)
        row.retry_of, row.parameters, row.token = old, old.parameters, token
        rows.append(row)
    submission.queue_rows(olds[0].member, rows)
    transaction.on_commit(partial(submission.log_submitted, rows))
    return rows
