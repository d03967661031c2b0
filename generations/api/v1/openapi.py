"""The OpenAPI document: its introduction, the errors of each operation, and operation ids."""

from __future__ import annotations

from typing import Any

from generations.api.v1.schemas.base import Error

ABOUT = """\
Generate images and manage a team with the same credits, queue and library as the portal's pages.

**Authentication.** Send an API token as `Authorization: Bearer sdw_…`. Create one on the page *API tokens*.

**Credits** are numbers with at most two decimals.

**Lists** return `items` and `next`, the path of the next page, or `null` on the last page.

**Rate limits.** The headers `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` of every response
tell how many requests per minute are allowed and left.

**Errors** are `{"error": {"code", "message", "field"}}`. `code` is stable; `message` is for people. A refused
request changes nothing and costs nothing.
"""
ALWAYS = (401, 403, 429, 500)  # errors of every operation

# By status: description, and an example of its code, message and field.
ERRORS: dict[str, tuple[str, str, str, str]] = {
    "400": ("The body cannot be read", "bad_request", "The body of this request cannot be read.", ""),
    "401": (
        "The token is missing, unknown, expired or revoked",
        "unauthorized",
        "Send an API token of this portal as Authorization: Bearer sdw_…",
        "",
    ),
    "402": (
        "Not enough credits, or a cap is reached",
        "insufficient_credits",
        "Not enough credits: 3 more needed, 0 available.",
        "",
    ),
    "403": (
        "The token, or its member's role, does not allow this",
        "scope_missing",
        "This API token may not generate, or its member's role does not allow it.",
        "",
    ),
    "404": ("It does not exist, or the token may not see it", "not_found", "Not found.", ""),
    "409": (
        "The current state does not allow this",
        "idempotency_key_reused",
        "This Idempotency-Key was used for another request. Use a new key for a new request.",
        "",
    ),
    "413": (
        "The body is too large",
        "too_large",
        "This request is larger than any this portal takes.",
        "",
    ),
    "422": ("A value is invalid", "invalid", "Fill in this field.", "prompt"),
    "429": (
        "Too many requests; wait for Retry-After seconds",
        "rate_limited",
        "Too many requests: 1200 a minute are allowed. Try again in 1 s.",
        "",
    ),
    "500": (
        "Unexpected error",
        "internal_error",
        "An unexpected error occurred. It was logged.",
        "",
    ),
    "503": (
        "Temporarily not possible; wait for Retry-After seconds",
        "no_upstream",
        "No provider is set up for this model yet. Ask the operator of this portal.",
        "",
    ),
}
IMAGE_FILE: dict[str, Any] = {
    "responses": {
        200: {
            "description": "The image file",
            "content": {
                f"image/{kind}": {"schema": {"type": "string", "format": "binary"}}
                for kind in ("png", "jpeg", "webp")
            },
        },
    }
}
IDEMPOTENCY_KEY: dict[str, Any] = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "A unique key, such as a UUID. For 24 hours a repeated request with the same key "
            "and body is not carried out again and returns the first response.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }
    ]
}
# Generated clients name their methods by operation id, so an id stays when its function is renamed.
OPERATION_IDS: dict[str, str] = {
    "GET /api/v1/batches/{pk}": "generations_api_v1_generations_batch",
    "POST /api/v1/batches/{pk}/cancel": "generations_api_v1_generations_cancel_batch",
    "GET /api/v1/collections": "generations_api_v1_shelves_collections",
    "POST /api/v1/collections": "generations_api_v1_shelves_make",
    "DELETE /api/v1/collections/{pk}": "generations_api_v1_shelves_forget",
    "GET /api/v1/collections/{pk}": "generations_api_v1_shelves_one",
    "PUT /api/v1/collections/{pk}": "generations_api_v1_shelves_change",
    "DELETE /api/v1/collections/{pk}/images/{image}": "generations_api_v1_shelves_take_out",
    "PUT /api/v1/collections/{pk}/images/{image}": "generations_api_v1_shelves_collect",
    "GET /api/v1/credits": "generations_api_v1_accounts_balance",
    "GET /api/v1/credits/lines": "generations_api_v1_accounts_lines",
    "GET /api/v1/generations": "generations_api_v1_generations_listed",
    "POST /api/v1/generations": "generations_api_v1_generations_create",
    "GET /api/v1/generations/{pk}": "generations_api_v1_generations_one",
    "POST /api/v1/generations/{pk}/cancel": "generations_api_v1_generations_cancel",
    "POST /api/v1/generations/{pk}/retry": "generations_api_v1_generations_retry",
    "GET /api/v1/images": "generations_api_v1_images_listed",
    "DELETE /api/v1/images/{pk}": "generations_api_v1_images_trash",
    "GET /api/v1/images/{pk}": "generations_api_v1_images_one",
    "PATCH /api/v1/images/{pk}": "generations_api_v1_images_change",
    "GET /api/v1/images/{pk}/download": "generations_api_v1_images_download",
    "DELETE /api/v1/images/{pk}/favourite": "generations_api_v1_shelves_unlike",
    "PUT /api/v1/images/{pk}/favourite": "generations_api_v1_shelves_like",
    "GET /api/v1/images/{pk}/original": "generations_api_v1_images_original",
    "POST /api/v1/images/{pk}/restore": "generations_api_v1_images_restore",
    "DELETE /api/v1/images/{pk}/tags": "generations_api_v1_shelves_untag",
    "POST /api/v1/images/{pk}/tags": "generations_api_v1_shelves_tag",
    "GET /api/v1/images/{pk}/thumbnail": "generations_api_v1_images_thumbnail",
    "POST /api/v1/images/{pk}/upload": "generations_api_v1_images_use_as_start",
    "GET /api/v1/me": "generations_api_v1_accounts_me",
    "GET /api/v1/models": "generations_api_v1_accounts_models",
    "GET /api/v1/saved-prompts": "saved_prompts_list",
    "POST /api/v1/saved-prompts": "saved_prompts_create",
    "DELETE /api/v1/saved-prompts/{pk}": "saved_prompts_delete",
    "GET /api/v1/saved-prompts/{pk}": "saved_prompts_get",
    "PATCH /api/v1/saved-prompts/{pk}": "saved_prompts_change",
    "POST /api/v1/saved-prompts/{pk}/generations": "saved_prompts_generate",
    "GET /api/v1/tags": "generations_api_v1_shelves_tags",
    "GET /api/v1/team": "generations_api_v1_team_team",
    "GET /api/v1/team/changes": "generations_api_v1_books_changes",
    "GET /api/v1/team/invitations": "generations_api_v1_invitations_listed",
    "POST /api/v1/team/invitations": "generations_api_v1_invitations_make_link",
    "POST /api/v1/team/invitations/mail": "generations_api_v1_invitations_mail",
    "DELETE /api/v1/team/invitations/{pk}": "generations_api_v1_invitations_revoke",
    "GET /api/v1/team/lines": "generations_api_v1_books_lines",
    "GET /api/v1/team/members": "generations_api_v1_team_members",
    "DELETE /api/v1/team/members/{pk}": "generations_api_v1_team_remove",
    "GET /api/v1/team/members/{pk}": "generations_api_v1_team_one",
    "PATCH /api/v1/team/members/{pk}": "generations_api_v1_team_change",
    "DELETE /api/v1/team/members/{pk}/allowance": "generations_api_v1_money_end_allowance",
    "GET /api/v1/team/members/{pk}/allowance": "generations_api_v1_money_allowance_of",
    "PUT /api/v1/team/members/{pk}/allowance": "generations_api_v1_money_set_allowance",
    "GET /api/v1/team/members/{pk}/caps": "generations_api_v1_money_caps_of",
    "PUT /api/v1/team/members/{pk}/caps": "generations_api_v1_money_set_caps",
    "POST /api/v1/team/members/{pk}/grant": "generations_api_v1_team_grant",
    "POST /api/v1/team/members/{pk}/take-back": "generations_api_v1_team_take_back",
    "GET /api/v1/team/models": "generations_api_v1_money_models",
    "PUT /api/v1/team/models/{model}": "generations_api_v1_money_set_rule",
    "POST /api/v1/team/programs": "generations_api_v1_team_make_program",
    "GET /api/v1/team/spending": "generations_api_v1_books_spending",
    "GET /api/v1/team/tokens": "generations_api_v1_tokens_listed",
    "POST /api/v1/team/tokens": "generations_api_v1_tokens_make",
    "DELETE /api/v1/team/tokens/{pk}": "generations_api_v1_tokens_revoke",
    "GET /api/v1/team/tokens/{pk}": "generations_api_v1_tokens_one",
    "GET /api/v1/trash": "generations_api_v1_images_trashed",
    "POST /api/v1/uploads": "generations_api_v1_images_upload",
}


def responses(status: int, schema: Any, *errors: int) -> dict[Any, Any]:
    """Return the response of an operation, and its errors besides those of every operation."""
    return {status: schema, **error_responses(*errors)}


def error_responses(*errors: int) -> dict[Any, Any]:
    """Return the errors of an operation whose response is a file."""
    return {frozenset({*ALWAYS, *errors}): Error}


def add_descriptions(document: Any) -> Any:
    """Add a description to each response of the document, and an example to each error."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    parameter.setdefault("description", PATH_PARAMETERS[parameter["name"]])
            for status, response in operation["responses"].items():
                _describe(str(status), response)
    return document


PATH_PARAMETERS = {"pk": "Id.", "image": "Id of an image.", "model": "Name of a model."}


def _describe(status: str, response: dict[str, Any]) -> None:
    if status not in ERRORS:
        if response.get("description") == "OK":
            response["description"] = "Success"
        return
    description, code, message, field = ERRORS[status]
    example = {"code": code, "message": message} | ({"field": field} if field else {})
    response["description"] = description
    for content in response.get("content", {}).values():
        content["example"] = {"error": example}
