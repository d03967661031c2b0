"""Texts through chat completions: an instruction and a text go to a chat model, and its words come back.

The words are only ever a text: cleaned of control and formatting characters, bounded, and without the key.
The wire: docs/providers/chat-completions.md, "Texts".
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass

from generations.providers.base import Refused, Unknown
from generations.providers.chat import stream
from generations.providers.i18n import gettext as _
from generations.providers.openai import errors as openai_errors
from generations.providers.transport import error_text
from generations.providers.transport.api import Api
from generations.providers.transport.http import Reply

COMPLETIONS = "/v1/chat/completions"
MAX_BODY = 2 * 1024 * 1024  # of an answer: more than any text that is kept
MAX_TEXT = 40_000  # characters of an answer that are looked at
KEPT_FORMATS = frozenset("\u200c\u200d")  # joiners, which Persian, Hindi and emoji are written with
NOT_WORDS = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
# What some models write before their answer. Bounded, since the text may be crafted.
THOUGHTS = re.compile(r"\A\s{0,99}<think>.{0,39000}?</think>", re.DOTALL)


@dataclass(frozen=True)
class TextAnswer:
    """What a chat model has written, and what is known of the call."""

    text: str
    status: int = 200
    request_id: str = ""


class TextChat:
    """The chat models of one account. The key is sent to `base_url` only and is in no text."""

    def __init__(self, base_url: str, key: str, *, proxy: str = "", at_gateway: bool = False) -> None:
        address = base_url.rstrip("/").removesuffix("/v1")
        self._api = Api(address, key, proxy=proxy, at_gateway=at_gateway)
        self._key = key

    def __repr__(self) -> str:
        return f"TextChat({self._api.base_url!r})"

    def ask(self, model: str, instruction: str, text: str, *, timeout: float) -> TextAnswer:
        """Send one text with an instruction; raises what `base.Provider.submit` raises.

        Refused if the model declines, Unknown if what came holds no words.
        """
        messages = [{"role": "system", "content": instruction}, {"role": "user", "content": text}]
        body = {"model": model, "messages": messages, "stream": False}
        reply = self._api.post(COMPLETIONS, timeout=timeout, json=body, max_body=MAX_BODY)
        if reply.status != 200:
            raise openai_errors.to_error(reply, self._key)
        return _answer(reply, self._key)


def _answer(reply: Reply, key: str) -> TextAnswer:
    answer = stream.read(reply)
    request_id = reply.request_id(key)
    if answer.error is not None:
        body = json.dumps({"error": answer.error}).encode()
        raise openai_errors.to_error(Reply(reply.status, reply.headers, body), key)
    if words := clean(THOUGHTS.sub("", answer.text[:MAX_TEXT], count=1), key):
        if answer.is_whole:
            return TextAnswer(words, reply.status, request_id)
        raise Unknown(_("The answer broke off."), reply.status, request_id)
    if answer.is_declined:
        raise Refused(_("The model declined to answer."), reply.status, request_id, code="content_filter")
    raise Unknown(_("The provider answered without words."), reply.status, request_id)


def clean(text: str, key: str = "") -> str:
    """The text with plain line ends, without the key and without controls, directions and the like."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    visible = "".join(map(_visible, lines))
    return re.sub(r"\n{3,}", "\n\n", error_text.redact_key(visible, key)).strip()


def _visible(letter: str) -> str:
    if letter == "\n" or letter in KEPT_FORMATS or unicodedata.category(letter) not in NOT_WORDS:
        return letter
    return " " if letter == "\t" else ""
