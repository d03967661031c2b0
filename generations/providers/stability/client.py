"""Client of Stability's API, v2beta and v1, at Stability or at a gateway.

Sources: docs/providers/stability.md, "Addresses" and "Request headers";
docs/providers/gateways.md, "Prefixes".
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from generations.providers.base import Accepted, Done, ImageRequest, InputImage, Refused, Task
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.i18n import gettext as _
from generations.providers.stability import errors as stability_errors
from generations.providers.stability.responses import parse_response
from generations.providers.transport.http import Reply, exchange

SDXL_ENGINE = "stable-diffusion-xl-1024-v1-0"
POLL_AFTER = 10.0  # seconds: docs/providers/stability.md, "Results that come later"


@dataclass(frozen=True)
class _HttpRequest:
    """An HTTP request: path, accepted type, and the content as keyword arguments of `requests`."""

    path: str
    accept: str
    content: Mapping[str, Any] = field(default_factory=dict)
    method: str = "POST"


class Stability:
    """One account. The key is sent to `base_url` only and is in no text, not even in `repr`."""

    polls_count_as_calls = True  # the limit is of requests: docs/providers/stability.md, "Rate limit"
    result_hosts: tuple[str, ...] = ()

    def __init__(self, base_url: str, key: str, *, client_id: str = "sdweb", proxy: str = "") -> None:
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._client_id = client_id
        self._proxy = proxy

    def __repr__(self) -> str:
        return f"Stability({self._base_url!r})"

    def submit(self, request: ImageRequest, *, timeout: float) -> Done | Accepted:
        """Request one image; raises what `base.Provider.submit` raises."""
        reply = self._send(_http_request(request), timeout)
        return self._done(reply, request.parameters.get("seed"))

    def poll(self, task: Task, *, timeout: float) -> Done | Accepted:
        """Ask for the result of a task; raises what `base.Provider.poll` raises."""
        path = f"/v2beta/results/{quote(task.remote_id, safe='')}"
        reply = self._send(_HttpRequest(path, "image/*", method="GET"), timeout)
        if reply.status == 202:
            return Accepted(task, POLL_AFTER, request_id=reply.request_id(self._key), status=202)
        return self._done(reply, task.state.get("seed"))

    def balance(self, *, timeout: float) -> float | None:
        """Return the credits left, None at a gateway that does not say; raises as `generate` does."""
        request = _HttpRequest("/v1/user/balance", "application/json", method="GET")
        reply = self._send(request, timeout)
        if reply.status in (404, 405):
            return None
        if reply.status != 200:
            raise stability_errors.to_error(reply, self._key)
        return _credits(reply.body)

    def _send(self, request: _HttpRequest, timeout: float) -> Reply:
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Accept": request.accept,
            "User-Agent": self._client_id,
            "Stability-Client-ID": self._client_id,
        }
        url = self._base_url + request.path
        return exchange(
            request.method, url, timeout=timeout, proxy=self._proxy, headers=headers, **request.content
        )

    def _done(self, reply: Reply, seed: int | None) -> Done:
        if reply.status != 200:
            raise stability_errors.to_error(reply, self._key)
        return parse_response(reply, self._key, seed)


def _http_request(request: ImageRequest) -> _HttpRequest:
    if request.model == "sdxl":
        return _v1(request)
    if request.model in ("ultra", "core"):
        return _v2beta(request, request.model)
    if request.model.startswith("sd3.5-") and request.model in catalogue_registry.MODELS:
        mode = "image-to-image" if request.inputs else "text-to-image"
        return _v2beta(request, "sd3", model=request.model, mode=mode)
    raise Refused(_("This provider does not have the model."))


def _v2beta(request: ImageRequest, endpoint: str, **extra_fields: str) -> _HttpRequest:
    """Build a v2beta request: multipart, also without a file.

    See docs/providers/stability.md, "Request headers".
    """
    files: list[tuple[str, tuple[Any, ...]]] = [
        (name, (None, _text(value))) for name, value in (_validated(request) | extra_fields).items()
    ]
    files += [(image.role, _file_part(image)) for image in request.inputs]
    return _HttpRequest(f"/v2beta/stable-image/generate/{endpoint}", "image/*", {"files": files})


def _file_part(image: InputImage) -> tuple[str, bytes, str]:
    return f"{image.role}.{image.media_type.removeprefix('image/')}", image.data, image.media_type


def _v1(request: ImageRequest) -> _HttpRequest:
    """Build a v1 request: JSON; the shape becomes one of the sizes that SDXL takes.

    See docs/providers/stability.md, "v1 text to image".
    """
    body = _validated(request)
    prompts = [{"text": body.pop("prompt"), "weight": 1}]
    if "negative_prompt" in body:
        prompts.append({"text": body.pop("negative_prompt"), "weight": -1})
    prompts = body.get("text_prompts", prompts)
    width, height = catalogue_registry.get("sdxl").size(body.pop("aspect_ratio", "1:1"))
    body |= {"text_prompts": prompts, "width": width, "height": height}
    return _HttpRequest(f"/v1/generation/{SDXL_ENGINE}/text-to-image", "image/png", {"json": body})


def _validated(request: ImageRequest) -> dict[str, Any]:
    """Validate the parameters once more; Refused if they are invalid.

    An old generation may have parameters that were valid when it was submitted and are not any more.
    """
    model = catalogue_registry.get(request.model)
    try:
        return catalogue_registry.validate(model, request.parameters, roles=request.roles)
    except catalogue_registry.InvalidParameters as problem:
        reason = str(problem)[:300]
    raise Refused(reason)


def _text(value: str | float | bool) -> str:
    """Format the value of a form field: `true`; floats without an exponent, which some servers reject."""
    if isinstance(value, bool):
        return str(value).lower()
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
