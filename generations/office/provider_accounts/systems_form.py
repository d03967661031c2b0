"""The part of an account's form about its systems and models: switches, costs, priorities and names there.

The fields of each are named after it: `prefix-bfl`, `cost-core`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _

from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.system import System
from generations.providers.registry import GATEWAY, WIRE_NAME, Switch, checked_switch, usual_switch
from generations.upstreams import accounts, new_account, units
from generations.upstreams.models import Upstream

MAX_PRIORITY = 1_000
MAX_NAME = 100  # letters of a model's name at a gateway


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

    @property
    def served(self) -> int:
        """How many of its models are on."""
        return sum(row.is_served for row in self.rows)

    @property
    def has_errors(self) -> bool:
        """Whether a field of its models is wrong, so that its table has to be seen."""
        fields = [field for row in self.rows for field in (row.cost, row.priority, row.wire_name) if field]
        return any(field.errors for field in fields)


class CostField(forms.DecimalField):
    """What a call costs, in the account's unit; None if empty."""

    def __init__(self, **options: Any) -> None:
        most = Decimal(accounts.MAX_COST) / 100
        super().__init__(min_value=0, max_value=most, decimal_places=4, required=False, **options)


def systems_of(upstream: Upstream) -> list[System]:
    """Return the systems that the account may have: all of a gateway, the maker's own else."""
    names = catalogue_registry.DECLARED if upstream.kind == GATEWAY else [upstream.kind]
    return [catalogue_registry.system(name) for name in names]


def models_of(upstream: Upstream) -> list[Model]:
    """Return the models of these systems."""
    return [model for system in systems_of(upstream) for model in catalogue_registry.SYSTEMS[system.name]]


def fields_of(upstream: Upstream) -> dict[str, forms.Field]:
    """Return the fields for an account, filled in as it is stored."""
    systems, models = systems_of(upstream), models_of(upstream)
    fields: dict[str, forms.Field] = {}
    for system in systems:
        fields |= _fields_of_system(upstream, system)
    if upstream.kind == GATEWAY:
        fields["systems"] = forms.MultipleChoiceField(
            label=_("Systems"),
            required=False,
            choices=[(system.name, system.title) for system in systems],
            initial=list(upstream.own_systems),
        )
    fields["models"] = forms.MultipleChoiceField(
        label=_("Models"),
        required=False,
        choices=[(model.name, model.title) for model in models],
        initial=list(upstream.served_models),
    )
    for model in models:
        fields |= _fields_of_model(upstream, model)
    return fields


def rows(form: forms.BaseForm, upstream: Upstream) -> list[SystemRow]:
    """Return the systems with the tables of their models, as the form has them."""
    served = frozenset(form["models"].value() or [])
    on = form["systems"].value() or [] if upstream.kind == GATEWAY else [upstream.kind]
    return [_system_row(form, upstream, system, system.name in on, served) for system in systems_of(upstream)]


def switches(form: forms.BaseForm, upstream: Upstream) -> dict[str, Switch]:
    """Return how the account has its systems, as the valid fields say; what is wrong is added as an error."""
    cleaned, found = form.cleaned_data, dict[str, Switch]()
    is_gateway = upstream.kind == GATEWAY
    for system in systems_of(upstream):
        if is_gateway and system.name not in cleaned.get("systems", []):
            continue
        dialect = cleaned.get(f"dialect-{system.name}", "")
        prefix, in_flight = cleaned.get(f"prefix-{system.name}", ""), cleaned.get(f"in_flight-{system.name}")
        try:
            switch = checked_switch(system.name, Switch(prefix, dialect, in_flight))
        except ValueError as problem:
            form.add_error(f"prefix-{system.name}", str(problem))
        else:
            found[system.name] = switch if is_gateway else Switch(dialect=dialect)
    return found


def chosen(switched: Mapping[str, Switch], names: Collection[str]) -> list[str]:
    """Return those of the chosen models whose system is switched on and has them in its dialect."""
    possible = [
        name
        for system, switch in switched.items()
        for name in catalogue_registry.names_in_dialect(system, switch.dialect)
    ]
    return [name for name in possible if name in names]


