"""Admin of provider accounts. A key can be entered and is never shown."""

import re
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from generations.providers import KINDS
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.registry import checked_address, checked_key, checked_proxy
from generations.upstreams import accounts, addresses
from generations.upstreams.models import Upstream

HOST = re.compile(r"(\*?\.)?([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)*[a-z0-9]([-a-z0-9]*[a-z0-9])?", re.ASCII)
MAX_COST = 1_000_000_00
MAX_BALANCE = 1_000_000_000


class UpstreamForm(forms.ModelForm):
    kind = forms.ChoiceField(label=_("Wire format"), choices=[(kind, kind) for kind in KINDS])
    key = forms.CharField(
        label=_("Key"),
        required=False,
        max_length=400,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "vTextField"}),
        help_text=_(
            "Never shown again. Leave empty to keep the one that is stored, unless the address changes."
        ),
    )
    plain_http = forms.BooleanField(
        label=_("Send the key without encryption"),
        required=False,
        help_text=_(
            "Only for an http:// address in a network that you trust: others on the way read the key."
        ),
    )
    models_served = forms.MultipleChoiceField(
        label=_("Models"),
        required=False,
        choices=[(model.name, model.title) for model in catalogue_registry.MODELS.values()],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen means all."),
    )

    low_balance = forms.IntegerField(
        label=_("Low balance"),
        required=False,
        min_value=0,
        max_value=MAX_BALANCE,
        initial=Upstream._meta.get_field("low_balance").default,
        help_text=Upstream._meta.get_field("low_balance").help_text,
    )

    class Meta:
        model = Upstream
        fields = (
            "name",
            "kind",
            "base_url",
            "key",
            "proxy",
            "enabled",
            "draining",
            "order",
            "orders",
            "models_served",
            "costs",
            "unit",
            "low_balance",
            "pace_account",
            "limit_calls",
            "limit_window",
            "max_in_flight",
            "result_hosts",
            "private_results",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored_base_url: str = self.instance.base_url  # validation changes the instance
        stored = bool(self.stored_base_url) and addresses.is_unencrypted(self.stored_base_url)
        self.fields["plain_http"].initial = stored

    def clean_base_url(self) -> str:
        """Validate the base URL."""
        return _checked(checked_address, self.cleaned_data["base_url"])

    def clean_key(self) -> str:
        """Validate the key; it may be empty if one is stored for the same origin."""
        key = self.cleaned_data["key"]
        if key or not self.instance.encrypted_key:
            return _checked(checked_key, key)
        base_url = self.cleaned_data.get("base_url")
        if base_url and not addresses.is_same_origin(base_url, self.stored_base_url):
            message = _("The address has another scheme, host or port: enter the key again to send it there.")
            raise ValidationError(message)
        return ""

    def clean(self) -> dict[str, Any]:
        """Refuse to send a key without encryption unless the operator says so."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        base_url = cleaned.get("base_url")
        if base_url and addresses.is_unencrypted(base_url) and not cleaned.get("plain_http"):
            message = _("Use https://. The key of an http:// address is read by others on the way.")
            self.add_error("base_url", message)
        return cleaned

    def clean_proxy(self) -> str:
        """Validate the proxy, keep its login apart, and leave the rest as the value of the field."""
        self.instance.set_proxy(_checked(checked_proxy, self.cleaned_data["proxy"]))
        address: str = self.instance.proxy
        return address

    def clean_max_in_flight(self) -> int | None:
        """Refuse 0, with which nothing would ever be called."""
        value: int | None = self.cleaned_data["max_in_flight"]
        if value == 0:
            raise ValidationError(_("Write 1 or more, or nothing for any number."))
        return value

    def clean_result_hosts(self) -> list[str]:
        """Validate the hosts: names, or all names below one."""
        hosts = self.cleaned_data["result_hosts"] or []
        if not isinstance(hosts, list) or not all(
            isinstance(host, str) and HOST.fullmatch(host) for host in hosts
        ):
            raise ValidationError(_("Write host names, such as %s.") % '["cdn.example.com", "*.example.net"]')
        return hosts

    def clean_low_balance(self) -> int:
        """Keep the stored value if the field is empty."""
        value: int | None = self.cleaned_data["low_balance"]
        return self.instance.low_balance if value is None else value

    def clean_costs(self) -> dict[str, int]:
        """Validate the costs: hundredths of a credit by model."""
        message = _("Write models and whole hundredths, such as %s.") % '{"ultra": 800}'
        return _by_model(self.cleaned_data["costs"], range(MAX_COST + 1), message)

    def clean_orders(self) -> dict[str, int]:
        """Validate the priorities: numbers by model."""
        message = _("Write models and whole numbers, such as %s.") % '{"ultra": 2}'
        return _by_model(self.cleaned_data["orders"], range(-1_000, 1_001), message)


def _checked(check: Any, value: str) -> str:
    try:
        return str(check(value))
    except ValueError as problem:
        raise ValidationError(str(problem)) from None


def _by_model(value: object, allowed: range, message: str) -> dict[str, int]:
    """Return integers by models of the catalogue; ValidationError for anything else."""
    numbers = value or {}
    if not isinstance(numbers, dict):
        raise ValidationError(message)
    if not all(
        model in catalogue_registry.MODELS and type(number) is int and number in allowed
        for model, number in numbers.items()
    ):
        raise ValidationError(message)
    return numbers


@admin.register(Upstream)
class UpstreamAdmin(admin.ModelAdmin):
    form = UpstreamForm
    list_display = ("name", "base_url", "enabled", "draining", "paused_at", "balance", "balance_at", "order")
    readonly_fields = (
        "blocked_until",
        "paused_at",
        "paused_status",
        "paused_reason",
        "balance",
        "balance_at",
        "created_at",
    )
    fieldsets = (
        (None, {"fields": ("name", "kind", "base_url", "plain_http", "key", "proxy", "enabled", "draining")}),
        (_("Priority"), {"fields": ("order", "orders")}),
        (_("What it draws, and for how much"), {"fields": ("models_served", "costs", "unit", "low_balance")}),
        (_("How fast"), {"fields": ("limit_calls", "limit_window", "pace_account", "max_in_flight")}),
        (_("Results that it gives by address"), {"fields": ("result_hosts", "private_results")}),
        (_("How it is"), {"fields": readonly_fields}),
    )
    actions = ("test", "resume")

    def get_fieldsets(self, request: HttpRequest, obj: Upstream | None = None) -> Any:
        """Leave the key out where it cannot be entered."""
        if obj is None or not obj.from_environment:
            return self.fieldsets
        return [
            (title, {"fields": tuple(name for name in part["fields"] if name not in {"key", "plain_http"})})
            for title, part in self.fieldsets
        ]

    def has_change_permission(self, request: HttpRequest, obj: Upstream | None = None) -> bool:
        """Accounts from the environment are changed there."""
        return (obj is None or not obj.from_environment) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Upstream | None = None) -> bool:
        """Never: attempts reference accounts; disable them instead."""
        return False

    def save_model(self, request: HttpRequest, obj: Upstream, form: Any, change: bool) -> None:
        """Save the account and test it at once."""
        if form.cleaned_data["key"]:
            obj.set_key(form.cleaned_data["key"])
        super().save_model(request, obj, form, change)
        if not change:
            accounts.begin(obj)
        if {"key", "base_url"} & set(form.changed_data):
            accounts.resume(obj)
        self._test(request, obj)

    @admin.action(description=_("Ask whether they answer"), permissions=["view"])
    def test(self, request: HttpRequest, upstreams: QuerySet[Upstream]) -> None:
        """Test the accounts and show the results."""
        for upstream in upstreams[:10]:
            self._test(request, upstream)

    @admin.action(description=_("End their pause"), permissions=["view"])
    def resume(self, request: HttpRequest, upstreams: QuerySet[Upstream]) -> None:
        """Resume the accounts."""
        for upstream in upstreams:
            accounts.resume(upstream)

    def _test(self, request: HttpRequest, upstream: Upstream) -> None:
        succeeded, message = accounts.test(upstream)
        level = messages.SUCCESS if succeeded else messages.ERROR
        messages.add_message(request, level, f"{upstream}: {message}")
