"""What the errors of Black Forest Labs mean where it is not common to all systems.

Source: docs/providers/flux.md, "Statuses".
"""

from __future__ import annotations

from collections.abc import Mapping

from generations.providers.base import CONTENT_CODES, Busy, ProviderError, Refused, Unavailable, Unknown
from generations.providers.transport import errors as transport_errors
from generations.providers.transport.error_text import Envelope
from generations.providers.transport.errors import COMMON, NO_IMAGES, ErrorTable
from generations.providers.transport.http import Reply

TOO_MANY_TASKS = 10.0  # seconds until some of those under way have ended, where a 429 does not say
OWN = ErrorTable(
    envelope=Envelope(marks=frozenset({"detail"}), forms=(frozenset({"detail"}),)),
    # 403 is a wrong key. After a 500 nobody knows whether the task was made; 503 is said before.
    statuses={403: Unavailable, 500: Unknown},
)


def to_error(reply: Reply, key: str, images: Mapping[str, str] = NO_IMAGES) -> ProviderError:
    """Return the error for an order that is no task; `images` as `transport.errors.to_error` takes it."""
    error = transport_errors.to_error(reply, key, _table(reply, key), images)
    if isinstance(error, Busy) and error.limited and error.retry_after is None:
        error.retry_after, error.of_system = TOO_MANY_TASKS, True
    return error


def to_poll_error(reply: Reply, key: str) -> ProviderError:
    """Return the error for a poll that does not say how the task is: nothing but moderation ends it."""
    error = transport_errors.to_poll_error(reply, key, _table(reply, key))
    if isinstance(error, Refused) and error.code not in CONTENT_CODES:
        return transport_errors.as_unknown(error)
    return error


def _table(reply: Reply, key: str) -> ErrorTable:
    """Its own table for its own words: a status of a gateway, or of a server in between, means less."""
    error_body = transport_errors.parse(reply, key, OWN)
    return OWN if error_body.is_own and not error_body.from_gateway else COMMON
