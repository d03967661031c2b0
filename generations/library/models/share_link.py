"""Share links: public pages of one image or one collection."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7

from generations.library.models.organise import Collection
from generations.teams.models import Membership, Team


class Share(models.Model):
    """A link to an image or a collection. It shows only what its maker may share."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="shares")
    maker = models.ForeignKey(Membership, models.PROTECT, verbose_name=_("maker"), related_name="shares")
    image = models.ForeignKey(
        "library.Image",
        models.CASCADE,
        verbose_name=_("image"),
        related_name="shares",
        null=True,
        blank=True,
    )
    collection = models.ForeignKey(
        Collection,
        models.CASCADE,
        verbose_name=_("collection"),
        related_name="shares",
        null=True,
        blank=True,
    )
    shows_prompt = models.BooleanField(_("shows the prompt"), default=False)
    views = models.PositiveIntegerField(_("views"), default=0)
    viewed_at = models.DateTimeField(_("viewed at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("share")
        verbose_name_plural = _("shares")
        constraints = [
            models.CheckConstraint(
                condition=Q(image__isnull=False, collection__isnull=True)
                | Q(image__isnull=True, collection__isnull=False),
                name="a_link_leads_to_one_thing",
            )
        ]
        indexes = [models.Index(fields=["team", "-created_at"], name="shares_of_a_team")]
