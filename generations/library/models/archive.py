"""Zip downloads: rows that record what a zip contains and how far its download is."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7

from generations.teams.models import Membership, Team


class Packing(models.TextChoices):
    """The states of a zip download."""

    READY = "ready", _("Ready")
    UNDER_WAY = "under_way", _("Under way")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class Archive(models.Model):
    """A requested zip. Its bytes are not stored: it is packed while it is sent."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="+")
    member = models.ForeignKey(Membership, models.PROTECT, verbose_name=_("member"), related_name="+")
    images = models.JSONField(_("images"), help_text=_("Ids."))
    form = models.CharField(
        _("form"), max_length=8, default="original", help_text=_("original, png, jpeg or webp")
    )
    with_parameters = models.BooleanField(_("with parameters"), default=True)
    state = models.CharField(_("state"), max_length=9, choices=Packing, default=Packing.READY)
    packed = models.PositiveIntegerField(_("packed"), default=0)
    reason = models.CharField(_("reason"), max_length=400, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    changed_at = models.DateTimeField(_("changed at"), default=timezone.now)

    class Meta:
        verbose_name = _("archive")
        verbose_name_plural = _("archives")
        indexes = [models.Index(fields=["created_at"], name="archives_by_age")]
