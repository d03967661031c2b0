"""Twenty members who submit batches whatever happens, and then wait. PROGRESS is a file with the counts.

`prepare URL KEY` makes a team, its members and the provider's account;
`submit PROGRESS ALLOWANCE JOBS SECONDS SEED` asks for so many images within so many seconds, then watches;
while there is a file ALLOWANCE, for no more than the number in it.
"""

from __future__ import annotations

import json
import random
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from generations.jobs import submission
from generations.jobs.models import Generation
from generations.office.members import service as members_service
from generations.teams.models import Membership, User
from generations.upstreams.models import Upstream

MEMBERS = 20
GRANTED = 1_000_000
MODEL, FORMAT = "core", "webp"
MOST_AT_ONCE = 4
T = TypeVar("T")


def prepare(url: str, key: str) -> None:
    """A team, its members with credits, and one provider account at its usual pace."""
    team = members_service.create_team("Storm")
    for number in range(MEMBERS):
        user = User.objects.create_user(f"member-{number}@storm.example", None, name=f"Member {number}")
        members_service.add_member(user=user, team=team, granted=GRANTED)
    account = Upstream(name="stand-in", base_url=url)
    account.set_key(key)
    account.save()


def submit(progress: Path, allowance: Path, jobs: int, seconds: float, seed: int) -> None:
    """Submit batches at intervals; each form is sent until it is accepted."""
    rng, began, asked = random.Random(seed), time.monotonic(), 0
    members = list(Membership.objects.select_related("team", "user").order_by("pk"))
    for number, count in enumerate(_counts(rng, jobs)):
        while asked >= _allowed(allowance, jobs):
            _tell(progress, asked=asked)
            time.sleep(0.1)
        form = {
            "member": rng.choice(members),
            "model": MODEL,
            "parameters": {"prompt": f"storm {number}", "seed": 1, "output_format": FORMAT},
            "count": count,
            "submission": uuid.UUID(int=rng.getrandbits(128), version=4),
            "prices_at": timezone.now(),
        }
        retry_on_db_error(lambda form=form: submission.submit(**form))
        asked += count
        _tell(progress, asked=asked)
        time.sleep(max(0.0, began + seconds * asked / jobs - time.monotonic()))
    while True:
        _tell(progress, asked=asked)
        time.sleep(0.3)


def retry_on_db_error(act: Callable[[], T], patience: float = 90.0) -> T:
    """Repeat it while the database is unreachable, as a person does who sees an error page."""
    limit = time.monotonic() + patience
    while True:
        try:
            return act()
        except (DatabaseError, InterfaceError):
            if time.monotonic() > limit:
                raise
            connection.close()
            time.sleep(0.3)


def _counts(rng: random.Random, jobs: int) -> Iterator[int]:
    while jobs:
        count = min(jobs, rng.randint(1, MOST_AT_ONCE))
        jobs -= count
        yield count


def _allowed(allowance: Path, jobs: int) -> int:
    return int(allowance.read_text()) if allowance.exists() else jobs


def _tell(progress: Path, **more: Any) -> None:
    unfinished = retry_on_db_error(lambda: Generation.objects.unfinished().count())
    news = {"unfinished": unfinished, **more}
    new = progress.with_suffix(".new")
    new.write_text(json.dumps(news))
    new.replace(progress)


def main(arguments: list[str]) -> None:
    """Do what the first word says."""
    verb, *rest = arguments
    if verb == "prepare":
        prepare(*rest)
    else:
        progress, allowance, jobs, seconds, seed = rest
        submit(Path(progress), Path(allowance), int(jobs), float(seconds), int(seed))


if __name__ == "__main__":
    main(sys.argv[1:])
