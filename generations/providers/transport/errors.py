"""Map a response without a result to one of the five errors, for any system.

What is common to gateways and makers stands here; what a system says otherwise is its `ErrorTable`.
Sources: docs/providers/gateways.md, "Statuses"; docs/providers/stability.md, "What sdweb does".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from generations.providers.base import (
    CONTENT_CODES,
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
from generations.providers.transport.http import Reply

# Error codes of gateways (the one-api family) and of OpenAI's format that mean the account is at fault and
# not the request, whatever the status.
ACCOUNT_CODES = frozenset(
    {
        "access_terminated",
        "account_deactivated",
        "billing_hard_limit_reached",
        "billing_not_active",
        "incorrect_api_key",
        "insufficient_balance",
        "insufficient_credits",
        "insufficient_quota",
        "insufficient_user_quota",
        "invalid_api_key",
        "payment_required",
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
# Codes that mean one model, whatever the status: other models of the account may be drawn.
MODEL_CODES = frozenset(
    {
        "api_not_implemented",
        "channel:model_mapped_error",
        "channel:no_available_key",
        "channel_not_found",
        "deprecated_model",
        "engine_not_found",
        "get_channel_failed",
        "invalid_model",
        "model_access_denied",
        "model_deprecated",
        "model_not_allowed",
        "model_not_available",
        "model_not_found",
        "model_not_supported",
        "model_price_error",
        "no_available_channel",
        "unsupported_model",
    }
)
# Codes of a 403 that refuses the address or the model. The account itself is refused with 401 or 402.
FORBIDDEN_CODES = frozenset({"access_denied", "forbidden", "permission_denied", "permission_error"})
# Older gateways only have a message. It counts only without a code and never in a maker's own format: a
# message may repeat the prompt, and a prompt must neither pause an account nor close a model.
ACCOUNT_MESSAGES = re.compile(
    r"insufficient (user |token |account )?(quota|balance|credits?)|quota (is )?"
    r"(not enough|exhausted|used up)|额度不足|余额不足|额度已用尽|无效的令牌",
    re.IGNORECASE,
)
CHANNEL_MESSAGES = re.compile(r"no available channel|无可用渠道", re.IGNORECASE)
FORBIDDEN_MESSAGES = re.compile(  # of a 403
    r"无权访问模型|\b(access|permission|allowed|authorized|permitted)\b.{0,60}\bmodel\b"
    r"|\bmodel\b.{0,80}\b(access|permission|allowed|authorized|permitted|available|supported|enabled|exist)",
    re.IGNORECASE,
)
GENERIC_CODES = frozenset(
    {"error", "api_error", "new_api_error", "one_api_error", "shell_api_error", "upstream_error"}
)
ACCOUNT_STATUSES = {
    401: gettext_noop("The provider does not accept the key"),
    402: gettext_noop("The provider account has no credits left"),
}
MODEL_STATUSES = {
    404: gettext_noop("The provider has nothing at this address"),
    405: gettext_noop("The provider takes no requests at this address"),
    407: gettext_noop("A proxy before the provider asks for a sign-in"),
    410: gettext_noop("The provider has nothing at this address any more"),
    501: gettext_noop("The provider does not offer this"),
}
# Of a server that had our whole request and lost what is behind it: it may have been drawn and charged.
# 408 is the timeout of some gateways, 424 is this portal's own for an order that goes on.
LOST_STATUSES = frozenset({408, 424, 499, 504, *range(520, 531)})
SIZE = re.compile(r"\d\s?([KM]i?B|bytes)", re.IGNORECASE)
MODERATED = "content_moderation"  # of CONTENT_CODES, for those that say it with a code of their own
NO_IMAGES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class ErrorTable:
    """What a system's errors mean where it is not common to all.

    `codes` says which error a code is, in lower case, whatever the status; `statuses` does for a status
    without such a code. `content_codes` and `content_statuses` are of moderated prompts and images. `reasons`
    are sentences for members, by code or status, in place of the provider's words. `model_words` and
    `content_words` find, in the maker's envelope alone, a message that means one model, or moderation.
    `largest_request` says what the system takes, for 413.
    """

    envelope: error_text.Envelope = error_text.ANY
    codes: Mapping[str, type[ProviderError]] = field(default_factory=dict)
    statuses: Mapping[int, type[ProviderError]] = field(default_factory=dict)
    content_codes: frozenset[str] = frozenset()
    content_statuses: frozenset[int] = frozenset({451})
    reasons: Mapping[str | int, str] = field(default_factory=dict)
    model_words: re.Pattern[str] | None = None
    content_words: re.Pattern[str] | None = None
    largest_request: str = ""


COMMON = ErrorTable()


def to_error(
    reply: Reply, key: str, table: ErrorTable = COMMON, images: Mapping[str, str] = NO_IMAGES
) -> ProviderError:
    """Return the error for a response without a result, also for one that has status 200.

    `images` are the titles of the images of the request, by the names of their parts.
    """
    return _complete(_error(reply, parse(reply, key, table), table, images), reply, key, table)


def to_poll_error(
    reply: Reply, key: str, table: ErrorTable = COMMON, images: Mapping[str, str] = NO_IMAGES
) -> ProviderError:
    """Return the error for a poll without a result: Refused only for the provider's last word on the task.

    That is moderation, or an error of the request in the maker's own words. 404 is none: an account behind a
    gateway may know the result a moment later.
    """
    error_body = parse(reply, key, table)
    error = _complete(_error(reply, error_body, table, images), reply, key, table)
    in_own_words = error_body.is_own and not error_body.from_gateway and reply.status in (400, 422)
    if isinstance(error, Refused) and not (error.code in CONTENT_CODES or in_own_words):
        return as_unknown(error)
    return as_unknown(error) if isinstance(error, ModelUnavailable) else error


def as_unknown(error: ProviderError) -> Unknown:
    """Return the error as one after which nothing is known."""
    return Unknown(error.reason, error.status, error.request_id, code=error.code)


def parse(reply: Reply, key: str, table: ErrorTable = COMMON) -> error_text.ErrorBody:
    """Return what the body of a response says, with a code for moderation where the system has none."""
    error_body = error_text.parse_error_body(reply.body, key, table.envelope)
    if _is_moderated(reply.status, error_body, table):
        return replace(error_body, codes=error_body.codes | {MODERATED})
    return error_body


def _is_moderated(status: int, error_body: error_text.ErrorBody, table: ErrorTable) -> bool:
    if error_body.codes & (CONTENT_CODES | table.content_codes) or status in table.content_statuses:
        return True
    words = table.content_words
    return bool(words and not error_body.from_gateway and words.search(error_body.message))


def without_purchase(
    status: int,
    error_body: error_text.ErrorBody,
    table: ErrorTable = COMMON,
    images: Mapping[str, str] = NO_IMAGES,
) -> ProviderError | None:
    """Return the error if the account, the model or the content is blamed, and so nothing was charged.

    Also for errors that are sent with status 200.
    """
    if error_body.codes & CONTENT_CODES:
        return Refused(_refused_reason(status, error_body, table, images))
    if _blames_account(status, error_body, table):
        sentence = _(ACCOUNT_STATUSES.get(status, gettext_noop("The provider account cannot be used now")))
        return Unavailable(_reason(sentence, status, error_body))
    if _blames_model(status, error_body, table):
        sentence = _(MODEL_STATUSES.get(status, gettext_noop("The provider does not have this model now")))
        return ModelUnavailable(_reason(sentence, status, error_body))
    return None


def _complete(error: ProviderError, reply: Reply, key: str, table: ErrorTable) -> ProviderError:
    error_body = parse(reply, key, table)
    moderated = sorted(error_body.codes & CONTENT_CODES - {MODERATED}) or [MODERATED]
    error.status = reply.status
    error.request_id = reply.request_id(key)
    error.code = moderated[0] if error_body.codes & CONTENT_CODES else error_body.code
    return error


def _error(
    reply: Reply, error_body: error_text.ErrorBody, table: ErrorTable, images: Mapping[str, str]
) -> ProviderError:
    status = reply.status
    if not 300 <= status < 400 and (error := without_purchase(status, error_body, table, images)):
        return error
    own = _own_kind(status, error_body, table)
    kind = own or _kind_of_status(status)
    if kind is Busy:
        text = _("The provider asks for a pause (HTTP %(status)d).")
        return Busy(text % {"status": status}, retry_after=reply.retry_after)
    if kind is Refused:
        return Refused(_refused_reason(status, error_body, table, images))
    if kind is ModelUnavailable:
        return ModelUnavailable(
            _("The provider answers with a redirect (HTTP %(status)d); its address must be checked.")
            % {"status": status}
        )
    if own is None and status >= 400:
        return _trouble(reply, error_body)
    return Unknown(_("The provider answered without an image (HTTP %(status)d).") % {"status": status})


def _kind_of_status(status: int) -> type[ProviderError]:
    """The error that a status means by itself; Unknown for those whose answer decides it."""
    if status == 429:
        return Busy
    if 300 <= status < 400:
        return ModelUnavailable
    is_trouble = status in LOST_STATUSES or status == 425 or not 400 <= status < 500
    return Unknown if is_trouble else Refused


def _own_kind(status: int, error_body: error_text.ErrorBody, table: ErrorTable) -> type[ProviderError] | None:
    """The error that the system's table has for the code, or for the status; None without one."""
    kinds = [table.codes[code] for code in sorted(error_body.codes) if code in table.codes]
    return kinds[0] if kinds else table.statuses.get(status)


