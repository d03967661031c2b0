"""Export a team's library to a folder: the originals, and a JSON manifest with all that is known of them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.library.imaging import provenance
from generations.library.maintenance.check import in_batches
from generations.library.models import Collection, Image
from generations.library.storage import client as storage_client
from generations.library.storage import keys as storage_keys
from generations.teams.models import Membership, Team

DOWNLOADERS = 8  # threads
MANIFEST = "manifest.json"
VERSION = 1
FIELDS = [
    "id",
    "origin",
    "kind",
    "title",
    "prompt",
    "negative_prompt",
    "text",
    "model",
    "parameters",
    "seed",
    "generation",
    "batch",
    "position",
    "visibility",
    "media_type",
    "width",
    "height",
    "bytes",
    "sha256",
    "created_at",
    "trashed_at",
]


@dataclass(frozen=True)
class ExportedFile:
    """The outcome for the file of one image."""

    image: Image
    name: str
    existed: bool = False
    error: str = ""


def export(
    *, team: Team, folder: Path, since: date | None = None, with_trash: bool = False
) -> Iterator[ExportedFile]:
    """Write a team's images to a folder, then the manifest; yield the outcome of each image.

    Files that exist with the right SHA-256 are skipped, so the same call continues an interrupted export.
    The manifest is written last: without it the export is incomplete. `since` is a day in the team's time
    zone. Raises OSError if the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{MANIFEST}.part"
    with partial.open("w", encoding="utf-8") as manifest, ThreadPoolExecutor(DOWNLOADERS) as threads:
        manifest.write(_manifest_head(team, since, with_trash=with_trash))
        separator = ""
        for images in in_batches(_rows(team, since, with_trash=with_trash)):
            for exported in threads.map(lambda image: _export_image(image, folder), images):
                manifest.write(f"{separator}\n{_as_json(_manifest_entry(exported))}")
                separator = ","
                yield exported
        manifest.write("\n]}\n")
    partial.replace(folder / MANIFEST)


def _rows(team: Team, since: date | None, *, with_trash: bool) -> QuerySet[Image]:
    rows = Image.objects.filter(team=team).select_related("owner__user")
    if since:
        rows = rows.filter(created_at__gte=datetime.combine(since, time.min, ZoneInfo(team.time_zone)))
    if not with_trash:
        rows = rows.filter(trashed_at__isnull=True)
    return rows.prefetch_related("image_tags__tag", "collection_images", "favourites__member__user")


def _manifest_head(team: Team, since: date | None, *, with_trash: bool) -> str:
    """The JSON of the manifest up to its first image."""
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
    head = {
        "version": VERSION,
        "team": {"name": team.name, "address": team.slug, "time_zone": team.time_zone},
        "exported_at": timezone.now(),
        "since": since,
        "with_trash": with_trash,
        "collections": collections,
    }
    return _as_json(head).removesuffix("}") + ', "images": ['


def _manifest_entry(exported: ExportedFile) -> dict[str, Any]:
    """The manifest's entry of an image."""
    image = exported.image
    return {
        "file": None if exported.error else exported.name,
        **({"error": exported.error} if exported.error else {}),
        **{name: getattr(image, name) for name in FIELDS},
        "digital_source_type": provenance.digital_source_type(image),
        "owner": _email(image.owner),
        "tags": sorted(each.tag.name for each in image.image_tags.all()),
        "collections": sorted(str(each.collection_id) for each in image.collection_images.all()),
        "favourite_of": sorted(_email(each.member) for each in image.favourites.all()),
    }


def _email(member: Membership) -> str:
    """The email address of a person, or the name of a program."""
    return member.user.email if member.user else member.name


def _as_json(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


def _export_image(image: Image, folder: Path) -> ExportedFile:
    """Write the image's file, unless it exists with the right bytes; errors are returned, not raised."""
    extension = storage_keys.EXTENSIONS.get(image.media_type, "bin")
    name = f"pictures/{image.created_at:%Y-%m}/{image.pk}.{extension}"
    try:
        if _hash_of(folder / name) == image.sha256:
            return ExportedFile(image, name, existed=True)
        return ExportedFile(image, name, error=_download(image, folder / name))
    except storage_client.ObjectMissing:
        return ExportedFile(image, name, error=_("The object is missing."))
    except (OSError, storage_client.StorageUnavailable) as error:
        return ExportedFile(image, name, error=str(error))


def _download(image: Image, path: Path) -> str:
    """Download the original to a partial file and rename it if its hash is right; return an error or ""."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.part")
    try:
        with partial.open("wb") as file:
            sha256 = _copy_object(image, file)
        if sha256 != image.sha256:
            return _("The object's bytes are not those that were stored: sha256 %(found)s.") % {
                "found": sha256
            }
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return ""


def _copy_object(image: Image, file: IO[bytes]) -> str:
    """Copy the object to a file and return its SHA-256. Raises StorageUnavailable, OSError."""
    digest = hashlib.sha256()
    with storage_client.translated_errors():
        for chunk in storage_client.stream(image.key):
            digest.update(chunk)
            file.write(chunk)
    file.flush()
    os.fsync(file.fileno())
    return digest.hexdigest()


def _hash_of(path: Path) -> str:
    """The SHA-256 of a file in hex; "" if there is none."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
