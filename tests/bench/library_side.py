"""The part of the library's benchmark that asks the database: `FILE TEAM PICTURES` fills it, and tells."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db.models import Count
from django.test import Client
from django.utils import timezone

from generations.library.models import Collection, Image, Tag
from generations.teams.models import Membership, Team

DEEP = 60_000  # pictures: a thousand pages


def fill(file: str, team: str, pictures: str) -> None:
    """A filled library; says who may look, with which cookie, and what can be found."""
    call_command("fill_library", pictures, team=team, verbosity=0)
    found = Team.objects.get(name=team)
    people = Membership.objects.filter(team=found).order_by("pk")
    images = Image.objects.filter(team=found, visibility="team").order_by("-created_at", "-pk")
    image = images.exclude(prompt__startswith="红").filter(prompt__contains=", ")[
        min(DEEP, int(pictures)) // 2
    ]
    said = {
        "team": found.slug,
        "cookie": _cookie(people[1]),
        "often": people[0].pk,
        "rarely": people[10].pk,
        "deep": str(images[min(DEEP, int(pictures) - 1)].pk),
        "rare": " ".join(image.prompt.split(", ")[-2:]),
        "phrase": f'"{image.prompt.partition(",")[0]}"',
        "tag": Tag.objects.filter(team=found)
        .annotate(uses=Count("image_tags"))
        .filter(uses__gt=0)
        .last()
        .key,
        "collection": str(Collection.objects.filter(team=found, visibility="team").first().pk),
        "seed": image.seed,
        "month": (timezone.now() - timedelta(days=365)).strftime("%Y-%m"),
    }
    Path(file).write_text(json.dumps(said))


def _cookie(member: Membership) -> str:
    client = Client()
    client.force_login(member.user, settings.AUTHENTICATION_BACKENDS[0])
    return client.cookies[settings.SESSION_COOKIE_NAME].value


if __name__ == "__main__":
    fill(*sys.argv[1:])
