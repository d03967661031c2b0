"""What Ideogram's errors mean where it is not common to all systems.

Source: docs/providers/ideogram.md, "Statuses".
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from generations.providers.base import Busy, ModelUnavailable, Unavailable
from generations.providers.i18n import gettext_noop
from generations.providers.transport.error_text import Envelope
from generations.providers.transport.errors import ErrorTable

AT_GATEWAY = ErrorTable(
    envelope=Envelope(
        marks=frozenset({"reject_reason"}),
        forms=(frozenset({"error"}),),
        codes=("reject_reason", "code", "type"),
    ),
    codes=MappingProxyType(
        {
            "insufficient_funds": Unavailable,
            "subscription_required": Unavailable,
            "priority_credit_required": Unavailable,
            "daily_limit": Unavailable,
            "feature_limit": ModelUnavailable,
            "inflight_limit": Busy,
        }
    ),
    content_statuses=frozenset({422, 451}),
    largest_request=gettext_noop("it takes images of 10 MB"),
)
# Some calls answer 403 to a bad key; at a gateway 403 has more meanings, which its codes tell.
AT_MAKER = replace(AT_GATEWAY, statuses=MappingProxyType({403: Unavailable}))
