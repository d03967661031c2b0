"""What Recraft's errors mean where it is not common to all systems.

Source: docs/providers/recraft.md, "Statuses". The maker publishes no codes: those are a public client's.
"""

from __future__ import annotations

from types import MappingProxyType

from generations.providers.base import Busy, Refused, Unavailable
from generations.providers.i18n import gettext_noop
from generations.providers.transport.error_text import Envelope
from generations.providers.transport.errors import ErrorTable

TABLE = ErrorTable(
    envelope=Envelope(marks=frozenset({"code", "error_code"}), codes=("code", "error_code", "type", "error")),
    codes=MappingProxyType(
        {
            "not_enough_credits": Unavailable,
            "rate_limit_exceeded": Busy,
            "image_too_big": Refused,
            "invalid_image_format": Refused,
            "style_is_private": Refused,
        }
    ),
    content_codes=frozenset({"prompt_is_improper", "invalid_prompt"}),
    reasons=MappingProxyType(
        {
            "image_too_big": gettext_noop("The image is too large for the provider."),
            "invalid_image_format": gettext_noop("The provider does not take images of this format."),
            "style_is_private": gettext_noop("The own style belongs to another account at the provider."),
        }
    ),
    largest_request=gettext_noop("it takes images of 5 MB"),
)
