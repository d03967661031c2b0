"""What an answer without an image means.

The rules: docs/providers/stability.md, "Statuses", "What sdweb does" and "v1 text to image";
docs/providers/gateways.md, "Statuses".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from generations.providers.base import Busy, ProviderError, Refused, Unavailable, Unknown
from generations.providers.i18n import gettext as _
from generations.providers.i18n import gettext_noop
from generations.providers.transport import error_text
from generations.providers.transport.http import Reply

LONGEST_WAIT = 3600.0

# Codes of gateways (the one-api family), of OpenAI's envelope and of Stability's v1 that blame the
# account and not the request, whatever the status they come with.
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
# Older gateways say it in words alone. Believed only where no code stands and never in
# Stability's own envelope: a message may repeat the prompt, and a prompt must pause nobody.
ACCOUNT_WORDS = re.compile(
    r"no available channel|insufficient (user |token |account )?(quota|balance|credits?)|quota (is )?"
    r"(not enough|exhausted|used up)|无可用渠道|额度不足|余额不足|额度已用尽|无效的令牌",
    re.IGNORECASE,
)
GENERIC_CODES = frozenset(
    {"error", "api_error", "new_api_error", "one_api_error", "shell_api_error", "upstream_error"}
)
CONTENT_CODES = frozenset(
    {"content_moderation", "content_policy_violation", "moderation_blocked", "content_filter"}
)
# v1 has no name of its own for a flagged prompt: the words tell it from a locked account.
# See docs/providers/stability.md, "v1 text to image".
FLAGGED = re.compile(r"flagged by our content moderation", re.IGNORECASE)
SENTENCES = {
    401: gettext_noop("The provider does not accept the key"),
    402: gettext_noop("The provider account has no credits left"),
    404: gettext_noop("The provider has nothing at this address"),
    405: gettext_noop("The provider takes no requests at this address"),
    407: gettext_noop("A proxy before the provider asks for a sign-in"),
    410: gettext_noop("The provider has nothing at this address any more"),
}


def failure(reply: Reply, key: str) -> ProviderError:
    """The failure that an answer without an image stands for."""
    complaint = _named_by_words(error_text.read(reply.body, key))
    problem = _failure(reply, complaint)
    problem.status = reply.status
    problem.request_id = request_id(reply.headers, key)
    problem.code = complaint.code
    return problem


def request_id(headers: Mapping[str, str], key: str) -> str:
    """The provider's name for the exchange, if it is one that can be kept."""
    text = error_text.redact(headers.get("x-request-id", "").strip()[:200], key)
    return text if re.fullmatch(r"[\w.:/=+-]{1,100}", text, re.ASCII) else ""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait as the header says, as a number or as a date; None if it says nothing."""
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text, re.ASCII):
        return min(float(text), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text[:100])
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime.now(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds.total_seconds(), 0.0), LONGEST_WAIT)


def _failure(reply: Reply, complaint: error_text.Complaint) -> ProviderError:
    status = reply.status
    if status >= 400 and blames_account(status, complaint):
        return Unavailable(_told(status, complaint))
    if status == 429:
        return Busy(_("The provider asks for a pause (HTTP 429)."), retry_after=retry_after(reply.headers))
    shown = {"status": status}
    if status in (408, 425) or 500 <= status < 600:
        trouble = _("The provider is having trouble (HTTP %(status)d).") % shown
        return Busy(trouble, retry_after=retry_after(reply.headers))
    if 300 <= status < 400:
        return Unavailable(
            _("The provider answers with a redirect (HTTP %(status)d); its address must be checked.") % shown
        )
    if 400 <= status < 500:
        return Refused(_refusal(status, complaint))
    return Unknown(_("The provider answered without an image (HTTP %(status)d).") % shown)


def blames_account(status: int, complaint: error_text.Complaint) -> bool:
    """True if nobody can be served with this account, whatever they ask for."""
    if status in SENTENCES or complaint.codes & ACCOUNT_CODES:
        return True
    if not complaint.from_gateway or complaint.codes - GENERIC_CODES or status in (400, 422):
        return False
    return bool(ACCOUNT_WORDS.search(complaint.message))


def _named_by_words(complaint: error_text.Complaint) -> error_text.Complaint:
    if "permission_denied" in complaint.codes and FLAGGED.search(complaint.message):
        return replace(complaint, codes=frozenset({"content_moderation"}))
    return complaint


def _told(status: int, complaint: error_text.Complaint) -> str:
    sentence = _(SENTENCES.get(status, gettext_noop("The provider account cannot be used now")))
    text = f"{sentence} (HTTP {status})"
    return _sentence(f"{text}: {complaint.message}" if complaint.message else text)


def _refusal(status: int, complaint: error_text.Complaint) -> str:
    if complaint.codes & CONTENT_CODES:
        return _("The provider refused this prompt (content).")
    if "invalid_language" in complaint.codes:
        return _("This provider takes English only.")
    if "public_figure" in complaint.codes:
        return _("The provider refused this image: it shows a public figure.")
    if status == 413:
        return _("The request is too large for the provider; use a smaller start image.")
    if complaint.message:
        refused = _("The provider did not accept the request")
        return _sentence(f"{refused}: {complaint.message}")
    return _("The provider did not accept the request (HTTP %(status)d).") % {"status": status}


def _sentence(text: str) -> str:
    """The text with an end, since others follow it on a page, and not too long."""
    if len(text) >= error_text.MOST_LETTERS:
        return text[: error_text.MOST_LETTERS - 1].rstrip() + "…"
    return text if text.endswith((".", "!", "?", "…", "。")) else f"{text}."
