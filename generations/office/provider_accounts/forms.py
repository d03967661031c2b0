"""The form of a provider account, with a table of its models. A key can be entered and is never shown."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generations.office.members.forms import SingleLineField
from generations.office.provider_accounts import helper_form
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.system import System
from generations.providers.look import Found
from generations.providers.registry import (
    GATEWAY,
    WIRE_NAME,
    Switch,
    checked_address,
    checked_key,
    checked_proxy,
    checked_switch,
    usual_switch,
)
from generations.providers.transport.download import ANYWHERE
from generations.upstreams import accounts, addresses, units
from generations.upstreams import environment as upstreams_environment
from generations.upstreams.models import Upstream

HOST = re.compile(r"(\*?\.)?([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)*[a-z0-9]([-a-z0-9]*[a-z0-9])?", re.ASCII)
MAX_BALANCE = 1_000_000_000
MAX_PRIORITY = 1_000
MAX_HOSTS = 50
MAX_NAME = 100  # letters of a model's name at a gateway
CREDENTIALS = ("base_url", "key", "proxy", "plain_http")


@dataclass(frozen=True)
class ModelRow:
    """A line of the table: a model, whether the account serves it, its cost there and its priority."""

    model: Model
    is_served: bool
    list_price: str
    cost: BoundField
    priority: BoundField
    wire_name: BoundField | None  # of a gateway


@dataclass(frozen=True)
class SystemRow:
    """A system that a gateway may have: whether it does, and how; the lines of its models."""

    system: System
    is_on: bool
    prefix: BoundField
    in_flight: BoundField
    dialect: BoundField | None
    rows: list[ModelRow]


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
        self.systems = [
            catalogue_registry.system(name)
            for name in (catalogue_registry.DECLARED if self.is_gateway else [self.instance.kind])
        ]
        self.models = [model for system in self.systems for model in catalogue_registry.SYSTEMS[system.name]]
        self.initial["unit_cents"] = units.as_field(self.instance.unit_value, 100)
        for system in self.systems:
            self._add_system(system)
        self._add_table()
        self.fields.update(helper_form.fields_of(self.instance))
        for name in self._fixed_fields():
            self.fields[name].disabled = True

    def _begin(self) -> None:
        """Fill a new account with what is usual for its kind."""
        upstream: Upstream = self.instance
        accounts.begin_with_usual(upstream)
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
        served = frozenset(self["models"].value() or [])
        on = self["systems"].value() or [] if self.is_gateway else [self.instance.kind]
        return [self._system_row(system, system.name in on, served) for system in self.systems]

    def _system_row(self, system: System, is_on: bool, served: Collection[str]) -> SystemRow:
        dialect = self[f"dialect-{system.name}"] if system.dialects else None
        rows = [
            self._model_row(model, model.name in served) for model in catalogue_registry.SYSTEMS[system.name]
        ]
        prefix, in_flight = self[f"prefix-{system.name}"], self[f"in_flight-{system.name}"]
        return SystemRow(system, is_on, prefix, in_flight, dialect, rows)

    def _model_row(self, model: Model, is_served: bool) -> ModelRow:
        return ModelRow(
            model,
            is_served,
            units.as_text(model.base_cost, self.instance.unit_value),
            self[f"cost-{model.name}"],
            self[f"priority-{model.name}"],
            self[f"name-{model.name}"] if self.is_gateway else None,
        )

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
        self.switches = self._switches(cleaned)
        if "models" in cleaned and not self._chosen(cleaned["models"]):
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

    def _switches(self, cleaned: dict[str, Any]) -> dict[str, Switch]:
        """How the account has its systems, as the form says."""
        found: dict[str, Switch] = {}
        for system in self.systems:
            if self.is_gateway and system.name not in cleaned.get("systems", []):
                continue
            dialect = cleaned.get(f"dialect-{system.name}", "")
            prefix, in_flight = (
                cleaned.get(f"prefix-{system.name}", ""),
                cleaned.get(f"in_flight-{system.name}"),
            )
            try:
                switch = checked_switch(system.name, Switch(prefix, dialect, in_flight))
            except ValueError as problem:
                self.add_error(f"prefix-{system.name}", str(problem))
            else:
                found[system.name] = switch if self.is_gateway else Switch(dialect=dialect)
        return found

    def _chosen(self, names: Collection[str]) -> list[str]:
        """Those of the chosen models whose system is switched on and has them in its dialect."""
        possible = [
            name
            for system, switch in self.switches.items()
            for name in catalogue_registry.names_in_dialect(system, switch.dialect)
        ]
        return [name for name in possible if name in names]

    def apply(self) -> Upstream:
        """Return the instance with everything that the valid form says, the new key included; not saved."""
        upstream: Upstream = self.instance
        upstream.unit_value = self.unit_value
        plain = Switch()
        upstream.systems = {
            name: accounts.as_json(switch)
            for name, switch in self.switches.items()
            if self.is_gateway or switch != plain
        }
        served = self._chosen(self.cleaned_data["models"])
        upstream.models_served = [] if served == list(upstream.possible_models) else served
        upstream.costs = self._table("cost", upstream.costs)
        upstream.costs = {
            name: units.hundredths_of(cost, self.unit_value) if isinstance(cost, Decimal) else cost
            for name, cost in upstream.costs.items()
        }
        upstream.orders = self._table("priority", upstream.orders)
        if self.is_gateway:
            names = self._table("name", upstream.wire_names)
            upstream.wire_names = {name: wire_name for name, wire_name in names.items() if wire_name}
        helper_form.apply(upstream, self.cleaned_data)
        upstream.result_hosts = self.cleaned_data["result_hosts"]
        if key := self.cleaned_data.get("key"):
            upstream.set_key(key)
        return upstream

    def _add_system(self, system: System) -> None:
        switch = self.instance.switches.get(system.name, usual_switch(system.name))
        self.fields[f"prefix-{system.name}"] = forms.CharField(
            label=_("Prefix of %(system)s") % {"system": system.title},
            required=False,
            max_length=200,
            initial=switch.prefix,
        )
        self.fields[f"in_flight-{system.name}"] = forms.IntegerField(
            label=_("%(system)s at the same time") % {"system": system.title},
            required=False,
            min_value=1,
            max_value=100_000,
            initial=switch.in_flight,
        )
        if system.dialects:
            self.fields[f"dialect-{system.name}"] = forms.ChoiceField(
                label=_("Dialect of %(system)s") % {"system": system.title},
                required=False,
                choices=[(name, _(title)) for name, title in system.dialects.items()],
                widget=forms.Select(attrs={"class": "input"}),
                initial=switch.dialect or next(iter(system.dialects)),
            )

    def _add_table(self) -> None:
        choices = [(model.name, model.title) for model in self.models]
        if self.is_gateway:
            self.fields["systems"] = forms.MultipleChoiceField(
                label=_("Systems"),
                required=False,
                choices=[(system.name, system.title) for system in self.systems],
                initial=list(self.instance.own_systems),
            )
        self.fields["models"] = forms.MultipleChoiceField(
            label=_("Models"), required=False, choices=choices, initial=list(self.instance.served_models)
        )
        for model in self.models:
            self._add_model(model)

    def _add_model(self, model: Model) -> None:
        cost, titled = self.instance.costs.get(model.name), {"model": model.title}
        self.fields[f"cost-{model.name}"] = CostField(
            label=_("Cost of %(model)s") % titled,
            initial=None if cost is None else units.as_field(cost, self.instance.unit_value),
        )
        self.fields[f"priority-{model.name}"] = forms.IntegerField(
            label=_("Priority for %(model)s") % titled,
            min_value=-MAX_PRIORITY,
            max_value=MAX_PRIORITY,
            required=False,
            initial=self.instance.orders.get(model.name),
        )
        if self.is_gateway:
            self.fields[f"name-{model.name}"] = forms.RegexField(
                WIRE_NAME,
                label=_("Name of %(model)s there") % titled,
                required=False,
                max_length=MAX_NAME,
                initial=self.instance.wire_names.get(model.name, ""),
            )

    def _fixed_fields(self) -> Collection[str]:
        """The fields that variables of the environment decide."""
        names = [helper_form.FORM_FIELDS.get(name, name) for name in self.variables]
        fixed = [name for name in names if name in self.fields]
        if self.fixed_models:
            fixed.append("models")
        if self.fixed_costs:
            fixed += [f"cost-{model.name}" for model in self.models]
        return fixed

    def _table(self, column: str, stored: dict[str, Any]) -> dict[str, Any]:
        """The filled-in values of a column; values of models that the catalogue lacks now are kept."""
        names = [model.name for model in self.models]
        values = {name: self.cleaned_data[f"{column}-{name}"] for name in names}
        kept = {name: value for name, value in stored.items() if name not in names}
        return kept | {name: value for name, value in values.items() if value is not None}


class CostField(forms.DecimalField):
    """What a call costs, in the account's unit; None if empty."""

    def __init__(self, **options: Any) -> None:
        most = Decimal(accounts.MAX_COST) / 100
        super().__init__(min_value=0, max_value=most, decimal_places=4, required=False, **options)


def _checked(check: Any, value: str) -> str:
    try:
        return str(check(value))
    except ValueError as problem:
        raise ValidationError(str(problem)) from None
