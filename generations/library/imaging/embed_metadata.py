"""Write where an image came from into a file, with or without its parameters; the pixels are not changed.

A file with a C2PA manifest stays as it is: any change would break its signature.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from PIL import Image as Pillow

from generations.library.imaging import containers, provenance, strip_metadata
from generations.library.models import Image
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.transport.image_containers import UnknownStructure

MAX_SEGMENT_SIZE = 65_000  # bytes: a JPEG segment has a length of 16 bits, and includes a header
# Parameters that are written elsewhere, or that say nothing of a file that was converted.
WRITTEN_APART = ("prompt", "negative_prompt", "text_prompts", "seed", "steps", "sampler", "output_format")
NOT_IN_TITLES = re.compile(r"[^\w \-/]")  # by which the AUTOMATIC1111 web UI tells a title from its value
MAX_KEPT_EXIF = 30_000  # bytes; of a larger EXIF only the orientation stays beside the parameters
EXIF_SUB, USER_COMMENT = 0x8769, 0x9286  # Exif 2.32, 4.6.3 and 4.6.5
BYTE, UNDEFINED = 1, 7  # types of values (Exif 2.32, 4.6.2)
UNPRINTABLE = re.compile(r"[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SEPARATORS = re.compile(r"(Negative prompt|^[^\S\n]*Steps):", re.MULTILINE)
# Properties of AI-generated images: IPTC Photo Metadata Standard 2025.1.
XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
{properties}
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""
SOURCE_TYPE = "<Iptc4xmpExt:DigitalSourceType>{source_type}</Iptc4xmpExt:DigitalSourceType>"
PARAMETERS = """<dc:description>
<rdf:Alt><rdf:li xml:lang="x-default">{prompt}</rdf:li></rdf:Alt></dc:description>
<xmp:CreatorTool>sdweb</xmp:CreatorTool>
<Iptc4xmpExt:AISystemUsed>{model}</Iptc4xmpExt:AISystemUsed>
<Iptc4xmpExt:AIPromptInformation>{parameters}</Iptc4xmpExt:AIPromptInformation>
"""


def embed(image: Image, data: bytes, media_type: str = "") -> bytes:
    """The file with the image's digital source type, prompt and parameters.

    `media_type` is that of the data, if it differs from the image's own. Unchanged are files with a C2PA
    manifest, pictures that a person brought, and files of unknown structure.
    """
    media_type = media_type or image.media_type
    if not provenance.digital_source_type(image) or provenance.has_manifest(data, media_type):
        return data
    try:
        if media_type == "image/png":
            return containers.add_to_png(data, parameters=parameters(image), xmp=xmp(image))
        add = {"image/jpeg": containers.add_to_jpeg, "image/webp": containers.add_to_webp}[media_type]
        own = next(
            (
                content
                for kind, content in containers.metadata(data, media_type)
                if kind is containers.Kind.EXIF
            ),
            b"",
        )
        return add(
            data,
            exif=_fit(lambda longest: exif(image, longest, own)),
            xmp=_fit(lambda longest: xmp(image, longest)),
        )
    except (KeyError, UnknownStructure):
        return data


def sidecar_parameters(image: Image, data: bytes, media_type: str) -> str:
    """The parameters of an image whose file has a C2PA manifest, so that they are not in it; else ""."""
    is_generated = bool(provenance.digital_source_type(image))
    return parameters(image) if is_generated and provenance.has_manifest(data, media_type) else ""


def without_parameters(image: Image, data: bytes, media_type: str = "") -> bytes:
    """The file without any metadata but the image's digital source type, color profile and orientation.

    A file with a C2PA manifest is not changed unless its metadata has the prompt or parameters. Raises
    UnknownStructure.
    """
    media_type = media_type or image.media_type
    if provenance.has_manifest(data, media_type) and not provenance.tells_prompt(image, data, media_type):
        return data
    bare = strip_metadata.strip(data, media_type)
    source_type = provenance.digital_source_type(image)
    if not source_type:
        return bare
    packet = _xmp_packet(SOURCE_TYPE.format(source_type=source_type))
    add: dict[str, Callable[..., bytes]] = {
        "image/png": containers.add_to_png,
        "image/jpeg": containers.add_to_jpeg,
        "image/webp": containers.add_to_webp,
    }
    return add[media_type](bare, xmp=packet)


def parameters(image: Image, longest: int | None = None) -> str:
    """The text as the AUTOMATIC1111 web UI writes it: prompt, negative prompt, one line of settings.

    Readers find the settings by a line that begins with `Steps:` and has `Sampler:`, and want three of its
    own settings. `longest` cuts each prompt to that many characters.
    """
    lines = [_prompt(image.prompt)[:longest]]
    if image.negative_prompt:
        lines.append(f"Negative prompt: {_prompt(image.negative_prompt)[:longest]}")
    pairs = (f"{title}: {_quoted(value)}" for title, value in _settings(image, longest).items())
    return "\n".join([*lines, ", ".join(pairs)])


def _settings(image: Image, longest: int | None) -> dict[str, Any]:
    """The settings under the names that their fields declare; what the image does not have is left out."""
    told = image.parameters
    settings = {"Steps": told.get("steps") or 0, "Sampler": told.get("sampler") or "none", "Seed": image.seed}
    settings |= {
        title: _prompt(value)[:longest] if isinstance(value, str) else value
        for name, title in _labels(image.model).items()
        if (value := told.get(name)) is not None and title not in settings
    }
    if image.seed is None and not told.get("cfg_scale"):
        settings["Schedule type"] = "Automatic"  # the third setting that sd-parsers wants
    settings |= {"Size": f"{image.width}x{image.height}", "Model": image.model, "Version": "sdweb"}
    return {title: value for title, value in settings.items() if value not in (None, "")}


def _labels(name: str) -> dict[str, str]:
    """The names of a model's fields in metadata; of all models for one that is not in the catalogue."""
    model = catalogue_registry.MODELS.get(name)
    models = [model] if model else catalogue_registry.MODELS.values()
    return {
        field.name: NOT_IN_TITLES.sub("", field.label or field.title)
        for each in models
        for field in each.fields
        if field.name not in WRITTEN_APART
    }


