"""The part of the API's benchmark that asks the database: `fill FILE MEMBERS`, and `check FILE`."""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path

from generations.credits import integrity_check
from generations.jobs.models import Batch, Generation
from generations.office.credits import service as credits_service
from generations.office.members import service as members_service
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import User
from generations.upstreams.models import Upstream


def fill(file: str, members: str) -> None:
    """A team whose members have credits and a token each, and an upstream that nobody calls."""
    team = members_service.create_team("Bench")
    credits_service.issue(team=team, amount=10**9, reference=uuid.uuid4())
    row = Upstream(name="nobody", base_url="http://127.0.0.1:9", limit_calls=150, limit_window=10)
    row.set_key("sk-nobody")
    row.save()
    secrets = []
    for number in range(int(members)):
        user = User.objects.create_user(f"member-{number}@bench.example")
        member = members_service.add_member(user=user, team=team, granted=10**7)
        secrets.append(
            teams_api_tokens.issue(membership=member, name="bench", scopes=["generate", "read"])[1]
        )
    Path(file).write_text(json.dumps(secrets))


def check(file: str) -> None:
    """What was made, and whether the books are exact."""
    said = {
        "batches": Batch.objects.count(),
        "generations": Generation.objects.count(),
        "audit_ledger": [str(problem) for problem in integrity_check.problems()],
    }
    Path(file).write_text(json.dumps(said))


if __name__ == "__main__":
    {"fill": fill, "check": check}[sys.argv[1]](*sys.argv[2:])
