"""Accounts at providers: base URL, key, rate limit, and costs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.registry import GATEWAY, Switch
from generations.upstreams import encryption

CLOSING_KEPT = timedelta(days=1)  # after its end, so that a model that stays away is one notice


class UpstreamQuerySet(models.QuerySet["Upstream"]):
    def open(self) -> UpstreamQuerySet:
        """Return those that can be called now: enabled, not draining, paused or blocked."""
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
    proxy = models.CharField(
        _("proxy"),
        max_length=400,
        blank=True,
        help_text=_("An HTTP proxy for calls of this account, such as http://proxy.example.com:3128."),
    )
    encrypted_proxy_login = models.TextField(_("encrypted login of the proxy"), editable=False, blank=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    draining = models.BooleanField(
        _("draining"), default=False, help_text=_("Finish what runs, start nothing.")
    )
    from_environment = models.BooleanField(_("from environment"), default=False, editable=False)
    order = models.SmallIntegerField(
        _("priority"), default=0, help_text=_("The account with the smallest number is used first.")
    )
    orders = models.JSONField(
        _("priority by model"),
        default=dict,
        blank=True,
        help_text=_('For models where it differs, such as {"ultra": 2}.'),
    )
    systems = models.JSONField(
        _("systems"),
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        blank=True,
        help_text=_(
            'Systems of a gateway with prefix and dialect, such as {"bfl": {"prefix": "/flux"}}; of another'
            " account the dialect of its own."
        ),
    )
    wire_names = models.JSONField(
        _("names of models here"),
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        blank=True,
        help_text=_("What the account calls models that it does not call as the catalogue does."),
    )
    models_served = models.JSONField(
        _("models"), default=list, blank=True, help_text=_("Names of the catalogue; empty means all.")
    )
    costs = models.JSONField(
        _("costs"),
        default=dict,
        blank=True,
        help_text=_(
            "What a call costs here, in hundredths of a US cent, where it differs from the catalogue."
        ),
    )
    unit = models.CharField(_("unit of cost"), max_length=20, default="credit")
    unit_value = models.PositiveIntegerField(
        _("value of the unit"),
        default=100,
        db_default=100,
        help_text=_("In hundredths of a US cent: 100 for a credit of Stability, 10000 for a dollar."),
    )
    pace_account = models.CharField(
        _("pace shared with"),
        max_length=80,
        blank=True,
        help_text=_("Accounts with the same text share one rate limit; empty: a limit of its own."),
    )
    limit_calls = models.PositiveIntegerField(_("calls"), default=150)
    limit_window = models.PositiveIntegerField(_("in seconds"), default=10)
    max_in_flight = models.PositiveIntegerField(
        _("at the same time"),
        null=True,
        blank=True,
        help_text=_("Calls and tasks that it takes at the same time; empty: any number."),
    )
    result_hosts = models.JSONField(
        _("hosts of results"),
        default=list,
        db_default=models.Value([], models.JSONField()),
        blank=True,
        help_text=_(
            "Hosts from which results are fetched that it gives by address, such as *.example.com; empty:"
            " those of its system."
        ),
    )
    private_results = models.BooleanField(
        _("results in private networks"),
        default=False,
        db_default=False,
        help_text=_("Fetch results from addresses of private networks too, and without https."),
    )
    helper_model = models.CharField(
        _("chat model for prompts"),
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text=_("The name of the chat model that helps with prompts here; empty: none does."),
    )
    helper_price = models.PositiveIntegerField(
        _("price of the prompt helper"),
        default=20,
        db_default=20,
        help_text=_("What a member pays for an answer, in hundredths of a credit."),
    )
    helper_cost = models.PositiveIntegerField(
        _("cost of the prompt helper"),
        default=0,
        db_default=0,
        help_text=_("What an answer costs here, in hundredths of a US cent."),
    )
    helper_cap = models.PositiveIntegerField(
        _("daily cap of the prompt helper"),
        null=True,
        blank=True,
        help_text=_("What a member may spend on it in a day, in hundredths of a credit; empty: any amount."),
    )
    blocked_until = models.DateTimeField(_("blocked until"), null=True, blank=True, editable=False)
    polls_blocked_until = models.DateTimeField(
        _("polls blocked until"), null=True, blank=True, editable=False
    )
    systems_blocked = models.JSONField(
        _("blocked systems"),
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        blank=True,
        editable=False,
        help_text=_("Systems of a gateway that asked to wait, and until when."),
    )
    paused_at = models.DateTimeField(_("paused at"), null=True, blank=True, editable=False)
    paused_status = models.PositiveSmallIntegerField(
        _("paused status"), null=True, blank=True, editable=False
    )
    paused_reason = models.CharField(_("paused reason"), max_length=400, blank=True, editable=False)
    closed_models = models.JSONField(
        _("closed models"),
        default=dict,
        blank=True,
        editable=False,
        help_text=_(
            "Models that the account said it does not have: until when they are not asked for, and why."
        ),
    )
    balance = models.DecimalField(
        _("balance"), max_digits=14, decimal_places=4, null=True, blank=True, editable=False
    )
    balance_at = models.DateTimeField(_("balance at"), null=True, blank=True, editable=False)
    low_balance = models.PositiveIntegerField(
        _("low balance"), default=500, help_text=_("Operators get a notice when less is left; 0 for never.")
    )
    tested_at = models.DateTimeField(_("tested at"), null=True, blank=True, editable=False)
    test_status = models.PositiveSmallIntegerField(
        _("status of the test"), null=True, blank=True, editable=False
    )
    test_problem = models.CharField(
        _("problem of the test"),
        max_length=400,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text=_("What the last test found; empty: it answered, or was not tested."),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    # The stubs see a plain manager; it has every method of the query set class.
    objects: ClassVar[UpstreamQuerySet] = UpstreamQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["order", "pk"]
        verbose_name = _("provider account")
        verbose_name_plural = _("provider accounts")
        constraints = [
            models.CheckConstraint(
                condition=Q(limit_calls__gt=0, limit_window__gt=0), name="an_upstream_takes_some_calls"
            ),
            models.CheckConstraint(condition=Q(unit_value__gt=0), name="a_unit_is_worth_something"),
            models.CheckConstraint(condition=Q(helper_price__gt=0), name="help_with_prompts_has_a_price"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        """The decrypted key; never show or log it, or send it anywhere but to the provider."""
        return encryption.decrypt(self.encrypted_key)

    def set_key(self, key: str) -> None:
        """Set a new key, encrypted, without saving the row."""
        self.encrypted_key = encryption.encrypt(key)

    @property
    def proxy_address(self) -> str:
        """The proxy with its user name and password; as secret as the key."""
        scheme, slashes, place = self.proxy.partition("://")
        login = encryption.decrypt(self.encrypted_proxy_login)
        return f"{scheme}{slashes}{login}@{place}" if login else self.proxy

    def set_proxy(self, address: str) -> None:
        """Set the proxy without saving the row; its user name and password are encrypted.

        An address without these keeps those that it had, as long as it stays the same.
        """
        scheme, slashes, rest = address.partition("://")
        login, _at, place = rest.rpartition("@")
        if login or f"{scheme}{slashes}{place}" != self.proxy:
            self.encrypted_proxy_login = encryption.encrypt(login)
        self.proxy = f"{scheme}{slashes}{place}"

    @property
    def pace_key(self) -> str:
        """The name of the account's rate limiter."""
        return self.pace_account or f"upstream-{self.pk}"

    def serves(self, model: str) -> bool:
        """Return whether this account serves the model."""
        return model in self.served_models

    def is_closed(self, model: str) -> bool:
        """Return whether the account said, some minutes ago at most, that it does not have the model."""
        return model in self.closed_models and self.closed_until(model) > timezone.now()

    def closed_until(self, model: str) -> datetime:
        """Return until when a model in `closed_models` is not asked for; it may be past."""
        return datetime.fromisoformat(self.closed_models[model]["until"])

    @property
    def recent_closings(self) -> dict[str, dict[str, Any]]:
        """What is known of models that are closed now or were within the last day, by their names."""
        since = timezone.now() - CLOSING_KEPT
        return {
            model: entry for model, entry in self.closed_models.items() if self.closed_until(model) > since
        }

    @property
    def callable_models(self) -> tuple[str, ...]:
        """Names of the models that this account serves, and that are neither closed nor blocked now."""
        blocked = self._blocked_models()
        return tuple(
            model for model in self.served_models if model not in blocked and not self.is_closed(model)
        )

    def blocked_until_for(self, model: str) -> datetime | None:
        """Return until when the model is not asked for after a 429; None, or past, if it is."""
        moments = [self.blocked_until] if self.blocked_until else []
        for system, until in self.systems_blocked.items():
            if model in catalogue_registry.names_of_system(system):
                moments.append(datetime.fromisoformat(until))
        return max(moments, default=None)

    @property
    def blocked_systems(self) -> dict[str, datetime]:
        """The systems of a gateway that are not asked for now, after a 429, and until when."""
        now = timezone.now()
        moments = {system: datetime.fromisoformat(text) for system, text in self.systems_blocked.items()}
        return {system: until for system, until in moments.items() if until > now}

    def _blocked_models(self) -> frozenset[str]:
        return frozenset(
            model for system in self.blocked_systems for model in catalogue_registry.names_of_system(system)
        )

    @property
    def own_systems(self) -> tuple[str, ...]:
        """Names of the systems that this account has: those switched on at a gateway, or the maker's own."""
        if self.kind != GATEWAY:
            return (self.kind,)
        return tuple(name for name in catalogue_registry.SYSTEMS if name in self.systems)

    @property
    def possible_models(self) -> tuple[str, ...]:
        """Names of all models of its systems, as far as their dialects have them."""
        switches = self.switches
        return tuple(
            model
            for name in self.own_systems
            for model in catalogue_registry.names_in_dialect(
                name, switches[name].dialect if name in switches else ""
            )
        )

    @property
    def switches(self) -> dict[str, Switch]:
        """How the account has its systems."""
        return {
            name: Switch(str(each.get("prefix", "")), str(each.get("dialect", "")), each.get("in_flight"))
            for name, each in self.systems.items()
            if name in catalogue_registry.SYSTEMS
        }

    @property
    def in_flight_limits(self) -> tuple[tuple[frozenset[str], int], ...]:
        """How many requests it works on at the same time for these models together, where that is limited.

        At a gateway what the operator says of each system: the limits of makers are those of their accounts.
        """
        if self.kind == GATEWAY:
            return tuple(
                (frozenset(catalogue_registry.names_of_system(name)), switch.in_flight)
                for name, switch in self.switches.items()
                if switch.in_flight
            )
        return tuple(
            (frozenset({model.name}), model.max_in_flight)
            for model in catalogue_registry.SYSTEMS.get(self.kind, ())
            if model.max_in_flight
        )

    @property
    def served_models(self) -> tuple[str, ...]:
        """Names of the models that this account serves: those chosen, or all that its systems have.

        Of a gateway only those whose system is switched on.
        """
        if not self.models_served:
            return self.possible_models
        possible = frozenset(self.possible_models)
        return tuple(model for model in self.models_served if model in possible)

    @property
    def helps_with_prompts(self) -> bool:
        """Whether it has a chat model that helps with prompts, and did not say of late that it has not."""
        return bool(self.helper_model) and not self.is_closed(catalogue_registry.PROMPT_HELPER)

    def priority(self, model: str) -> int:
        """Return the priority of this account among those that serve the model: smaller is used first."""
        own: Mapping[str, int] = self.orders
        return int(own.get(model, self.order))

    def cost(self, model: str, parameters: Mapping[str, Any], images: int = 0) -> int:
        """Return the cost of a call with these parameters and so many images, in hundredths of a US cent."""
        own: Mapping[str, int] = self.costs
        return int(own[model] if model in own else catalogue_registry.get(model).cost(parameters, images))


class Balance(models.Model):
    """The balance of an account at one time, to be compared with what was charged."""

    upstream = models.ForeignKey(
        Upstream, models.PROTECT, verbose_name=_("provider account"), related_name="balances"
    )
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=4)
    asked_at = models.DateTimeField(_("asked at"), default=timezone.now)

    class Meta:
        verbose_name = _("balance")
        verbose_name_plural = _("balances")
        indexes = [models.Index(fields=["upstream", "asked_at"], name="balances_of_an_upstream")]
