"""A team's whole library as files: the originals, and one manifest that says everything about them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.library.findings import in_batches
from generations.library.models import Collection, Image
from generations.library.storage import client as storage_client

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from generations.teams.models import Membership, Team

FETCHERS = 8
MANIFEST = "manifest.json"
VERSION = 1
FIELDS = (
    *("id", "origin", "title", "prompt", "negative_prompt", "model", "parameters", "seed", "generation"),
    *("batch", "position", "visibility", "media_type", "width", "height", "bytes", "sha256", "created_at"),
    "trashed_at",
)


@dataclass(frozen=True)
class Exported:
    """What became of one image's file."""

    image: Image
    file: str
    was_there: bool = False
    error: str = ""


def export(
    *, team: Team, folder: Path, since: date | None = None, with_trash: bool = False
) -> Iterator[Exported]:
    """Write a team's images into a folder, then the manifest; each as it is done.

    A file that is there with the right sha256 is left as it is, so an export that broke off is carried on
    by the same call. The manifest comes last and whole: without it the export is not complete. `since` is a
    day where the team is. Raises OSError if the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{MANIFEST}.part"
    with unfinished.open("w", encoding="utf-8") as manifest, ThreadPoolExecutor(FETCHERS) as threads:
        manifest.write(_opening(team, since, with_trash=with_trash))
        comma = ""
        for images in in_batches(_rows(team, since, with_trash=with_trash)):
            for done in threads.map(lambda image: _fetched(image, folder), images):
                manifest.write(f"{comma}\n{_as_json(_told(done))}")
                comma = ","
                yield done
        manifest.write("\n]}\n")
    unfinished.replace(folder / MANIFEST)


def _rows(team: Team, since: date | None, *, with_trash: bool) -> QuerySet[Image]:
    rows = Image.objects.filter(team=team).select_related("owner__user")
    if since:
        rows = rows.filter(created_at__gte=datetime.combine(since, time.min, ZoneInfo(team.time_zone)))
    if not with_trash:
        rows = rows.filter(trashed_at__isnull=True)
    return rows.prefetch_related("image_tags__tag", "collection_images", "favourites__member__user")


def _opening(team: Team, since: date | None, *, with_trash: bool) -> str:
    """The manifest up to its first image."""
    collections = [
        {
            "id": each.pk,
            "name": each.name,
            "owner": _email(each.owner),
            "visibility": each.visibility,
            "created_at": each.created_at,
        }
        for each in Collection.objects.filter(team=team).select_related("owner__user").order_by("pk")
    ]
    about = {
        "version": VERSION,
        "team": {"name": team.name, "address": team.slug, "time_zone": team.time_zone},
        "exported_at": timezone.now(),
        "since": since,
        "with_trash": with_trash,
        "collections": collections,
    }
    return _as_json(about).removesuffix("}") + ', "images": ['


def _told(done: Exported) -> dict[str, Any]:
    """What the manifest says of an image."""
    image = done.image
    return {
        "file": None if done.error else done.file,
        **({"error": done.error} if done.error else {}),
        **{name: getattr(image, name) for name in FIELDS},
        "owner": _email(image.owner),
        "tags": sorted(each.tag.name for each in image.image_tags.all()),
        "collections": sorted(str(each.collection_id) for each in image.collection_images.all()),
        "favourite_of": sorted(_email(each.member) for each in image.favourites.all()),
    }


def _email(member: Membership) -> str:
    """Whose it is: an address, or what a program is called."""
    return member.user.email if member.user else member.name


def _as_json(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


def _fetched(image: Image, folder: Path) -> Exported:
    """The image's file in its place, with the right bytes; says why not otherwise."""
    ending = storage_client.EXTENSIONS.get(image.media_type, "bin")
    name = f"pictures/{image.created_at:%Y-%m}/{image.pk}.{ending}"
    try:
        if _sum_of(folder / name) == image.sha256:
            return Exported(image, name, was_there=True)
        return Exported(image, name, error=_write(image, folder / name))
    except (OSError, storage_client.StorageUnavailable) as problem:
        missing = _("The object is missing.") if isinstance(problem, storage_client.Missing) else str(problem)
        return Exported(image, name, error=missing)


def _write(image: Image, path: Path) -> str:
    """Write the original beside its place and check it on the way; what is wrong with it, or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.part")
    try:
        with unfinished.open("wb") as file:
            found = _copied(image, file)
        if found != image.sha256:
            return _("The object's bytes are not those that were stored: sha256 %(found)s.") % {
                "found": found
            }
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return ""


def _copied(image: Image, file: IO[bytes]) -> str:
    """Copy the object's bytes, and their sha256. Raises StorageUnavailable, OSError."""
    found = hashlib.sha256()
    with storage_client.translated_errors():
        for chunk in storage_client.stream(image.key):
            found.update(chunk)
            file.write(chunk)
    file.flush()
    os.fsync(file.fileno())
    return found.hexdigest()


def _sum_of(path: Path) -> str:
    """The sha256 of a file that is there; nothing otherwise."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
