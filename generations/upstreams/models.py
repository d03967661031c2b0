"""The provider accounts we may call: address, key, pace, and what they cost us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generations.providers.catalogue import registry as catalogue_registry
from generations.upstreams import encryption

if TYPE_CHECKING:
    from collections.abc import Mapping


class UpstreamQuerySet(models.QuerySet["Upstream"]):
    def open(self) -> UpstreamQuerySet:
        """Those that may be called now: enabled, not draining, neither paused nor blocked."""
        unblocked = Q(blocked_until__isnull=True) | Q(blocked_until__lte=Now())
        return self.filter(unblocked, enabled=True, draining=False, paused_at__isnull=True)


class Upstream(models.Model):
    """One account at one provider."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    kind = models.CharField(_("wire format"), max_length=20, default="stability")
    base_url = models.CharField(
        _("base URL"),
        max_length=400,
        help_text=_("May carry a path: https://api.stability.ai or https://host/sd"),
    )
    encrypted_key = models.TextField(_("encrypted key"), editable=False, blank=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    draining = models.BooleanField(
        _("draining"), default=False, help_text=_("Finish what runs, start nothing.")
    )
    from_environment = models.BooleanField(_("from environment"), default=False, editable=False)
    order = models.SmallIntegerField(_("order"), default=0, help_text=_("Smaller is asked first."))
    orders = models.JSONField(
        _("order by model"),
        default=dict,
        blank=True,
        help_text=_('Where it differs for some models, such as {"ultra": 2}.'),
    )
    models_served = models.JSONField(
        _("models"), default=list, blank=True, help_text=_("Names of the catalogue; empty means all.")
    )
    costs = models.JSONField(
        _("costs"),
        default=dict,
        blank=True,
        help_text=_(
            "What a call costs here, in hundredths of a credit, where it differs from the catalogue."
        ),
    )
    unit = models.CharField(_("unit of cost"), max_length=20, default="credit")
    pace_account = models.CharField(
        _("pace shared with"),
        max_length=80,
        blank=True,
        help_text=_("Upstreams with the same word here share one limit; empty means its own."),
    )
    limit_calls = models.PositiveIntegerField(_("calls"), default=150)
    limit_window = models.PositiveIntegerField(_("in seconds"), default=10)
    blocked_until = models.DateTimeField(_("blocked until"), null=True, blank=True, editable=False)
    paused_at = models.DateTimeField(_("paused at"), null=True, blank=True, editable=False)
    paused_status = models.PositiveSmallIntegerField(
        _("paused status"), null=True, blank=True, editable=False
    )
    paused_reason = models.CharField(_("paused reason"), max_length=400, blank=True, editable=False)
    balance = models.DecimalField(
        _("balance"), max_digits=14, decimal_places=4, null=True, blank=True, editable=False
    )
    balance_at = models.DateTimeField(_("balance at"), null=True, blank=True, editable=False)
    low_balance = models.PositiveIntegerField(
        _("low balance"), default=500, help_text=_("Operators are told when less is left; 0 for never.")
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    # The stubs see a plain manager; it has every method of the set it is made from.
    objects: ClassVar[UpstreamQuerySet] = UpstreamQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["order", "pk"]
        verbose_name = _("upstream")
        verbose_name_plural = _("upstreams")
        constraints = [
            models.CheckConstraint(
                condition=Q(limit_calls__gt=0, limit_window__gt=0), name="an_upstream_takes_some_calls"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        """The secret in clear; never show, log or send it anywhere but to the provider."""
        return encryption.decrypt(self.encrypted_key)

    def set_key(self, key: str) -> None:
        """Keep a new secret, encrypted; the caller saves the row."""
        self.encrypted_key = encryption.encrypt(key)

    @property
    def pace_key(self) -> str:
        """The name of the limiter that this account obeys."""
        return self.pace_account or f"upstream-{self.pk}"

    def serves(self, model: str) -> bool:
        """Whether this account may be asked for that model."""
        return model in self.served_models

    @property
    def served_models(self) -> tuple[str, ...]:
        """Names of the models that may be asked for here: those chosen, or all of its system."""
        return tuple(self.models_served) or catalogue_registry.names_of_system(self.kind)

    def rank(self, model: str) -> int:
        """When this account is asked for that model, among those that serve it: smaller is sooner."""
        own: Mapping[str, int] = self.orders
        return int(own.get(model, self.order))

    def cost(self, model: str, parameters: Mapping[str, Any]) -> int:
        """What a call for that picture costs here, in hundredths."""
        own: Mapping[str, int] = self.costs
        return int(own[model] if model in own else catalogue_registry.get(model).cost(parameters))


class Balance(models.Model):
    """What a provider said was left, remembered so that it can be held against what was bought."""

    upstream = models.ForeignKey(
        Upstream, models.PROTECT, verbose_name=_("upstream"), related_name="balances"
    )
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=4)
    asked_at = models.DateTimeField(_("asked at"), default=timezone.now)

    class Meta:
        verbose_name = _("balance")
        verbose_name_plural = _("balances")
        indexes = [models.Index(fields=["upstream", "asked_at"], name="balances_of_an_upstream")]
