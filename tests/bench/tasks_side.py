"""The part of `tests.bench.tasks` that asks the database.

`prepare URL KEY SYSTEM`, `submit COUNT SYSTEM`, `facts FILE`.
"""

from __future__ import annotations

import io
import json
import sys
import uuid
from collections import Counter
from pathlib import Path

from PIL import Image as Pillow

from generations.jobs import submission
from generations.jobs.inputs import NewInput
from generations.jobs.models import Attempt, Generation
from generations.library.storage import client as storage_client
from generations.library.uploads import input_images
from generations.office.members import service as members_service
from generations.teams.models import Membership, User
from generations.upstreams import new_account
from generations.upstreams.models import Upstream

MODELS = {"stability": "replace-background-and-relight", "midjourney": "midjourney"}
GRANTED = 1_000_000_000


def prepare(url: str, key: str, system: str) -> None:
    """Make a member with credits, and an account that takes 100 calls a second."""
    storage_client.create_bucket()
    team = members_service.create_team("Bench")
    user = User.objects.create_user("bench@bench.example", None, name="Bench")
    members_service.add_member(user=user, team=team, granted=GRANTED)
    account = Upstream(name="key", kind=system, base_url=url, limit_calls=1_000, limit_window=10)
    account.private_results = True
    account.set_key(key)
    account.save()
    new_account.begin(account)


def submit(count: str, system: str) -> None:
    """Submit so many, each with a prompt of its own."""
    member, field, inputs = Membership.objects.get(), "prompt", []
    if system == "stability":
        file = io.BytesIO()
        Pillow.new("RGB", (128, 128), "teal").save(file, "PNG")
        file.seek(0)
        field, upload = "background_prompt", input_images.save_upload(member=member, file=file, name="a.png")
        inputs = [NewInput("image", upload)]
    for number in range(int(count)):
        submission.submit(
            member=member,
            model=MODELS[system],
            parameters={field: f"background {number}"},
            count=1,
            submission=uuid.uuid4(),
            prices_at=None,
            inputs=inputs,
        )


def facts(file: str) -> None:
    """Say how many are in which state, and how long after its order was accepted each was stored."""
    states = Counter(Generation.objects.values_list("status", flat=True))
    began = dict(Attempt.objects.filter(outcome="ok").values_list("generation", "started_at"))
    ended = Generation.objects.filter(status="succeeded").values_list("pk", "ended_at")
    seconds = [(at - began[pk]).total_seconds() for pk, at in ended if pk in began]
    Path(file).write_text(json.dumps({"states": states, "seconds": seconds}))


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    {"prepare": prepare, "submit": submit, "facts": facts}[verb](*rest)