def _trouble(reply: Reply, error_body: error_text.ErrorBody) -> Busy | Unknown:
    """Return Busy if it is proven that nothing was charged, else Unknown.

    Proof is an answer before the whole request was sent, the status 425, or the provider's own words.
    A gateway's words prove it with 503 alone: with other statuses it may have asked the provider before.
    """
    status = reply.status
    own_words = error_body.is_own and (status == 503 or not error_body.from_gateway)
    if not reply.sent_whole or status == 425 or (own_words and status not in LOST_STATUSES):
        reason = _("The provider is having trouble (HTTP %(status)d).")
        return Busy(reason % {"status": status}, retry_after=reply.retry_after)
    return Unknown(_("The provider's answer was lost on its way (HTTP %(status)d).") % {"status": status})


def _blames_account(status: int, error_body: error_text.ErrorBody, table: ErrorTable) -> bool:
    if own := _own_kind(status, error_body, table):
        return own is Unavailable
    if status in ACCOUNT_STATUSES or error_body.codes & ACCOUNT_CODES:
        return True
    return _has_words_alone(status, error_body) and bool(ACCOUNT_MESSAGES.search(error_body.message))


def _blames_model(status: int, error_body: error_text.ErrorBody, table: ErrorTable) -> bool:
    if own := _own_kind(status, error_body, table):
        return own is ModelUnavailable
    if status in MODEL_STATUSES or error_body.codes & MODEL_CODES:
        return True
    if status == 403 and error_body.codes & FORBIDDEN_CODES:
        return True
    if status in (400, 422) and error_body.is_own and not error_body.from_gateway:
        return bool(table.model_words and table.model_words.match(error_body.message))
    if not _has_words_alone(status, error_body):
        return False
    is_forbidden = status == 403 and FORBIDDEN_MESSAGES.search(error_body.message)
    return bool(is_forbidden or CHANNEL_MESSAGES.search(error_body.message))


