"""Client of pictures through chat completions, at a gateway.

Sources: docs/providers/chat-completions.md, "Request" and "Answers".
"""

from __future__ import annotations

import base64
from typing import Any

from generations.providers.base import Accepted, Done, ImageRequest, InputImage
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.validation import validated
from generations.providers.chat.responses import parse_response
from generations.providers.i18n import gettext as _
from generations.providers.openai import errors as openai_errors
from generations.providers.openai.account import Account

COMPLETIONS = "/v1/chat/completions"
WHOLE = "whole"  # the dialect of gateways that send no pieces


class Chat(Account):
    """One account. The key is sent to `base_url` only and is in no text, not even in `repr`.

    Pictures come from hosts that are neither the gateway's nor the maker's: the account has to allow them.
    """

    def submit(self, request: ImageRequest, *, timeout: float) -> Done | Accepted:
        """Ask for a picture; raises what `base.Provider.submit` raises."""
        streams = self._dialect != WHOLE
        body = {"model": request.sold_as, "messages": [_message(request)], "stream": streams}
        reply = self._api.post(COMPLETIONS, timeout=timeout, json=body, is_stream=streams)
        if reply.status != 200:
            raise openai_errors.to_error(reply, self._key, _titles(request))
        return parse_response(reply, self._key)


def _message(request: ImageRequest) -> dict[str, Any]:
    """The prompt, with the shape in words, and the images as parts of it."""
    parameters = validated(request)
    text = parameters["prompt"]
    if shape := parameters.get("aspect_ratio"):
        text = f"{text}\n\nAspect ratio: {shape}"
    if not request.inputs:
        return {"role": "user", "content": text}
    parts = [{"type": "image_url", "image_url": {"url": _data_url(image)}} for image in request.inputs]
    return {"role": "user", "content": [{"type": "text", "text": text}, *parts]}


def _data_url(image: InputImage) -> str:
    return f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"


def _titles(request: ImageRequest) -> dict[str, str]:
    model = catalogue_registry.get(request.model)
    return {each.role: _(each.title) for each in model.inputs if each.role in request.roles}
