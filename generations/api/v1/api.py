"""The NinjaAPI of /api/v1 with all its routers, and the OpenAPI document."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema

from generations.api.v1 import billing, catalogue, generations, images, invitations, openapi, team, tokens
from generations.api.v1 import errors as v1_errors
from generations.api.v1 import me as v1_me
from generations.api.v1 import organise as v1_organise
from generations.api.v1 import reports as v1_reports
from generations.api.v1 import saved_prompts as v1_saved_prompts
from generations.api.v1.auth import Bearer


class Api(NinjaAPI):
    """NinjaAPI with fixed operation ids, and with descriptions and examples of errors."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """Return the OpenAPI document."""
        document: OpenAPISchema = super().get_openapi_schema(**options)
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                operation["operationId"] = openapi.OPERATION_IDS[f"{method.upper()} {path}"]
        openapi.add_descriptions(document)
        return document


api = Api(
    title="sdweb",
    version="1",
    description=openapi.ABOUT,
    urls_namespace="v1",
    docs_url=None,
    auth=Bearer(),
)
for module in (
    generations,
    images,
    v1_organise,
    v1_saved_prompts,
    v1_me,
    catalogue,
    team,
    billing,
    invitations,
    tokens,
    v1_reports,
):
    api.add_router("", module.router)
for exception in (Exception, Http404, HttpError, ValidationError):  # replaces ninja's own handlers
    api.add_exception_handler(exception, v1_errors.respond)
