"""What Stability's errors mean where it is not common to all systems.

Sources: docs/providers/stability.md, "Statuses", "What sdweb does", "Results that come later" and "v1 text to
image".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from generations.providers.base import ModelUnavailable, ProviderError, Refused
from generations.providers.i18n import gettext_noop
from generations.providers.transport import errors as transport_errors
from generations.providers.transport.error_text import Envelope
from generations.providers.transport.errors import NO_IMAGES, ErrorTable
from generations.providers.transport.http import Reply

FAILED_CODE = "finish_error"  # of an answer whose finish reason says that the image failed
TABLE = ErrorTable(
    envelope=Envelope(
        marks=frozenset({"name", "errors"}),
        forms=(frozenset({"name", "errors"}), frozenset({"name", "message"})),
    ),
    reasons={
        "invalid_language": gettext_noop("This provider takes English only."),
        "public_figure": gettext_noop("The provider refused this image: it shows a public figure."),
    },
    # Its words for a field: the model's name is the catalogue's, never the member's.
    model_words=re.compile(r"model\b[^:]{0,40}:", re.IGNORECASE),
    # v1 has no code for a flagged prompt: only the message tells it from a locked account.
    # See docs/providers/stability.md, "v1 text to image".
    content_words=re.compile(r"flagged by our content moderation", re.IGNORECASE),
    largest_request=gettext_noop("it takes 10 MB in all"),
)


def to_error(reply: Reply, key: str, images: Mapping[str, str] = NO_IMAGES) -> ProviderError:
    """Return the error for a response without an image; `images` as `transport.errors.to_error` takes it."""
    return transport_errors.to_error(reply, key, TABLE, images)


def to_poll_error(reply: Reply, key: str, images: Mapping[str, str]) -> ProviderError:
    """Return the error for a poll without a result."""
    return after_poll(transport_errors.to_poll_error(reply, key, TABLE, images))


def after_poll(error: ProviderError) -> ProviderError:
    """Return the error as it is meant after a poll, which closes no model and orders nothing anew."""
    if isinstance(error, ModelUnavailable):
        return transport_errors.as_unknown(error)
    if error.code == FAILED_CODE:
        return Refused(error.reason, error.status, error.request_id, code=error.code)
    return error
