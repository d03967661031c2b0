"""The accounts that follow the environment: their address and key, and what else variables say of them.

What no variable says is set on its page and kept.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.registry import GATEWAY, WIRE_NAME
from generations.upstreams import accounts, encryption, new_account, units
from generations.upstreams.models import Upstream

NAME = "Environment"
KIND = "stability"
GATEWAY_NAME = "Gateway"
MAX_AMOUNT = 1_000_000  # hundredths of a credit or of a cent
SANDBOX_CHAT_MODEL = "gpt-5-mini"  # which the sandbox answers for


def sync_all() -> None:
    """Do what `sync` does for the account at the maker and for the one at a gateway."""
    for kind in (KIND, GATEWAY):
        sync(kind)


def sync(kind: str = KIND) -> Upstream | None:
    """Create, update or disable the account of STABILITY_API_KEY, or of GATEWAY_API_KEY; None without one.

    Raises ImproperlyConfigured, naming the variable, if one cannot be understood.
    """
    name, base_url, key, proxy = {
        KIND: (NAME, settings.STABILITY_BASE_URL, settings.STABILITY_API_KEY, settings.STABILITY_PROXY),
        GATEWAY: (GATEWAY_NAME, settings.GATEWAY_BASE_URL, settings.GATEWAY_API_KEY, settings.GATEWAY_PROXY),
    }[kind]
    values = values_of_variables(kind)
    from_environment = Upstream.objects.filter(from_environment=True, kind=kind)
    if not (base_url and key):
        from_environment.update(enabled=False)
        return None
    upstream = from_environment.first() or _new(kind, name)
    if not _has_key(upstream, key):
        upstream.set_key(key)
    upstream.base_url, upstream.enabled = base_url, True
    upstream.encrypted_proxy_login = ""  # one that was taken out of the environment is gone
    upstream.set_proxy(proxy)
    upstream.closed_models = {}  # the key or the address may be new
    if upstream.paused_status != accounts.PAUSED_BY_OPERATOR:
        upstream.paused_at = None
    if settings.SANDBOX:  # which gives its results from this machine
        upstream.private_results = True
    systems = values.pop("systems", None)
    if systems is not None:
        upstream.systems = {system: upstream.systems.get(system, how) for system, how in systems.items()}
    for field, value in values.items():
        setattr(upstream, field, value)
    upstream.save()
    new_account.share_pace(upstream)
    return upstream


def _new(kind: str, name: str) -> Upstream:
    taken, number, free = frozenset(Upstream.objects.values_list("name", flat=True)), 2, name
    while free in taken:
        free, number = f"{name} {number}", number + 1
    upstream = Upstream(from_environment=True, name=free, kind=kind)
    new_account.begin_with_usual(upstream)
    if settings.SANDBOX and kind == GATEWAY:
        upstream.helper_model = SANDBOX_CHAT_MODEL
    return upstream


def values_of_variables(kind: str = KIND) -> dict[str, Any]:
    """Return the fields that variables set, with their values; ImproperlyConfigured for an unreadable one."""
    values: dict[str, Any] = {}
    for variable, read in VARIABLES[kind].items():
        if text := getattr(settings, variable):
            try:
                values |= read(text)
            except (ValueError, InvalidOperation) as problem:
                raise ImproperlyConfigured(f"{variable}={text}: {problem}") from None
    return values


def variables_of_fields(kind: str = KIND) -> dict[str, str]:
    """Return the fields that variables set, with the name of the variable."""
    set_now = [(variable, read) for variable, read in VARIABLES[kind].items() if getattr(settings, variable)]
    return {name: variable for variable, read in set_now for name in read(getattr(settings, variable))}


def _has_key(upstream: Upstream, key: str) -> bool:
    try:
        return upstream.key == key
    except encryption.Undecryptable:
        return False


def _pace(text: str) -> dict[str, Any]:
    calls, slash, seconds = text.partition("/")
    if not slash:
        raise ValueError(_("write calls/seconds, such as 150/10"))
    return {"limit_calls": _number(calls, least=1), "limit_window": _number(seconds, least=1)}


def _max_in_flight(text: str) -> dict[str, Any]:
    return {"max_in_flight": _number(text, least=1)}


def _low_balance(text: str) -> dict[str, Any]:
    return {"low_balance": _number(text, least=0)}


def _models(text: str) -> dict[str, Any]:
    return {"models_served": [_model(name) for name in _words(text)]}


def _costs(text: str) -> dict[str, Any]:
    pairs = [word.partition("=") for word in _words(text)]
    return {"costs": {_model(name): _hundredths(cost) for name, _equals, cost in pairs}}


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _model(name: str) -> str:
    names = catalogue_registry.names_of_system(KIND)
    if name.strip() not in names:
        named = {"name": name.strip()[:40], "models": ", ".join(names)}
        raise ValueError(_("there is no model %(name)s; choose from %(models)s") % named)
    return name.strip()


def _hundredths(text: str) -> int:
    try:
        amount = Decimal(text.strip()) * 100
    except InvalidOperation:
        raise ValueError(_("write model=cost, such as core=3,ultra=8.5")) from None
    if not amount.is_finite() or amount < 0 or amount != int(amount) or amount > accounts.MAX_COST:
        raise ValueError(_("a cost is a number with at most two decimals, such as 8.5"))
    return int(amount)


def _number(text: str, *, least: int) -> int:
    if not text.strip().isdecimal() or not least <= int(text) < 2**31:
        raise ValueError(_("write a whole number from %(least)s") % {"least": least})
    return int(text)


def _systems(text: str) -> dict[str, Any]:
    return {"systems": new_account.systems_of(_words(text))}


def _helper_model(text: str) -> dict[str, Any]:
    if not WIRE_NAME.match(text):
        raise ValueError(_("write the name of a chat model, such as gpt-5-mini"))
    return {"helper_model": text}


def _helper_price(text: str) -> dict[str, Any]:
    return {"helper_price": _amount(text, worth=units.VALUES[units.CREDIT], least=1)}


def _helper_cap(text: str) -> dict[str, Any]:
    return {"helper_cap": _amount(text, worth=units.VALUES[units.CREDIT], least=0)}


def _helper_cost(text: str) -> dict[str, Any]:
    return {"helper_cost": _amount(text, worth=units.VALUES[units.DOLLAR], least=0)}


def _amount(text: str, *, worth: int, least: int) -> int:
    """Return the hundredths of an amount in units that are worth so many."""
    try:
        hundredths = Decimal(text) * worth
    except InvalidOperation:
        hundredths = Decimal("NaN")
    if not (hundredths.is_finite() and least <= hundredths <= MAX_AMOUNT and hundredths == int(hundredths)):
        allowed = {"least": units.as_field(least, worth), "most": units.as_field(MAX_AMOUNT, worth)}
        raise ValueError(_("write an amount from %(least)s to %(most)s, such as 0.2") % allowed)
    return int(hundredths)


VARIABLES: dict[str, dict[str, Callable[[str], dict[str, Any]]]] = {
    KIND: {
        "STABILITY_PACE": _pace,
        "STABILITY_MAX_IN_FLIGHT": _max_in_flight,
        "STABILITY_MODELS": _models,
        "STABILITY_COSTS": _costs,
        "STABILITY_LOW_BALANCE": _low_balance,
    },
    GATEWAY: {
        "GATEWAY_SYSTEMS": _systems,
        "GATEWAY_HELPER_MODEL": _helper_model,
        "GATEWAY_HELPER_PRICE": _helper_price,
        "GATEWAY_HELPER_CAP": _helper_cap,
        "GATEWAY_HELPER_COST": _helper_cost,
    },
}