def _has_words_alone(status: int, error_body: error_text.ErrorBody) -> bool:
    """Return whether only the message can tell who is to blame."""
    codes = {code for code in error_body.codes - GENERIC_CODES if not code.isdecimal()}
    return error_body.from_gateway and not codes and status not in (400, 422)


def _reason(sentence: str, status: int, error_body: error_text.ErrorBody) -> str:
    text = f"{sentence} (HTTP {status})"
    return error_text.as_sentence(f"{text}: {error_body.message}" if error_body.message else text)


def _refused_reason(
    status: int, error_body: error_text.ErrorBody, table: ErrorTable, images: Mapping[str, str]
) -> str:
    said: list[str | int] = [*sorted(error_body.codes), status]
    if reason := next((table.reasons[each] for each in said if each in table.reasons), ""):
        return _(reason)
    if error_body.codes & CONTENT_CODES:
        return _moderated(images)
    if status == 413:
        return _too_large(error_body.message, table.largest_request, images)
    if error_body.message:
        return _not_accepted(error_body.message, images)
    return _("The provider did not accept the request (HTTP %(status)d).") % {"status": status}


def _moderated(images: Mapping[str, str]) -> str:
    if images:
        return _("The provider refused the prompt or an image (content).")
    return _("The provider refused this prompt (content).")


def _too_large(message: str, largest: str, images: Mapping[str, str]) -> str:
    """A sentence with the largest size: as the provider says it, or as the system's table does."""
    said = message.removeprefix("body: ").rstrip(".") if SIZE.search(message) else ""
    values = {"limit": said or (_(largest) if largest else ""), "images": ", ".join(images.values())}
    if images and values["limit"]:
        text = _(
            "The request is too large for the provider; make these images smaller: %(images)s (%(limit)s)."
        )
    elif images:
        text = _("The request is too large for the provider; make these images smaller: %(images)s.")
    elif values["limit"]:
        text = _("The request is too large for the provider: %(limit)s.")
    else:
        text = _("The request is too large for the provider.")
    return text % values


def _not_accepted(message: str, images: Mapping[str, str]) -> str:
    """A sentence with the provider's words, about an image where they begin with the name of its part."""
    name, colon, problem = message.partition(":")
    if colon and problem.strip() and name in images:
        named = {"image": images[name], "problem": problem.strip()}
        return error_text.as_sentence(_("The provider did not accept “%(image)s”: %(problem)s") % named)
    refused = _("The provider did not accept the request")
    return error_text.as_sentence(f"{refused}: {message}")
