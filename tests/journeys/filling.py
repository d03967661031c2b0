"""Puts pictures into a running portal's library; it runs inside of `manage.py shell`."""

from __future__ import annotations

import hashlib
import os
import struct
import uuid
import zlib

from generations.library.images import service as images_service
from generations.library.storage import client as storage_client
from generations.teams.models import Membership

SIDE = 64


def fill(count: int, size: int) -> None:
    """So many pictures of about so many bytes each, of the first member there is."""
    storage_client.create_bucket()
    member = Membership.objects.select_related("team").order_by("pk").first()
    assert member is not None
    for number in range(count):
        _add(member, number, _picture(size))


def _add(member: Membership, number: int, data: bytes) -> None:
    generation, sha256 = uuid.uuid4(), hashlib.sha256(data).hexdigest()
    key = storage_client.image_key(generation=generation, attempt=1, sha256=sha256, media_type="image/png")
    storage_client.put(key, data, media_type="image/png")
    images_service.add(
        member=member,
        generation=generation,
        batch=None,
        position=0,
        model="core",
        parameters={"prompt": f"a lighthouse in the fog, view {number}"},
        visibility="team",
        key=key,
        sha256=sha256,
        media_type="image/png",
        width=SIDE,
        height=SIDE,
        size=len(data),
        seed=number,
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
