"""The files that a link hands out: what is in them, and how they are called.

Prompt and parameters are in a file only if the link shows the prompt. It always says that a model made it: in
its own C2PA manifest, or as its digital source type.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from functools import partial

from generations.library.delivery import responses as delivery_responses
from generations.library.delivery import zip_stream
from generations.library.delivery.zip_stream import Packer, ZipEntry
from generations.library.imaging import convert as imaging_convert
from generations.library.imaging import embed_metadata
from generations.library.models import Image, Share
from generations.library.sharing import service as sharing_service
from generations.library.storage import client as storage_client
from generations.library.storage import keys as storage_keys
from generations.providers.transport.image_containers import UnknownStructure

MAX_IN_ZIP = 10_000  # images
MAX_ZIPS = 4  # that a process sends at once to visitors: each reads ahead in threads that members need too


class Withheld(Exception):
    """The file cannot be handed out without its prompt."""


def read(share: Share, image: Image, *, to_be_shown: bool = False) -> tuple[bytes, str]:
    """The image's file and its media type, or what a page shows in its place. Raises Withheld."""
    if image.media_type not in imaging_convert.CONVERTED:
        return _unconverted(share, image, to_be_shown=to_be_shown)
    write = embed_metadata.embed if share.shows_prompt else embed_metadata.without_parameters
    try:
        return write(image, storage_client.read(image.key)), image.media_type
    except UnknownStructure as error:
        raise Withheld from error


def file_name(share: Share, image: Image) -> str:
    """The name of the image's file: from its title, or its prompt if the link shows that."""
    if share.shows_prompt:
        return delivery_responses.file_name(image)
    words = delivery_responses.file_words(image.title or share.title)
    return f"{words}.{storage_keys.EXTENSIONS.get(image.media_type, 'bin')}"


def zip_name(share: Share) -> str:
    """The name of the zip with all images, from the link's title."""
    title = sharing_service.title_of(share)
    return f"{delivery_responses.file_words(title) if title else 'pictures'}.zip"


def _unconverted(share: Share, image: Image, *, to_be_shown: bool) -> tuple[bytes, str]:
    """The file of an image that is handed out as it is, or what is shown in its place."""
    if to_be_shown and image.media_type not in delivery_responses.OPENED:
        data, media_type = delivery_responses.shown_form(image)
    else:
        data, media_type = storage_client.read(image.key), image.media_type
    if not share.shows_prompt and _has_prompt(image, data):
        raise Withheld
    return data, media_type


def _has_prompt(image: Image, data: bytes) -> bool:
    """Whether the file, which is handed out as it is, has the beginning of a prompt in its bytes."""
    prompts = (prompt.strip()[:60].encode() for prompt in (image.prompt, image.negative_prompt))
    return any(prompt and prompt in data for prompt in prompts)


# Zip ------------------------------------------------------------------------------------


class ShareZip:
    """A zip of all images that a link shows, without those whose files are withheld.

    While it is sent, every 50 images it is checked that the link works and shows them; else it is aborted.
    """

    sending = 0  # of this process
    _lock = threading.Lock()

    def __init__(self, share: Share) -> None:
        images = sharing_service.visible_images(share)
        short = images.defer("negative_prompt", "parameters", "placeholder", "text")[:MAX_IN_ZIP]
        entries = list(zip_stream.unique_entries(short.iterator(), partial(file_name, share)))
        self.packer = Packer(entries, load=partial(_load, share.pk), read=partial(_read, share))

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.chunks()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of the zip, once."""
        self._count(1)
        try:
            async with aclosing(self.packer.chunks()) as chunks:
                async for chunk in chunks:
                    yield chunk
        finally:
            self._count(-1)

    @classmethod
    def is_busy(cls) -> bool:
        """Whether as many zips are being sent as one process sends."""
        return cls.sending >= MAX_ZIPS

    @classmethod
    def _count(cls, change: int) -> None:
        with cls._lock:
            cls.sending += change


def _load(share: uuid.UUID, entries: Sequence[ZipEntry]) -> Mapping[uuid.UUID, Image]:
    """The images of the entries, as long as the link shows all of them. Raises LinkNotFound."""
    row = sharing_service.find_by_id(share)
    images = sharing_service.visible_images(row).in_bulk([entry.image for entry in entries])
    if len(images) != len(entries):
        raise sharing_service.LinkNotFound
    return images


def _read(share: Share, entry: ZipEntry, image: Image) -> list[tuple[str, bytes]]:
    try:
        return [(entry.name, read(share, image)[0])]
    except Withheld:
        return []
