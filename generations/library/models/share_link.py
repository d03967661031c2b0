"""Share links: public pages of one image, of a collection, or of images that were selected."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7

from generations.library.models.organise import Collection
from generations.teams.models import Membership, Team


class Share(models.Model):
    """A link to an image, a collection or a selection of images. It shows only what its maker may share."""

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
    is_selection = models.BooleanField(
        _("selection"), default=False, db_default=False, help_text=_("Whether it shows `ShareImage`s.")
    )
    title = models.CharField(
        _("title"),
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text=_("Of its page; without one, that of the image or the collection's name."),
    )
    password = models.CharField(
        _("password"), max_length=128, blank=True, default="", db_default="", help_text=_("Hashed.")
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
                condition=Q(image__isnull=False, collection__isnull=True, is_selection=False)
                | Q(image__isnull=True, collection__isnull=False, is_selection=False)
                | Q(image__isnull=True, collection__isnull=True, is_selection=True),
                name="a_link_leads_to_one_thing",
            )
        ]
        indexes = [models.Index(fields=["team", "-created_at"], name="shares_of_a_team")]

    @property
    def shows_many(self) -> bool:
        """Whether its page is a grid."""
        return self.is_selection or self.collection_id is not None


class ShareImage(models.Model):
    """An image that a link to a selection shows."""

    share = models.ForeignKey(Share, models.CASCADE, verbose_name=_("share"), related_name="share_images")
    image = models.ForeignKey(
        "library.Image", models.CASCADE, verbose_name=_("image"), related_name="share_images"
    )

    class Meta:
        verbose_name = _("image of a share")
        verbose_name_plural = _("images of shares")
        constraints = [
            models.UniqueConstraint(fields=["share", "image"], name="a_link_shows_an_image_once"),
        ]
