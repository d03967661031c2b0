"""What errors in OpenAI's format mean where it is not common to all systems.

Money is told from pace by the code, never by the status: both are 429.
Source: docs/providers/openai.md, "Statuses".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from generations.providers.base import Busy, ModelUnavailable, ProviderError, Refused, Unavailable
from generations.providers.i18n import gettext_noop
from generations.providers.transport import errors as transport_errors
from generations.providers.transport.errors import NO_IMAGES, ErrorTable
from generations.providers.transport.http import Reply

TABLE = ErrorTable(
    codes={
        "billing_hard_limit_reached": Unavailable,
        "insufficient_quota": Unavailable,
        "invalid_api_key": Unavailable,
        "invalid_image_file": Refused,
        "model_not_found": ModelUnavailable,
        "project_spend_limit_exceeded": Unavailable,
        "rate_limit_exceeded": Busy,
    },
    reasons={
        "invalid_image_file": gettext_noop("The provider could not read an image of this request."),
    },
    largest_request=gettext_noop("each image may have 50 MB"),
)
# It has no code, and is about some models of an account that may use others.
UNVERIFIED_ACCOUNT = re.compile(r"Your organization must be verified to use the model")


def to_error(reply: Reply, key: str, images: Mapping[str, str] = NO_IMAGES) -> ProviderError:
    """Return the error for a response without an image; `images` as `transport.errors.to_error` takes it."""
    error = transport_errors.to_error(reply, key, TABLE, images)
    if reply.status == 403 and isinstance(error, Refused):
        message = transport_errors.parse(reply, key, TABLE).message
        if UNVERIFIED_ACCOUNT.match(message):
            return ModelUnavailable(message, reply.status, error.request_id, code=error.code)
    return error
