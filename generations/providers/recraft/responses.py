"""Results out of Recraft's answers.

Source: docs/providers/recraft.md, "Addresses" and "Prices".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generations.providers.base import Done, Output, OutputKind
from generations.providers.catalogue.fields import STYLE_ID
from generations.providers.recraft.errors import TABLE
from generations.providers.recraft.models import HUNDREDTHS_OF_A_CENT
from generations.providers.transport import base64_text, json_body
from generations.providers.transport import errors as transport_errors
from generations.providers.transport.http import Reply
from generations.providers.transport.media_check import InvalidImage, output_of

MOST_UNITS = 1_000_000  # of one call; a number above is none
MAX_IMAGES = 10


def parse_response(reply: Reply, key: str, seed: int | None) -> Done:
    """Return the results of an answer, by address or as bytes; raises the error of one that has none.

    Generating answers a list `data`, processing one `image`; either is taken from any call. What a result is
    (a PNG, a WebP, an SVG that nobody asked for) is known from its bytes only.
    """
    data = json_body.parse_object(reply.body)
    entries = _entries(data)
    outputs = tuple(output for entry in entries if (output := _output(entry, seed)) is not None)
    if not outputs:
        raise transport_errors.to_error(reply, key, TABLE)  # some gateways send errors with status 200
    broken = len(entries) - len(outputs)
    return Done(outputs, reply.request_id(key), reply.status, cost=_cost(data), broken=broken)


def parse_style(reply: Reply, key: str) -> Done:
    """Return the id of a style that was made; raises the error of an answer without one."""
    data = json_body.parse_object(reply.body)
    style = json_body.text(data, "id", most=101)
    if not STYLE_ID.fullmatch(style):
        raise transport_errors.to_error(reply, key, TABLE)
    output = Output(kind=OutputKind.STYLE, text=style)
    return Done((output,), reply.request_id(key), reply.status, cost=_cost(data))


def _entries(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    listed = data.get("data")
    entries = listed if isinstance(listed, list) else [data.get("image")]
    return [entry for entry in entries[:MAX_IMAGES] if isinstance(entry, dict)]


def _output(entry: Mapping[str, Any], seed: int | None) -> Output | None:
    """The result of an entry, None if it has none that can be used."""
    encoded = entry.get("b64_json")
    if isinstance(encoded, str) and encoded:
        try:
            return output_of(base64_text.decode(encoded), seed)
        except InvalidImage:
            return None
    url = json_body.text(entry, "url", most=8_192)
    return Output(url=url, seed=seed) if url else None


def _cost(data: Mapping[str, Any]) -> int | None:
    """What the answer says it cost, None if it does not say."""
    units = json_body.number(data, "credits")
    return round(units * HUNDREDTHS_OF_A_CENT) if units is not None and 0 <= units < MOST_UNITS else None
