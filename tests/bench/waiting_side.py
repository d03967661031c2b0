"""The part of that benchmark that asks the database: `prepare FILE KEY URL...`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from generations.office.members import service as members_service
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Scope, User
from generations.upstreams.models import Upstream

GRANTED = 10_000_000


def prepare(file: str, key: str, *urls: str) -> None:
    """A member with a token, and a provider account per address."""
    team = members_service.create_team("Bench")
    user = User.objects.create_user("program@bench.example", None, name="Program")
    member = members_service.add_member(user=user, team=team, granted=GRANTED)
    _token, secret = teams_api_tokens.issue(membership=member, name="bench", scopes=[Scope.GENERATE])
    for number, url in enumerate(urls):
        account = Upstream(name=f"key {number + 1}", base_url=url, order=number)
        account.set_key(key)
        account.save()
    Path(file).write_text(json.dumps({"secret": secret}))


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    {"prepare": prepare}[verb](*rest)
