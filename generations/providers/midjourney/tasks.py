"""What an answer says of a task: its id when it was taken, how it is, and its results.

Sources: docs/providers/midjourney.md, "Statuses", "Tasks", "Modal" and "Traps".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from generations.providers.base import Done, Output, OutputKind
from generations.providers.i18n import gettext as _
from generations.providers.midjourney import buttons, errors
from generations.providers.midjourney.errors import EXISTS, QUEUED, TAKEN
from generations.providers.transport import json_body

FINISHED, FAILED, CANCELED, WINDOW = "SUCCESS", "FAILURE", "CANCEL", "MODAL"
ENDED = frozenset({FINISHED, FAILED, CANCELED})
# Ids that may stand in an address, where `..` would lead to another one; some have no digits alone.
TASK_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.:~-]{0,127}")
CONFIRM = re.compile(r"\bconfirm\b", re.IGNORECASE)
PROGRESS = re.compile(r"\s*(\d{1,3})(?:\.\d{1,6})?\s*%?\s*")
MAX_TEXT = 20_000  # characters of a description
MAX_QUEUE = 10_000
MAX_SEED = 4_294_967_295
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "::1"})  # noqa: S104  what a server calls itself


@dataclass(frozen=True)
class Taken:
    """An order that was taken: the task's id, and whether a window waits for the prompt.

    `suggested` is the prompt that the window has, `ahead` how many orders come first.
    """

    task_id: str
    waits: bool = False
    suggested: str = ""
    ahead: int = 0


def taken(data: Mapping[str, Any]) -> Taken | None:
    """Return what an answer says of an order that was taken; None if it was not."""
    task_id = id_of(data.get("result"))
    if errors.code_of(data) not in (TAKEN, EXISTS, QUEUED) or not task_id:
        return None
    remix = json_body.value(data, "properties", "remix") is True
    ahead = json_body.number(data, "properties", "numberOfQueues") or 0
    return Taken(
        task_id,
        waits=remix or bool(CONFIRM.search(str(data.get("description") or ""))),
        suggested=json_body.text(data, "properties", "finalPrompt", most=6_000),
        ahead=int(ahead) if 0 < ahead < MAX_QUEUE else 0,
    )


def id_of(value: Any) -> str:
    """Return an id as a text; "" if it is none that can stand in an address."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return text if isinstance(text, str) and TASK_ID.fullmatch(text) else ""


def is_task(data: Mapping[str, Any]) -> bool:
    """Return whether an answer is a task, rather than an error or another thing."""
    return isinstance(data.get("status"), str) and "error" not in data


def tasks_by_id(body: bytes) -> dict[str, Mapping[str, Any]]:
    """Return the tasks of an answer that is a list of them, by their ids; empty for any other answer."""
    listed = json_body.parse(body)
    found = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return {task_id: each for each in found if is_task(each) and (task_id := id_of(each.get("id")))}


def status_of(task: Mapping[str, Any]) -> str:
    """Return the word for how it is, in capitals; "" before the relay has asked for it."""
    return str(task["status"]).strip().upper()


def progress_of(task: Mapping[str, Any]) -> int | None:
    """Return the percent of a text such as "31%"; None if it says none."""
    found = PROGRESS.fullmatch(str(task.get("progress") or ""))
    return min(int(found[1]), 100) if found else None


def finished(task: Mapping[str, Any], task_id: str, *, kind: OutputKind) -> Done | None:
    """Return the results of a finished task; None if it does not have them yet."""
    if kind is OutputKind.TEXT:
        text = _text_of(task)
        return Done((Output(kind=OutputKind.TEXT, text=text),)) if text else None
    address = picture_of(task)
    if not address:
        return None
    actions = buttons.of_task(task, task_id)
    return Done((Output(url=address, actions=actions),))


def picture_of(task: Mapping[str, Any]) -> str:
    """Return the address of its picture, which is half done while it is under way; "" without one."""
    return json_body.text(task, "imageUrl", most=4_000).strip()


def seed_of(value: Any) -> int | None:
    """Return a seed that is written as a number or a text; None if it is none."""
    number = json_body.number({"seed": value}, "seed")
    return int(number) if number and number == int(number) and 0 < number <= MAX_SEED else None


def reachable(address: str, base_url: str) -> str:
    """Return the address of a result where its server does not know how it is reached itself.

    A relay may give its pictures by the address that it was installed with: `http://localhost:3000/mj/image/…`.
    """
    try:
        given, base = urlsplit(address), urlsplit(base_url)
        same = given.hostname == base.hostname
        misnamed = given.hostname in LOCAL_HOSTS and base.hostname not in LOCAL_HOSTS
    except ValueError:
        return address
    if not (misnamed or (same and given.scheme != base.scheme)):
        return address
    return urlunsplit((base.scheme, base.netloc, given.path, given.query, ""))


def queued_message(ahead: int) -> str:
    """Return what members read of an order that waits behind others; "" for none."""
    return _("In Midjourney's queue: %(count)s before it") % {"count": ahead} if ahead else ""


def _text_of(task: Mapping[str, Any]) -> str:
    """The text that Midjourney wrote: that of the relay's property, or where older proxies have it."""
    places: tuple[tuple[str, ...], ...] = (("properties", "finalPrompt"), ("promptEn",), ("prompt",))
    return next((text for path in places if (text := json_body.text(task, *path, most=MAX_TEXT).strip())), "")
