"""What a refusal means: the codes of the interface, the relay's own words, and the reason of a failed task.

Sources: docs/providers/midjourney.md, "Statuses" and "Tasks"; docs/providers/gateways.md, "Statuses".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

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
from generations.providers.transport import error_text, json_body
from generations.providers.transport import errors as transport_errors
from generations.providers.transport.http import Reply

TAKEN, EXISTS, QUEUED = 1, 21, 22
NOT_FOUND, INVALID, FAILED, QUEUE_FULL, BANNED, LIMITED = 3, 4, 9, 23, 24, 30
FULL_SECONDS = 30.0  # after which a full queue is asked again
# Words of a failed task, and of a refusal, that mean the content. Both are said of the request, never of a
# prompt's text, so that a prompt cannot make them up.
MODERATED = re.compile(
    r"banned|image denied|moderat|sensitive|prohibited|nsfw|inappropriate|content policy"
    r"|敏感|违规|违禁|审核|禁止",
    re.IGNORECASE,
)
GONE = re.compile(r"task_not_found|不存在|已失效")  # of the task that a next step continues
FAILURES: Mapping[str, str] = MappingProxyType(
    {
        "任务超时": gettext_noop("Midjourney did not finish in time."),
        "取消任务": gettext_noop("It was canceled at the provider."),
    }
)
CONTENT_CODE = "content_moderation"


@dataclass(frozen=True)
class _Refusal:
    """A refusal in the interface's own format, and of what kind of order it is."""

    code: int
    said: str
    data: Mapping[str, Any]
    status: int
    continues: bool
    with_images: bool


def of_reply(reply: Reply, key: str, *, continues: bool = False, with_images: bool = False) -> ProviderError:
    """Return the error of an order that was not taken.

    `continues` is whether it is a next step of an earlier task, `with_images` whether images were sent.
    """
    data = json_body.parse_object(reply.body)
    code = code_of(data)
    if code is None or "error" in data or reply.status in (401, 402, 403):
        error = transport_errors.to_error(reply, key)
        return _forbidden(reply, key) if reply.status == 403 and isinstance(error, Refused) else error
    said = error_text.clean(str(data.get("description") or ""), key)
    refusal = _Refusal(code, said, data, reply.status, continues, with_images)
    error = _of_account(refusal) or _of_order(refusal)
    error.status = error.status or reply.status
    error.request_id, error.code = reply.request_id(key), error.code or f"mj_{code}"
    return error


def of_poll(reply: Reply, key: str) -> ProviderError:
    """Return the error of a poll that brought no task: never the last word, which only a task has."""
    error = of_reply(reply, key)
    return error if isinstance(error, Busy | Unavailable) else transport_errors.as_unknown(error)


def of_failed_task(task: Mapping[str, Any], key: str, *, with_images: bool) -> Refused:
    """Return the last word of a task that failed."""
    said = str(task.get("failReason") or task.get("description") or "").strip()
    if MODERATED.search(said):
        return Refused(_moderated(with_images=with_images), code=CONTENT_CODE)
    if said in FAILURES:
        return Refused(_(FAILURES[said]), code="task_failed")
    if str(task.get("status")).upper() == "CANCEL":
        return Refused(_(FAILURES["取消任务"]), code="task_failed")
    text = _("The provider could not finish it")
    reason = error_text.clean(said, key)
    return Refused(error_text.as_sentence(f"{text}: {reason}" if reason else text), code="task_failed")


def code_of(data: Mapping[str, Any]) -> int | None:
    """Return the code of an answer in the interface's own format; None for another answer."""
    code = data.get("code")
    if isinstance(code, str) and code.isdecimal() and len(code) < 4:
        code = int(code)
    own = {"description", "result", "properties"} & data.keys()
    return code if isinstance(code, int) and not isinstance(code, bool) and own else None


def _of_account(refusal: _Refusal) -> ProviderError | None:
    """The error that says nothing of this order; None if it is about the order, or nothing is known."""
    if refusal.code in (QUEUE_FULL, LIMITED) or refusal.status == 429:
        # As an answer 429: it limits the account and is no failed try of this order.
        of_system = refusal.status != 429 or refusal.code == LIMITED
        return Busy(_("Midjourney's queue is full."), 429, retry_after=FULL_SECONDS, of_system=of_system)
    if refusal.said in transport_errors.ACCOUNT_CODES:
        return Unavailable(_sentence(_("The provider account cannot be used now"), refusal.said))
    if refusal.said in transport_errors.MODEL_CODES:
        return ModelUnavailable(_sentence(_("The provider does not have this model now"), refusal.said))
    if refusal.code == NOT_FOUND and not refusal.continues:
        text = _("The provider has no Midjourney account that can draw now")
        return ModelUnavailable(_sentence(text, refusal.said))
    return None


def _of_order(refusal: _Refusal) -> ProviderError:
    said, with_images = refusal.said, refusal.with_images
    if refusal.code == BANNED:
        return Refused(_banned(refusal.data, with_images=with_images), code=CONTENT_CODE)
    if refusal.code not in (NOT_FOUND, INVALID, FAILED) or refusal.status >= 500:
        text = _("The provider's answer was lost on its way (HTTP %(status)d).")
        return Unknown(text % {"status": refusal.status})
    if refusal.code == FAILED:
        return Busy(_sentence(_("The provider is having trouble"), said))
    if refusal.code == NOT_FOUND or (refusal.continues and GONE.search(said)):
        return Refused(_sentence(_("The provider does not know any more what this continues"), said))
    if MODERATED.search(said):
        return Refused(_moderated(with_images=with_images), code=CONTENT_CODE)
    return Refused(_sentence(_("The provider did not accept the request"), said))


def _forbidden(reply: Reply, key: str) -> Unavailable:
    """The error of a 403 in a server's own text, which refuses the account and never an order."""
    said = transport_errors.parse(reply, key).message
    return Unavailable(_sentence(_("The provider account cannot be used now"), said), 403)


def _banned(data: Mapping[str, Any], *, with_images: bool) -> str:
    word = json_body.text(data, "properties", "bannedWord", most=100)
    if word and not with_images:
        return _("The provider refused this prompt (content): “%(word)s”.") % {
            "word": error_text.clean(word, "")
        }
    return _moderated(with_images=with_images)


def _moderated(*, with_images: bool) -> str:
    if with_images:
        return _("The provider refused the prompt or an image (content).")
    return _("The provider refused this prompt (content).")


def _sentence(text: str, said: str) -> str:
    return error_text.as_sentence(f"{text}: {said}" if said else text)
