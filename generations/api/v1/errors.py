"""Which error of /api/v1 an exception becomes."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
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
from generations.api.v1.error_format import ApiError, not_found
from generations.credits import ledger
from generations.jobs import model_access, pricing, submission
from generations.jobs.create import saved_prompts
from generations.jobs.engine import operator_actions
from generations.library.bulk import actions as bulk_actions
from generations.library.images import service as images_service
from generations.library.imaging import decode as imaging_decode
from generations.library.organise import service as organise_service
from generations.library.storage import client as storage_client
from generations.library.uploads import input_images
from generations.office.invitations import service as invitations_service
from generations.office.tokens import service as tokens_service
from generations.providers.catalogue.registry import InvalidParameters, UnknownModel
from generations.teams import api_tokens as teams_api_tokens
from generations.teams import membership
from generations.teams.invitation_links import InvitationInvalid

log = logging.getLogger(__name__)


# Status and code of each exception, subclasses before their base classes.
ERRORS: Sequence[tuple[type[Exception], int, str]] = (
    (auth.Unauthorized, 401, "unauthorized"),
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
    (tokens_service.ExceedsParentToken, 403, "beyond_token"),
    (tokens_service.TokenNoLongerValid, 409, "token_over"),
    (tokens_service.TooManyTokens, 409, "too_many_tokens"),
    (teams_api_tokens.ScopeNotAllowed, 422, "invalid"),
    (InvitationInvalid, 409, "invitation_over"),
    (invitations_service.NotMailed, 503, "mail_unavailable"),
    (pricing.RetryPriceRose, 409, "dearer_now"),
    (pricing.PriceRose, 409, "price_rose"),
    (submission.NoUpstream, 503, "no_upstream"),
    (storage_client.StorageUnavailable, 503, "storage_unavailable"),
    (OperationalError, 503, "busy"),
    (storage_client.ObjectMissing, 404, "not_found"),
    (input_images.BadUpload, 422, "bad_upload"),
    (imaging_decode.Unreadable, 422, "unreadable"),
    (imaging_decode.DecodingBusy, 503, "busy"),
    (bulk_actions.InvalidBulkAction, 422, "invalid"),
    (organise_service.InvalidName, 422, "invalid"),
    (saved_prompts.CannotSave, 422, "cannot_save"),
    (organise_service.NotOwner, 403, "not_yours"),
    (images_service.TitleTooLong, 422, "invalid"),
    (membership.LastOwner, 409, "last_owner"),
    (membership.ProgramNameTaken, 409, "name_taken"),
    (operator_actions.InvalidWeight, 422, "invalid"),
    (UnknownModel, 422, "unknown_model"),
    (RequestDataTooBig, 413, "too_large"),
)
# The field that an exception is about.
FIELDS: Mapping[type[Exception], str] = {
    UnknownModel: "model",
    teams_api_tokens.ScopeNotAllowed: "scopes",
    input_images.BadUpload: "image",
    organise_service.InvalidName: "name",
    images_service.TitleTooLong: "title",
    operator_actions.InvalidWeight: "weight",
}


def respond(request: HttpRequest, problem: Any) -> HttpResponse:
    """Return an exception as JSON; an unexpected one is logged and becomes a 500."""
    error = from_exception(problem)
    if error is None:
        log.error("An API request failed", exc_info=problem)
        error = ApiError(500, "internal_error", _("An unexpected error occurred. It was logged."))
    return error.response()


def from_exception(problem: Exception) -> ApiError | None:
    """Translate an exception; None for an unexpected one."""
    if isinstance(problem, ApiError):
        return problem
    for kind, status, code in ERRORS:
        if isinstance(problem, kind):
            message = _("The portal is busy. Try again soon.") if code == "busy" else str(problem)
            return ApiError(status, code, message, FIELDS.get(kind, ""), _headers(problem, status))
    if isinstance(problem, InvalidParameters):
        name, sentence = next(iter(problem.errors.items()))
        return ApiError(422, "invalid", sentence, name[:60])
    if isinstance(problem, ValidationError):
        return _invalid(problem.errors)
    return _from_framework(problem)


def role_does_not_allow() -> ApiError:
    """403: the member's role does not allow it, or another member owns it."""
    return ApiError(403, "not_yours", _("Your role in this team does not let you change this."))


def from_form(form: BaseForm) -> ApiError:
    """422: the first error of a Django form."""
    name, messages = next(iter(form.errors.items()))
    return ApiError(422, "invalid", str(messages[0]), "" if name == NON_FIELD_ERRORS else name)


def single_line(text: str) -> str:
    """Return a name with its whitespace collapsed; ApiError (422) if it is empty."""
    words = " ".join(text.split())
    if not words:
        raise ApiError(422, "invalid", _("Fill in this field."), "name")
    return words


def _from_framework(problem: Exception) -> ApiError | None:
    if isinstance(problem, Http404 | ObjectDoesNotExist):
        return not_found()
    if isinstance(problem, PermissionDenied):
        return ApiError(403, "forbidden", str(problem) or _("Your role in this team does not allow this."))
    if isinstance(problem, HttpError) and isinstance(problem.__context__, RequestDataTooBig):
        return from_exception(problem.__context__)
    if isinstance(problem, HttpError):
        return ApiError(problem.status_code, "bad_request", _("The body of this request cannot be read."))
    if isinstance(problem, BadRequest | SuspiciousOperation | MultiPartParserError | RecursionError):
        return ApiError(400, "bad_request", _("The body of this request cannot be read."))
    return None


def _headers(problem: Exception, status: int) -> dict[str, str]:
    if isinstance(problem, api_rate_limit.TooManyRequests):
        return problem.allowance.headers
    return {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "10"}}.get(status, {})


def _invalid(errors: Sequence[Mapping[str, Any]]) -> ApiError:
    """422: the first invalid value of the body or query."""
    first = errors[0]
    path = [str(part) for part in first.get("loc", ()) if part not in {"body", "query", "path", "form"}]
    field_name = ".".join(path[1:] if path[:1] == ["payload"] else path)[:100]
    return ApiError(422, "invalid", str(first.get("msg", ""))[:300], field_name)
