"""Images out of answers in OpenAI's format: base64 at the maker, at gateways also addresses, or both.

The wire: docs/providers/openai.md, "Answers".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generations.providers.base import Done, Output, ProviderError, Unknown
from generations.providers.i18n import gettext as _
from generations.providers.openai import errors as openai_errors
from generations.providers.openai import usage as openai_usage
from generations.providers.transport import base64_text, json_body
from generations.providers.transport.http import Reply
from generations.providers.transport.media_check import InvalidImage, output_of

MAX_IMAGES = 10
DATA_URL = "data:"


def parse_response(reply: Reply, key: str, *, tells_cost: bool) -> Done:
    """Return the images of a response of status 200; raises what the response says if there are none.

    `tells_cost`: its `usage` is what the account pays, as at the maker; gateways have prices of their own.
    """
    document = json_body.parse(reply.body)
    entries = _entries(document)
    found = [output for entry in entries if (output := output_of_entry(entry)) is not None]
    if not found:
        raise _no_image(reply, key, came=any(map(_has_something, entries)))
    cost = openai_usage.cost(document.get("usage")) if tells_cost else None
    return Done(tuple(found), reply.request_id(key), cost=cost, broken=len(entries) - len(found))


def output_of_entry(entry: Mapping[str, Any]) -> Output | None:
    """Return the image of one entry of `data`, its bytes before its address; None without a usable one."""
    text, url = (
        value if isinstance(value, str) else "" for value in (entry.get("b64_json"), entry.get("url"))
    )
    if not text and url.lower().startswith(DATA_URL):
        text = url
    if text:
        try:
            return output_of(base64_text.decode(text))
        except InvalidImage:
            return None
    return Output(url=url) if url else None


def _no_image(reply: Reply, key: str, *, came: bool) -> ProviderError:
    """Return the error of a response of status 200 without an image; `came`: something came in its place."""
    error = openai_errors.to_error(reply, key)  # some gateways send it with 200
    if came and isinstance(error, Unknown):
        return Unknown(_("What the provider sent is no whole image."), reply.status, error.request_id)
    return error


def _entries(document: Any) -> list[Mapping[str, Any]]:
    listed = document.get("data") if isinstance(document, Mapping) else None
    entries = listed if isinstance(listed, list) else []
    return [entry for entry in entries if isinstance(entry, Mapping)][:MAX_IMAGES]


def _has_something(entry: Mapping[str, Any]) -> bool:
    return bool(entry.get("b64_json") or entry.get("url"))
