"""What an operator does to the queue: whose turn it is, how heavy a member weighs, what is given up."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Min
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from generations.jobs.engine import persist
from generations.jobs.models import VIRTUAL_COST, Generation, GenerationQuerySet, Status
from generations.teams.models import Membership

IN_TURN, FIRST = 0, 1
HEAVIEST = 10
LOST = timedelta(seconds=60)  # without a lease: a worker that has the image takes one every 20 s


class WeightRefused(ValueError):
    """No weight that a member can have."""

    def __init__(self) -> None:
        super().__init__(_("A weight is a whole number from 1 to %(most)s.") % {"most": HEAVIEST})


def serve(member: Membership, *, first: bool) -> int:
    """Serve what the member has waiting before everybody else's, or in turn again; how many images."""
    waiting = Generation.objects.filter(member=member, status=Status.QUEUED)
    with transaction.atomic():
        waiting.lock_in_order()
        return waiting.update(priority=FIRST if first else IN_TURN)


@transaction.atomic
def set_weight(member: Membership, weight: int) -> None:
    """Give the member so many slots for one of the others', what waits included; WeightRefused if odd.

    The first that waits keeps its place, those behind it move closer together or further apart.
    """
    if not 1 <= weight <= HEAVIEST:
        raise WeightRefused
    waiting = Generation.objects.filter(member=member, status=Status.QUEUED)
    waiting.lock_in_order()
    first = waiting.aggregate(virtual_start=Min("virtual_start"))["virtual_start"]
    before = VIRTUAL_COST // Membership.objects.get(pk=member.pk).weight
    if first is not None:
        waiting.update(virtual_start=first + (F("virtual_start") - first) * (VIRTUAL_COST // weight) / before)
    Membership.objects.filter(pk=member.pk).update(weight=weight)


def lost() -> GenerationQuerySet:
    """Rows whose image was received, and whose worker has been silent since."""
    return Generation.objects.filter(status=Status.STORING, lease_until__lt=Now() - LOST)


def give_up(generation: uuid.UUID) -> bool:
    """End a row whose image is lost, not charged; False if somebody has it."""
    return lost().filter(pk=generation).exists() and persist.give_up(generation)
