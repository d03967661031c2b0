"""What a model costs a member, and which roles may use it."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generations.core.prepared_queries import Param
from generations.teams.models import Team


class PriceQuerySet(models.QuerySet["Price"]):
    def valid_at(self, moment: datetime | Param, team: Team | Param) -> PriceQuerySet:
        """Prices in force for the team at that moment, by model; the one that applies comes first."""
        return self.for_team(team).filter(valid_from__lte=moment)

    def for_team(self, team: Team | Param) -> PriceQuerySet:
        """Prices of the team and of the whole portal, future ones included; the team's own come first."""
        mine = self.filter(Q(team=team) | Q(team__isnull=True))
        return mine.order_by("model", F("team").asc(nulls_last=True), "-valid_from", "-pk")


class Price(models.Model):
    """What a member pays for an image of a model from `valid_from` on. The catalogue's cost if none."""

    model = models.CharField(_("model"), max_length=40)
    team = models.ForeignKey(
        Team, models.PROTECT, verbose_name=_("team"), related_name="prices", null=True, blank=True
    )
    amount = models.PositiveBigIntegerField(_("amount"), help_text=_("hundredths of a credit"))
    valid_from = models.DateTimeField(_("valid from"), default=timezone.now)

    # django-stubs infer a plain manager here; it has every method of the query set.
    objects: ClassVar[PriceQuerySet] = PriceQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="a_price_is_positive")]
        indexes = [models.Index(fields=["model", "-valid_from"], name="prices_of_a_model")]


class ModelRule(models.Model):
    """Which roles of a team may use a model; without a row, every role that may generate."""

    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="model_rules")
    model = models.CharField(_("model"), max_length=40)
    roles = models.JSONField(
        _("roles"), default=list, help_text=_("Values of Role; an empty list closes the model.")
    )

    class Meta:
        verbose_name = _("model rule")
        verbose_name_plural = _("model rules")
        constraints = [
            models.UniqueConstraint(fields=["team", "model"], name="a_team_has_one_rule_for_a_model"),
        ]
