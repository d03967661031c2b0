"""The answer of a chat: at once, or out of the pieces of a stream.

The wire: docs/providers/chat-completions.md, "Answers".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from generations.providers.transport import json_body
from generations.providers.transport.http import Reply

DONE = "[DONE]"
MAX_PIECES = 200_000


@dataclass
class Answer:
    """What a chat has answered: its text in pieces, pictures beside it, and an error in place of more.

    `is_whole`: it came to its end, as it says itself. `is_declined`: the model or a filter says that it will
    not answer. `pictures` are addresses or base64, in order.
    """

    pieces: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    error: Mapping[str, Any] | None = None
    is_whole: bool = False
    is_declined: bool = False

    @property
    def text(self) -> str:
        """The text, in which a link may have been cut into pieces."""
        return "".join(self.pieces)


def read(reply: Reply) -> Answer:
    """Return the answer of a response of status 200.

    Its content decides, not what was asked for: a gateway may answer at once although a stream was wanted.
    """
    if json_body.is_json(reply.body):
        document = json_body.parse(reply.body)
        answer = Answer(is_whole=document is not None)
        _add(answer, document, "message")
        return answer
    answer = Answer()
    for event in _events(reply.body):
        if event == DONE:
            answer.is_whole = True
            break
        _add(answer, _parse(event), "delta")
    return answer


def _events(body: bytes) -> Iterator[str]:
    """The data of the events; a link, and even a letter, may be cut anywhere between two of them."""
    lines = body.replace(b"\r\n", b"\n").split(b"\n")
    for line in lines[:MAX_PIECES]:
        name, colon, value = line.partition(b":")
        if colon and name.strip() == b"data":
            yield value.decode(errors="replace").strip()


def _parse(event: str) -> Any:
    try:
        return json.loads(event, strict=False)
    except (ValueError, RecursionError):
        return None


def _add(answer: Answer, document: Any, name: str) -> None:
    """Add what a document holds: `name` is where a choice has its message, or a piece of it."""
    if not isinstance(document, Mapping):
        return
    if error := document.get("error"):
        answer.error = error if isinstance(error, Mapping) else {"message": str(error)[:2_000]}
    choice = json_body.value(document, "choices", 0)
    if isinstance(choice, Mapping):
        for message in (choice.get(name), choice.get("message") if name != "message" else None):
            _add_message(answer, message)
        answer.is_whole = answer.is_whole or bool(choice.get("finish_reason"))
        answer.is_declined = answer.is_declined or choice.get("finish_reason") == "content_filter"
    answer.pictures += _pictures(document.get("data"))


def _add_message(answer: Answer, message: Any) -> None:
    if not isinstance(message, Mapping):
        return
    content = message.get("content")
    answer.is_declined = answer.is_declined or bool(message.get("refusal"))
    if isinstance(content, str):
        answer.pieces.append(content)
    elif isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, Mapping)]
        answer.pieces += [text for text in texts if isinstance(text, str)]
        answer.pictures += _pictures(content)
    answer.pictures += _pictures(message.get("images"))


def _pictures(entries: Any) -> Iterator[str]:
    """The addresses, or the base64, of a list such as `images`, `data`, or the parts of a message."""
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, Mapping):
            link = entry.get("image_url") or entry.get("url") or entry.get("b64_json")
            link = link.get("url") if isinstance(link, Mapping) else link
            if isinstance(link, str) and link.strip():
                yield link.strip()
