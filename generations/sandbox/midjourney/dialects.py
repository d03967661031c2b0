"""How the three dialects differ: the key's header, the paths, refusals, what an unknown task brings.

Source: docs/providers/midjourney.md, "Keys", "Addresses" and "Statuses".
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from generations.sandbox.responses import ApiError, Response, as_json, unauthorized
from generations.sandbox.state import Request

ORIGINAL_CALLS = frozenset({"imagine", "change", "simple-change", "describe", "blend"})
CALLS = ORIGINAL_CALLS | {"action", "modal", "shorten"}
SECRET = "mj-api-secret"  # noqa: S105  the name of a header
CODES = {"content_moderation": 24, "rate_limit_exceeded": 23, "internal_error": 9, "not_found": 3}
WORDS = {
    24: "可能包含敏感词",
    23: "队列已满, 请稍后尝试",
    9: "提交失败, 系统异常",
    3: "No available account instance",
}


@dataclass(frozen=True)
class Dialect:
    """One dialect, below a first part of the path that the real ones do not have."""

    name: str
    calls: frozenset[str] = CALLS
    has_buttons: bool = True
    is_relay: bool = False

    def key(self, request: Request) -> str:
        """Return the key as the dialect takes it, "" for none.

        The relay takes a bearer token before the secret, the C# software compares the whole of that header,
        and the original knows the secret alone.
        """
        authorization, secret = request.headers.get("authorization", ""), request.headers.get(SECRET, "")
        if self.name == "original" or not authorization:
            return secret
        return authorization.removeprefix("Bearer ").strip() if self.is_relay else authorization

    def taken(self, task_id: str, *, ahead: int = 0, window: str | None = None) -> Response:
        """Return the answer to an order that was taken; `window` is the prompt of one that waits for it."""
        properties: dict[str, Any] = {"discordInstanceId": "1118138338562560102"}
        code, description = (22, f"排队中, 前面还有{ahead}个任务") if ahead else (1, "Submit success")
        if ahead:
            properties["numberOfQueues"] = ahead
        if window is not None:
            code, description = 21, "Waiting for window confirm"
            properties = {"finalPrompt": window, "remix": True}
        if self.is_relay and window is None:
            code = 1
        return self._said(code, description, task_id, properties)

    def exists(self, task_id: str, address: str) -> Response:
        """Return the answer to a change that was ordered before."""
        properties = {"status": "SUCCESS", "imageUrl": address}
        return self._said(1 if self.is_relay else 21, "任务已存在", task_id, properties)

    def refusal(
        self, code: int, description: str, properties: dict[str, Any] | None = None, status: int = 200
    ) -> Response:
        """Return a refusal: in the relay's own form, or as the proxies say it, with status 200."""
        if self.is_relay and code in (4, 5, 30):
            said = {"description": f"{description} ", "type": "upstream_error", "code": code}
            return as_json(said, 429 if code == 30 else 400)
        return replace(self._said(code, description, None, properties or {}), status=status)

    def no_task(self) -> Response:
        """Return what asking for an unknown task brings."""
        if self.is_relay:
            return self.refusal(4, "task_no_found")
        return Response(204 if self.name == "plus" else 200, b"")

    def error_response(self, error: ApiError, request: Request) -> Response:
        """Return an error as the dialect says it."""
        if error.name == unauthorized().name:
            return self._wrong_key()
        if error.name == "no_such_path":
            return self._no_path(request)
        if self.is_relay and error.name in ("rate_limit_exceeded", "internal_error"):
            return self._trouble_of_relay(error)
        if error.status == 402:
            return self.refusal(4, "quota_not_enough" if self.is_relay else "今日绘图次数已达上限")
        if error.name not in CODES:
            return self.refusal(4, "; ".join(error.errors))
        code = CODES[error.name]
        properties = {"promptEn": "", "bannedWord": error.errors[1]} if len(error.errors) > 1 else {}
        return self.refusal(code, WORDS[code], properties, 404 if error.status == 404 else 200)

    def _trouble_of_relay(self, error: ApiError) -> Response:
        if error.name == "rate_limit_exceeded":
            return self.refusal(30, "当前分组上游负载已饱和, 请稍后再试")
        return as_json({"description": "do_request_failed", "type": "upstream_error", "code": 5}, 500)

    def _wrong_key(self) -> Response:
        if self.is_relay:
            said = {"error": {"message": "无效的令牌", "type": "new_api_error", "code": ""}}
            return as_json(said, 401)
        body = b"Authorization header missing." if self.name == "plus" else b""
        return Response(401, body, "text/plain")

    def _no_path(self, request: Request) -> Response:
        if not self.is_relay:
            return Response(404, b"")
        message = f"Invalid URL ({request.method} {request.path})"
        return as_json({"error": {"message": message, "type": "invalid_request_error", "code": ""}}, 404)

    def _said(self, code: int, description: str, result: str | None, properties: dict[str, Any]) -> Response:
        said = {"code": code, "description": description, "result": result, "properties": properties}
        # Compact and in no other letters than the real ones send: relays replace parts of the text.
        return Response(200, json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode())


RELAY = Dialect("newapi", is_relay=True)
PLUS = Dialect("plus")
ORIGINAL = Dialect("original", ORIGINAL_CALLS, has_buttons=False)


def no_such_path() -> ApiError:
    """Return the error of a path that the dialect does not have."""
    return ApiError(404, "no_such_path", "There is nothing here.")
