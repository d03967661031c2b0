"""Puts pictures and what belongs to them into a running portal; it runs inside of `manage.py shell`."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import uuid
import zlib
from urllib.parse import urlsplit

from PIL import Image as Pillow

from generations.library.images import service as images_service
from generations.library.images.service import Provenance, StoredFile
from generations.library.imaging import svg as imaging_svg
from generations.library.models import Image
from generations.library.organise import service as organise_service
from generations.library.sharing import service as sharing_service
from generations.library.sharing.service import Options
from generations.library.storage import client as storage_client
from generations.library.storage import keys as storage_keys
from generations.providers.transport import media_check
from generations.teams.models import Membership, Visibility

SIDE = 64
DRAWING = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 200"><rect width="300" height="200" '
    b'fill="#274"/><text x="30" y="110" fill="#fff" font-size="40">Harbour</text></svg>'
)
DESCRIPTION = "A harbour at dawn with two boats.\n\n" + "The light is soft and comes from the left. " * 30


def fill(count: int, size: int) -> None:
    """So many pictures of about so many bytes each, of the first member there is."""
    storage_client.create_bucket()
    member = Membership.objects.select_related("team").order_by("pk").first()
    assert member is not None
    for number in range(count):
        _add(member, number, _picture(size))


def _add(member: Membership, number: int, data: bytes) -> None:
    generation, sha256 = uuid.uuid4(), hashlib.sha256(data).hexdigest()
    key = storage_keys.image_key(generation=generation, attempt=1, sha256=sha256, media_type="image/png")
    storage_client.put(key, data, media_type="image/png")
    images_service.add(
        member=member,
        visibility="team",
        file=StoredFile(
            key=key, sha256=sha256, media_type="image/png", width=SIDE, height=SIDE, size=len(data)
        ),
        provenance=Provenance(
            generation=generation,
            model="core",
            parameters={"prompt": f"a lighthouse in the fog, view {number}"},
            seed=number,
        ),
    )


def _picture(size: int) -> bytes:
    """A small PNG that carries so many bytes which say nothing."""
    rows = zlib.compress((b"\0" + bytes(3 * SIDE)) * SIDE)
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"ruBb", os.urandom(size)), (b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def every_kind(email: str) -> None:
    """A picture and what was made from it, a drawing, a text, a file, and a picture that moves."""
    member = Membership.objects.get(user__email=email)
    original = _put(member, _gradient((200, 60, 40)), "image/png", model="core")
    erased = _put(member, _gradient((60, 60, 200)), "image/png", model="erase", parent=original.pk)
    _put(member, _gradient((40, 180, 120), (1800, 1200)), "image/png", model="upscale-fast", parent=erased.pk)
    words = imaging_svg.texts(DRAWING)
    _put(member, DRAWING, "image/svg+xml", kind="svg", model="vector", prompt="a sign", text=words)
    _put(
        member, DESCRIPTION.encode(), "text/plain", kind="text", model="describe", prompt="", text=DESCRIPTION
    )
    layers = b"8BPS\0\1" + bytes(3_000_000)
    _put(member, layers, "image/x-psd", kind="file", model="layers", prompt="layers of a poster")
    frames, moving = [Pillow.new("RGB", (600, 400), each) for each in ("#a33", "#33a")], io.BytesIO()
    frames[0].save(moving, "GIF", save_all=True, append_images=frames[1:], duration=400)
    _put(member, moving.getvalue(), "image/gif", model="moves", prompt="two colours in turn")


def in_use(email: str) -> str:
    """A library at work: every kind, tags, a collection, shared pictures, the trash.

    Returns the path of the shared collection, to which no page of the portal links.
    """
    every_kind(email)
    member = Membership.objects.get(user__email=email)
    pictures = [image.pk for image in Image.objects.filter(owner=member, kind="image").order_by("created_at")]
    organise_service.like(member=member, images=pictures[:1])
    organise_service.tag(member=member, images=pictures[:2], name="harbour")
    collection = organise_service.create_collection(
        member=member, name="For the poster", visibility=Visibility.TEAM
    )
    organise_service.add_to_collection(member=member, images=pictures[:2], collection=collection.pk)
    images_service.trash(member=member, images=pictures[-1:])
    sharing_service.share_image(member=member, image=pictures[0])
    shared = sharing_service.share_collection(
        member=member, collection=collection.pk, options=Options(shows_prompt=True)
    )
    return urlsplit(sharing_service.share_url(shared)).path


def _put(
    member: Membership,
    data: bytes,
    media_type: str,
    *,
    model: str,
    kind: str = "image",
    prompt: str = "a lighthouse",
    text: str = "",
    parent: uuid.UUID | None = None,
) -> Image:
    sha256, generation = hashlib.sha256(data).hexdigest(), uuid.uuid4()
    key = storage_keys.image_key(generation=generation, attempt=1, sha256=sha256, media_type=media_type)
    storage_client.put(key, data, media_type=media_type)
    media = media_check.Media("file", media_type) if kind == "text" else media_check.identify(data)
    file = StoredFile(
        key=key,
        sha256=sha256,
        media_type=media_type,
        width=media.width,
        height=media.height,
        size=len(data),
        kind=kind,
        text=text,
        is_animated=media.is_animated,
    )
    provenance = Provenance(
        generation=generation, model=model, parameters={"prompt": prompt}, seed=7, parent=parent
    )
    return images_service.add(member=member, visibility="team", file=file, provenance=provenance)


def _gradient(colour: tuple[int, int, int], size: tuple[int, int] = (1200, 800)) -> bytes:
    """A PNG that gets lighter from top to bottom."""
    grey, file = Pillow.linear_gradient("L").resize(size), io.BytesIO()
    bands = [grey.point([(value + part) // 2 for value in range(256)]) for part in colour]
    Pillow.merge("RGB", bands).save(file, "PNG")
    return file.getvalue()
