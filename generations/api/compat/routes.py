"""The paths of the compatible wire formats, and the format that each is served in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from generations.api.compat import account as compat_account
from generations.api.compat.base import Format, HttpRequest, Response
from generations.api.compat.openai import ImagesGenerations
from generations.api.compat.openai_edits import ImagesEdits
from generations.api.compat.stability_v1 import TextToImage
from generations.api.compat.stability_v1_images import ImageToImage
from generations.api.compat.stability_v2beta import ENDPOINTS, StableImage
from generations.teams.models import Token

PREFIXES = re.compile(r"/(v1|v2beta|sd)/.*", re.DOTALL)
V2BETA, V1, V1_IMAGES = StableImage(), TextToImage(), ImageToImage()
OPENAI, OPENAI_EDITS = ImagesGenerations(), ImagesEdits()


@dataclass(frozen=True)
class Route:
    """A method and path: `respond` writes the response at once; without it the call generates images.

    With `is_result` the call asks for what an earlier one has ordered.
    """

    method: str
    path: re.Pattern[str]
    format: Format
    respond: Callable[[Token, HttpRequest], Response] | None = None
    is_result: bool = False


def _route(
    method: str,
    path: str,
    format_: Format,
    respond: Callable[[Token, HttpRequest], Response] | None = None,
    *,
    is_result: bool = False,
) -> Route:
    return Route(method, re.compile(path), format_, respond, is_result)


SD = "(?P<gateway>/sd)?"  # prefix at gateways: docs/providers/gateways.md, "Prefixes"
V2BETA_PATHS = "|".join(map(re.escape, sorted(ENDPOINTS)))
ENGINE, RESULT = f"{SD}/v1/generation/(?P<engine>[^/]{{1,200}})", "(?P<id>[^/]{1,200})"
ROUTES = (
    _route("POST", f"{SD}/v2beta/stable-image/(?P<endpoint>{V2BETA_PATHS})", V2BETA),
    _route("GET", f"{SD}/v2beta/results/{RESULT}", V2BETA, is_result=True),
    _route("GET", f"{SD}/v2beta/stable-image/upscale/creative/result/{RESULT}", V2BETA, is_result=True),
    _route("POST", f"{ENGINE}/text-to-image", V1),
    _route("POST", f"{ENGINE}/image-to-image(?P<masking>/masking)?", V1_IMAGES),
    _route("GET", f"{SD}/v1/user/balance", V1, compat_account.balance),
    _route("GET", f"{SD}/v1/user/account", V1, compat_account.account),
    _route("GET", f"{SD}/v1/engines/list", V1, compat_account.engines),
    _route("POST", "/v1/images/generations", OPENAI),
    _route("POST", "/v1/images/edits", OPENAI_EDITS),
    _route("GET", "/v1/models", OPENAI, compat_account.models),
    _route("GET", "/v1/models/(?P<model>[^/]{1,200})", OPENAI, compat_account.model),
)


def find(method: str, path: str) -> tuple[Route | None, Mapping[str, str]]:
    """Return the route of a path and the variable parts of the path; None and {} if there is none."""
    for route in ROUTES:
        if route.method == method and (match := route.path.fullmatch(path)):
            return route, match.groupdict(default="")
    return None, {}


def likely_format(path: str) -> Format:
    """Return the format in which a client of an unknown path most likely expects its 404."""
    if "/v2beta/" in path:
        return V2BETA
    is_v1 = re.match(r"(/sd)?/v1/(generation|user|engines)/", path) or path.startswith("/sd/")
    return V1 if is_v1 else OPENAI
