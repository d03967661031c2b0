"""Which answers an operation has, for the OpenAPI document: its own, and the refusals that may come."""

from __future__ import annotations

from typing import Any

from generations.api.v1.schemas.library import Error

ALWAYS = (401, 403, 429, 500)  # for every operation


def answers(status: int, shape: Any, *refusals: int) -> dict[Any, Any]:
    """One answer, and the refusals besides those that every operation has."""
    return {status: shape, frozenset({*ALWAYS, *refusals}): Error}


def refusals(*more: int) -> dict[Any, Any]:
    """Those of an operation that answers bytes."""
    return {frozenset({*ALWAYS, *more}): Error}


PICTURE: dict[str, Any] = {
    "responses": {
        200: {
            "description": "The picture's bytes",
            "content": {
                f"image/{kind}": {"schema": {"type": "string", "format": "binary"}}
                for kind in ("png", "jpeg", "webp")
            },
        },
    }
}
KEY: dict[str, Any] = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "The same key and body give the same answer for 24 hours, and happen once.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }
    ]
}
