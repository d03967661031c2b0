"""Which addresses the wire formats have, and in which format each is answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from generations.api.compat import account as compat_account
from generations.api.compat.base import Answer, Format
from generations.api.compat.openai import Images
from generations.api.compat.stability_v1 import TextToImage
from generations.api.compat.stability_v2beta import StableImage

OURS = re.compile(r"/(v1|v2beta|sd)/.*", re.DOTALL)
V2BETA, V1, OPENAI = StableImage(), TextToImage(), Images()


@dataclass(frozen=True)
class Route:
    """An address that answers at once (`tell`), or once pictures are there (without)."""

    method: str
    path: re.Pattern[str]
    format: Format
    tell: Callable[..., Answer] | None = None


def _route(method: str, path: str, spoken: Format, tell: Callable[..., Answer] | None = None) -> Route:
    return Route(method, re.compile(path), spoken, tell)


SD = "(?P<gateway>/sd)?"  # of gateways: docs/providers/gateways.md, "Prefixes"
ROUTES = (
    _route("POST", f"{SD}/v2beta/stable-image/generate/(?P<endpoint>ultra|core|sd3)", V2BETA),
    _route("POST", f"{SD}/v1/generation/(?P<engine>[^/]{{1,200}})/text-to-image", V1),
    _route("GET", f"{SD}/v1/user/balance", V1, compat_account.balance),
    _route("GET", f"{SD}/v1/user/account", V1, compat_account.account),
    _route("GET", f"{SD}/v1/engines/list", V1, compat_account.engines),
    _route("POST", "/v1/images/generations", OPENAI),
    _route("GET", "/v1/models", OPENAI, compat_account.models),
    _route("GET", "/v1/models/(?P<model>[^/]{1,200})", OPENAI, compat_account.model),
)


def find(method: str, path: str) -> tuple[Route | None, Mapping[str, str]]:
    """What answers there, and what varies in its address; nothing if nothing does."""
    for route in ROUTES:
        if route.method == method and (match := route.path.fullmatch(path)):
            return route, match.groupdict(default="")
    return None, {}


def likely_format(path: str) -> Format:
    """In which format a client expects to hear that there is nothing."""
    if "/v2beta/" in path:
        return V2BETA
    return (
        V1 if re.match(r"(/sd)?/v1/(generation|user|engines)/", path) or path.startswith("/sd/") else OPENAI
    )
