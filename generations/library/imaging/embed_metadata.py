"""Embed prompt and parameters in a downloaded file; the encoded pixels are not changed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from xml.sax.saxutils import escape

from PIL import Image as Pillow

from generations.library.imaging import containers
from generations.library.models import Image

MAX_SEGMENT_SIZE = 65_000  # bytes: a JPEG segment has a length of 16 bits, and includes a header
# The names of the AUTOMATIC1111 web UI; many programs read its format.
AUTOMATIC1111_NAMES = {
    "steps": "Steps",
    "sampler": "Sampler",
    "cfg_scale": "CFG scale",
    "style_preset": "Style preset",
    "aspect_ratio": "Aspect ratio",
    "strength": "Denoising strength",
}
EXIF_SUB, USER_COMMENT = 0x8769, 0x9286  # Exif 2.32, 4.6.3 and 4.6.5
UNPRINTABLE = re.compile(r"[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Properties of AI-generated images: IPTC Photo Metadata Standard 2025.1.
XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{prompt}</rdf:li></rdf:Alt></dc:description>
<xmp:CreatorTool>sdweb</xmp:CreatorTool>
<Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia\
</Iptc4xmpExt:DigitalSourceType>
<Iptc4xmpExt:AISystemUsed>{model}</Iptc4xmpExt:AISystemUsed>
<Iptc4xmpExt:AIPromptInformation>{parameters}</Iptc4xmpExt:AIPromptInformation>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


def embed(image: Image, data: bytes, media_type: str = "") -> bytes:
    """The file with prompt and parameters; unchanged if its structure is unknown.

    `media_type` is that of the data, if it differs from the image's own.
    """
    media_type = media_type or image.media_type
    try:
        if media_type == "image/png":
            return containers.add_to_png(data, parameters=parameters(image), xmp=xmp(image))
        add = {"image/jpeg": containers.add_to_jpeg, "image/webp": containers.add_to_webp}[media_type]
        return add(data, exif=_fit(exif, image), xmp=_fit(xmp, image))
    except (KeyError, containers.UnknownStructure):
        return data


def parameters(image: Image, longest: int | None = None) -> str:
    """The text in the format of the AUTOMATIC1111 web UI: prompt, negative prompt, one line of settings.

    `longest` cuts each prompt to that many characters.
    """
    lines = [_clean(image.prompt)[:longest]]
    if image.negative_prompt:
        lines.append(f"Negative prompt: {_clean(image.negative_prompt)[:longest]}")
    settings = {title: image.parameters.get(name) for name, title in AUTOMATIC1111_NAMES.items()}
    settings |= {
        "Seed": image.seed,
        "Size": f"{image.width}x{image.height}",
        "Model": image.model,
        "Version": "sdweb",
    }
    pairs = (f"{title}: {_quoted(value)}" for title, value in settings.items() if value not in (None, ""))
    return "\n".join([*lines, ", ".join(pairs)])


def xmp(image: Image, longest: int | None = None) -> bytes:
    """Prompt and parameters as an XMP packet."""
    return XMP.format(
        prompt=escape(_clean(image.prompt)[:longest]),
        model=escape(_clean(image.model)),
        parameters=escape(parameters(image, longest)),
    ).encode()


def exif(image: Image, longest: int | None = None) -> bytes:
    """The parameters as EXIF UserComment, where programs look for them in JPEG and WebP."""
    comment = b"UNICODE\0" + parameters(image, longest).encode("utf-16-be")
    block = Pillow.Exif()
    block.get_ifd(EXIF_SUB)[USER_COMMENT] = comment
    return block.tobytes()


def _fit(build: Callable[[Image, int | None], bytes], image: Image) -> bytes:
    """The metadata with prompts cut until it fits into a JPEG segment."""
    longest = None
    while len(data := build(image, longest)) > MAX_SEGMENT_SIZE:
        longest = (longest or 16_000) // 2
    return data


def _clean(text: str) -> str:
    """The text without what XML and text chunks cannot contain: control characters and lone surrogates."""
    return UNPRINTABLE.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _quoted(value: object) -> str:
    """The value, in quotes if it has characters that separate the pairs."""
    text = _clean(str(value))
    return json.dumps(text, ensure_ascii=False) if re.search(r"[,:\n]", text) else text
