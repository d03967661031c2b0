"""How a picture was made, written into the file that is downloaded. Its pixels stay as they came."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from PIL import Image as Pillow

from generations.library.imaging import containers

if TYPE_CHECKING:
    from collections.abc import Callable

    from generations.library.models import Image

LONGEST_PART = 65_000  # a segment of a JPEG has 16 bits for its length, and a name to carry
# The names that the AUTOMATIC1111 web UI gave these; its last line is read by many programs.
NAMES = {
    "steps": "Steps",
    "sampler": "Sampler",
    "cfg_scale": "CFG scale",
    "style_preset": "Style preset",
    "aspect_ratio": "Aspect ratio",
    "strength": "Denoising strength",
}
EXIF_SUB, USER_COMMENT = 0x8769, 0x9286  # Exif 2.32, 4.6.3 and 4.6.5
NOT_IN_TEXT = re.compile(r"[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Words for a picture that a model made: IPTC Photo Metadata Standard 2025.1.
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
    """The file with prompt and parameters in it; as it is, if its structure is not what we know.

    `media_type` is that of the data, if it is not the image's own.
    """
    media_type = media_type or image.media_type
    try:
        if media_type == "image/png":
            return containers.png(data, parameters=parameters(image), xmp=xmp(image))
        splice = {"image/jpeg": containers.jpeg, "image/webp": containers.webp}[media_type]
        return splice(data, exif=_fitting(exif, image), xmp=_fitting(xmp, image))
    except (KeyError, containers.UnknownStructure):
        return data


def parameters(image: Image, longest: int | None = None) -> str:
    """What the AUTOMATIC1111 web UI writes: the prompt, the negative prompt, one line of the rest."""
    lines = [_plain(image.prompt)[:longest]]
    if image.negative_prompt:
        lines.append(f"Negative prompt: {_plain(image.negative_prompt)[:longest]}")
    given = {title: image.parameters.get(name) for name, title in NAMES.items()}
    facts = given | {
        "Seed": image.seed,
        "Size": f"{image.width}x{image.height}",
        "Model": image.model,
        "Version": "sdweb",
    }
    told = (f"{title}: {_quoted(fact)}" for title, fact in facts.items() if fact not in (None, ""))
    return "\n".join([*lines, ", ".join(told)])


def xmp(image: Image, longest: int | None = None) -> bytes:
    """The same as an XMP packet."""
    return XMP.format(
        prompt=escape(_plain(image.prompt)[:longest]),
        model=escape(_plain(image.model)),
        parameters=escape(parameters(image, longest)),
    ).encode()


def exif(image: Image, longest: int | None = None) -> bytes:
    """The same as EXIF's UserComment, where it is looked for in files that are not PNG."""
    comment = b"UNICODE\0" + parameters(image, longest).encode("utf-16-be")
    block = Pillow.Exif()
    block.get_ifd(EXIF_SUB)[USER_COMMENT] = comment
    return block.tobytes()


def _fitting(part: Callable[[Image, int | None], bytes], image: Image) -> bytes:
    """The part with as much of the prompts as fits."""
    longest = None
    while len(data := part(image, longest)) > LONGEST_PART:
        longest = (longest or 16_000) // 2
    return data


def _plain(text: str) -> str:
    """The text without what XML and text chunks cannot carry: control characters and broken pairs."""
    return NOT_IN_TEXT.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _quoted(fact: object) -> str:
    """A value that cannot be taken for the next name."""
    text = _plain(str(fact))
    return json.dumps(text, ensure_ascii=False) if re.search(r"[,:\n]", text) else text
