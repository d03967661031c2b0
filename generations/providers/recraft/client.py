"""Client of Recraft's API, at Recraft or at a gateway.

Sources: docs/providers/recraft.md, "Addresses", "Fields" and "Statuses"; docs/providers/gateways.md,
"Prefixes".
"""

from __future__ import annotations

import base64
import json
import time
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from generations.providers.base import Accepted, Done, ImageRequest, InputImage, Refused, Task, Unknown
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.inputs import MASK
from generations.providers.catalogue.validation import validated
from generations.providers.i18n import gettext as _
from generations.providers.recraft.endpoints import Endpoint, endpoint_of, fields_of
from generations.providers.recraft.errors import TABLE
from generations.providers.recraft.responses import parse_response, parse_style
from generations.providers.transport import errors as transport_errors
from generations.providers.transport import json_body
from generations.providers.transport import masks as transport_masks
from generations.providers.transport.api import Api

RESULT_HOST = "img.recraft.ai"
NOT_SERVED = (404, 405)


class Recraft:
    """One account. The key is sent to `base_url` only and is in no text, not even in `repr`."""

    polls_count_as_calls = True  # every call answers at once; nothing is polled

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        client_id: str = "sdweb",
        proxy: str = "",
        at_gateway: bool = False,
        dialect: str = "",
    ) -> None:
        base_url = base_url.rstrip("/").removesuffix("/v1")  # as the maker's own pages write it
        self._api = Api(base_url, key, client_id=client_id, proxy=proxy, at_gateway=at_gateway)
        self._at_gateway = at_gateway
        self.result_hosts: tuple[str, ...] = (RESULT_HOST, urlsplit(base_url).hostname or "")

    def __repr__(self) -> str:
        return f"Recraft({self._api.base_url!r})"

    def submit(self, request: ImageRequest, *, timeout: float) -> Done | Accepted:
        """Request one image or style; raises what `base.Provider.submit` raises.

        Where a call has two names and the first is not served, nothing was bought, and the other is tried.
        """
        endpoint, content = _content(request, at_gateway=self._at_gateway)
        deadline = time.monotonic() + timeout
        for path in endpoint.paths(at_gateway=self._at_gateway):
            reply = self._api.post(path, timeout=deadline - time.monotonic(), **content)
            if reply.status not in NOT_SERVED:
                break
        if reply.status not in (200, 201):
            raise transport_errors.to_error(reply, self._api.key, TABLE, _titles(request))
        if endpoint.makes_style:
            return parse_style(reply, self._api.key)
        return parse_response(reply, self._api.key, request.parameters.get("seed"))

    def poll(self, task: Task, *, timeout: float) -> Done | Accepted:
        """Raise Unknown: Recraft answers at once and has no tasks."""
        raise Unknown(_("This provider has no tasks."))

    def balance(self, *, timeout: float) -> float | None:
        """Return the units left, None at a gateway that does not say; raises as `submit` does."""
        reply = self._api.get("/v1/users/me", timeout=timeout)
        if reply.status in NOT_SERVED:
            return None
        if reply.status != 200:
            raise transport_errors.to_error(reply, self._api.key, TABLE)
        return json_body.number(json_body.parse(reply.body), "credits")


def _content(request: ImageRequest, *, at_gateway: bool) -> tuple[Endpoint, dict[str, Any]]:
    """The endpoint, and the content as keyword arguments of `requests`: JSON, or a form with images."""
    endpoint = endpoint_of(request)
    if endpoint is None:
        raise Refused(_("This provider does not have the model."))
    fields = fields_of(endpoint, request, validated(request))
    if not request.inputs:
        return endpoint, {"json": fields}
    if endpoint.makes_style and not at_gateway:
        return endpoint, {"json": fields | {"image_urls": [_data_url(image) for image in request.inputs]}}
    texts = [(name, (None, _text(value))) for name, value in fields.items()]
    if endpoint.makes_style:
        files = [(f"file{place}", _file(image)) for place, image in enumerate(request.inputs, 1)]
        return endpoint, {"files": [*texts, *files]}
    is_file = endpoint.is_processing and at_gateway
    return endpoint, {"files": [*texts, *(_file_part(image, is_file=is_file) for image in request.inputs)]}


def _file_part(image: InputImage, *, is_file: bool) -> tuple[str, tuple[str, bytes, str]]:
    """A part with an image. A mask has nothing but black and white there."""
    name = "file" if is_file else image.role
    data = transport_masks.black_and_white(image.data) if image.role == MASK else image.data
    return name, _file(replace(image, data=data))


def _file(image: InputImage) -> tuple[str, bytes, str]:
    return f"{image.role}.{image.media_type.removeprefix('image/')}", image.data, image.media_type


def _data_url(image: InputImage) -> str:
    return f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"


def _text(value: Any) -> str:
    """Format the value of a form field: objects as JSON, `true`, numbers without an exponent."""
    if isinstance(value, float):
        return f"{value:.10f}".rstrip("0").rstrip(".")
    return value if isinstance(value, str) else json.dumps(value)


def _titles(request: ImageRequest) -> dict[str, str]:
    """The translated titles of a request's images, by their roles."""
    declared = catalogue_registry.get(request.model)
    return {each.role: _(each.title) for each in declared.inputs if each.role in request.roles}
