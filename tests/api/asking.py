"""A program that asks the portal's own API, as tests see it."""

from __future__ import annotations

from typing import Any

from django.test import Client

from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Membership

ALL = ("generate", "read", "administer")


class Program:
    """Asks by a token; `get("/generations")` answers Django's response."""

    def __init__(self, member: Membership, *scopes: str, **more: Any) -> None:
        allowed = [
            scope
            for scope in scopes or ALL
            if teams_api_tokens.may(member, teams_api_tokens.SCOPE_PERMISSIONS[scope])
        ]
        self.token, self.secret = teams_api_tokens.issue(
            membership=member, name="test", scopes=allowed, **more
        )
        self.client = Client(raise_request_exception=False)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One request; `body` goes as JSON."""
        sent = {"Authorization": f"Bearer {self.secret}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        named: dict[str, Any] = {"headers": sent}
        if body is not None:
            named |= {"data": body, "content_type": "application/json"}
        return getattr(self.client, method)(f"/api/v1{path}", **named)

    def get(self, path: str, **headers: str) -> Any:
        return self.ask("get", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.ask("post", path, body if body is not None else "", **headers)


def code(answer: Any) -> tuple[int, str]:
    """The status of a refusal, and its word."""
    return answer.status_code, answer.json()["error"]["code"]
