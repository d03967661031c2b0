"""The part of the benchmark that asks the database: `prepare FILE KEY URL...` and `facts FILE`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from django.conf import settings
from django.test import Client

from generations.jobs.models import Attempt, Generation
from generations.office.members import service as members_service
from generations.teams.models import User
from generations.upstreams.models import Upstream

GRANTED = 10_000_000
PEOPLE = ("newcomer", "crowd")


def prepare(file: str, key: str, *urls: str) -> None:
    """Two signed-in members and a provider account per address; says with which cookies they came."""
    team = members_service.create_team("Bench")
    people = {}
    for name in PEOPLE:
        user = User.objects.create_user(f"{name}@bench.example", None, name=name.title())
        user.emailaddress_set.create(email=user.email, verified=True, primary=True)
        members_service.add_member(user=user, team=team, granted=GRANTED)
        client = Client()
        client.force_login(user, settings.AUTHENTICATION_BACKENDS[0])
        people[name] = {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value}
    for number, url in enumerate(urls):
        account = Upstream(name=f"key {number + 1}", base_url=url, order=number)
        account.set_key(key)
        account.save()
    Path(file).write_text(json.dumps({"team": team.slug, "people": people}))


def facts(file: str) -> None:
    """Every image with its moments, in seconds."""
    calls = {}
    for attempt in Attempt.objects.order_by("number"):
        calls[attempt.generation_id] = (attempt.started_at.timestamp(), attempt.seconds or 0.0)
    rows = [
        {
            "id": str(row.pk),
            "prompt": row.prompt,
            "status": row.status,
            "made": row.created_at.timestamp(),
            "ended": row.ended_at.timestamp() if row.ended_at else None,
            "called": calls.get(row.pk, (None, None))[0],
        }
        for row in Generation.objects.order_by("created_at")
    ]
    Path(file).write_text(json.dumps(rows))


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    {"prepare": prepare, "facts": facts}[verb](*rest)
