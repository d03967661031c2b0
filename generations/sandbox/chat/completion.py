"""A chat's whole answer.

Format: docs/providers/chat-completions.md, "Answers".
"""

from __future__ import annotations

import time

from generations.sandbox.responses import Response, as_json


def completion(model: str, asked: str, text: str) -> Response:
    """Answer with a text."""
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    usage = {"prompt_tokens": len(asked) // 4, "completion_tokens": 100}
    usage["total_tokens"] = sum(usage.values())
    about = {"id": "chatcmpl-sandbox", "created": int(time.time()), "model": model}
    return as_json({**about, "object": "chat.completion", "choices": [choice], "usage": usage})
