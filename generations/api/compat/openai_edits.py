"""OpenAI's `images/edits` as a wire format of this portal: a form, or JSON with data: addresses.

Requests and responses: docs/providers/openai.md, "Edits at the portal". What clients send: pictures under
`image`, `image[]` or `image[0]`, in any order, with any file name and content type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from generations.api.compat import parsing as compat_parsing
from generations.api.compat.base import GenerationRequest, HttpRequest, InputFile, MaskChanges
from generations.api.compat.errors import CompatError, bad_fields
from generations.api.compat.openai import ImagesGenerations, catalogue_model, parse_values
from generations.core import multipart
from generations.core.multipart import Part
from generations.providers.base import OutputKind
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.inputs import IMAGE, MASK, REFERENCE
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.operations import Operation
from generations.providers.transport import base64_text
from generations.upstreams import accounts

MASK_MODEL, IMAGE_MODEL = "inpaint", "sd3.5-large"  # for OpenAI's model names, with and without a mask
MAX_BODY = 50 * 1024 * 1024  # bytes; all bodies under way together are bounded by core.request_body
MAX_IMAGES = 16
IMAGE_PART = re.compile(r"image(?:\[([0-9]{0,9})\])?", re.ASCII)
DATA_URL = re.compile(r"data:[\w.+-]{1,60}/[\w.+-]{1,60}(?:;[\w.+-]{1,60}=[\w.+-]{1,60})*;base64,", re.ASCII)
NO_IMAGE = "is required: send it as a file (in OpenAI's package for JavaScript: toFile)"
NO_LINK = 'must be {"image_url": "data:image/png;base64,..."}; nothing is read from other addresses'
A_BUFFER = "send a file (toFile), not a Buffer: each byte of one arrives as a field"


class ImagesEdits(ImagesGenerations):
    """The endpoint `images/edits`."""

    max_body = MAX_BODY

    def parse(self, request: HttpRequest) -> GenerationRequest:
        """Parse a form, or a JSON object whose images are data: addresses."""
        content_type = request.headers.get("content-type", "")
        if content_type.partition(";")[0].strip().lower() == "application/json":
            values = compat_parsing.read_object(request.body)
            images, mask = _linked_images(values)
        else:
            values, images, mask = _read_form(content_type, request.body)
        if not images:
            raise bad_fields({"image": NO_IMAGE})
        if len(images) > MAX_IMAGES:
            raise bad_fields({"image": f"send at most {MAX_IMAGES} images; these are {len(images)}"})
        model = catalogue_model(values.get("model"), _served_by(len(images), bool(mask)))
        files = [*_in_roles(model, images), *([mask] if mask else [])]
        return parse_values(values, files, model=model)


def _served_by(count: int, has_mask: bool) -> str:
    """Return the model for OpenAI's names: the usual one if it takes that many images, or else another.

    That is one which an account serves, and rather one that edits.
    """
    usual = catalogue_registry.get(MASK_MODEL if has_mask else IMAGE_MODEL)
    served = accounts.served_models()
    if usual.name in served and count <= len(_places(usual)):
        return usual.name
    able = [
        model
        for model in catalogue_registry.MODELS.values()
        if model.name in served and _takes(model, count, has_mask=has_mask)
    ]
    able.sort(key=lambda model: Operation.EDIT not in model.operations)
    return able[0].name if able else usual.name


def _takes(model: Model, count: int, *, has_mask: bool = False) -> bool:
    """Whether the model draws an image from a prompt and so many images, or with a mask too."""
    is_drawn = model.output is OutputKind.IMAGE and model.takes("prompt") and not model.continues
    mask = model.input(MASK)
    needs_mask = mask is not None and (mask.minimum > 0 or mask.is_needed_unless_transparent)
    least = sum(each.minimum for each in model.inputs if each.role in (IMAGE, REFERENCE))
    others = any(each.minimum for each in model.inputs if each.role not in (IMAGE, REFERENCE, MASK))
    return (
        is_drawn
        and not others
        and least <= count <= len(_places(model))
        and (mask is not None if has_mask else not needs_mask)
    )


def _places(model: Model) -> list[str]:
    """The roles of the images that the model takes, in order: those that it is about, then references."""
    declared = [each for role in (IMAGE, REFERENCE) if (each := model.input(role))]
    return [each.role for each in declared for _place in range(each.maximum)]


def _in_roles(model: Model, images: list[InputFile]) -> list[InputFile]:
    """The images in the roles that the model has for them; CompatError (400) if these are too many.

    One for a model that takes none is refused with the model's other fields.
    """
    places = _places(model) or [IMAGE]
    if len(images) > len(places):
        raise bad_fields({"image": _too_many_images(model, len(images))})
    return [replace(image, role=role) for image, role in zip(images, places, strict=False)]


def _too_many_images(model: Model, count: int) -> str:
    most, served = len(_places(model)), accounts.served_models()
    takes = {0: "no image", 1: "1 image"}.get(most, f"at most {most} images")
    others = [
        each.name
        for each in catalogue_registry.MODELS.values()
        if each.name in served and _takes(each, count)
    ]
    able = f"Models that take as many: {', '.join(others)}." if others else "No model here takes as many."
    return f"{model.name} takes {takes}; these are {count}. {able}"


def _read_form(content_type: str, body: bytes) -> tuple[dict[str, Any], list[InputFile], InputFile | None]:
    """The texts, images and mask of a form; images with a number in its order, others as they came."""
    try:
        parts = compat_parsing.read_parts(content_type, body, max_size=MAX_BODY)
    except multipart.TooManyParts as problem:
        raise _too_many(problem) from None
    except multipart.MalformedForm as problem:
        raise bad_fields({"body": str(problem)}) from None
    values: dict[str, Any] = {}
    numbered: list[tuple[int, InputFile]] = []
    mask = None
    for part in parts:
        if match := IMAGE_PART.fullmatch(part.name):
            numbered.append((int(match[1] or 0), _image(part)))
        elif part.name == MASK:
            mask = _mask(part.data, part.file_name or "") if part.data else None
        else:
            values[part.name] = _text(part)
    images = [file for _number, file in sorted(numbered, key=lambda entry: entry[0]) if file.data]
    return values, images, mask


def _too_many(problem: multipart.TooManyParts) -> CompatError:
    name = problem.name
    return bad_fields({"image": A_BUFFER} if IMAGE_PART.fullmatch(name) else {"body": str(problem)})


def _image(part: Part) -> InputFile:
    return InputFile(IMAGE, part.data, (part.file_name or "")[:200])


def _mask(data: bytes, name: str = "") -> InputFile:
    return InputFile(MASK, data, name[:200], MaskChanges.TRANSPARENT)


def _text(part: Part) -> str:
    try:
        return part.data.decode()
    except UnicodeDecodeError:
        raise bad_fields({part.name: "must be UTF-8 text"}) from None


def _linked_images(values: Mapping[str, Any]) -> tuple[list[InputFile], InputFile | None]:
    """The images and the mask of a JSON object."""
    links = values.get("images")
    if links is None:
        links = values.get("image")
    links = links if isinstance(links, list) else [links] if links else []
    if len(links) > MAX_IMAGES:
        raise bad_fields({"images": f"send at most {MAX_IMAGES} images; these are {len(links)}"})
    images = [InputFile(IMAGE, _linked(link, "images")) for link in links]
    mask = values.get("mask")
    return images, _mask(_linked(mask, MASK)) if mask else None


def _linked(link: Any, name: str) -> bytes:
    """The bytes of a data: address; CompatError (400) for anything else: nothing is fetched."""
    url = link.get("image_url") if isinstance(link, Mapping) else link
    url = url.get("url") if isinstance(url, Mapping) else url
    match = DATA_URL.match(url) if isinstance(url, str) else None
    if match is None or not isinstance(url, str):
        raise bad_fields({name: NO_LINK})
    data = base64_text.decode(url[match.end() :])
    if not data:
        raise bad_fields({name: "is no valid base64"})
    return data
