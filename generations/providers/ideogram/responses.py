"""Results out of Ideogram's answers.

Source: docs/providers/ideogram.md, "Answers".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generations.providers.base import Done, Output, OutputKind
from generations.providers.transport import errors as transport_errors
from generations.providers.transport import json_body
from generations.providers.transport.errors import ErrorTable
from generations.providers.transport.http import Reply

MAX_IMAGES = 10
MAX_SEED = 4_294_967_295
LONGEST_DESCRIPTION = 10_000  # characters
UNSAFE = "CONTENT_FILTERED"


def parse_response(reply: Reply, key: str, table: ErrorTable) -> Done:
    """Return the results of an answer: pictures by address, or descriptions; raises the error of one without.

    A picture that is not safe has no address, and was filtered. Prompt and seed belong to their own entry.
    """
    data = json_body.parse_object(reply.body)
    entries = _entries(data.get("data"))
    outputs = [output for entry in entries if (output := _picture(entry)) is not None]
    broken = len(entries) - len(outputs)
    outputs += _texts(data.get("descriptions"))
    if not outputs:
        raise transport_errors.to_error(reply, key, table)
    return Done(tuple(outputs), reply.request_id(key), reply.status, broken=broken)


def _entries(listed: Any) -> list[Mapping[str, Any]]:
    return (
        [entry for entry in listed[:MAX_IMAGES] if isinstance(entry, dict)]
        if isinstance(listed, list)
        else []
    )


def _picture(entry: Mapping[str, Any]) -> Output | None:
    """The picture of an entry, None if it has no address and is said to be safe."""
    if entry.get("is_image_safe") is False:
        return Output(filtered=True, finish_reason=UNSAFE)
    url = json_body.text(entry, "url", most=8_192)
    return Output(url=url, seed=_seed(entry.get("seed"))) if url else None


def _seed(value: Any) -> int | None:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and 0 < value <= MAX_SEED else None


def _texts(listed: Any) -> list[Output]:
    """The first description: the others say the same in other words."""
    texts = [json_body.text(entry, "text", most=LONGEST_DESCRIPTION).strip() for entry in _entries(listed)]
    return [Output(kind=OutputKind.TEXT, text=text) for text in texts if text][:1]
