"""Bulk actions: rows that record what a member does to many images at once."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7

from generations.teams.models import Membership, Team


class BulkAction(models.Model):
    """One action on up to 10,000 images: its progress, and which images it changed, so it can be undone.

    `kind` is the name of a class in `bulk/actions.py`.
    """

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="+")
    member = models.ForeignKey(
        Membership, models.PROTECT, verbose_name=_("member"), related_name="bulk_actions"
    )
    kind = models.CharField(_("kind"), max_length=12, db_column="act")
    argument = models.CharField(
        _("argument"), max_length=200, blank=True, help_text=_("A tag's name, or a collection's id.")
    )
    images = models.JSONField(_("images"), help_text=_("Ids, in the order of processing."))
    done = models.PositiveIntegerField(_("done"), default=0, help_text=_("How many images were processed."))
    changed = models.JSONField(_("changed"), default=list, help_text=_("Ids of the changed images."))
    undoes = models.OneToOneField(
        "self", models.PROTECT, verbose_name=_("undoes"), related_name="undone_by", null=True, blank=True
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    lease_until = models.DateTimeField(
        _("lease until"), null=True, blank=True, help_text=_("Until then a worker is processing it.")
    )
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        db_table = "library_deed"  # its first name, as is the column "act"
        verbose_name = _("bulk action")
        verbose_name_plural = _("bulk actions")
        indexes = [models.Index(fields=["ended_at", "created_at"], name="deeds_still_to_do")]

    @property
    def total(self) -> int:
        """The number of images."""
        return len(self.images)

    @property
    def unchanged(self) -> int:
        """How many were processed and not changed: deleted, not the member's to change, or so already."""
        return self.done - len(self.changed)
