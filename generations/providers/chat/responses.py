"""Pictures out of the text of a chat's answer, each once.

The wire: docs/providers/chat-completions.md, "Answers".
"""

from __future__ import annotations

import json
import re

from generations.providers.base import Done, Output, ProviderError, Refused, Unknown
from generations.providers.chat import stream
from generations.providers.chat.stream import Answer
from generations.providers.i18n import gettext as _
from generations.providers.openai import errors as openai_errors
from generations.providers.transport import base64_text, error_text
from generations.providers.transport.http import Reply
from generations.providers.transport.media_check import InvalidImage, output_of

MAX_PICTURES = 10
NO_PICTURE = "no_picture"  # the code of an answer in words
# Every repetition but that of base64, which nothing else can match, is bounded: the text may be crafted.
_DATA_URL = r"data:image/[\w.+-]{1,40};base64,[A-Za-z0-9+/=_-]+"
_ADDRESS = r"https?://(?:[^\s()<>]|\([^\s()<>]{0,200}\)){1,4000}"
_IMAGE = re.compile(
    rf"!\[[^\[\]\n]{{0,2000}}\]\(\s{{0,9}}<?({_DATA_URL}|{_ADDRESS})>?(?:\s{{1,9}}[\"'][^\"'\n]{{0,500}}[\"'])?\s{{0,9}}\)"
)
_BARE = re.compile(
    rf"({_DATA_URL})|(https?://[^\s()<>\[\]\"'`]{{1,2000}}?\.(?:png|jpe?g|webp|gif|avif)(?:\?[^\s()<>\[\]\"'`]{{0,4000}})?)"
    r"(?![\w/])",
    re.IGNORECASE,
)
_FENCED = re.compile(r"```.{0,20000}?```", re.DOTALL)
_QUOTED = re.compile(r"^\s{0,9}>.*$", re.MULTILINE)  # progress, and the ids of tasks


def parse_response(reply: Reply, key: str) -> Done:
    """Return the pictures of a response of status 200.

    Without one the words of an answer that came to its end are a refusal, and Refused has them as its reason;
    else what an error in it means, or Unknown.
    """
    answer = stream.read(reply)
    addresses = _addresses(answer)
    found = [output for address in addresses if (output := _output(address)) is not None]
    if not found:
        raise _no_picture(answer, reply, key, came=bool(addresses))
    return Done(tuple(found), reply.request_id(key), broken=len(addresses) - len(found))


def _addresses(answer: Answer) -> list[str]:
    """The pictures of an answer, in order and each once: a download link beside one is the same picture.

    Bare addresses are only read in a whole answer: the last one of a cut answer may be cut itself.
    """
    text = answer.text
    images = [found[1] for found in _IMAGE.finditer(text)]
    bare = _BARE.finditer(text) if answer.is_whole and not images else ()
    for addresses in (images, answer.pictures, [found[0] for found in bare]):
        if kept := list(dict.fromkeys(address.strip() for address in addresses)):
            return kept[:MAX_PICTURES]
    return []


def _output(address: str) -> Output | None:
    """The picture at an address, or in one; None if it cannot be read."""
    if address.lower().startswith(("https://", "http://")):
        return Output(url=address)
    try:
        return output_of(base64_text.decode(address))
    except InvalidImage:
        return None


def _no_picture(answer: Answer, reply: Reply, key: str, *, came: bool) -> ProviderError:
    request_id = reply.request_id(key)
    if answer.error is not None:
        body = json.dumps({"error": answer.error}).encode()
        return openai_errors.to_error(Reply(reply.status, reply.headers, body), key)
    if came:
        return Unknown(_("What the provider sent is no whole image."), reply.status, request_id)
    words = error_text.clean(_words(answer.text), key)
    if answer.is_whole and words:
        return Refused(error_text.as_sentence(words), reply.status, request_id, code=NO_PICTURE)
    return Unknown(_("The provider answered without an image."), reply.status, request_id)


def _words(text: str) -> str:
    """The text without the blocks that only programs read."""
    return _QUOTED.sub("", _FENCED.sub("", text)).strip()
