"""The sandbox's errors as Kling sends them: a code decides, whatever the status.

Source: docs/providers/kling.md, "Statuses".
"""

from __future__ import annotations

import time
from typing import Any

from generations.sandbox.responses import ApiError, Response, as_json
from generations.sandbox.state import Request

CODES = {  # name of the sandbox's error: status and code
    "unauthorized": (401, 1002),
    "payment_required": (429, 1102),
    "bad_request": (400, 1201),
    "payload_too_large": (400, 1201),
    "not_found": (404, 1202),
    "generation_not_found": (404, 1203),
    "content_moderation": (400, 1301),
    "rate_limit_exceeded": (429, 1302),
    "internal_error": (500, 5000),
}
MODERATED = "Failure to pass the risk control system"


def error_response(error: ApiError, request: Request) -> Response:
    """Return an error. What is moderated late is a task that has failed, and no error."""
    if error.name == "content_moderation" and request.method == "GET":
        task_id = request.path.rpartition("/")[2]
        return answer(request, {"task_id": task_id, "task_status": "failed", "task_status_msg": MODERATED})
    status, code = CODES.get(error.name, (error.status, 1200))
    document = {"code": code, "message": "; ".join(error.errors), "request_id": request.request_id}
    return as_json(document, status, error.headers)


def answer(request: Request, data: dict[str, Any]) -> Response:
    """Return the answer of a call that went well; times are in milliseconds."""
    now = round(time.time() * 1000)
    whole = {"created_at": now, "updated_at": now, **data}
    return as_json({"code": 0, "message": "SUCCEED", "request_id": request.request_id, "data": whole})
