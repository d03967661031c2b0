"""Client of a Midjourney proxy in any of its dialects, by itself or at a gateway.

Sources: docs/providers/midjourney.md, "Addresses", "Keys", "Statuses", "Tasks", "Modal" and "Traps".
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

from generations.providers.base import (
    Accepted,
    Busy,
    Done,
    ImageRequest,
    ModelUnavailable,
    OutputKind,
    ProviderError,
    Task,
    Unknown,
)
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.inputs import MASK
from generations.providers.catalogue.validation import validated
from generations.providers.i18n import gettext as _
from generations.providers.midjourney import dialects, errors, orders, tasks
from generations.providers.midjourney.last_words import LastWords
from generations.providers.midjourney.orders import Order
from generations.providers.midjourney.tasks import CANCELED, ENDED, FAILED, FINISHED, WINDOW, tasks_by_id
from generations.providers.transport import json_body
from generations.providers.transport.api import Api
from generations.providers.transport.http import Reply

# Of its JSON: the state of a task has room for 4 KB. A window that opens has the prompt of what it continues.
MAX_KEPT_PROMPT = 3_000
SEED_SECONDS = 15.0  # the proxy asks Discord for it
# Base URLs may end with the path of a speed, or of none; the client adds it itself.
MODE = re.compile(r"/mj(-fast/mj|-turbo/mj|-relax/mj)?$")
SEEDED = frozenset({"midjourney", "niji-journey"})  # models with a seed to find out
LIST = "/mj/task/list-by-condition"
LISTED_SECONDS = 900.0  # after its order in which a task is asked for by the list
WITHOUT_LIST = 600.0  # seconds in which tasks are polled one by one, after the list told nothing of them
RESULT_HOSTS = ("cdn.discordapp.com", "media.discordapp.net")


class Midjourney:
    """One account. The key is sent to `base_url` only and is in no text, not even in `repr`."""

    polls_count_as_calls = False

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        client_id: str = "sdweb",
        proxy: str = "",
        at_gateway: bool = False,
        dialect: str = "",
    ) -> None:
        self._dialect = dialects.get(dialect)
        root, header = MODE.sub("", base_url.rstrip("/")), self._dialect.key_header
        options: dict[str, Any] = {
            "client_id": client_id,
            "proxy": proxy,
            "key_header": header,
            "key_scheme": self._dialect.key_scheme,
        }
        self._api = Api(root, key, at_gateway=at_gateway, **options)
        by_secret = at_gateway and header == dialects.SECRET
        self._by_secret = Api(root, key, **options) if by_secret else None
        self._lists_from = -math.inf  # on the monotonic clock
        self._told: LastWords[tuple[Reply, Mapping[str, Any]]] = LastWords()
        self.result_hosts: tuple[str, ...] = (*RESULT_HOSTS, urlsplit(root).hostname or "")

    def __repr__(self) -> str:
        return f"Midjourney({self._api.base_url!r})"

    def submit(self, request: ImageRequest, *, timeout: float) -> Done | Accepted:
        """Order one task; raises what `base.Provider.submit` raises.

        A window that opens is answered at once, so that the order is not bought twice.
        """
        deadline = time.monotonic() + timeout
        self._check(request)
        order, path = orders.of_request(request, self._dialect), orders.prefix(request, self._dialect)
        reply, taken = self._order(path, order, request, timeout)
        if has_window := taken.waits or _has_window(request):
            text = order.prompt or taken.suggested
            answer = orders.confirmation(taken.task_id, text, request.of_role(MASK))
            reply, taken = self._order(path, answer, request, deadline - time.monotonic())
        model = catalogue_registry.MODELS.get(request.model)
        state = {
            "path": path,
            "kind": (model.output if model else OutputKind.IMAGE).value,
            "seed": None if request.action else request.parameters.get("seed"),
            "has_seed": request.model in SEEDED,
            "images": bool(request.inputs),
            "prompt": order.prompt if len(json.dumps(order.prompt)) < MAX_KEPT_PROMPT else "",
            "is_answered": has_window,
            "ordered_at": round(time.time()),
        }
        return Accepted(
            Task(taken.task_id, state=state),
            self._dialect.poll_seconds,
            message=tasks.queued_message(taken.ahead),
            request_id=reply.request_id(self._api.key),
            status=reply.status,
        )

    def poll(self, task: Task, *, timeout: float) -> Done | Accepted:
        """Ask for a task; raises what `base.Provider.poll` raises. A half-done picture is no result.

        What the list has told a moment ago of a task that ended is taken from there, and not asked for again.
        """
        deadline = time.monotonic() + timeout
        reply, data = self._told.pop(task.remote_id) or self._fetch(task, timeout)
        if goes_on := self._under_way(task, data, reply.status):
            return goes_on
        status = tasks.status_of(data)
        if status in (FAILED, CANCELED):
            with_images = bool(task.state.get("images"))
            error = errors.of_failed_task(data, self._api.key, with_images=with_images)
            error.status, error.request_id = reply.status, reply.request_id(self._api.key)
            raise error
        if status == FINISHED:
            return self._finished(data, task, reply, deadline - time.monotonic())
        self._confirm(task, deadline - time.monotonic())
        # A relay tells for a while how the task was before: the window is answered once.
        task = replace(task, state={**task.state, "is_answered": True})
        return self._goes_on(task, data, reply.status)

    def list_of(self, task: Task) -> str:
        """Return the name of the one list, "" for some minutes after it told nothing of its tasks.

        "" too for an old task, lest a list that tells for ever how it was keeps it from its end.
        """
        is_old = time.time() - (task.state.get("ordered_at") or 0) > LISTED_SECONDS
        return "" if is_old or time.monotonic() < self._lists_from else "tasks"

    def poll_many(self, tasks: Sequence[Task], *, timeout: float) -> Mapping[str, Accepted]:
        """Ask for these tasks by the list of conditions; raises what `base.ListsTasks.poll_many` raises."""
        found: Mapping[str, Mapping[str, Any]] = {}
        try:
            reply = self._send("POST", LIST, timeout, json={"ids": [task.remote_id for task in tasks]})
        except (Busy, Unknown):
            pass
        else:
            if reply.status in (401, 429):
                raise errors.of_poll(reply, self._api.key)
            found = tasks_by_id(reply.body) if reply.status == 200 else {}
        if not any(task.remote_id in found for task in tasks):
            self._lists_from = time.monotonic() + WITHOUT_LIST
        going_on: dict[str, Accepted] = {}
        for task in tasks:
            if data := found.get(task.remote_id):
                if answer := self._under_way(task, data, 200):
                    going_on[task.remote_id] = answer
                elif self._tells_all(data):
                    self._told.keep(task.remote_id, (reply, data))
        return going_on

    def balance(self, *, timeout: float) -> float | None:
        """Return None, as no proxy tells a balance, after a free question that a wrong key fails."""
        reply = self._send("POST", LIST, timeout, json={"ids": []})
        if reply.status not in (200, 204, 404, 405):
            raise errors.of_reply(reply, self._api.key)
        return None

    def _check(self, request: ImageRequest) -> None:
        """Raise ModelUnavailable for what the dialect cannot do, Refused for what is invalid by now."""
        if request.action is not None:
            return
        can_do = self._dialect.models
        if request.model not in orders.ORDERS or (can_do is not None and request.model not in can_do):
            raise ModelUnavailable(_("This provider does not have the model."))
        validated(request)

    def _order(
        self, path: str, order: Order, request: ImageRequest, timeout: float
    ) -> tuple[Reply, tasks.Taken]:
        """Send an order once; the answer, and what it says of the task that was taken."""
        deadline = time.monotonic() + timeout
        reply = self._send("POST", path + order.path, timeout, json=order.body)
        # A path that is not there has taken nothing. Some gateways have only the other one.
        if _is_no_path(reply) and (other := orders.simple_change(order)):
            reply = self._send("POST", path + other.path, deadline - time.monotonic(), json=other.body)
        taken = tasks.taken(json_body.parse_object(reply.body)) if 200 <= reply.status < 300 else None
        if taken is None:
            with_images = bool(request.inputs)
            raise errors.of_reply(reply, self._api.key, continues=order.continues, with_images=with_images)
        return reply, taken

    def _fetch(self, task: Task, timeout: float) -> tuple[Reply, Mapping[str, Any]]:
        """What is told of one task, with its answer; raises what `base.Provider.poll` raises."""
        reply = self._get(task, "fetch", timeout)
        data = json_body.parse_object(reply.body)
        if reply.status not in (200, 204) or (data and not tasks.is_task(data)):
            raise errors.of_poll(reply, self._api.key)
        if not data:
            raise _no_task(reply)
        return reply, data

    def _tells_all(self, data: Mapping[str, Any]) -> bool:
        """Whether a list tells of a task all that its own answer would: a list may leave out the buttons."""
        return tasks.status_of(data) != FINISHED or not self._dialect.has_buttons or "buttons" in data

    def _under_way(self, task: Task, data: Mapping[str, Any], status: int) -> Accepted | None:
        """What a task says that goes on by itself; None if it has ended or its window waits for an answer."""
        word = tasks.status_of(data)
        waits = word == WINDOW and not task.state.get("is_answered")
        return None if waits or word in ENDED else self._goes_on(task, data, status)

    def _goes_on(self, task: Task, data: Mapping[str, Any], status: int) -> Accepted:
        address = tasks.picture_of(data) if task.state.get("kind") == OutputKind.IMAGE else ""
        return Accepted(
            task,
            self._dialect.poll_seconds,
            progress=tasks.progress_of(data),
            half_done=tasks.reachable(address, self._api.base_url),
            status=status,
        )

    def _finished(self, data: Mapping[str, Any], task: Task, reply: Reply, timeout: float) -> Done:
        kind = OutputKind(task.state.get("kind") or OutputKind.IMAGE)
        done = tasks.finished(data, task.remote_id, kind=kind)
        if done is None:
            text = _("The provider says that it is done, and does not have the result yet.")
            raise Unknown(text, reply.status, code="no_result")
        [output] = done.outputs
        if kind is OutputKind.IMAGE:
            seed = tasks.seed_of(data.get("seed")) or task.state.get("seed") or self._seed(task, timeout)
            output = replace(output, seed=seed, url=tasks.reachable(output.url, self._api.base_url))
        return replace(
            done, outputs=(output,), request_id=reply.request_id(self._api.key), status=reply.status
        )

    def _seed(self, task: Task, timeout: float) -> int | None:
        """The seed that the proxy finds out when it is asked; None if it does not, which costs nothing."""
        if not (self._dialect.has_seeds and task.state.get("has_seed")):
            return None
        try:
            reply = self._get(task, "image-seed", min(SEED_SECONDS, timeout))
        except ProviderError:
            return None
        data = json_body.parse_object(reply.body)
        return tasks.seed_of(data.get("result")) if errors.code_of(data) == errors.TAKEN else None

    def _confirm(self, task: Task, timeout: float) -> None:
        """Answer the window in which a task waits for its prompt; it draws afterwards."""
        order = orders.confirmation(task.remote_id, str(task.state.get("prompt") or ""))
        reply = self._send("POST", self._path(task) + order.path, timeout, json=order.body)
        if tasks.taken(json_body.parse_object(reply.body)) is None:
            raise errors.of_reply(reply, self._api.key, continues=True)

    def _get(self, task: Task, what: str, timeout: float) -> Reply:
        path = f"{self._path(task)}/task/{quote(task.remote_id, safe='')}/{what}"
        return self._send("GET", path, timeout)

    @staticmethod
    def _path(task: Task) -> str:
        return str(task.state.get("path") or "/mj")

    def _send(self, method: str, path: str, timeout: float, **content: Any) -> Reply:
        """Send a request; once more with the key in the other header if it was refused.

        A gateway takes the key as such. What is behind its address may be the proxy itself, which compares
        another header, and takes nothing without it.
        """
        deadline = time.monotonic() + timeout
        reply = self._api.send(method, path, timeout=timeout, **content)
        if reply.status != 401 or self._by_secret is None:
            return reply
        again = self._by_secret.send(method, path, timeout=deadline - time.monotonic(), **content)
        if again.status == 401:
            return reply
        self._api, self._by_secret = self._by_secret, None
        return again


def _has_window(request: ImageRequest) -> bool:
    """Whether the step always opens a window, also where a relay does not say so."""
    model = catalogue_registry.MODELS.get(request.model)
    return bool(model and request.action and request.action.name == model.continues)


def _no_task(reply: Reply) -> Unknown:
    """The error of a poll without a task; nothing at all means that the order is not known, or not yet."""
    if reply.body.strip() in (b"", b"null"):
        return Unknown(_("The provider does not know this order."), reply.status, code="task_not_found")
    return Unknown(_("The provider's answer could not be read."), reply.status)


def _is_no_path(reply: Reply) -> bool:
    """Whether there is nothing at the path, rather than no such task."""
    return reply.status in (404, 405) and errors.code_of(json_body.parse_object(reply.body)) is None
