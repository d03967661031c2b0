"""Stability's wire format, v2beta and v1, at Stability or at a gateway.

The wire: docs/providers/stability.md, "Addresses" and "Request headers";
docs/providers/gateways.md, "Prefixes".
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from generations.providers.base import Done, ImageRequest, Pending, Refused
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.i18n import gettext as _
from generations.providers.stability import errors as stability_errors
from generations.providers.stability.responses import read_answer
from generations.providers.transport.http import Reply, exchange

ENGINE = "stable-diffusion-xl-1024-v1-0"
ASK_AGAIN = 10.0  # seconds: docs/providers/stability.md, "Results that come later"
SIGNATURES = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg", b"RIFF": "webp"}


@dataclass(frozen=True)
class _Order:
    """One request to be: where, what is wanted back, and the content as `requests` takes it."""

    path: str
    accept: str
    content: Mapping[str, Any] = field(default_factory=dict)
    method: str = "POST"


class Stability:
    """One account. The key goes to `base_url` and is shown to nobody, not even by `repr`."""

    def __init__(self, base_url: str, key: str, *, client_id: str = "sdweb") -> None:
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._client_id = client_id

    def __repr__(self) -> str:
        return f"Stability({self._base_url!r})"

    def generate(self, request: ImageRequest, *, timeout: float) -> Done:
        """Draw one image; errors as `base.Provider.generate` says."""
        reply = self._send(_order(request), timeout)
        return self._done(reply, request.parameters.get("seed"))

    def collect(self, pending: Pending, *, timeout: float) -> Done | Pending:
        """Ask for the result of an order; no model of the catalogue is drawn that way yet."""
        path = f"/v2beta/results/{quote(pending.remote_id, safe='')}"
        reply = self._send(_Order(path, "image/*", method="GET"), timeout)
        if reply.status == 202:
            return Pending(
                pending.remote_id, ASK_AGAIN, stability_errors.request_id(reply.headers, self._key)
            )
        return self._done(reply, None)

    def balance(self, *, timeout: float) -> float | None:
        """Credits left, None at a gateway that does not say; errors as `base.Provider.generate` says."""
        order = _Order("/v1/user/balance", "application/json", method="GET")
        reply = self._send(order, timeout)
        if reply.status in (404, 405):
            return None
        if reply.status != 200:
            raise stability_errors.failure(reply, self._key)
        return _credits(reply.body)

    def _send(self, order: _Order, timeout: float) -> Reply:
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Accept": order.accept,
            "User-Agent": self._client_id,
            "Stability-Client-ID": self._client_id,
        }
        url = self._base_url + order.path
        return exchange(order.method, url, timeout=timeout, headers=headers, **order.content)

    def _done(self, reply: Reply, seed: int | None) -> Done:
        if reply.status != 200:
            raise stability_errors.failure(reply, self._key)
        return read_answer(reply, self._key, seed)


def _order(request: ImageRequest) -> _Order:
    if request.model == "sdxl":
        return _v1(request)
    if request.model in ("ultra", "core"):
        return _v2beta(request, request.model)
    if request.model.startswith("sd3.5-") and request.model in catalogue_registry.MODELS:
        mode = "text-to-image" if request.image is None else "image-to-image"
        return _v2beta(request, "sd3", model=request.model, mode=mode)
    raise Refused(_("This provider does not have the model."))


def _v2beta(request: ImageRequest, endpoint: str, **special: str) -> _Order:
    """Always multipart, also without a file: docs/providers/stability.md, "Request headers"."""
    files: list[tuple[str, tuple[Any, ...]]] = [
        (name, (None, _text(value))) for name, value in (_taken(request) | special).items()
    ]
    if request.image is not None:
        kind = next((kind for start, kind in SIGNATURES.items() if request.image.startswith(start)), "png")
        files.append(("image", (f"image.{kind}", request.image, f"image/{kind}")))
    return _Order(f"/v2beta/stable-image/generate/{endpoint}", "image/*", {"files": files})


def _v1(request: ImageRequest) -> _Order:
    """JSON; the shape becomes one of the pairs of sides that SDXL takes.

    See docs/providers/stability.md, "v1 text to image".
    """
    body = _taken(request)
    prompts = [{"text": body.pop("prompt"), "weight": 1}]
    if "negative_prompt" in body:
        prompts.append({"text": body.pop("negative_prompt"), "weight": -1})
    width, height = catalogue_registry.get("sdxl").size(body.pop("aspect_ratio", "1:1"))
    body |= {"text_prompts": prompts, "width": width, "height": height}
    return _Order(f"/v1/generation/{ENGINE}/text-to-image", "image/png", {"json": body})


def _taken(request: ImageRequest) -> dict[str, Any]:
    """The values once more as the catalogue lets them through; Refused if it does not.

    An old row may hold what the catalogue took then and the endpoint does not take now.
    """
    model = catalogue_registry.get(request.model)
    try:
        return catalogue_registry.validate(model, request.parameters, has_image=request.image is not None)
    except catalogue_registry.InvalidParameters as problem:
        reason = str(problem)[:300]
    raise Refused(reason)


def _text(value: str | float) -> str:
    """The value of a form field; numbers without an exponent, which not every server reads."""
    if isinstance(value, float):
        return f"{value:.10f}".rstrip("0").rstrip(".")
    return str(value)


def _credits(body: bytes) -> float | None:
    try:
        credits_left = json.loads(body[:65_536])["credits"]
        number = float(credits_left) if not isinstance(credits_left, bool | str) else math.nan
    except (ValueError, RecursionError, TypeError, KeyError, OverflowError):
        return None
    return number if math.isfinite(number) else None
