"""Look at what a gateway sells, by questions that cost nothing: its models, its prices, and unknown tasks.

Sources: docs/providers/gateways.md, "Prefixes", "Prices" and "Statuses".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from generations.providers.base import Busy, ProviderError, Unavailable, Unknown
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.system import System
from generations.providers.registry import Switch, checked_address, checked_key, checked_proxy, usual_switch
from generations.providers.transport import json_body
from generations.providers.transport.api import Api
from generations.providers.transport.errors import to_error
from generations.providers.transport.http import Reply

TIMEOUT = 10.0  # seconds of one question
MAX_MODELS = 5_000
PER_CALL = 1  # new-api's quota_type of a price for each call, in dollars; others are by token
DOLLAR = 10_000  # hundredths of a cent
MAX_PRICE = 100.0  # dollars; more is a mistake
BARE = frozenset({"detail", "message", "error", "status", "path", "timestamp", "code"})
NOT_SERVED = re.compile(r"invalid url|not implemented", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """What a gateway seems to sell: a proposal, which a person confirms.

    `models` are those of the catalogue that it lists, `wire_names` its names for them where they differ,
    `costs` what it says that a call costs, in hundredths of a US cent.
    """

    systems: Mapping[str, Switch] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    wire_names: Mapping[str, str] = field(default_factory=dict)
    costs: Mapping[str, int] = field(default_factory=dict)
    listed: int = 0  # models that it lists, whatever they are


def look(base_url: str, key: str, proxy: str = "") -> Found:
    """Ask a gateway what it sells. Raises Unavailable for a bad key, Busy or Unknown if it does not answer.

    ValueError, for operators, if address, key or proxy is invalid.
    """
    api = Api(checked_address(base_url), checked_key(key), proxy=checked_proxy(proxy), at_gateway=True)
    names = _listed_names(api)
    by_model = _by_model(names)
    systems: dict[str, Switch] = {}
    models: list[str] = []
    for system in catalogue_registry.DECLARED.values():
        own = [model.name for model in system.models]
        listed = [name for name in own if name in by_model]
        prefix = _prefix(api, system) if system.free_question else None
        if prefix is not None or listed:
            usual = usual_switch(system.name)
            systems[system.name] = Switch(usual.prefix if prefix is None else prefix, usual.dialect)
            models += listed or own
    costs = _prices(api)
    return Found(
        systems,
        tuple(models),
        {model: name for model, name in by_model.items() if name != model},
        {model: costs[name] for model, name in by_model.items() if name in costs},
        len(names),
    )


def _listed_names(api: Api) -> list[str]:
    """The names of `GET /v1/models`; [] if the gateway has no such list."""
    reply = api.get("/v1/models", timeout=TIMEOUT)
    if reply.status != 200:
        error = to_error(reply, api.key)
        if isinstance(error, Unavailable | Busy):
            raise error
        return []
    entries = json_body.value(json_body.parse(reply.body), "data")
    if not isinstance(entries, list):
        return []
    return [name for entry in entries[:MAX_MODELS] if (name := json_body.text(entry, "id", most=100))]


def _by_model(names: list[str]) -> dict[str, str]:
    """{model of the catalogue: the gateway's name}; its own name goes before a similar and a declared one."""
    similar = {_plain(name): name for name in reversed(names)}
    exact = frozenset(names)
    found = {}
    for model, declared in catalogue_registry.MODELS.items():
        others = (similar.get(_plain(model)), *(name for name in declared.sold_as if name in exact))
        if name := model if model in exact else next(filter(None, others), ""):
            found[model] = name
    return found


def _plain(name: str) -> str:
    """A name without its maker, in one spelling: black-forest-labs/FLUX.2_pro is flux-2-pro."""
    return re.sub(r"[\W_]+", "-", name.rpartition("/")[2].lower()).strip("-")


def _prefix(api: Api, system: System) -> str | None:
    """The prefix under which a question is understood, None if it is under none."""
    for prefix in dict.fromkeys((system.prefix, *system.other_prefixes)):
        try:
            reply = api.get(prefix + system.free_question, timeout=TIMEOUT)
        except (Busy, Unknown):
            continue
        if _is_served(reply):
            return prefix
    return None


def _is_served(reply: Reply) -> bool:
    """Whether the answer is of the system: JSON, and not of a gateway that does not know the address."""
    data = json_body.parse_object(reply.body)
    if not data or reply.status in (401, 403, 405, 501) or reply.status >= 500:
        return False
    message = json_body.text(data, "error", "message") or json_body.text(data, "message")
    return not NOT_SERVED.search(message) and not (reply.status == 404 and _is_bare(data))


def _is_bare(data: Mapping[str, object]) -> bool:
    """Whether it is what frameworks write for any address that they do not know."""
    return data.keys() <= BARE and not isinstance(data.get("error"), dict)


def _prices(api: Api) -> dict[str, int]:
    """{the gateway's name of a model: what a call costs}, of gateways that run new-api."""
    try:
        reply = api.get("/api/pricing", timeout=TIMEOUT)
    except ProviderError:
        return {}
    entries = json_body.value(json_body.parse(reply.body), "data") if reply.status == 200 else None
    costs = {}
    for entry in entries[:MAX_MODELS] if isinstance(entries, list) else []:
        name, price = json_body.text(entry, "model_name", most=100), json_body.number(entry, "model_price")
        is_per_call = json_body.number(entry, "quota_type") == PER_CALL
        if name and is_per_call and price is not None and 0 < price <= MAX_PRICE:
            costs[name] = max(1, round(price * DOLLAR))
    return costs
