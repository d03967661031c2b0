"""The part of the screen's benchmark that asks the database: `FILE STREAM LIBRARY` fills it, and tells."""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from generations.jobs.models import Batch, Generation, Status
from generations.library.models import Image
from generations.office.members import service as members_service
from generations.teams.models import Membership, Team, User
from generations.upstreams.models import Upstream

TEAM = "Screen"
PER_BATCH = 10
GRANTED = 10_000_000
WORD = "fox"


def fill(file: str, stream: str, library: str) -> None:
    """A library, and somebody whose stream has the newest of its pictures; says who, and what is far down."""
    call_command("fill_library", library, team=TEAM, verbosity=0)
    team = Team.objects.get(name=TEAM)
    user = User.objects.create_user("presser@bench.example", None, name="Presser")
    user.emailaddress_set.create(email=user.email, verified=True, primary=True)
    member = members_service.add_member(user=user, team=team, granted=GRANTED)
    account = Upstream(name="nobody", base_url="http://127.0.0.1:9")
    account.set_key("sk-nobody")
    account.save()
    images = list(Image.objects.filter(team=team, visibility="team").order_by("-created_at")[: int(stream)])
    for start in range(0, len(images), PER_BATCH):
        add_batch(member, images[start : start + PER_BATCH])
    shown = Image.objects.filter(team=team, visibility="team").order_by("-created_at")
    searched = shown.filter(prompt__contains=f" {WORD} ")
    said = {
        "team": team.slug,
        "cookie": cookie(user),
        "word": WORD,
        "in search": str(searched[searched.count() // 2].pk),
        "in library": str(shown[int(library) // 2].pk),
        "in stream": str(images[0].pk),  # of the batch that was made first
    }
    Path(file).write_text(json.dumps(said))


def add_batch(member: Membership, images: list[Image]) -> None:
    """A batch of the member that has these pictures."""
    parameters = {"prompt": images[0].prompt, "aspect_ratio": "1:1"}
    asked = {"team": member.team, "member": member, "model": "core", "parameters": parameters}
    batch = Batch.objects.create(**asked, count=len(images), submission=uuid.uuid4())
    for position, image in enumerate(images):
        row = Generation.objects.create(
            **asked,
            batch=batch,
            position=position,
            price=300,
            virtual_start=0,
            status=Status.SUCCEEDED,
            ended_at=timezone.now(),
        )
        Image.objects.filter(pk=image.pk).update(generation=row.pk, owner=member)


def cookie(user: User) -> str:
    client = Client()
    client.force_login(user, settings.AUTHENTICATION_BACKENDS[0])
    return client.cookies[settings.SESSION_COOKIE_NAME].value


if __name__ == "__main__":
    fill(*sys.argv[1:])