def apply(
    upstream: Upstream, cleaned: Mapping[str, Any], switched: Mapping[str, Switch], unit_value: int
) -> None:
    """Write what the valid form says on the row, which is not saved."""
    is_gateway, plain = upstream.kind == GATEWAY, Switch()
    upstream.systems = {
        name: new_account.as_json(switch)
        for name, switch in switched.items()
        if is_gateway or switch != plain
    }
    served = chosen(switched, cleaned["models"])
    upstream.models_served = [] if served == list(upstream.possible_models) else served
    names = [model.name for model in models_of(upstream)]
    upstream.costs = {
        name: units.hundredths_of(cost, unit_value) if isinstance(cost, Decimal) else cost
        for name, cost in _column("cost", names, cleaned, upstream.costs).items()
    }
    upstream.orders = _column("priority", names, cleaned, upstream.orders)
    if is_gateway:
        wire_names = _column("name", names, cleaned, upstream.wire_names)
        upstream.wire_names = {name: wire_name for name, wire_name in wire_names.items() if wire_name}


def _column(
    column: str, names: Sequence[str], cleaned: Mapping[str, Any], stored: Mapping[str, Any]
) -> dict[str, Any]:
    """The filled-in values of a column; values of models that the catalogue lacks now are kept."""
    values = {name: cleaned[f"{column}-{name}"] for name in names}
    kept = {name: value for name, value in stored.items() if name not in names}
    return kept | {name: value for name, value in values.items() if value is not None}


def _fields_of_system(upstream: Upstream, system: System) -> dict[str, forms.Field]:
    switch, titled = upstream.switches.get(system.name, usual_switch(system.name)), {"system": system.title}
    fields: dict[str, forms.Field] = {
        f"prefix-{system.name}": forms.CharField(
            label=_("Prefix of %(system)s") % titled, required=False, max_length=200, initial=switch.prefix
        ),
        f"in_flight-{system.name}": forms.IntegerField(
            label=_("%(system)s at the same time") % titled,
            required=False,
            min_value=1,
            max_value=100_000,
            initial=switch.in_flight,
        ),
    }
    if system.dialects:
        fields[f"dialect-{system.name}"] = forms.ChoiceField(
            label=_("Dialect of %(system)s") % titled,
            required=False,
            choices=[(name, _(title)) for name, title in system.dialects.items()],
            widget=forms.Select(attrs={"class": "input"}),
            initial=switch.dialect or next(iter(system.dialects)),
        )
    return fields


def _fields_of_model(upstream: Upstream, model: Model) -> dict[str, forms.Field]:
    cost, titled = upstream.costs.get(model.name), {"model": model.title}
    fields: dict[str, forms.Field] = {
        f"cost-{model.name}": CostField(
            label=_("Cost of %(model)s") % titled,
            initial=None if cost is None else units.as_field(cost, upstream.unit_value),
        ),
        f"priority-{model.name}": forms.IntegerField(
            label=_("Priority for %(model)s") % titled,
            min_value=-MAX_PRIORITY,
            max_value=MAX_PRIORITY,
            required=False,
            initial=upstream.orders.get(model.name),
        ),
    }
    if upstream.kind == GATEWAY:
        fields[f"name-{model.name}"] = forms.RegexField(
            WIRE_NAME,
            label=_("Name of %(model)s there") % titled,
            required=False,
            max_length=MAX_NAME,
            initial=upstream.wire_names.get(model.name, ""),
        )
    return fields


def _system_row(
    form: forms.BaseForm, upstream: Upstream, system: System, is_on: bool, served: Collection[str]
) -> SystemRow:
    return SystemRow(
        system,
        is_on,
        form[f"prefix-{system.name}"],
        form[f"in_flight-{system.name}"],
        form[f"dialect-{system.name}"] if system.dialects else None,
        list(_model_rows(form, upstream, system, served)),
    )


def _model_rows(
    form: forms.BaseForm, upstream: Upstream, system: System, served: Collection[str]
) -> Iterator[ModelRow]:
    for model in catalogue_registry.SYSTEMS[system.name]:
        yield ModelRow(
            model,
            model.name in served,
            units.as_text(model.base_cost, upstream.unit_value),
            form[f"cost-{model.name}"],
            form[f"priority-{model.name}"],
            form[f"name-{model.name}"] if upstream.kind == GATEWAY else None,
        )
