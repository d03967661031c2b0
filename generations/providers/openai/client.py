"""Client of OpenAI's images API, at OpenAI or at a gateway that speaks its format.

Sources: docs/providers/openai.md, "Generations", "Edits" and "Traps"; docs/providers/gateways.md, "Prefixes".
"""

from __future__ import annotations

from typing import Any

from generations.providers.base import Accepted, Done, ImageRequest, InputImage
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.inputs import MASK
from generations.providers.catalogue.validation import validated
from generations.providers.i18n import gettext as _
from generations.providers.openai import errors as openai_errors
from generations.providers.openai import sizes
from generations.providers.openai.account import Account
from generations.providers.openai.responses import parse_response
from generations.providers.transport import alpha_mask

GENERATIONS, EDITS = "/v1/images/generations", "/v1/images/edits"
RESPONSE_FORMATS = ("url", "b64_json")  # dialects of gateways that give an image only if they are asked so


class OpenAI(Account):
    """One account. The key is sent to `base_url` only and is in no text, not even in `repr`.

    `dialect` is "", or the `response_format` that a gateway needs; live models of the maker refuse it.
    """

    def submit(self, request: ImageRequest, *, timeout: float) -> Done | Accepted:
        """Request images; raises what `base.Provider.submit` raises."""
        path, content = self._http_request(request)
        reply = self._api.post(path, timeout=timeout, **content)
        if reply.status != 200:
            raise openai_errors.to_error(reply, self._key, _titles(request))
        return parse_response(reply, self._key, tells_cost=not self._at_gateway)

    def _http_request(self, request: ImageRequest) -> tuple[str, dict[str, Any]]:
        """The path, and the content as keyword arguments of `requests`."""
        fields = _fields(request)
        if self._dialect in RESPONSE_FORMATS:
            fields["response_format"] = self._dialect
        if not request.inputs:
            return GENERATIONS, {"json": fields}
        texts = [(name, (None, str(value))) for name, value in fields.items()]
        return EDITS, {"files": [*texts, *_file_parts(request)]}


def _fields(request: ImageRequest) -> dict[str, Any]:
    """Return the fields as they are sent, without those that say what is usual anyway.

    Not every gateway knows all of them.
    """
    model = catalogue_registry.get(request.model)
    parameters = validated(request)
    size = parameters.pop("size", sizes.AUTO)
    shape = parameters.pop("aspect_ratio", "1:1")
    fields = {"model": request.sold_as} | {
        name: value for name, value in parameters.items() if value != model.field(name).default
    }
    if size != sizes.AUTO:
        fields["size"] = size
    elif not request.inputs:
        fields["size"] = sizes.as_text(model.size(shape))
    return fields


def _file_parts(request: ImageRequest) -> list[tuple[str, tuple[str, bytes, str]]]:
    """The images in order, and the mask with what is white in ours transparent."""
    images = [image for image in request.inputs if image.role != MASK]
    name = "image" if len(images) == 1 else "image[]"
    parts = [
        (name, (f"image-{number}.{_suffix(image)}", image.data, image.media_type))
        for number, image in enumerate(images, 1)
    ]
    masks = [alpha_mask.transparent_where_white(image.data) for image in request.of_role(MASK)]
    return parts + [("mask", ("mask.png", mask, "image/png")) for mask in masks]


def _suffix(image: InputImage) -> str:
    return image.media_type.removeprefix("image/")


def _titles(request: ImageRequest) -> dict[str, str]:
    """The translated titles of a request's images, by the names of their parts."""
    model = catalogue_registry.get(request.model)
    return {each.role: _(each.title) for each in model.inputs if each.role in request.roles}
