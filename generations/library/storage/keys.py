"""The keys of stored objects, and the extensions of files, with which they end."""

from __future__ import annotations

import uuid

# Of every type that media_check identifies, and of texts.
EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/avif": "avif",
    "image/svg+xml": "svg",
    "image/tiff": "tif",
    "image/bmp": "bmp",
    "image/heic": "heic",
    "image/jxl": "jxl",
    "image/jp2": "jp2",
    "image/x-exr": "exr",
    "image/x-psd": "psd",
    "text/plain": "txt",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "application/gzip": "gz",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "model/gltf-binary": "glb",
}


def type_name(media_type: str) -> str:
    """The short name of a type for people, such as JPEG or PSD; "" of an unknown one."""
    extension = EXTENSIONS.get(media_type, "")
    return {"jpg": "JPEG", "tif": "TIFF", "webp": "WebP"}.get(extension, extension.upper())


def image_key(*, generation: uuid.UUID, attempt: int, sha256: str, media_type: str) -> str:
    """The key of a generated image; it includes the hash, so that storing the image twice is harmless."""
    return (
        f"{image_prefix(generation=generation, attempt=attempt)}{sha256}.{EXTENSIONS.get(media_type, 'bin')}"
    )


def image_prefix(*, generation: uuid.UUID, attempt: int) -> str:
    """The prefix of the keys of all images of an attempt."""
    return f"images/{generation}/{attempt}-"


def generation_of(key: str) -> uuid.UUID | None:
    """The generation in the key of a generated image; None for any other key."""
    kind, _slash, rest = key.partition("/")
    try:
        return uuid.UUID(rest.partition("/")[0]) if kind == "images" else None
    except ValueError:
        return None


def upload_key(*, team: int, sha256: str, media_type: str) -> str:
    """The key of an upload; members of a team who upload the same image share the object."""
    return f"uploads/{team}/{sha256}.{EXTENSIONS[media_type]}"


def thumbnail_key(*, image: uuid.UUID, size: str) -> str:
    """The key of a thumbnail; it follows from the image's id, so serving one needs no database query."""
    return f"thumbnails/{image}/{size}.webp"
