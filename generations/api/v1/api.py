"""All of /api/v1, and the document that describes it."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema

from generations.api.v1 import billing, generations, images, invitations, openapi_examples, team, tokens
from generations.api.v1 import errors as v1_errors
from generations.api.v1 import me as v1_me
from generations.api.v1 import organise as v1_organise
from generations.api.v1 import reports as v1_reports
from generations.api.v1.auth import Bearer


class Api(NinjaAPI):
    """Ninja's, whose document shows what each refusal looks like."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """The document, with examples."""
        document: OpenAPISchema = openapi_examples.added_to(super().get_openapi_schema(**options))
        return document


api = Api(
    title="sdweb",
    version="1",
    description=openapi_examples.ABOUT,
    urls_namespace="v1",
    docs_url=None,
    auth=Bearer(),
)
for room in (generations, images, v1_organise, v1_me, team, billing, invitations, tokens, v1_reports):
    api.add_router("", room.router)
for kind in (Exception, Http404, HttpError, ValidationError):  # ninja has handlers for each, of another shape
    api.add_exception_handler(kind, v1_errors.answer)
