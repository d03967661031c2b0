"""Tasks of Black Forest Labs: what an order and a poll are answered with, and where a task is asked for.

Source: docs/providers/flux.md, "Tasks" and "Traps".
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from generations.providers.base import Output, Refused, Task, Unknown
from generations.providers.bfl.fields import LARGEST_SEED
from generations.providers.i18n import gettext as _
from generations.providers.transport import error_text, json_body
from generations.providers.transport.download import MAX_URL_LENGTH
from generations.providers.transport.errors import MODERATED
from generations.providers.transport.http import Reply

# Hosts of the API of which one answers for a task of another. Nobody else gets the key.
API_HOST = re.compile(r"api(\.[a-z0-9-]{1,20})?\.bfl\.(ai|ml)")
TASK_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.:~-]{0,127}")  # that may stand in an address
MAX_POLL_URL = 1_000  # characters, of the four thousand that a task may take
MAX_JSON = 64 * 1024  # bytes
NOT_KNOWN_YET = 60.0  # seconds for which a new task may be unknown to the host that is asked
READY, FAILED, LOST = "ready", "error", "task not found"
REQUEST_MODERATED, CONTENT_MODERATED = "request moderated", "content moderated"
ENDS = frozenset({READY, FAILED, LOST, REQUEST_MODERATED, CONTENT_MODERATED})
PENDING, REASONING, GENERATING = "pending", "reasoning", "generating"


@dataclass(frozen=True)
class State:
    """How a task is, by the answer's own word in lower case."""

    remote_id: str
    word: str
    poll_url: str
    cost: float | None
    progress: int | None
    result: Mapping[str, Any]
    details: str

    @property
    def is_running(self) -> bool:
        """Whether it has not ended: so is every word that is not known."""
        return self.word not in ENDS


def read(reply: Reply, key: str) -> State | None:
    """Return how a task is, whatever the status of the answer; None if the answer does not say.

    With a status other than 200 and 202, both an id and one of the known words are needed: a server in
    between has words of its own for its own troubles.
    """
    data = json_body.parse_object(reply.body[:MAX_JSON])
    remote_id = json_body.text(data, "id")
    named = remote_id if TASK_ID.fullmatch(remote_id) else ""
    known = json_body.text(data, "status").strip().lower()
    if not (named or known):
        return None
    if reply.status not in (200, 202) and not (named and known in ENDS | {PENDING, REASONING, GENERATING}):
        return None
    result = data.get("result")
    return State(
        remote_id=named,
        word=error_text.clean(known, key, max_length=60),
        poll_url=json_body.text(data, "polling_url", most=MAX_POLL_URL),
        cost=json_body.number(data, "cost"),
        progress=_percent(json_body.number(data, "progress")),
        result=result if isinstance(result, Mapping) else {},
        details=_details(data.get("details"), key),
    )


def message_of(word: str) -> str:
    """Return what members read while it runs; a word that is not known here as it came."""
    if word == REASONING:
        return _("The model thinks about the picture.")
    return "" if word in (PENDING, GENERATING) else word.capitalize()


def output_of(state: State, requested_seed: int | None) -> Output | None:
    """Return the picture of a finished task, by its address; None if it has none."""
    address, seed = json_body.text(state.result, "sample", most=MAX_URL_LENGTH), state.result.get("seed")
    if not address.startswith(("https://", "http://")):
        return None
    has_seed = isinstance(seed, int) and not isinstance(seed, bool) and 0 < seed <= LARGEST_SEED
    return Output(url=address, seed=seed if has_seed else requested_seed)


def failure_of(state: State, reply: Reply, *, has_images: bool) -> Refused | Unknown:
    """Return the error of a task that has ended without a picture."""
    if state.word == REQUEST_MODERATED:
        reason = (
            _("The provider refused the prompt or an image (content)")
            if has_images
            else _("The provider refused this prompt (content)")
        )
        return Refused(_with(reason, state.details), reply.status, code=MODERATED)
    if state.word == LOST:
        return Unknown(_("The provider does not know this task any more."), reply.status, code="result_lost")
    reason = _with(_("The provider could not draw the picture"), state.details)
    return Refused(reason, reply.status, code="task_failed")


def is_new(task: Task) -> bool:
    """Whether the task was ordered a moment ago, so that its host may not know it yet."""
    ordered_at = task.state.get("ordered_at")
    return isinstance(ordered_at, int | float) and abs(time.time() - ordered_at) < NOT_KNOWN_YET


def address_of(task: Task, base_url: str, *, at_gateway: bool) -> tuple[str, str]:
    """Return the base URL and path at which a task is asked for.

    They are those of its own address if the key may go there, else the account's.
    """
    if _is_below(task.poll_url, base_url) or (not at_gateway and _is_api(task.poll_url, base_url)):
        scheme, slashes, rest = task.poll_url.partition("://")
        host, slash, path = rest.partition("/")
        return f"{scheme}{slashes}{host}", f"{slash}{path}"
    return base_url, f"/v1/get_result?id={quote(task.remote_id, safe='')}"


def _is_below(address: str, base_url: str) -> bool:
    """Whether an address is on the host of the account, below its path."""
    asked, own = _place(address), _place(base_url)
    if asked is None or own is None or asked[:3] != own[:3]:
        return False
    path = own[3].rstrip("/") + "/"
    return asked[3].startswith(path) and "/../" not in f"{asked[3]}/" and "%2e" not in asked[3].lower()


def _is_api(address: str, base_url: str) -> bool:
    """Whether both are hosts of Black Forest Labs' API, with https."""
    return all(
        place is not None
        and place[0] == "https"
        and place[2] == 443
        and API_HOST.fullmatch(place[1]) is not None
        for place in (_place(address), _place(base_url))
    )


def _place(address: str) -> tuple[str, str, int | None, str] | None:
    """Scheme, host, port and path; None for what is no plain address, or has a user name."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    plain = all("!" <= letter <= "~" and letter != "\\" for letter in address)
    if not plain or not parts.hostname or parts.username is not None or parts.password is not None:
        return None
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, port or usual, parts.path


def _percent(number: float | None) -> int | None:
    """Progress as a fraction or in percent: which is not documented."""
    if number is None or number < 0:
        return None
    return round(min(100.0, number * 100 if number <= 1 else number))


def _details(value: Any, key: str) -> str:
    """The words of `details`, which is an object with lists of reasons, a text, or nothing."""
    values = list(value.values()) if isinstance(value, dict) else [value]
    words = [word for each in values for word in (each if isinstance(each, list) else [each])]
    return error_text.clean("; ".join(word for word in words[:5] if isinstance(word, str)), key)


def _with(sentence: str, details: str) -> str:
    return error_text.as_sentence(f"{sentence}: {details}" if details else sentence)
