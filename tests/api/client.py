"""A client of /api/v1 for tests."""

from __future__ import annotations

from typing import Any

from django.test import Client

from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Membership

ALL = ("generate", "read", "administer")


class ApiClient:
    """Sends requests with a new token of the member: `get("/generations")` returns Django's response."""

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

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send one request, with the body as JSON."""
        all_headers = {"Authorization": f"Bearer {self.secret}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        options: dict[str, Any] = {"headers": all_headers}
        if body is not None:
            options |= {"data": body, "content_type": "application/json"}
        return getattr(self.client, method)(f"/api/v1{path}", **options)

    def get(self, path: str, **headers: str) -> Any:
        return self.request("get", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.request("post", path, body if body is not None else "", **headers)


def error(response: Any) -> tuple[int, str]:
    """The status and code of an error."""
    return response.status_code, response.json()["error"]["code"]
