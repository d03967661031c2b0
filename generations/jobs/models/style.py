"""Styles that teams have made at a provider: each is an image of the library, and an id at an account."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from generations.library.models import Image
from generations.teams.models import Team
from generations.upstreams.models import Upstream


class Style(models.Model):
    """A style of a team, which the account that made it can draw in, and no other.

    Its name, maker and time, who may see it, and whether it is in the trash, are those of its image.
    """

    image = models.OneToOneField(
        Image, models.CASCADE, verbose_name=_("image"), related_name="style", primary_key=True
    )
    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="styles")
    upstream = models.ForeignKey(
        Upstream, models.PROTECT, verbose_name=_("provider account"), related_name="styles", db_index=False
    )
    made_with = models.CharField(_("made with"), max_length=40, help_text=_("The model that made it."))
    remote_id = models.CharField(_("remote id"), max_length=100, help_text=_("Its id at the account."))

    class Meta:
        verbose_name = _("style")
        verbose_name_plural = _("styles")

    def __str__(self) -> str:
        return self.image.title or self.remote_id
