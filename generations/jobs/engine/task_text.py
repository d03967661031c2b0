"""What a task's attempt keeps to go on with it, as encrypted text: how to poll it, or its results' addresses.

Encrypted because whoever knows an address may fetch the result.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import asdict
from typing import Any

from generations.providers.base import Action, Done, Output, OutputKind, Task
from generations.upstreams import encryption

MAX_STATE = 4096  # characters of JSON


def of_task(task: Task) -> str:
    """Return the text of a task; its state is dropped if it is larger than 4 KB."""
    state = dict(task.state) if len(json.dumps(dict(task.state))) <= MAX_STATE else {}
    return _encrypted({"remote_id": task.remote_id, "poll_url": task.poll_url, "state": state})


def of_done(done: Done) -> str:
    """Return the text of finished outputs of which some are still to be fetched."""
    outputs = [{**asdict(output), "data": b64encode(output.data).decode()} for output in done.outputs]
    return _encrypted({"outputs": outputs, **_facts(done)})


def read(text: str) -> Task | Done:
    """Return what was kept. Raises upstreams.encryption.Undecryptable."""
    kept: dict[str, Any] = json.loads(encryption.decrypt(text))
    if "outputs" not in kept:
        return Task(**kept)
    return Done(tuple(map(_output, kept.pop("outputs"))), **kept)


def _facts(done: Done) -> dict[str, Any]:
    return {
        "request_id": done.request_id,
        "status": done.status,
        "cost": done.cost,
        "broken": done.broken,
    }


def _output(kept: dict[str, Any]) -> Output:
    actions = tuple(Action(**action) for action in kept.pop("actions"))
    return Output(
        **kept | {"data": b64decode(kept["data"]), "kind": OutputKind(kept["kind"]), "actions": actions}
    )


def _encrypted(value: dict[str, Any]) -> str:
    return encryption.encrypt(json.dumps(value))
