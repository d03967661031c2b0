"""What programs ask about themselves: balance, account, engines and models, in both formats."""

from __future__ import annotations

from typing import Any

from generations.api.compat import openai as compat_openai
from generations.api.compat import stability_v1
from generations.api.compat.base import Answer, as_json
from generations.jobs import model_access
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Role, Token

KEEPERS = (Role.OWNER, Role.ADMINISTRATOR)


def balance(token: Token, **_parts: str) -> Answer:
    """What the token may still spend, in credits."""
    return as_json({"credits": _left(token) / 100})


def account(token: Token, **_parts: str) -> Answer:
    """Whose token it is; the team is their only organization here."""
    member = token.membership
    organization = {
        "id": member.team.slug,
        "name": member.team.name,
        "role": "ADMIN" if member.role in KEEPERS else "MEMBER",
        "is_default": True,
    }
    value: dict[str, Any] = {"id": f"member-{member.pk}", "email": member.user.email if member.user else ""}
    return as_json(value | {"organizations": [organization]})


def engines(token: Token, **_parts: str) -> Answer:
    """The engines of v1 that the token may use."""
    allowed = usable(token)
    known = [
        (name, catalogue_registry.get(model))
        for name, model in stability_v1.ENGINES.items()
        if model in allowed
    ]
    return as_json(
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


def models(token: Token, **_parts: str) -> Answer:
    """OpenAI's list of models."""
    return compat_openai.described(usable(token))


def model(token: Token, **parts: str) -> Answer:
    """One of them; Problem (404) if it is not."""
    return compat_openai.described_one(parts["model"], usable(token))


def usable(token: Token) -> list[str]:
    """The models that the token may use."""
    closed = model_access.closed_models(token.membership)
    return [
        name
        for name in catalogue_registry.MODELS
        if name not in closed and (not token.models or name in token.models)
    ]


def _left(token: Token) -> int:
    wallet = token.membership.wallet.available
    if token.cap is None:
        return wallet
    return max(0, min(wallet, token.cap - model_access.spent_by([token]).get(token.pk, 0)))
