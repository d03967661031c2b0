"""What takes longer than a page may: acting on many images at once, and packing them into a zip."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7

from generations.teams.models import Membership, Team


class Act(models.TextChoices):
    """What may be done to many images at once."""

    TAG = "tag", _("Tag")
    UNTAG = "untag", _("Remove tag")
    COLLECT = "collect", _("Collect")
    TAKE_OUT = "take_out", _("Take out of the collection")
    LIKE = "like", _("Favourite")
    UNLIKE = "unlike", _("No favourite any more")
    SHOW_TEAM = "show_team", _("Show to the team")
    KEEP_PRIVATE = "keep_private", _("Keep private")
    TRASH = "trash", _("Trash")
    RESTORE = "restore", _("Restore")
    PURGE = "purge", _("Delete for good")


class Deed(models.Model):
    """One act on up to 10,000 images: how far it is, and which it changed, so that it can be undone."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="+")
    member = models.ForeignKey(Membership, models.PROTECT, verbose_name=_("member"), related_name="deeds")
    act = models.CharField(_("act"), max_length=12, choices=Act)
    argument = models.CharField(
        _("argument"), max_length=200, blank=True, help_text=_("A tag's name, or a collection's id.")
    )
    images = models.JSONField(_("images"), help_text=_("Ids, in the order in which they are taken."))
    done = models.PositiveIntegerField(_("done"), default=0, help_text=_("How many of them were looked at."))
    changed = models.JSONField(_("changed"), default=list, help_text=_("Ids of those that it changed."))
    undoes = models.OneToOneField(
        "self", models.PROTECT, verbose_name=_("undoes"), related_name="undone_by", null=True, blank=True
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    lease_until = models.DateTimeField(
        _("lease until"), null=True, blank=True, help_text=_("A worker is at it until then.")
    )
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("deed")
        verbose_name_plural = _("deeds")
        indexes = [models.Index(fields=["ended_at", "created_at"], name="deeds_still_to_do")]

    @property
    def total(self) -> int:
        """How many images it is about."""
        return len(self.images)

    @property
    def left_alone(self) -> int:
        """How many were looked at and not changed: gone, not the member's to change, or so already."""
        return self.done - len(self.changed)


class Packing(models.TextChoices):
    """How far a zip is."""

    READY = "ready", _("Ready")
    UNDER_WAY = "under_way", _("Under way")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class Archive(models.Model):
    """A zip that somebody asked for. Nothing of it is stored: it is packed while it is sent."""

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


class DiscardedObject(models.Model):
    """An object of a row that is gone: it goes too, once it is certain that nothing refers to it."""

    key = models.CharField(_("key"), max_length=300, unique=True)
    discarded_at = models.DateTimeField(_("discarded at"), default=timezone.now)

    class Meta:
        verbose_name = _("discarded object")
        verbose_name_plural = _("discarded objects")
