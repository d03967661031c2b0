"""Whether every promise was kept: the database, the ledger, S3 and the provider's own log, side by side."""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from generations.credits import integrity_check
from generations.credits.models import Hold, Transfer, TransferKind
from generations.jobs.engine import spool_files
from generations.jobs.models import Attempt, Generation, Outcome, Status
from generations.library.models import Image
from generations.library.storage import client as storage_client

LIMIT, WINDOW = 150, 10.0
PRICE = 300
LOST = (Outcome.UNKNOWN,)  # an attempt that says so explains a call that was paid for in vain

Key = tuple[str, int]


@dataclass(frozen=True)
class Call:
    """One generate call as the provider saw it."""

    key: Key
    at: datetime
    sha256: str
    cost: float
    outcome: str
    status: int | None

    @classmethod
    def read(cls, entry: dict[str, Any]) -> Call:
        """From the provider's log."""
        fields = entry["fields"]
        return cls(
            key=(fields["prompt"], int(fields["seed"])),
            at=datetime.fromisoformat(entry["at"]),
            sha256=entry["sha256"],
            cost=entry["cost"],
            outcome=entry["outcome"],
            status=entry["status"],
        )


class Checker:
    """All that is known at the end, and what is wrong with it."""

    def __init__(
        self, jobs: int, log: list[dict[str, Any]], state: dict[str, Any], spools: list[Path]
    ) -> None:
        self.jobs, self.state, self.spools = jobs, state, spools
        self.log = log
        self.calls = [Call.read(entry) for entry in log if "prompt" in entry["fields"]]
        self.rows = {(row.prompt, row.parameters["seed"]): row for row in Generation.objects.all()}
        self.by_pk = {row.pk: row for row in self.rows.values()}
        self.attempts: dict[UUID, list[Attempt]] = defaultdict(list)
        for attempt in Attempt.objects.order_by("number"):
            self.attempts[attempt.generation_id].append(attempt)
        self.images: dict[UUID, list[Image]] = defaultdict(list)
        for image in Image.objects.all():
            self.images[image.generation].append(image)
        self.explained = {call: self._attempt_of(call) for call in self.calls}
        self.answered = {attempt.pk for attempt in self.explained.values() if attempt}
        self.wasted = list(self._wasted())

    def promises(self) -> dict[str, list[str]]:
        """Each promise, and how it was broken."""
        return {
            "every job ended": list(self._unended()),
            "each success has one image that the provider sent, in S3": list(self._images_amiss()),
            "charged once, at its price, and only for a picture": list(self._charges_amiss()),
            "no hold is left": [str(hold.reference) for hold in Hold.objects.filter(state="open")],
            "the ledger is exact": integrity_check.problems(),
            "each call is one attempt's": list(self._calls_amiss()),
            "each attempt says how it ended, and one brought the image": list(self._attempts_amiss()),
            "an image in the spool or in S3 is not bought again": list(self._bought_again()),
            "never more than 150 calls in 10 s": list(self._too_fast()),
            "each call paid in vain is explained": [line for line in self.wasted if "NOT EXPLAINED" in line],
        }

    def facts(self) -> dict[str, Any]:
        """What is worth knowing besides."""
        outcomes = Counter(attempt.outcome for mine in self.attempts.values() for attempt in mine)
        uncalled = sum(attempt.pk not in self.answered for mine in self.attempts.values() for attempt in mine)
        return {
            "jobs": dict(Counter(row.status for row in self.rows.values())),
            "calls": len(self.calls),
            "fullest window": self._fullest(),
            "attempts": dict(outcomes),
            "attempts whose call was never sent": uncalled,
            "calls paid in vain": len(self.wasted),
            "credits paid in vain": sum(call.cost for call in self.calls)
            - PRICE / 100 * sum(map(len, self.images.values())),
        }

    def _attempt_of(self, call: Call) -> Attempt | None:
        """The attempt that was under way when the call arrived: the last that began before it."""
        row = self.rows.get(call.key)
        before = [one for one in self.attempts[row.pk] if one.started_at <= call.at] if row else []
        return before[-1] if before else None

    def _unended(self) -> Iterator[str]:
        if len(self.rows) != self.jobs:
            yield f"{len(self.rows)} rows for {self.jobs} images asked for"
        for row in self.rows.values():
            if not row.is_finished:
                yield f"{row.pk} is {row.status}, attempt {row.attempt}: {row.reason}"

    def _images_amiss(self) -> Iterator[str]:
        sent = {(call.key, call.sha256) for call in self.calls if call.sha256}
        for key, row in self.rows.items():
            mine = self.images[row.pk]
            if len(mine) != (row.status == Status.SUCCEEDED):
                yield f"{row.pk} is {row.status} and has {len(mine)} images"
            for image in mine:
                if (key, image.sha256) not in sent:
                    yield f"{row.pk}: the provider never sent {image.sha256}"
                yield from _object_amiss(image)

    def _charges_amiss(self) -> Iterator[str]:
        charged: dict[UUID, list[int]] = defaultdict(list)
        for reference, amount in Transfer.objects.filter(kind=TransferKind.CHARGE).values_list(
            "reference", "amount"
        ):
            charged[reference].append(amount)
        for row in self.rows.values():
            right = [PRICE] if row.status == Status.SUCCEEDED else []
            if charged.pop(row.pk, []) != right or row.price != PRICE:
                yield f"{row.pk} is {row.status} at {row.price}, charged {charged[row.pk]}"
        yield from (f"{reference} was charged and is no job" for reference, lines in charged.items() if lines)

    def _calls_amiss(self) -> Iterator[str]:
        uses = Counter(attempt.pk for attempt in self.explained.values() if attempt)
        for call, attempt in self.explained.items():
            if attempt is None:
                yield f"call of {call.key} at {call.at}: no attempt"
            elif uses[attempt.pk] > 1:
                yield f"call of {call.key} at {call.at}: one of {uses[attempt.pk]} of the same attempt"

    def _attempts_amiss(self) -> Iterator[str]:
        for row in self.rows.values():
            mine = self.attempts[row.pk]
            brought = [attempt.number for attempt in mine if attempt.outcome == Outcome.OK]
            kept = [_attempt_in(image.key) for image in self.images[row.pk]]
            if brought != kept:
                yield f"{row.pk} is {row.status}: attempts {brought} brought images, {kept} are kept"
            yield from (f"{row.pk}: attempt {one.number} never ended" for one in mine if not one.outcome)

    def _bought_again(self) -> Iterator[str]:
        for row, number, since in [*self._in_spools(), *self._in_storage()]:
            later = [one for one in self.attempts[row.pk] if one.number > number]
            for attempt in later:
                if attempt.pk in self.answered and attempt.started_at.timestamp() > since:
                    yield f"{row.pk}: attempt {attempt.number} called, though {number} had brought an image"

    def _in_spools(self) -> Iterator[tuple[Generation, int, float]]:
        for spool in self.spools:
            for worker in spool.iterdir():
                for (pk, number), entry in spool_files.unstored(worker):
                    if spool_files.read(entry):
                        yield self.by_pk[pk], number, entry.stat().st_mtime

    def _in_storage(self) -> Iterator[tuple[Generation, int, float]]:
        pages = storage_client.client().get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=storage_client.bucket(), Prefix="images/"):
            for entry in page.get("Contents", []):
                pk = entry["Key"].split("/")[1]
                yield self.by_pk[UUID(pk)], _attempt_in(entry["Key"]), entry["LastModified"].timestamp() + 1

    def _fullest(self) -> int:
        """The most calls of any kind in any window of the provider's log."""
        times = sorted(datetime.fromisoformat(entry["at"]).timestamp() for entry in self.log)
        first = most = 0
        for last, at in enumerate(times):
            while times[first] <= at - WINDOW:
                first += 1
            most = max(most, last - first + 1)
        return most

    def _too_fast(self) -> Iterator[str]:
        if self._fullest() > LIMIT:
            yield f"{self._fullest()} calls in 10 s"
        if self.state["rate_limited"]:
            yield f"the provider refused {self.state['rate_limited']} calls as too many"

    def _wasted(self) -> Iterator[str]:
        """Calls that were paid for and whose picture is not the one that is kept, one by one."""
        for call in self.calls:
            row = self.rows.get(call.key)
            kept = {image.sha256 for image in self.images[row.pk]} if row else set()
            if call.cost and call.sha256 not in kept:
                attempt = self.explained[call]
                said = f"{attempt.outcome}: {attempt.reason}" if attempt else "no attempt"
                clear = "" if attempt and attempt.outcome in LOST else " NOT EXPLAINED"
                yield f"{call.key[0]}/{call.key[1]}, sent as “{call.outcome}”: {said}{clear}"


def _attempt_in(key: str) -> int:
    return int(key.rpartition("/")[2].partition("-")[0])


def _object_amiss(image: Image) -> Iterator[str]:
    try:
        if hashlib.sha256(storage_client.read(image.key)).hexdigest() != image.sha256:
            yield f"{image.generation}: another picture is in S3"
    except storage_client.StorageUnavailable:
        yield f"{image.generation}: not in S3"


def main(arguments: list[str]) -> None:
    """`VERDICT JOBS CALLS STATE SPOOL...`"""
    verdict, jobs, log, state, *spools = arguments
    checker = Checker(
        int(jobs),
        json.loads(Path(log).read_text()),
        json.loads(Path(state).read_text()),
        [Path(spool) for spool in spools],
    )
    found = {"promises": checker.promises(), "facts": checker.facts(), "wasted": checker.wasted}
    Path(verdict).write_text(json.dumps(found, default=str))


if __name__ == "__main__":
    main(sys.argv[1:])
