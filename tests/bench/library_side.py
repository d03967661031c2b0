"""The part of the library's benchmark in the database: `fill TEAM PICTURES COPIES`, `say TEAM FILE`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models import AutoField, Count, Model
from django.test import Client
from django.utils import timezone

from generations.library.maintenance.seed import TIME_SPAN
from generations.library.models import (
    Collection,
    CollectionImage,
    Favourite,
    Image,
    ImageTag,
    SearchEntry,
    Tag,
)
from generations.teams.models import Membership, Team

DEEP = 60_000  # pictures: a thousand pages
# What is copied with the pictures, in the order of its copies.
COPIED = ((SearchEntry, "created_at"), (ImageTag, "id"), (CollectionImage, "id"), (Favourite, "id"))
COPIED_ID = "md5({id}::text || copy.number)::uuid"


def fill(team: str, pictures: str, copies: str) -> None:
    """A filled library. The database makes the copies of each picture, which takes a tenth of the time."""
    call_command("fill_library", str(int(pictures) // int(copies)), team=team, verbosity=0)
    if int(copies) > 1:
        _copy(int(pictures) // int(copies), int(copies))


def say(team: str, file: str) -> None:
    """Who may look, with which cookie, and what can be found."""
    found = Team.objects.get(name=team)
    people = Membership.objects.filter(team=found).order_by("pk")
    images = Image.objects.filter(team=found, visibility="team").order_by("-created_at", "-pk")
    deep = min(DEEP, images.count() - 1)
    image = images.exclude(prompt__startswith="红").filter(prompt__contains=", ")[deep // 2]
    said = {
        "team": found.slug,
        "cookie": _cookie(people[1]),
        "often": people[0].pk,
        "rarely": people[10].pk,
        "deep": str(images[deep].pk),
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
    """Copies of each picture and of what belongs to it, at moments between it and the one before."""
    step = TIME_SPAN / pictures / copies
    given = {
        "created_at": f"created_at - copy.number * interval '{step.total_seconds()} seconds'",
        "image_id": COPIED_ID.format(id="image_id"),
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'entries_by_token'")
        [index] = cursor.fetchone()
        cursor.execute(
            "SET statement_timeout = 0; SET maintenance_work_mem = '256MB'; DROP INDEX entries_by_token"
        )
        _copy_rows(cursor, Image, given | {"id": COPIED_ID.format(id="id")}, copies, "created_at")
        for model, order in COPIED:
            _copy_rows(cursor, model, given, copies, order)
        cursor.execute(index)
        cursor.execute("VACUUM ANALYZE")


def _copy_rows(cursor: Any, model: type[Model], given: Mapping[str, str], copies: int, order: str) -> None:
    """Copies of a table's rows with what is `given` for columns; numbers as ids are new ones."""
    columns = [field.column for field in model._meta.concrete_fields if not isinstance(field, AutoField)]
    chosen = ", ".join(given.get(column, f'"{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    cursor.execute(
        f"INSERT INTO {model._meta.db_table} ({names}) SELECT {chosen} FROM {model._meta.db_table}, "
        f"generate_series(1, {copies - 1}) AS copy (number) ORDER BY {order}, copy.number DESC"
    )


def _cookie(member: Membership) -> str:
    client = Client()
    client.force_login(member.user, settings.AUTHENTICATION_BACKENDS[0])
    return client.cookies[settings.SESSION_COOKIE_NAME].value


if __name__ == "__main__":
    {"fill": fill, "say": say}[sys.argv[1]](*sys.argv[2:])
