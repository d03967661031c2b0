"""Map a response without an image to an error.

Sources: docs/providers/stability.md, "Statuses", "What sdweb does" and "v1 text to image";
docs/providers/gateways.md, "Statuses".
"""

from __future__ import annotations

import re
from dataclasses import replace

from generations.providers.base import CONTENT_CODES, Busy, ProviderError, Refused, Unavailable, Unknown
from generations.providers.i18n import gettext as _
from generations.providers.i18n import gettext_noop
from generations.providers.transport import error_text
from generations.providers.transport.http import Reply

# Error codes of gateways (the one-api family), of OpenAI's format and of Stability's v1 that mean the account
# is at fault and not the request, whatever the status.
ACCOUNT_CODES = frozenset(
    {
        "access_denied",
        "access_terminated",
        "account_deactivated",
        "billing_hard_limit_reached",
        "billing_not_active",
        "channel_not_found",
        "get_channel_failed",
        "incorrect_api_key",
        "insufficient_balance",
        "insufficient_credits",
        "insufficient_quota",
        "insufficient_user_quota",
        "invalid_api_key",
        "model_not_found",
        "no_available_channel",
        "payment_required",
        "permission_denied",
        "permission_error",
        "pre_consume_token_quota_failed",
        "quota_exceeded",
        "quota_not_enough",
        "token_expired",
        "token_quota_exhausted",
        "unauthorized",
        "user_disabled",
        "user_quota_not_enough",
    }
)
# Older gateways only have a message. It counts only without a code and never in Stability's own format: a
# message may repeat the prompt, and a prompt must not pause an account.
ACCOUNT_MESSAGES = re.compile(
    r"no available channel|insufficient (user |token |account )?(quota|balance|credits?)|quota (is )?"
    r"(not enough|exhausted|used up)|无可用渠道|额度不足|余额不足|额度已用尽|无效的令牌",
    re.IGNORECASE,
)
GENERIC_CODES = frozenset(
    {"error", "api_error", "new_api_error", "one_api_error", "shell_api_error", "upstream_error"}
)
# v1 has no code for a flagged prompt: only the message tells it from a locked account.
# See docs/providers/stability.md, "v1 text to image".
FLAGGED_MESSAGE = re.compile(r"flagged by our content moderation", re.IGNORECASE)
ACCOUNT_STATUSES = {
    401: gettext_noop("The provider does not accept the key"),
    402: gettext_noop("The provider account has no credits left"),
    404: gettext_noop("The provider has nothing at this address"),
    405: gettext_noop("The provider takes no requests at this address"),
    407: gettext_noop("A proxy before the provider asks for a sign-in"),
    410: gettext_noop("The provider has nothing at this address any more"),
}


def to_error(reply: Reply, key: str) -> ProviderError:
    """Return the error for a response without an image."""
    error_body = _with_moderation_code(error_text.parse_error_body(reply.body, key))
    error = _error(reply, error_body)
    error.status = reply.status
    error.request_id = reply.request_id(key)
    error.code = error_body.code
    return error


def _error(reply: Reply, error_body: error_text.ErrorBody) -> ProviderError:
    status = reply.status
    if status >= 400 and blames_account(status, error_body):
        return Unavailable(_account_reason(status, error_body))
    if status == 429:
        return Busy(_("The provider asks for a pause (HTTP 429)."), retry_after=reply.retry_after)
    shown = {"status": status}
    if status in (408, 425) or 500 <= status < 600:
        reason = _("The provider is having trouble (HTTP %(status)d).") % shown
        return Busy(reason, retry_after=reply.retry_after)
    if 300 <= status < 400:
        return Unavailable(
            _("The provider answers with a redirect (HTTP %(status)d); its address must be checked.") % shown
        )
    if 400 <= status < 500:
        return Refused(_refused_reason(status, error_body))
    return Unknown(_("The provider answered without an image (HTTP %(status)d).") % shown)


def blames_account(status: int, error_body: error_text.ErrorBody) -> bool:
    """Return whether the account is at fault: no request can succeed with it."""
    if status in ACCOUNT_STATUSES or error_body.codes & ACCOUNT_CODES:
        return True
    if not error_body.from_gateway or error_body.codes - GENERIC_CODES or status in (400, 422):
        return False
    return bool(ACCOUNT_MESSAGES.search(error_body.message))


def _with_moderation_code(error_body: error_text.ErrorBody) -> error_text.ErrorBody:
    if "permission_denied" in error_body.codes and FLAGGED_MESSAGE.search(error_body.message):
        return replace(error_body, codes=frozenset({"content_moderation"}))
    return error_body


def _account_reason(status: int, error_body: error_text.ErrorBody) -> str:
    sentence = _(ACCOUNT_STATUSES.get(status, gettext_noop("The provider account cannot be used now")))
    text = f"{sentence} (HTTP {status})"
    return error_text.as_sentence(f"{text}: {error_body.message}" if error_body.message else text)


def _refused_reason(status: int, error_body: error_text.ErrorBody) -> str:
    if error_body.codes & CONTENT_CODES:
        return _("The provider refused this prompt (content).")
    if "invalid_language" in error_body.codes:
        return _("This provider takes English only.")
    if "public_figure" in error_body.codes:
        return _("The provider refused this image: it shows a public figure.")
    if status == 413:
        return _("The request is too large for the provider; use a smaller start image.")
    if error_body.message:
        refused = _("The provider did not accept the request")
        return error_text.as_sentence(f"{refused}: {error_body.message}")
    return _("The provider did not accept the request (HTTP %(status)d).") % {"status": status}