def xmp(image: Image, longest: int | None = None) -> bytes:
    """Digital source type, prompt and parameters as an XMP packet."""
    written = PARAMETERS.format(
        prompt=escape(_clean(image.prompt)[:longest]),
        model=escape(_clean(image.model)),
        parameters=escape(parameters(image, longest)),
    )
    return _xmp_packet(written + SOURCE_TYPE.format(source_type=provenance.digital_source_type(image)))


def _xmp_packet(properties: str) -> bytes:
    return XMP.format(properties=properties).encode()


def exif(image: Image, longest: int | None = None, own: bytes = b"") -> bytes:
    """The parameters as EXIF UserComment, where programs look for them in JPEG and WebP.

    `own` is the EXIF that the file has, whose other values stay.
    """
    if len(own) > MAX_KEPT_EXIF:
        own = strip_metadata.orientation_only(own)
    block = _loaded(own)
    block.get_ifd(EXIF_SUB)[USER_COMMENT] = b"UNICODE\0" + parameters(image, longest).encode("utf-16-be")
    return _with_undefined_types(block.tobytes())


def _loaded(exif: bytes) -> Pillow.Exif:
    """The EXIF to be added to; an empty one if it cannot be read."""
    block = Pillow.Exif()
    try:
        block.load(exif)
        block.get_ifd(EXIF_SUB)
        block.tobytes()
    except Exception:  # Pillow raises many kinds on broken EXIF
        return Pillow.Exif()
    return block


def _with_undefined_types(exif: bytes) -> bytes:
    """The EXIF with type UNDEFINED where Pillow wrote BYTE, which no value among the photo's settings has.

    Programs that are strict about it, such as piexif, would not read a UserComment of bytes.
    """
    block = bytearray(exif)
    tiff = len(containers.EXIF_HEADER)
    order = ">" if exif[tiff : tiff + 2] == b"MM" else "<"
    (first,) = struct.unpack_from(f"{order}I", exif, tiff + 4)
    for at in _entries(exif, tiff + first, order):
        tag, _type, _count, sub = struct.unpack_from(f"{order}HHII", exif, at)
        if tag == EXIF_SUB:
            for entry in _entries(exif, tiff + sub, order):
                if struct.unpack_from(f"{order}H", exif, entry + 2) == (BYTE,):
                    struct.pack_into(f"{order}H", block, entry + 2, UNDEFINED)
    return bytes(block)


def _entries(exif: bytes, at: int, order: str) -> range:
    """Where the entries of a directory start: a count, then 12 bytes each (Exif 2.32, 4.6.2)."""
    (count,) = struct.unpack_from(f"{order}H", exif, at)
    return range(at + 2, at + 2 + 12 * count, 12)


def _fit(build: Callable[[int | None], bytes]) -> bytes:
    """The metadata with prompts cut until it fits into a JPEG segment."""
    longest = None
    while len(data := build(longest)) > MAX_SEGMENT_SIZE and longest != 0:
        longest = (16_000 if longest is None else longest) // 2
    return data


def _prompt(text: str) -> str:
    """The text, with a space where it would be taken for the start of the next part."""
    return SEPARATORS.sub(r"\1 :", _clean(text))


def _clean(text: str) -> str:
    """The text without what XML and text chunks cannot contain: control characters and lone surrogates."""
    return UNPRINTABLE.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _quoted(value: object) -> str:
    """The value, in quotes if it has characters that separate the pairs."""
    text = _clean(str(value))
    return json.dumps(text, ensure_ascii=False) if re.search(r"[,:\n]", text) else text
