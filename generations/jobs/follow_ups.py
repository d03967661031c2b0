"""The next steps that results offer: which there are, what one costs, and why one cannot be had."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.translation import gettext as _

from generations.jobs import model_access, pricing
from generations.jobs.models import Attempt, Outcome
from generations.library.models import Image
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.model import NEXT_STEP, Model
from generations.teams.models import Membership
from generations.teams.permissions import may

MOST_ON_A_TILE = 9  # a grid has as many; of more a tile shows the first few
MAX_TITLE = 60  # letters of what a provider calls a step


@dataclass(frozen=True)
class NextStep:
    """A step that a result offers; `submission` makes that pressing its button twice orders once.

    `price` is in hundredths of a credit. `help` says what a short title means. A step with a `form` is
    ordered by this model's form, on the image.
    """

    name: str
    title: str
    price: int
    submission: uuid.UUID
    form: Model | None = None
    help: str = ""

    @property
    def form_query(self) -> str:
        """What the address of its form has behind the `?`."""
        return urlencode({"operation": self.form.operation, "model": self.form.name}) if self.form else ""


@dataclass(frozen=True)
class FollowUps:
    """The next steps of a result, with their prices as shown at `prices_at`.

    `problem` is a sentence that says why none can be had now; "" if they can.
    """

    steps: list[NextStep]
    prices_at: datetime
    problem: str = ""

    @property
    def are_many(self) -> bool:
        """Whether a tile shows only the first of them until all are asked for."""
        return len(self.steps) > MOST_ON_A_TILE

    @property
    def price(self) -> int | None:
        """What each of them costs; None if they differ."""
        prices = {step.price for step in self.steps}
        return prices.pop() if len(prices) == 1 else None


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
        problem = ""
        if image.pk not in served:
            problem = _("The provider account that made this is not in use any more: it alone can do that.")
        elif image.model in closed:
            problem = str(model_access.ModelNotAllowed(image.model))
        found[image.pk] = FollowUps(_steps(image, base, closed), now, problem)
    return found


def _steps(image: Image, base: Mapping[str, int], closed: Collection[str]) -> list[NextStep]:
    """The steps with their prices; those of a form that the member may not use are left out."""
    model, steps = catalogue_registry.MODELS.get(image.model), []
    for action in image.actions:
        name, title = str(action["name"]), str(action["title"])[:MAX_TITLE]
        form = catalogue_registry.continuing(image.model, name)
        if form is not None and form.name in closed:
            continue
        asked, parameters = (form, {}) if form else (model, image.parameters | {NEXT_STEP: name})
        price = pricing.of_model(asked, parameters, base[asked.name]) if asked else 0
        help_text = model.step_help.get(name) if model else None
        steps.append(NextStep(name, title, price, uuid.uuid4(), form, _(help_text) if help_text else ""))
    return steps


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
