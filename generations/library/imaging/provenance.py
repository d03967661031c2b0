"""Where an image came from: its IPTC digital source type, and C2PA manifests in files."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from generations.library.imaging.containers import Kind, metadata
from generations.library.models import Image, Origin
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.operations import Operation
from generations.providers.transport.image_containers import UnknownStructure

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"  # a vocabulary of IPTC
GENERATED, COMPOSITE = "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"
REMOTE_MANIFEST = b"dcterms:provenance"  # in XMP: the address of a manifest that is kept elsewhere
PARAMETERS = re.compile(r"\b(steps|seed|cfg.?scale)\b\W{1,4}\d", re.IGNORECASE)
COMPARED, SIGNIFICANT = 60, 8  # letters and digits of a prompt
NOT_ASCII = re.compile(r"[^\x00-\x7f]")
JSON_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


def digital_source_type(image: Image) -> str:
    """The address of the image's IPTC digital source type; "" for a picture that a person brought.

    An image made from another one is a composite: from an image of the member's own, or by an edit.
    """
    if image.origin != Origin.GENERATED:
        return ""
    return SOURCE_TYPES + (COMPOSITE if _is_made_from_another(image) else GENERATED)


def _is_made_from_another(image: Image) -> bool:
    model = catalogue_registry.MODELS.get(image.model)
    is_edit = model is not None and model.operation is not Operation.GENERATE
    # Older versions stored no `is_composite`; their only sign was the strength of a start image.
    return is_edit or image.is_composite or image.parent_id is not None or "strength" in image.parameters


def has_manifest(data: bytes, media_type: str) -> bool:
    """Whether the file has a C2PA manifest or the address of one: any change of the file would break it."""
    try:
        return any(
            kind is Kind.C2PA or (kind is Kind.XMP and REMOTE_MANIFEST in content)
            for kind, content in metadata(data, media_type)
        )
    except UnknownStructure:
        return False


def tells_prompt(image: Image, data: bytes, media_type: str) -> bool:
    """Whether the file's own metadata has the image's prompt, negative prompt or parameters.

    Raises UnknownStructure.
    """
    prompts = [_compared(text)[:COMPARED] for text in (image.prompt, image.negative_prompt)]
    # Programs that know only ASCII leave other letters out, or write question marks.
    prompts += [plain for prompt in prompts if len(plain := NOT_ASCII.sub("", prompt)) >= SIGNIFICANT]
    for kind, content in metadata(data, media_type):
        # A manifest has enough random bytes to hold any short word by chance.
        shortest = SIGNIFICANT if kind is Kind.C2PA else 1
        wanted = [prompt for prompt in prompts if len(prompt) >= shortest]
        for text in _texts(kind, content):
            compared = _compared(text)
            found = compared + "\n" + NOT_ASCII.sub("", compared)
            if PARAMETERS.search(text) or any(prompt in found for prompt in wanted):
                return True
    return False


def _texts(kind: Kind, content: bytes) -> Iterator[str]:
    """Yield the content as text, in the encodings in which its kind may be."""
    yield content.decode(errors="ignore")
    if kind in {Kind.EXIF, Kind.OTHER}:
        yield content.decode("latin-1")
        for encoding in ("utf-16-be", "utf-16-le"):
            yield content.decode(encoding, errors="ignore")
            yield content[1:].decode(encoding, errors="ignore")


def _compared(text: str) -> str:
    """The letters and digits of a text, without the escapes of XML and JSON."""
    text = JSON_ESCAPE.sub(lambda found: chr(int(found[1], 16)), html.unescape(text))
    return re.sub(r"[\W_]+", "", text.casefold())
