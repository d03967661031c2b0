"""The next step of a result that a request asks for, and the account that can do it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from generations.jobs.inputs import NewInput
from generations.jobs.models import Attempt, Outcome
from generations.library.models import Image
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.inputs import IMAGE
from generations.providers.catalogue.model import Model
from generations.teams.models import Membership
from generations.upstreams.models import Upstream


def offered(parent: Image | None, model: str, name: str) -> dict[str, Any]:
    """Return the next step of this name that the parent offers, as its provider described it.

    InvalidParameters if it offers none, or if a model of its own does it.
    """
    if form := catalogue_registry.continuing(model, name):
        text = _("This next step asks for more: order it with the model “%(model)s” and this image.")
        raise catalogue_registry.InvalidParameters({"action": text % {"model": form.name}})
    for action in parent.actions if parent and parent.model == model else ():
        if action["name"] == name:
            return dict(action)
    raise catalogue_registry.InvalidParameters({"action": _("This image does not offer this next step.")})


def of_inputs(member: Membership, model: Model, inputs: Sequence[NewInput]) -> tuple[Image, dict[str, Any]]:
    """Return the image that the request is about, and the next step of it that the model continues with.

    InvalidParameters unless it is an image of the library whose provider offers that.
    """
    pk = next((each.image for each in inputs if each.role == IMAGE), None)
    image = Image.objects.visible_to(member).filter(pk=pk).first() if pk else None
    for action in image.actions if image else ():
        if image and catalogue_registry.continuing(image.model, action["name"]) is model:
            return image, dict(action)
    text = _("%(model)s goes on with a picture whose provider offers it: choose such a one from the library.")
    raise catalogue_registry.InvalidParameters({IMAGE: text % {"model": model.title}})


def account_of(parent: Image, model: str) -> Upstream | None:
    """Return the account that made the parent; None if it does not serve the model any more."""
    made_by = Attempt.objects.filter(generation=parent.generation, outcome=Outcome.OK)
    attempt = made_by.select_related("upstream").last()
    if attempt is None or not (attempt.upstream.enabled and attempt.upstream.serves(model)):
        return None
    return attempt.upstream
