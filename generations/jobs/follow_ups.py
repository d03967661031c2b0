"""The next steps that results offer: which there are, what one costs, and why one cannot be had."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from generations.jobs import model_access, pricing
from generations.jobs.models import Attempt, Outcome
from generations.library.models import Image
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Membership
from generations.teams.permissions import may

MAX_TITLE = 60  # letters of what a provider calls a step


@dataclass(frozen=True)
class NextStep:
    """A step that a result offers; `submission` makes that pressing its button twice orders once."""

    name: str
    title: str
    submission: uuid.UUID


@dataclass(frozen=True)
class FollowUps:
    """The next steps of a result. `price` of one is in hundredths of a credit, as shown at `prices_at`.

    `problem` is a sentence that says why none can be had now; "" if they can.
    """

    steps: list[NextStep]
    price: int
    prices_at: datetime
    problem: str = ""


def of_images(member: Membership, images: Collection[Image]) -> dict[uuid.UUID, FollowUps]:
    """Return the next steps by image, of those that offer any to the member.

    No query if none does, else three whatever their number. Nothing is offered to who may not generate.
    """
    offering = [image for image in images if image.actions]
    if not offering or not may(member, "generate"):
        return {}
    closed, now = model_access.closed_models(member), timezone.now()
    base, served = pricing.price_list(member.team, now), _served(offering)
    found = {}
    for image in offering:
        model = catalogue_registry.MODELS.get(image.model)
        price = pricing.of_model(model, image.parameters, base[model.name]) if model else 0
        problem = ""
        if image.pk not in served:
            problem = _("The provider account that made this is not in use any more: it alone can do that.")
        elif image.model in closed:
            problem = str(model_access.ModelNotAllowed(image.model))
        steps = [
            NextStep(str(action["name"]), str(action["title"])[:MAX_TITLE], uuid.uuid4())
            for action in image.actions
        ]
        found[image.pk] = FollowUps(steps, price, now, problem)
    return found


def _served(images: Collection[Image]) -> set[uuid.UUID]:
    """The images whose accounts are in use and serve their model still."""
    made_by = Attempt.objects.filter(
        generation__in=[image.generation for image in images], outcome=Outcome.OK
    ).select_related("upstream")
    accounts = {attempt.generation_id: attempt.upstream for attempt in made_by.order_by("number")}
    served = set()
    for image in images:
        account = accounts.get(image.generation) if image.generation else None
        if account and account.enabled and account.serves(image.model):
            served.add(image.pk)
    return served
