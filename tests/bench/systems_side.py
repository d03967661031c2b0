"""The part of `tests.bench.systems` that asks the database.

`prepare FILE URL KEY`, `gateway FILE URL KEY`, `submit COUNT`, `stored FILE`.
"""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path

from django.conf import settings
from django.test import Client

from generations.jobs import submission
from generations.jobs.models import Generation
from generations.library.storage import client as storage_client
from generations.office.members import service as members_service
from generations.teams.models import Membership, User
from generations.upstreams import accounts, new_account
from generations.upstreams.models import Upstream

GRANTED = 1_000_000_000
FAST = {"limit_calls": 1_000, "limit_window": 10}


def prepare(file: str, url: str, key: str) -> None:
    """Make a member with credits, and an account at Stability; say how to come in."""
    storage_client.create_bucket()
    team = members_service.create_team("Bench")
    user = User.objects.create_user("bench@bench.example", None, name="Bench")
    user.emailaddress_set.create(email=user.email, verified=True, primary=True)
    members_service.add_member(user=user, team=team, granted=GRANTED)
    _add(Upstream(name="Stability", base_url=url, **FAST), key)
    visitor = Client()
    visitor.force_login(user, settings.AUTHENTICATION_BACKENDS[0])
    cookie = visitor.cookies[settings.SESSION_COOKIE_NAME].value
    said = {"team": team.slug, "cookies": {settings.SESSION_COOKIE_NAME: cookie}}
    Path(file).write_text(json.dumps(said))


def gateway(file: str, url: str, key: str) -> None:
    """Add an account at a gateway with all systems; say how many systems and models are offered."""
    upstream = Upstream(name="Gateway", kind="gateway", base_url=url, private_results=True, **FAST)
    new_account.begin_with_usual(upstream)
    _add(upstream, key)
    said = {"systems": len(upstream.own_systems), "models": len(accounts.served_models())}
    Path(file).write_text(json.dumps(said))


def submit(count: str) -> None:
    """Submit so many pictures of one model of Stability."""
    submission.submit(
        member=Membership.objects.get(),
        model="core",
        parameters={"prompt": "a harbour at dawn"},
        count=int(count),
        submission=uuid.uuid4(),
        prices_at=None,
    )


def stored(file: str) -> None:
    """Say how many pictures are stored, and how many are on their way."""
    unfinished = Generation.objects.unfinished().count()
    Path(file).write_text(json.dumps({"stored": Generation.objects.count() - unfinished}))


def _add(upstream: Upstream, key: str) -> None:
    upstream.set_key(key)
    upstream.save()
    new_account.begin(upstream)


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    {"prepare": prepare, "gateway": gateway, "submit": submit, "stored": stored}[verb](*rest)
