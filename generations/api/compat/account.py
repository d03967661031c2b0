"""Balance, account, engines and models of a token, in Stability's and OpenAI's format."""

from __future__ import annotations

from typing import Any

from generations.api.compat import openai as compat_openai
from generations.api.compat.base import HttpRequest, Response, json_response
from generations.jobs import model_access
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.stability.endpoints import V1_ENGINES
from generations.teams.models import Role, Token
from generations.upstreams import accounts

ADMINS = (Role.OWNER, Role.ADMINISTRATOR)


def balance(token: Token, _request: HttpRequest) -> Response:
    """Respond with the credits that the token may still spend."""
    return json_response({"credits": _available(token) / 100})


def account(token: Token, _request: HttpRequest) -> Response:
    """Respond with the member of the token; the team is the only organization."""
    member = token.membership
    organization = {
        "id": member.team.slug,
        "name": member.team.name,
        "role": "ADMIN" if member.role in ADMINS else "MEMBER",
        "is_default": True,
    }
    value: dict[str, Any] = {"id": f"member-{member.pk}", "email": member.user.email if member.user else ""}
    return json_response(value | {"organizations": [organization]})


def engines(token: Token, _request: HttpRequest) -> Response:
    """Respond with the v1 engines that the token may use."""
    allowed = usable_models(token)
    known = [(name, catalogue_registry.get(model)) for model, name in V1_ENGINES.items() if model in allowed]
    return json_response(
        [
            {
                "id": name,
                "name": model.title,
                "description": f"{model.title}: {model.clause}",
                "type": "PICTURE",
            }
            for name, model in known
        ]
    )


def models(token: Token, _request: HttpRequest) -> Response:
    """Respond with the models that the token may use, in OpenAI's format."""
    return compat_openai.model_list(usable_models(token))


def model(token: Token, request: HttpRequest) -> Response:
    """Respond with one model; CompatError (404) if the token may not use it."""
    return compat_openai.model(request.path_parts["model"], usable_models(token))


def usable_models(token: Token) -> list[str]:
    """Return the names of the models that some account has and the token may use."""
    closed, served = model_access.closed_models(token.membership), accounts.served_models()
    return [
        name
        for name in catalogue_registry.MODELS
        if name in served and name not in closed and (not token.models or name in token.models)
    ]


def _available(token: Token) -> int:
    wallet = token.membership.wallet.available
    if token.cap is None:
        return wallet
    return max(0, min(wallet, token.cap - model_access.spent_by([token]).get(token.pk, 0)))
