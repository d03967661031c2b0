"""Results that are asked for later: Stability's `results/{id}`.

Format: docs/providers/stability.md, "Results that come later". An id stands for a batch and its member, and
can be asked for as often as one likes for a day.
"""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from generations.api.compat import errors as compat_errors
from generations.api.compat import generate as compat_generate
from generations.api.compat import stability_responses
from generations.api.compat.base import HttpRequest, Response, json_response, single_result
from generations.api.compat.errors import CompatError
from generations.api.compat.generate import Submitted
from generations.core import signed_url
from generations.jobs.models import UNFINISHED, Batch, Generation
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Scope, Token

SALT = "generations.api.results"  # ids that were given out before an upgrade are signed with it: it stays
LIFETIME = timedelta(hours=24)
ID = re.compile(r"[0-9a-f]{64}", re.ASCII)


def result_id(batch: uuid.UUID, member: int) -> str:
    """Return the id of a batch's result, 64 hexadecimal digits."""
    return batch.hex + signed_url.sign(SALT, f"{batch}/{member}").hex()


def accepted(token: Token, submitted: Submitted) -> Response:
    """Write the response to a request whose result is asked for later."""
    return json_response({"id": result_id(submitted.batch, token.membership_id)})


def find(token: Token, request: HttpRequest) -> Submitted | Response:
    """Return the finished generation of an id, or the response for one that is not finished.

    Raises CompatError (404) if there is none for this token.
    """
    name = request.path_parts["id"]
    submitted = compat_generate.of_batch(_batch(token, name))
    if Generation.objects.filter(pk__in=submitted.generations, status__in=UNFINISHED).exists():
        return json_response({"id": name, "status": "in-progress"}, 202)
    return submitted


def respond(request: HttpRequest, submitted: Submitted) -> Response:
    """Write the result as a file or in JSON; CompatError if there is none.

    A failure is final, so it never has a status with which a client would ask again. In JSON the image is in
    `image`, as documented, and in `result`, where one widely used client looks.
    """
    try:
        result = single_result(compat_generate.results(submitted))
        if stability_responses.wants_json(request.headers):
            return stability_responses.as_json(result, "result")
        return stability_responses.as_bytes(result)
    except CompatError as problem:
        raise _failure(problem) from None


def _batch(token: Token, name: str) -> uuid.UUID:
    if not ID.fullmatch(name):
        raise compat_errors.result_not_found()
    batch, signature = uuid.UUID(name[:32]), name[32:]
    rows = Batch.objects.filter(
        pk=batch, member=token.membership_id, created_at__gt=timezone.now() - LIFETIME
    )
    if not teams_api_tokens.allows(token, Scope.READ):
        rows = rows.filter(token=token)
    is_signed = signed_url.is_valid(signature, SALT, f"{batch}/{token.membership_id}")
    if not (is_signed and rows.exists()):
        raise compat_errors.result_not_found()
    return batch


def _failure(problem: CompatError) -> CompatError:
    if problem.keeps_order:  # storage does not answer
        return compat_errors.unavailable(_("The result cannot be read now. Ask for it again."))
    if problem.status == 410:  # the image was deleted
        return compat_errors.result_not_found()
    if problem.status == 424 or problem.status >= 500:
        return CompatError(400, "bad_request", problem.errors)
    return problem
