"""The part of the library's benchmark that asks the database: `FILE TEAM PICTURES COPIES` fills it."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models import Count
from django.test import Client
from django.utils import timezone

from generations.library.maintenance.seed import TIME_SPAN
from generations.library.models import Collection, Image, SearchEntry, Tag
from generations.teams.models import Membership, Team

DEEP = 60_000  # pictures: a thousand pages
COPIED_ID = "md5({id}::text || copy.number)::uuid"


def fill(file: str, team: str, pictures: str, copies: str) -> None:
    """A filled library; says who may look, with which cookie, and what can be found.

    The database makes the copies, as many of each picture: a million that way take a tenth of the time.
    """
    call_command("fill_library", str(int(pictures) // int(copies)), team=team, verbosity=0)
    found = Team.objects.get(name=team)
    if int(copies) > 1:
        _copy(int(pictures) // int(copies), int(copies))
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


def _copy(pictures: int, copies: int) -> None:
    """Copies of each picture and of its search entry, at moments between it and the one before."""
    step = TIME_SPAN / pictures / copies
    moment = f"created_at - copy.number * interval '{step.total_seconds()} seconds'"
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'entries_by_token'")
        [index] = cursor.fetchone()
        cursor.execute("SET maintenance_work_mem = '256MB'; DROP INDEX entries_by_token")
        for model, ids in ((Image, {"id": COPIED_ID.format(id="id")}), (SearchEntry, {})):
            columns = [
                field.column
                for field in model._meta.concrete_fields
                if model is Image or not field.primary_key
            ]
            given = ids | {"created_at": moment, "image_id": COPIED_ID.format(id="image_id")}
            chosen = ", ".join(given.get(column, f'"{column}"') for column in columns)
            names = ", ".join(f'"{column}"' for column in columns)
            cursor.execute(
                f"INSERT INTO {model._meta.db_table} ({names}) SELECT {chosen} FROM {model._meta.db_table}, "
                f"generate_series(1, {copies - 1}) AS copy (number) ORDER BY created_at, copy.number DESC"
            )
        cursor.execute(index)
        cursor.execute("VACUUM ANALYZE")


def _cookie(member: Membership) -> str:
    client = Client()
    client.force_login(member.user, settings.AUTHENTICATION_BACKENDS[0])
    return client.cookies[settings.SESSION_COOKIE_NAME].value


if __name__ == "__main__":
    fill(*sys.argv[1:])
