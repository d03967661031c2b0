"""What the OpenAPI document says beside the types: what this is, and what each refusal looks like."""

from __future__ import annotations

from typing import Any

ABOUT = """\
Programs make pictures here as people do: with the same credits, queue, fairness and library.

Send a token of the page **API tokens** as `Authorization: Bearer sdw_…`. Credits are numbers with at most
two decimals. Lists answer `next`, the address of the following page, or `null`. Every answer says in
`RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` how many requests a minute are allowed and
left. A refused call did nothing and costs nothing; it answers `{"error": {"code", "message", "field"}}`,
where `code` never changes.
"""
# By status: what the document says of a refusal, and an example of one.
REFUSALS: dict[str, tuple[str, str, str, str]] = {
    "400": ("The body cannot be read", "bad_request", "This body cannot be read.", ""),
    "401": (
        "No token, or one that lets nobody in",
        "unauthorized",
        "This API token has expired. Make a new one.",
        "",
    ),
    "402": (
        "Credits or a cap do not cover it",
        "insufficient_credits",
        "Not enough credits: 3 more needed, 0 available.",
        "",
    ),
    "403": (
        "The token or its member may not do this",
        "scope_missing",
        "This API token may not generate, or its member's role does not allow it.",
        "",
    ),
    "404": ("There is nothing here, or it is not yours", "not_found", "There is nothing here.", ""),
    "409": (
        "It cannot be done as things stand",
        "idempotency_key_reused",
        "This Idempotency-Key was used for another call. Use a new key for a new call.",
        "",
    ),
    "413": ("The body is too large", "too_large", "This request is larger than any this portal takes.", ""),
    "422": ("A value is wrong", "invalid", "Fill in this field.", "prompt"),
    "429": (
        "Too many requests; see Retry-After",
        "rate_limited",
        "Too many requests: 1200 a minute are allowed. Try again in 1 s.",
        "",
    ),
    "500": (
        "Something went wrong here",
        "internal_error",
        "Something went wrong here. It was written down.",
        "",
    ),
    "503": (
        "It cannot be done now; see Retry-After",
        "no_upstream",
        "No provider is set up for this model yet. Ask the operator of this portal.",
        "",
    ),
}


def added_to(document: Any) -> Any:
    """The document with a description and an example for each refusal."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                _describe(str(status), answer)
    return document


def _describe(status: str, answer: dict[str, Any]) -> None:
    if status not in REFUSALS:
        answer["description"] = answer.get("description") if answer.get("description") != "OK" else "Done"
        return
    about, code, message, field = REFUSALS[status]
    said = {"code": code, "message": message} | ({"field": field} if field else {})
    answer["description"] = about
    for content in answer.get("content", {}).values():
        content["example"] = {"error": said}
