"""Client of Black Forest Labs' API, at its maker or at a gateway.

Every order is a task. Sources: docs/providers/flux.md, "Addresses", "Tasks" and "Flux at gateways".
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

from generations.providers.base import (
    Accepted,
    Done,
    ImageRequest,
    ModelUnavailable,
    Output,
    ProviderError,
    Refused,
    Task,
    Unknown,
)
from generations.providers.bfl import errors as bfl_errors
from generations.providers.bfl import tasks as bfl_tasks
from generations.providers.bfl.endpoints import ENDPOINTS, body_of, image_names
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.validation import validated
from generations.providers.i18n import gettext as _
from generations.providers.transport import json_body
from generations.providers.transport.api import Api
from generations.providers.transport.http import Reply

POLL_AFTER = 2.0  # seconds
HUNDREDTHS = 100  # of a credit, which is a cent: the unit of costs
MOST_CREDITS = 100_000  # that one picture can cost
# Where results are, as a suffix: docs/providers/flux.md, "Tasks".
DELIVERY_HOSTS = (".bfl.ai", ".blob.core.windows.net")
PROBE = "flux-pro-1.0-fill"  # has a field that is required and that nobody can make up: an image


class Flux:
    """One account. The key is sent to `base_url` and to hosts of the API only, and is in no text."""

    polls_count_as_calls = False  # the limit is of tasks at the same time, not of requests

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
        self._open = partial(
            Api,
            key=key,
            client_id=client_id,
            proxy=proxy,
            at_gateway=at_gateway,
            key_header="x-key",
            key_scheme="",
        )
        self._api = self._open(base_url)
        self._at_gateway = at_gateway
        self.result_hosts: tuple[str, ...] = (*DELIVERY_HOSTS, urlsplit(base_url).hostname or "")

    def __repr__(self) -> str:
        return f"Flux({self._api.base_url!r})"

    def submit(self, request: ImageRequest, *, timeout: float) -> Done | Accepted:
        """Order one image; raises what `base.Provider.submit` raises."""
        if request.model not in ENDPOINTS:
            raise Refused(_("This provider does not have the model."))
        body = body_of(request, validated(request))
        path = f"/v1/{quote(request.wire_name or request.model)}"
        reply = self._api.post(path, timeout=timeout, json=body)
        state = bfl_tasks.read(reply, self._api.key) if reply.status in (200, 202) else None
        if state is None or not state.remote_id:
            raise bfl_errors.to_error(reply, self._api.key, _titles(request))
        task = Task(state.remote_id, state.poll_url, self._kept(request, state))
        if not state.is_running:
            return self._ended(state, task, reply)
        seconds = max(POLL_AFTER, catalogue_registry.get(request.model).expected_seconds)
        return Accepted(task, seconds, request_id=reply.request_id(self._api.key), status=reply.status)

    def poll(self, task: Task, *, timeout: float) -> Done | Accepted:
        """Ask how a task is; raises what `base.Provider.poll` raises."""
        base_url, path = bfl_tasks.address_of(task, self._api.base_url, at_gateway=self._at_gateway)
        reply = self._open(base_url).get(path, timeout=timeout)
        state = bfl_tasks.read(reply, self._api.key)
        word = state.word if state else ""
        is_unknown = word == bfl_tasks.LOST or (not word and reply.status == 404)
        if (is_unknown and bfl_tasks.is_new(task)) or (not word and reply.status == 202):
            return self._under_way(task, reply, state)
        if state is None or not word:
            raise bfl_errors.to_poll_error(reply, self._api.key)
        if state.is_running:
            return self._under_way(task, reply, state)
        return self._ended(state, task, reply)

    def balance(self, *, timeout: float) -> float | None:
        """Return the credits left, None at a gateway that does not say; raises as `submit` does."""
        reply = self._api.get("/v1/credits", timeout=timeout)
        if reply.status == 200:
            return json_body.number(json_body.parse_object(reply.body), "credits")
        error = bfl_errors.to_error(reply, self._api.key)
        if not isinstance(error, ModelUnavailable):
            raise error
        self._probe(timeout)
        return None

    def _probe(self, timeout: float) -> None:
        """Raise the error of an account that refuses its key; ask with an order that nobody can fulfil."""
        reply = self._api.post(f"/v1/{PROBE}", timeout=timeout, json={})
        error = bfl_errors.to_error(reply, self._api.key)
        if not isinstance(error, Refused | ModelUnavailable):
            raise error

    def _kept(self, request: ImageRequest, state: bfl_tasks.State) -> dict[str, Any]:
        """What a poll needs to know. A gateway passes on the maker's cost, which is not what it bills."""
        is_told = state.cost is not None and 0 <= state.cost < MOST_CREDITS and not self._at_gateway
        return {
            "ordered_at": time.time(),
            "has_images": bool(request.inputs),
            "seed": request.parameters.get("seed"),
            "cost": round((state.cost or 0) * HUNDREDTHS) if is_told else None,
        }

    def _under_way(self, task: Task, reply: Reply, state: bfl_tasks.State | None) -> Accepted:
        word = state.word if state else ""
        return Accepted(
            task,
            POLL_AFTER,
            progress=state.progress if state else None,
            message=bfl_tasks.message_of(word),
            request_id=reply.request_id(self._api.key),
            status=reply.status,
        )

    def _ended(self, state: bfl_tasks.State, task: Task, reply: Reply) -> Done:
        """Return the result of a task that has ended, or raise its error."""
        request_id, cost = reply.request_id(self._api.key), task.state.get("cost")
        if state.word == bfl_tasks.CONTENT_MODERATED:
            filtered = Output(filtered=True, finish_reason="CONTENT_FILTERED")
            return Done((filtered,), request_id, reply.status, cost)
        if state.word != bfl_tasks.READY:
            raise self._failure(state, task, reply)
        output = bfl_tasks.output_of(state, task.state.get("seed"))
        if output is None:
            raise Unknown(_("The provider answered without an image."), reply.status, request_id)
        return Done((output,), request_id, reply.status, cost)

    def _failure(self, state: bfl_tasks.State, task: Task, reply: Reply) -> ProviderError:
        error = bfl_tasks.failure_of(state, reply, has_images=bool(task.state.get("has_images")))
        error.request_id = reply.request_id(self._api.key)
        return error


def _titles(request: ImageRequest) -> dict[str, str]:
    """The translated titles of a request's images, by the names of their fields."""
    titles = {each.role: _(each.title) for each in catalogue_registry.get(request.model).inputs}
    roles = [image.role for image in request.inputs]
    return {name: titles[role] for name, role in zip(image_names(request), roles, strict=True)}
