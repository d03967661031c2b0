"""Client of Stability's API, v2beta and v1, at Stability or at a gateway.

Sources: docs/providers/stability.md, "Addresses", "Request headers" and "Results that come later";
docs/providers/gateways.md, "Prefixes".
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from generations.providers.base import (
    Accepted,
    Done,
    ImageRequest,
    InputImage,
    ProviderError,
    Refused,
    Task,
)
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.inputs import MASK
from generations.providers.catalogue.validation import validated
from generations.providers.i18n import gettext as _
from generations.providers.stability import errors as stability_errors
from generations.providers.stability.endpoints import V1_ENGINES, V2BETA, part_name
from generations.providers.stability.responses import parse_response, task_id
from generations.providers.transport.http import Reply, exchange

POLL_AFTER = 10.0  # seconds: docs/providers/stability.md, "Results that come later"
ACCEPTED_STATUSES = (200, 201, 202)  # the documented one, and those that gateways may make of it


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

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        client_id: str = "sdweb",
        proxy: str = "",
        at_gateway: bool = False,  # it is called there as at Stability
        dialect: str = "",
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._client_id = client_id
        self._proxy = proxy

    def __repr__(self) -> str:
        return f"Stability({self._base_url!r})"

    def submit(self, request: ImageRequest, *, timeout: float) -> Done | Accepted:
        """Request one image; raises what `base.Provider.submit` raises.

        Any model may be answered with a task: a gateway may have made it one.
        """
        reply = self._send(_http_request(request), timeout)
        seed, images = request.parameters.get("seed"), _titles(request.model, request.roles)
        if reply.status in ACCEPTED_STATUSES and (remote_id := task_id(reply, self._key)):
            task = Task(
                remote_id, state={"seed": seed, "model": request.model, "roles": sorted(request.roles)}
            )
            seconds = max(POLL_AFTER, catalogue_registry.get(request.model).expected_seconds)
            return Accepted(task, seconds, request_id=reply.request_id(self._key), status=reply.status)
        if reply.status != 200:
            raise stability_errors.to_error(reply, self._key, images)
        return parse_response(reply, self._key, seed)

    def poll(self, task: Task, *, timeout: float) -> Done | Accepted:
        """Ask for the result of a task; raises what `base.Provider.poll` raises."""
        path = f"/v2beta/results/{quote(task.remote_id, safe='')}"
        reply = self._send(_HttpRequest(path, "image/*", method="GET"), timeout)
        if reply.status == 202 or (reply.status == 200 and task_id(reply, self._key)):
            return Accepted(task, POLL_AFTER, request_id=reply.request_id(self._key), status=reply.status)
        images = _titles(task.state.get("model") or "", task.state.get("roles") or ())
        if reply.status != 200:
            raise stability_errors.to_poll_error(reply, self._key, images)
        try:
            return parse_response(reply, self._key, task.state.get("seed"))
        except ProviderError as problem:
            error = problem
        raise stability_errors.after_poll(error)

    def balance(self, *, timeout: float) -> float | None:
        """Return the credits left, None at a gateway that does not say; raises as `submit` does."""
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


def _titles(model: str, roles: Iterable[str]) -> dict[str, str]:
    """The translated titles of a request's images, by the names of their parts."""
    declared = catalogue_registry.MODELS.get(model)
    if declared is None:
        return {}
    titles = {part_name(model, each.role): each.title for each in declared.inputs if each.role in roles}
    return {name: _(title) for name, title in titles.items()}


def _http_request(request: ImageRequest) -> _HttpRequest:
    if request.model in V1_ENGINES:
        return _v1(request)
    if request.model in V2BETA:
        return _v2beta(request)
    raise Refused(_("This provider does not have the model."))


def _v2beta(request: ImageRequest) -> _HttpRequest:
    """Build a v2beta request: multipart, also without a file.

    See docs/providers/stability.md, "Request headers".
    """
    endpoint, fields = V2BETA[request.model], validated(request)
    if endpoint.is_shared:
        mode = "image-to-image" if request.inputs else "text-to-image"
        fields |= {"model": request.model, "mode": mode}
    return _HttpRequest(f"/v2beta/stable-image/{endpoint.path}", "image/*", _multipart(request, fields))


def _v1(request: ImageRequest) -> _HttpRequest:
    """Build a v1 request: JSON, or multipart from an image.

    See docs/providers/stability.md, "v1 text to image" and "v1 image to image".
    """
    body = validated(request)
    prompts = [{"text": body.pop("prompt"), "weight": 1}]
    if "negative_prompt" in body:
        prompts.append({"text": body.pop("negative_prompt"), "weight": -1})
    prompts = body.pop("text_prompts", prompts)
    path = f"/v1/generation/{V1_ENGINES[request.model]}"
    if request.inputs:
        return _v1_from_image(request, path, body, prompts)
    width, height = catalogue_registry.get(request.model).size(body.pop("aspect_ratio", "1:1"))
    body |= {"text_prompts": prompts, "width": width, "height": height}
    return _HttpRequest(f"{path}/text-to-image", "image/png", {"json": body})


def _v1_from_image(
    request: ImageRequest, path: str, body: dict[str, Any], prompts: list[dict[str, Any]]
) -> _HttpRequest:
    """Build a v1 request from an image. `image_strength` is near 1 where our `strength` is near 0."""
    strength = body.pop("strength", None)
    for index, prompt in enumerate(prompts):
        body |= {f"text_prompts[{index}][{name}]": prompt[name] for name in ("text", "weight")}
    if MASK in request.roles:
        body["mask_source"] = "MASK_IMAGE_WHITE"
        return _HttpRequest(f"{path}/image-to-image/masking", "image/png", _multipart(request, body))
    if strength is not None:
        body |= {"init_image_mode": "IMAGE_STRENGTH", "image_strength": 1.0 - strength}
    return _HttpRequest(f"{path}/image-to-image", "image/png", _multipart(request, body))


def _multipart(request: ImageRequest, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a multipart request, as keyword arguments of `requests`."""
    texts = [(name, (None, _text(value))) for name, value in fields.items()]
    return {"files": [*texts, *(_file_part(request.model, image) for image in request.inputs)]}


def _file_part(model: str, image: InputImage) -> tuple[str, tuple[str, bytes, str]]:
    name = part_name(model, image.role)
    return name, (f"{name}.{image.media_type.removeprefix('image/')}", image.data, image.media_type)


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
