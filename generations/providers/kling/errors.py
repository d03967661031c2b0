"""What Kling's codes mean: they decide, whatever the status, which may be 200.

Source: docs/providers/kling.md, "Statuses".
"""

from __future__ import annotations

import re
from types import MappingProxyType

from generations.providers.base import (
    Busy,
    ModelUnavailable,
    ProviderError,
    Refused,
    Unavailable,
    Unknown,
)
from generations.providers.i18n import gettext as _
from generations.providers.i18n import gettext_noop
from generations.providers.transport import error_text
from generations.providers.transport import errors as transport_errors
from generations.providers.transport.error_text import Envelope
from generations.providers.transport.errors import MODERATED, ErrorTable
from generations.providers.transport.http import Reply

CODES: dict[str, type[ProviderError]] = {
    **dict.fromkeys(("1000", "1001", "1002", "1003", "1004"), Unavailable),  # the key
    **dict.fromkeys(("1100", "1101", "1102"), Unavailable),  # money, with status 429
    "1103": ModelUnavailable,
    **dict.fromkeys(("1200", "1201"), Refused),
    **dict.fromkeys(("1202", "1203"), ModelUnavailable),
    **dict.fromkeys(("1302", "1303"), Busy),
    "1304": Unavailable,  # this address is not on the account's list
    **dict.fromkeys(("5000", "5001", "5002"), Unknown),  # the task may exist
}
TOO_FAST = frozenset({"1302", "1303"})
PAUSE = 10.0  # seconds after one of these: a picture takes more than twice as long
# A task that ends so was moderated late; there is no code for it.
MODERATION = re.compile(
    r"risk control|sensitive|moderat|(content|platform|safety|usage)\W{0,3}\w{0,20}\W{0,3}polic|violat"
    r"|风控|敏感|违规|审核",
    re.IGNORECASE,
)
TABLE = ErrorTable(
    envelope=Envelope(
        marks=frozenset({"code", "request_id"}),
        forms=(frozenset({"code", "message", "request_id"}),),
        codes=("code", "type"),
    ),
    codes=MappingProxyType(CODES),
    content_codes=frozenset({"1300", "1301"}),
    largest_request=gettext_noop("it takes images of 10 MB"),
)


def to_error(reply: Reply, key: str) -> ProviderError:
    """Return the error of an answer without a task."""
    return _with_pause(transport_errors.to_error(reply, key, TABLE))


def to_poll_error(reply: Reply, key: str) -> ProviderError:
    """Return the error of an answer without the state of a task."""
    return _with_pause(transport_errors.to_poll_error(reply, key, TABLE))


def of_failed_task(message: str, status: int, request_id: str) -> Refused:
    """Return the error of a task that the provider says has failed, with its own words, already cleaned."""
    if MODERATION.search(message):
        reason = _("The provider refused the prompt or an image (content).")
        return Refused(reason, status, request_id, code=MODERATED)
    reason = _("The provider could not finish the image.")
    said = error_text.as_sentence(f"{reason} {message}") if message else reason
    return Refused(said, status, request_id, code="task_failed")


def _with_pause(error: ProviderError) -> ProviderError:
    """Too many calls are a limit of the account, also within a 200."""
    if isinstance(error, Busy) and error.code in TOO_FAST:
        error.status, error.retry_after = 429, error.retry_after or PAUSE
    return error
