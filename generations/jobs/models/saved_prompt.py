"""Saved prompts: what was filled in on Create, under a name."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7

from generations.library.models import OwnedQuerySet
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Membership, Team, Visibility


class SavedPrompt(models.Model):
    """A request with a name: model, prompts and parameters; visible to the team or to its owner alone.

    `values` are those of the form of Create by their names, without what is empty: `model`, `operation`, the
    fields of the model, and `inputs`, the ids of pictures by role.
    """

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="saved_prompts")
    owner = models.ForeignKey(
        Membership, models.PROTECT, verbose_name=_("owner"), related_name="saved_prompts"
    )
    name = models.CharField(_("name"), max_length=120)
    values = models.JSONField(_("values"), default=dict)
    visibility = models.CharField(
        _("visibility"), max_length=8, choices=Visibility, default=Visibility.PRIVATE
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects: ClassVar[OwnedQuerySet[SavedPrompt]] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("saved prompt")
        verbose_name_plural = _("saved prompts")
        indexes = [models.Index(fields=["team", "name"], name="saved_prompts_of_a_team")]

    def __str__(self) -> str:
        return self.name

    @property
    def prompt(self) -> str:
        """The text of the prompt; "" for a model that takes none."""
        return str(self.values.get("prompt", ""))

    @property
    def model_title(self) -> str:
        """The title of its model, "" without one."""
        model: Any = self.values.get("model")
        return catalogue_registry.model_title(model) if model else ""
