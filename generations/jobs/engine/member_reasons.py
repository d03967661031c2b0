"""Why a call brought no image, in the words that members read.

A provider's words about the operator's account (its name, plan, balance or key) are for operators alone:
they stay in the attempt and in the account's row, which the back office shows. What the provider says of the
request itself helps its member, and is passed on.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from generations.jobs.models import Attempt, Generation, Outcome
from generations.providers.base import CONTENT_CODES, Busy, ProviderError, Refused, Unknown
from generations.providers.catalogue import registry as catalogue_registry

# Statuses of a refused request that are about what it holds; with 200 words came in place of a picture.
# Others, such as 403, may be about the account.
ABOUT_THE_REQUEST = frozenset({200, 400, 413, 422})
# Codes whose sentence is the portal's own, whatever the status.
OWN_SENTENCES = CONTENT_CODES | {"invalid_language", "public_figure"}


def of_error(error: ProviderError) -> str:
    """The reason of a failed call, for members."""
    match error:
        case Refused():
            return _refused(error.status, error.code, error.reason)
        case Busy():
            return _busy(error.status)
        case Unknown():
            return _unknown(error.status)
    return _account()


def of_attempt(attempt: Attempt) -> str:
    """The reason of a recorded call, for members; "" if it brought an image or has not ended."""
    match attempt.outcome:
        case Outcome.REFUSED:
            return _refused(attempt.status_code, attempt.code, attempt.reason)
        case Outcome.BUSY:
            return _busy(attempt.status_code)
        case Outcome.UNKNOWN:
            return _unknown(attempt.status_code)
        case "" | Outcome.OK | Outcome.ACCEPTED | Outcome.FILTERED:
            return ""
    return _account()


def as_shown(row: Generation) -> str:
    """Why a generation ended, as `with_titles` has it on pages."""
    return with_titles(row.reason, row.model)


def with_titles(reason: str, model: str) -> str:
    """The reason with the titles that the form has for the fields that the provider names.

    "… the request: steps: must be at most 50." becomes "… the request: “Steps”: must be at most 50."
    Programs, which send the fields by their names, read these.
    """
    declared = catalogue_registry.MODELS.get(model)
    titles = {field.name: _(field.title) for field in declared.fields if field.title} if declared else {}
    if not titles:
        return reason
    names = re.compile(rf"(?<![\w“])({'|'.join(map(re.escape, titles))}):(?=\s)")
    return names.sub(lambda found: f"“{titles[found[1]]}”:", reason)


def _refused(status: int | None, code: str, reason: str) -> str:
    # None: the portal itself did not send it, and says why.
    if status is None or status in ABOUT_THE_REQUEST or code in OWN_SENTENCES:
        return reason
    return _("The provider did not accept the request (HTTP %(status)d).") % {"status": status}


def _busy(status: int | None) -> str:
    if status is None:
        return _("The provider cannot be reached.")
    return _("The provider is having trouble (HTTP %(status)d).") % {"status": status}


def _unknown(status: int | None) -> str:
    if status is None:
        return _("The provider's answer did not arrive.")
    return _("The provider answered without an image (HTTP %(status)d).") % {"status": status}


def _account() -> str:
    return _("The provider's account cannot be used at the moment.")
