"""What a storm over tasks needs of Django: an account at a gateway, orders, and what became of them.

`prepare URL KEY` adds the account to the portal of `members.prepare`; `submit COUNT` asks for so many
pictures of each model; `progress FILE` writes again and again how many are in which status; `check FILE LOG`
compares the end with the provider's log of calls.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.utils import timezone

from generations.credits import integrity_check
from generations.credits.models import Hold, Transfer, TransferKind
from generations.jobs import submission
from generations.jobs.models import Attempt, Generation, Outcome, Status
from generations.library.models import Image
from generations.teams.models import Membership
from generations.upstreams import new_account
from generations.upstreams.models import Upstream
from tests.chaos.members import retry_on_db_error

MODELS = ("flux-2-pro", "midjourney", "kling-v3")
SYSTEMS = ("bfl", "midjourney", "kling")


def prepare(url: str, key: str) -> None:
    """One account that sells all three systems; its results are on this machine."""
    account = Upstream(name="gateway", kind="gateway", base_url=url, private_results=True)
    account.systems = new_account.systems_of(SYSTEMS)
    account.set_key(key)
    account.save()


def submit(count: int) -> None:
    """Ask for pictures whose prompts tell them apart."""
    member = Membership.objects.select_related("team", "user").earliest("pk")
    for number in range(count):
        for model in MODELS:
            submission.submit(
                member=member,
                model=model,
                parameters={"prompt": f"{model} number {number:03}"},
                count=1,
                submission=uuid.uuid4(),
                prices_at=timezone.now(),
            )


def write_progress(file: Path) -> None:
    """Write the number of generations in each status until this process is ended."""
    while True:
        counts = retry_on_db_error(
            lambda: dict(Counter(Generation.objects.values_list("status", flat=True))), patience=60
        )
        new = file.with_suffix(".new")
        new.write_text(json.dumps(counts))
        new.replace(file)
        time.sleep(0.2)


def check(found: Path, log: Path) -> None:
    """Write the promises with what broke them, and the facts."""
    calls = json.loads(log.read_text())
    taken = [call for call in calls if call["fields"].get("prompt") and call["status"] in (200, None)]
    orders = Counter(str(call["fields"]["prompt"]) for call in taken)
    promises = {
        "every picture was drawn, stored and charged once": list(_rows_amiss()),
        "an order that was taken is never repeated": list(_orders_amiss(orders)),
        "no hold is left": [str(hold.reference) for hold in Hold.objects.filter(state="open")],
        "the ledger is exact": integrity_check.problems(),
    }
    outcomes = Counter(Attempt.objects.values_list("outcome", flat=True))
    facts = {"orders": sum(orders.values()), "outcomes": dict(outcomes), "calls": len(calls)}
    found.write_text(json.dumps({"promises": promises, "facts": facts}))


def _rows_amiss() -> Iterator[str]:
    for row in Generation.objects.all():
        images = Image.objects.filter(generation=row.pk).count()
        charges = Transfer.objects.filter(kind=TransferKind.CHARGE, reference=row.pk).count()
        if (row.status, images, charges) != (Status.SUCCEEDED, 1, 1):
            yield f"{row.prompt} is {row.status} ({row.reason}), {images} images, {charges} charges"


def _orders_amiss(orders: Counter[str]) -> Iterator[str]:
    """One order for each picture, and one more for each call whose worker died before it knew the answer."""
    for row in Generation.objects.all():
        lost = Attempt.objects.filter(generation=row, outcome=Outcome.UNKNOWN).count()
        sent = sum(count for prompt, count in orders.items() if prompt.startswith(row.prompt))
        if not 1 <= sent <= 1 + lost:
            yield f"{row.prompt} was ordered {sent} times, {lost} answers were lost"


def main(arguments: list[str]) -> None:
    """Do what the first word says."""
    verb, *rest = arguments
    actions: dict[str, Any] = {
        "prepare": prepare,
        "submit": lambda count: submit(int(count)),
        "progress": lambda file: write_progress(Path(file)),
        "check": lambda found, log: check(Path(found), Path(log)),
    }
    actions[verb](*rest)


if __name__ == "__main__":
    main(sys.argv[1:])
