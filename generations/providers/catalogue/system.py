"""The declaration of a system: a maker's API with its models, where it is, and how gateways sell it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from generations.providers.catalogue.model import Model


@dataclass(frozen=True)
class System:
    """One system; what a gateway does otherwise is set in its account.

    `title` is a name and not translated. `address` is the maker's own, "" if the system has none. `prefix` is
    what gateways put before its paths, such as `/sd`, and `other_prefixes` what some do. `dialects` are wire
    formats to choose from, with their titles; the first is the usual one, and `gateway_dialect` that of most
    gateways; `dialect_models` are the names of a dialect's models where it does not have all. `unit` is what
    the maker counts costs and balance in, and `unit_value` its worth in hundredths of a US cent. `calls` in
    `seconds` is the limit of an account at the maker, where one is known; `in_flight` what runs at the same
    time. `free_question` is a path that can be asked for without a purchase, such as that of an unknown task:
    a JSON answer says that a gateway has the system.
    """

    name: str
    title: str
    models: tuple[Model, ...]
    address: str = ""
    prefix: str = ""
    other_prefixes: tuple[str, ...] = ()
    free_question: str = ""
    dialects: Mapping[str, str] = field(default_factory=dict)
    gateway_dialect: str = ""
    dialect_models: Mapping[str, Collection[str]] = field(default_factory=dict)
    unit: str = "USD"
    unit_value: int = 10_000
    calls: int = 150
    seconds: int = 10
    in_flight: int | None = None

    def has_in(self, dialect: str, model: str) -> bool:
        """Return whether a dialect has one of the system's models; "" is the usual dialect."""
        own = self.dialect_models.get(dialect or next(iter(self.dialects), ""))
        return own is None or model in own
