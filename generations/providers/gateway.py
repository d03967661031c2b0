"""One account at a gateway that sells many systems: each request goes to the client of its model's system.

Source: docs/providers/gateways.md, "Prefixes" and "Balance".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from generations.providers.base import (
    Accepted,
    Done,
    ImageRequest,
    ListsTasks,
    ModelUnavailable,
    Provider,
    Task,
    Unknown,
)
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.i18n import gettext as _
from generations.providers.transport import json_body
from generations.providers.transport.api import Api
from generations.providers.transport.errors import to_error

SYSTEM, STATE = "system", "state"  # in the state of a task: whose it is, and what that system's client keeps
# Where gateways say what is left, and under which names; the first answer with a number counts. Many sell in
# dollars by OpenAI's old format; some have Stability's.
BALANCES = (
    ("/v1/dashboard/billing/credit_grants", ("total_available",)),
    ("/v1/user/balance", ("credits", "balance")),
    ("/sd/v1/user/balance", ("credits",)),
)
NOT_THERE = frozenset({400, 403, 404, 405, 501})  # of an address that a gateway does not have


class Gateway:
    """The clients of the systems that are switched on, by name. Safe from many threads, as they are.

    `wire_names` are the gateway's names of models where they are not the catalogue's.
    """

    def __init__(self, api: Api, clients: Mapping[str, Provider], wire_names: Mapping[str, str]) -> None:
        self._api, self._clients, self._wire_names = api, dict(clients), dict(wire_names)
        self.result_hosts: tuple[str, ...] = tuple(
            dict.fromkeys(host for client in clients.values() for host in client.result_hosts)
        )
        self.polls_count_as_calls = any(client.polls_count_as_calls for client in clients.values())

    def __repr__(self) -> str:
        return f"Gateway({self._api.base_url!r}, {', '.join(self._clients)})"

    def submit(self, request: ImageRequest, *, timeout: float) -> Done | Accepted:
        """Call the system of the model once; raises what `base.Provider.submit` raises."""
        system = _system_of(request.model)
        client = self._clients.get(system)
        if client is None:
            raise ModelUnavailable(_("This account does not sell the model."))
        sold_as = replace(request, wire_name=self._wire_names.get(request.model, ""))
        return _of_system(system, client.submit(sold_as, timeout=timeout))

    def poll(self, task: Task, *, timeout: float) -> Done | Accepted:
        """Ask the system that has the task; raises what `base.Provider.poll` raises.

        Also of a system that was switched off meanwhile the task is bought, so it is not given up.
        """
        system = str(task.state.get(SYSTEM) or "")
        client = self._clients.get(system)
        if client is None:
            raise Unknown(_("The system of this order is switched off in the provider account."))
        return _of_system(system, client.poll(_own(task), timeout=timeout))

    def list_of(self, task: Task) -> str:
        """Return the name of the list of the system that has the task; "" if that has none."""
        system = str(task.state.get(SYSTEM) or "")
        client = self._with_list(system)
        name = client.list_of(_own(task)) if client else ""
        return f"{system} {name}" if name else ""

    def poll_many(self, tasks: Sequence[Task], *, timeout: float) -> Mapping[str, Accepted]:
        """Ask the system that has these tasks; raises what `base.ListsTasks.poll_many` raises."""
        system = str(tasks[0].state.get(SYSTEM) or "")
        client = self._with_list(system)
        found = client.poll_many([_own(task) for task in tasks], timeout=timeout) if client else {}
        return {remote_id: _accepted_by(system, accepted) for remote_id, accepted in found.items()}

    def _with_list(self, system: str) -> ListsTasks | None:
        client: object = self._clients.get(system)
        return client if isinstance(client, ListsTasks) else None

    def balance(self, *, timeout: float) -> float | None:
        """Return what is left in the gateway's own unit, None if it does not say; raises as `submit` does."""
        for path, names in BALANCES:
            reply = self._api.get(path, timeout=timeout)
            if reply.status == 200:
                amounts = (json_body.number(json_body.parse(reply.body), name) for name in names)
                if (amount := next((each for each in amounts if each is not None), None)) is not None:
                    return amount
            elif reply.status not in NOT_THERE:
                raise to_error(reply, self._api.key)
        return None


def _system_of(model: str) -> str:
    try:
        return catalogue_registry.system_of(model)
    except catalogue_registry.UnknownModel:
        return ""


def _of_system(system: str, answer: Done | Accepted) -> Done | Accepted:
    """The answer, whose task knows the system that is to be asked for it."""
    return answer if isinstance(answer, Done) else _accepted_by(system, answer)


def _accepted_by(system: str, answer: Accepted) -> Accepted:
    state = {SYSTEM: system, STATE: dict(answer.task.state)}
    return replace(answer, task=replace(answer.task, state=state))


def _own(task: Task) -> Task:
    """The task as its system's client knows it."""
    return replace(task, state=task.state.get(STATE) or {})
