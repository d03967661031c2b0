"""Save what is filled in on Create under a name, for the member or for the team; find, change, delete it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from generations.jobs.create import controls
from generations.jobs.create.form_inputs import MAX_IDS, uuid_of
from generations.jobs.models import SavedPrompt
from generations.library.models import OwnedQuerySet
from generations.library.organise import service as organise_service
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.operations import Operation
from generations.teams.models import Membership, Visibility

MAX_SAVED = 200  # of a member
MAX_LETTERS = 40_000  # of all that is kept of one
MAX_WORDS = 8  # of a search for a name


class CannotSave(ValueError):
    """What is filled in cannot be kept; the message tells the member why."""


@transaction.atomic
def save(*, member: Membership, name: str, visibility: Visibility, values: Mapping[str, Any]) -> SavedPrompt:
    """Save the values of a form. Raises InvalidName, and CannotSave for too many or too long ones."""
    name, kept = organise_service.validated_name(name), kept_values(values)
    if not kept.keys() - {"model", "operation"}:
        raise CannotSave(_("Nothing is filled in yet."))
    if len(json.dumps(kept, ensure_ascii=False)) > MAX_LETTERS:
        raise CannotSave(_("This is too long to be saved."))
    Membership.objects.select_for_update(no_key=True).get(pk=member.pk)  # two at once would pass the limit
    if SavedPrompt.objects.filter(owner=member).count() >= MAX_SAVED:
        raise CannotSave(_("You have saved %(count)d prompts. Delete one first.") % {"count": MAX_SAVED})
    return SavedPrompt.objects.create(
        team_id=member.team_id, owner=member, name=name, visibility=visibility, values=kept
    )


def change(*, member: Membership, saved: SavedPrompt, name: str, visibility: Visibility) -> None:
    """Change name and visibility. Raises InvalidName, NotOwner."""
    organise_service.check_owner(member, saved)
    saved.name, saved.visibility = organise_service.validated_name(name), visibility
    saved.save(update_fields=["name", "visibility"])


def delete(*, member: Membership, saved: SavedPrompt) -> None:
    """Delete a saved prompt. Raises NotOwner."""
    organise_service.check_owner(member, saved)
    saved.delete()


def found(member: Membership, words: str = "") -> OwnedQuerySet[SavedPrompt]:
    """Those that the member may see and whose names have all these words, by name, with their owners."""
    rows = SavedPrompt.objects.visible_to(member).select_related("owner__user")
    for word in words.replace("\0", " ").split()[:MAX_WORDS]:
        rows = rows.filter(name__icontains=word)
    return rows.order_by(Lower("name"), "pk")


def kept_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a form: model, operation, what its model takes, and ids of pictures; nothing empty.

    Without the number of pictures and who sees them: these are chosen for each press.
    """
    kept: dict[str, Any] = {}
    if values.get("operation") in list(Operation):
        kept["operation"] = str(values["operation"])
    model = catalogue_registry.MODELS.get(values.get("model") or "")
    if model:
        kept["model"] = model.name
    names = {field.name for field in controls.fields_of(model)} if model else set[str]()
    for name in sorted(names | {controls.PROMPT, controls.NEGATIVE_PROMPT}):
        value = values.get(name)
        if isinstance(value, bool | int | float) or (isinstance(value, str) and value.strip()):
            kept[name] = value
    inputs = {
        role: [str(pk) for pk in pks[:MAX_IDS] if uuid_of(pk)]
        for role, pks in (values.get("inputs") or {}).items()
    }
    if inputs := {role: pks for role, pks in inputs.items() if pks}:
        kept["inputs"] = inputs
    return kept
