"""The part of the API's benchmark that asks the database: `fill FILE MEMBERS`, and `check FILE`."""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path

from generations.credits import audit
from generations.jobs.models import Batch, Generation
from generations.office import administration
from generations.teams import tokens
from generations.teams.models import User
from generations.upstreams.models import Upstream


def fill(file: str, members: str) -> None:
    """A team whose members have credits and a token each, and an upstream that nobody calls."""
    team = administration.open_team("Bench")
    administration.issue(team=team, amount=10**9, reference=uuid.uuid4())
    row = Upstream(name="nobody", base_url="http://127.0.0.1:9", limit_calls=150, limit_window=10)
    row.set_key("sk-nobody")
    row.save()
    secrets = []
    for number in range(int(members)):
        user = User.objects.create_user(f"member-{number}@bench.example")
        member = administration.admit(user=user, team=team, granted=10**7)
        secrets.append(tokens.issue(membership=member, name="bench", scopes=["generate", "read"])[1])
    Path(file).write_text(json.dumps(secrets))


def check(file: str) -> None:
    """What was made, and whether the books are exact."""
    said = {
        "batches": Batch.objects.count(),
        "generations": Generation.objects.count(),
        "audit_ledger": [str(problem) for problem in audit.problems()],
    }
    Path(file).write_text(json.dumps(said))


if __name__ == "__main__":
    {"fill": fill, "check": check}[sys.argv[1]](*sys.argv[2:])
