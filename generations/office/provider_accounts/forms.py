"""The form of a provider account, with a table of its models. A key can be entered and is never shown."""

from __future__ import annotations

import re
from collections.abc import Collection
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generations.office.members.forms import SingleLineField
from generations.office.provider_accounts import helper_form, systems_form
from generations.office.provider_accounts.systems_form import MAX_PRIORITY, ModelRow, SystemRow
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.look import Found
from generations.providers.registry import (
    GATEWAY,
    checked_address,
    checked_key,
    checked_proxy,
)
from generations.providers.transport.download import ANYWHERE
from generations.upstreams import addresses, new_account, units
from generations.upstreams import environment as upstreams_environment
from generations.upstreams.models import Upstream

HOST = re.compile(r"(\*?\.)?([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)*[a-z0-9]([-a-z0-9]*[a-z0-9])?", re.ASCII)
MAX_BALANCE = 1_000_000_000
MAX_HOSTS = 50
CREDENTIALS = ("base_url", "key", "proxy", "plain_http")


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]  # takes none at run time
    """A provider account of one kind. `is_tested` keeps what only a saved account needs from being asked."""

    name = SingleLineField(label=gettext_lazy("Name"), max_length=80)
    key = forms.CharField(label=gettext_lazy("Key"), required=False, max_length=400)
    plain_http = forms.BooleanField(label=gettext_lazy("Send the key without encryption"), required=False)
    max_in_flight = forms.IntegerField(
        label=gettext_lazy("At the same time"), required=False, min_value=1, max_value=100_000
    )
    limit_calls = forms.IntegerField(label=gettext_lazy("Calls"), min_value=1, max_value=100_000)
    limit_window = forms.IntegerField(label=gettext_lazy("In seconds"), min_value=1, max_value=86_400)
    order = forms.IntegerField(
        label=gettext_lazy("Priority"), min_value=-MAX_PRIORITY, max_value=MAX_PRIORITY, required=False
    )
    low_balance = forms.IntegerField(
        label=gettext_lazy("Warn below a balance of"), min_value=0, max_value=MAX_BALANCE, required=False
    )
    unit = SingleLineField(label=gettext_lazy("Unit of its costs"), max_length=20, required=False)
    unit_cents = forms.DecimalField(
        label=gettext_lazy("Worth of the unit in US cents"),
        min_value=Decimal("0.01"),
        max_value=1_000_000,
        decimal_places=2,
        required=False,
    )
    pace_account = SingleLineField(label=gettext_lazy("Pace shared with"), max_length=80, required=False)
    result_hosts = forms.CharField(
        label=gettext_lazy("Hosts of results"), required=False, max_length=4_000, widget=forms.Textarea
    )

    class Meta:
        model = Upstream
        fields: ClassVar[list[str]] = [
            "name",
            "base_url",
            "proxy",
            "order",
            "unit",
            "low_balance",
            "pace_account",
            "limit_calls",
            "limit_window",
            "max_in_flight",
            "private_results",
        ]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # As they are stored: validation changes the instance.
        self.stored_base_url: str = self.instance.base_url
        self.stored_proxy: str = self.instance.proxy
        self.stored_unit_value: int = self.instance.unit_value
        is_plain = bool(self.stored_base_url) and addresses.is_unencrypted(self.stored_base_url)
        self.initial["plain_http"] = is_plain
        self.initial["result_hosts"] = "\n".join(self.instance.result_hosts)
        self.variables: dict[str, str] = {}
        if self.instance.from_environment:
            self.variables = upstreams_environment.variables_of_fields(self.instance.kind)
            for name in CREDENTIALS:
                del self.fields[name]
        self.is_gateway = self.instance.kind == GATEWAY
        if self.instance.pk is None:
            self._begin()
        self.initial["unit_cents"] = units.as_field(self.instance.unit_value, 100)
        self.fields.update(systems_form.fields_of(self.instance))
        self.fields.update(helper_form.fields_of(self.instance))
        for name in self._fixed_fields():
            self.fields[name].disabled = True

    def _begin(self) -> None:
        """Fill a new account with what is usual for its kind."""
        upstream: Upstream = self.instance
        new_account.begin_with_usual(upstream)
        names = ("unit", "low_balance", "limit_calls", "limit_window", "max_in_flight")
        self.initial.update({name: getattr(upstream, name) for name in names})
        if not self.is_gateway:
            self.initial["base_url"] = catalogue_registry.system(upstream.kind).address
        self.initial["result_hosts"] = "\n".join(upstream.result_hosts)

    def propose(self, found: Found, sent: QueryDict) -> None:
        """Fill in what a gateway said that it sells, beside what else was sent; saving confirms it."""
        value: int = self.instance.unit_value
        texts = {f"prefix-{name}": switch.prefix for name, switch in found.systems.items()}
        texts |= {f"name-{name}": wire_name for name, wire_name in found.wire_names.items()}
        texts |= {f"cost-{name}": units.as_field(cost, value) for name, cost in found.costs.items()}
        filled = sent.copy()
        for name, text in texts.items():
            filled[name] = text
        filled.setlist("systems", list(found.systems))
        filled.setlist("models", list(found.models))
        self.data = filled

    @property
    def rows(self) -> list[ModelRow]:
        """The table of the models."""
        return [row for system in self.system_rows for row in system.rows]

    @property
    def system_rows(self) -> list[SystemRow]:
        """The systems with the tables of their models; of a maker's account its own."""
        return systems_form.rows(self, self.instance)

    @property
    def dialect(self) -> BoundField | None:
        """The dialect of a maker's account, None if it has no choice, and of a gateway."""
        name = f"dialect-{self.instance.kind}"
        return self[name] if name in self.fields else None

    @property
    def known_units(self) -> list[str]:
        """The units whose worth need not be told."""
        return list(units.known(self.instance.kind))

    @property
    def fixed_models(self) -> str:
        """The variable that says which models the account serves; "" if none does."""
        return self.variables.get("models_served", "")

    @property
    def fixed_costs(self) -> str:
        """The variable that says what the models cost; "" if none does."""
        return self.variables.get("costs", "")

    def clean_base_url(self) -> str:
        """Validate the base URL."""
        return _checked(checked_address, self.cleaned_data["base_url"])

    def clean_key(self) -> str:
        """Validate the key; it may be empty if one is stored for the same origin."""
        key = self.cleaned_data["key"]
        if key or not self.instance.encrypted_key:
            return _checked(checked_key, key)
        base_url, proxy = self.cleaned_data.get("base_url"), self.cleaned_data.get("proxy")
        if base_url and not addresses.is_same_origin(base_url, self.stored_base_url):
            message = _("The address has another scheme, host or port: enter the key again to send it there.")
            raise ValidationError(message)
        if base_url and proxy and proxy != self.stored_proxy and base_url.startswith("http:"):
            raise ValidationError(_("The new proxy could read the key: enter it again to send it that way."))
        return ""

    def clean_proxy(self) -> str:
        """Validate the proxy, keep its login apart, and leave the rest as the value of the field."""
        self.instance.set_proxy(_checked(checked_proxy, self.cleaned_data["proxy"]))
        address: str = self.instance.proxy
        return address

    def clean_order(self) -> int:
        """Treat an empty priority as 0."""
        return self.cleaned_data["order"] or 0

    def clean_low_balance(self) -> int:
        """Keep the stored value if the field is empty."""
        value: int | None = self.cleaned_data["low_balance"]
        return self.instance.low_balance if value is None else value

    def clean_unit(self) -> str:
        """Treat an empty unit as credits."""
        return self.cleaned_data["unit"] or units.CREDIT

    def clean_result_hosts(self) -> list[str]:
        """Return the hosts: names, or all names below one, on a line each."""
        hosts = re.split(r"[\s,]+", self.cleaned_data["result_hosts"].strip().lower())
        hosts = [host for host in hosts if host]
        if len(hosts) > MAX_HOSTS or not all(host == ANYWHERE or HOST.fullmatch(host) for host in hosts):
            raise ValidationError(_("Write host names, such as *.example.com."))
        return hosts

    def clean(self) -> dict[str, Any]:
        """Refuse to send a key without encryption unless the operator says so; collect the table."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        base_url = cleaned.get("base_url")
        if base_url and addresses.is_unencrypted(base_url) and not cleaned.get("plain_http"):
            message = _("Use https://. The key of an http:// address is read by others on the way.")
            self.add_error("base_url", message)
        self.switches = systems_form.switches(self, self.instance)
        if "models" in cleaned and not systems_form.chosen(self.switches, cleaned["models"]):
            self.add_error("models", _("Choose a model, or switch the account off."))
        self.unit_value = self._unit_value(cleaned)
        return cleaned

    def _unit_value(self, cleaned: dict[str, Any]) -> int:
        """The worth of the unit: known, or as the operator says."""
        unit, cents = cleaned.get("unit", units.CREDIT), cleaned.get("unit_cents")
        if value := units.known(self.instance.kind).get(unit):
            return value
        if cents is None:
            self.add_error("unit_cents", _("Write what one is worth in US cents."))
            return self.stored_unit_value
        return int(cents * 100)

    def apply(self) -> Upstream:
        """Return the instance with everything that the valid form says, the new key included; not saved."""
        upstream: Upstream = self.instance
        upstream.unit_value = self.unit_value
        systems_form.apply(upstream, self.cleaned_data, self.switches, self.unit_value)
        helper_form.apply(upstream, self.cleaned_data)
        upstream.result_hosts = self.cleaned_data["result_hosts"]
        if key := self.cleaned_data.get("key"):
            upstream.set_key(key)
        return upstream

    def _fixed_fields(self) -> Collection[str]:
        """The fields that variables of the environment decide."""
        names = [helper_form.FORM_FIELDS.get(name, name) for name in self.variables]
        fixed = [name for name in names if name in self.fields]
        if self.fixed_models:
            fixed.append("models")
        if self.fixed_costs:
            fixed += [f"cost-{model.name}" for model in systems_form.models_of(self.instance)]
        return fixed


def _checked(check: Any, value: str) -> str:
    try:
        return str(check(value))
    except ValueError as problem:
        raise ValidationError(str(problem)) from None
