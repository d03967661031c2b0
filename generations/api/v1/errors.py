"""Why a call is refused: a status, a word for programs, a sentence for people, the field if one is wrong."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import (
    NON_FIELD_ERRORS,
    BadRequest,
    ObjectDoesNotExist,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import OperationalError
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from ninja.errors import HttpError, ValidationError

from generations.api import auth, idempotency
from generations.api import rate_limit as api_rate_limit
from generations.credits import ledger
from generations.jobs import model_access, pricing, submission
from generations.jobs.engine import operator_actions
from generations.library.bulk import actions as bulk_actions
from generations.library.images import service as images_service
from generations.library.imaging import decode as imaging_decode
from generations.library.organise import service as organise_service
from generations.library.storage import client as storage_client
from generations.library.uploads import start_images
from generations.office.invitations import service as invitations_service
from generations.office.tokens import service as tokens_service
from generations.providers.catalogue.registry import InvalidParameters, UnknownModel
from generations.teams import api_tokens as teams_api_tokens
from generations.teams import membership
from generations.teams.invitations import InvitationRefused

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Problem(Exception):
    """A call that is refused."""

    status: int
    code: str
    message: str
    about: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def answer(self) -> HttpResponse:
        """The refusal as JSON."""
        said = {"code": self.code, "message": self.message} | ({"field": self.about} if self.about else {})
        text = json.dumps({"error": said}, ensure_ascii=True)
        return HttpResponse(
            text, status=self.status, content_type="application/json", headers=dict(self.headers)
        )


# What each refusal of a verb is to a program, the more particular first.
REFUSALS: Sequence[tuple[type[Exception], int, str]] = (
    (auth.Unauthorised, 401, "unauthorized"),
    (auth.ScopeMissing, 403, "scope_missing"),
    (api_rate_limit.TooManyRequests, 429, "rate_limited"),
    (idempotency.BadKey, 400, "bad_idempotency_key"),
    (idempotency.KeyReused, 409, "idempotency_key_reused"),
    (model_access.ModelNotForToken, 403, "model_not_for_token"),
    (model_access.ModelNotAllowed, 403, "model_not_allowed"),
    (model_access.TokenCapReached, 402, "token_cap_reached"),
    (ledger.CapReached, 402, "cap_reached"),
    (ledger.InsufficientCredits, 402, "insufficient_credits"),
    (ledger.MembershipEnded, 403, "membership_ended"),
    (ledger.ReferenceTaken, 409, "already_written"),
    (ledger.AmountRefused, 422, "invalid"),
    (tokens_service.BeyondToken, 403, "beyond_token"),
    (tokens_service.TokenOver, 409, "token_over"),
    (tokens_service.TooManyTokens, 409, "too_many_tokens"),
    (teams_api_tokens.ScopeRefused, 422, "invalid"),
    (InvitationRefused, 409, "invitation_over"),
    (invitations_service.NotMailed, 503, "mail_unavailable"),
    (pricing.RetryPriceRose, 409, "dearer_now"),
    (pricing.PriceRose, 409, "price_rose"),
    (submission.NoUpstream, 503, "no_upstream"),
    (storage_client.StorageUnavailable, 503, "storage_unavailable"),
    (OperationalError, 503, "busy"),
    (storage_client.ObjectMissing, 404, "not_found"),
    (start_images.BadUpload, 422, "bad_upload"),
    (imaging_decode.Unreadable, 422, "unreadable"),
    (bulk_actions.InvalidBulkAction, 422, "invalid"),
    (organise_service.InvalidName, 422, "invalid"),
    (organise_service.NotOwner, 403, "not_yours"),
    (images_service.TitleTooLong, 422, "invalid"),
    (membership.LastOwner, 409, "last_owner"),
    (membership.NameTaken, 409, "name_taken"),
    (operator_actions.InvalidWeight, 422, "invalid"),
    (UnknownModel, 422, "unknown_model"),
    (RequestDataTooBig, 413, "too_large"),
)
FIELDS: Mapping[type[Exception], str] = {
    UnknownModel: "model",
    teams_api_tokens.ScopeRefused: "scopes",
    start_images.BadUpload: "image",
    organise_service.InvalidName: "name",
    images_service.TitleTooLong: "title",
    operator_actions.InvalidWeight: "weight",
}


def answer(request: HttpRequest, problem: Any) -> HttpResponse:
    """The refusal as JSON; 500 and a line in the log for what nobody foresaw."""
    known = of(problem)
    if known is None:
        log.error("A call of a program failed", exc_info=problem)
        known = Problem(500, "internal_error", _("Something went wrong here. It was written down."))
    return known.answer()


def of(problem: Exception) -> Problem | None:
    """What an exception is to a program; None for what is no refusal."""
    if isinstance(problem, Problem):
        return problem
    for kind, status, code in REFUSALS:
        if isinstance(problem, kind):
            said = _("The portal is busy. Try again soon.") if code == "busy" else str(problem)
            return Problem(status, code, said, FIELDS.get(kind, ""), _headers(problem, status))
    if isinstance(problem, InvalidParameters):
        name, sentence = next(iter(problem.errors.items()))
        return Problem(422, "invalid", sentence, name[:60])
    if isinstance(problem, ValidationError):
        return _invalid(problem.errors)
    return _of_the_framework(problem)


def not_found() -> Problem:
    """404: it is not there, or not yours to know of."""
    return Problem(404, "not_found", _("There is nothing here."))


def not_yours() -> Problem:
    """403: it belongs to somebody else, or the role does not allow it."""
    return Problem(403, "not_yours", _("Your role in this team does not let you change this."))


def of_form(form: BaseForm) -> Problem:
    """422: the first value that a form of the pages refuses."""
    name, sentences = next(iter(form.errors.items()))
    return Problem(422, "invalid", str(sentences[0]), "" if name == NON_FIELD_ERRORS else name)


def on_one_line(text: str) -> str:
    """A name with single spaces between its words; Problem (422) if it has none."""
    words = " ".join(text.split())
    if not words:
        raise Problem(422, "invalid", _("Fill in this field."), "name")
    return words


def no_such_method(allowed: str) -> Problem:
    """405: the address knows other methods."""
    said = _("This address does not know that method.")
    return Problem(405, "method_not_allowed", said, headers={"Allow": allowed} if allowed else {})


def _of_the_framework(problem: Exception) -> Problem | None:
    if isinstance(problem, Http404 | ObjectDoesNotExist):
        return not_found()
    if isinstance(problem, PermissionDenied):
        return Problem(403, "forbidden", str(problem) or _("Your role in this team does not allow this."))
    if isinstance(problem, HttpError) and isinstance(problem.__context__, RequestDataTooBig):
        return of(problem.__context__)
    if isinstance(problem, HttpError):
        return Problem(problem.status_code, "bad_request", _("This body cannot be read."))
    if isinstance(problem, BadRequest | SuspiciousOperation | MultiPartParserError | RecursionError):
        return Problem(400, "bad_request", _("This body cannot be read."))
    return None


def _headers(problem: Exception, status: int) -> dict[str, str]:
    if isinstance(problem, api_rate_limit.TooManyRequests):
        return problem.allowance.headers
    return {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "10"}}.get(status, {})


def _invalid(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """The first value that has not the type that is asked for."""
    first = errors[0]
    place = [str(part) for part in first.get("loc", ()) if part not in {"body", "query", "path", "form"}]
    named = ".".join(place[1:] if place[:1] == ["payload"] else place)[:100]
    return Problem(422, "invalid", str(first.get("msg", ""))[:300], named)
