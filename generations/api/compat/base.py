"""What every compatible wire format implements: parse a request, write a response, write an error."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Protocol

from generations.api.compat import errors as compat_errors
from generations.api.compat.errors import CompatError
from generations.jobs import inputs as job_inputs
from generations.jobs.models import Generation
from generations.library.models import Image
from generations.library.storage import client as storage_client
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.registry import InvalidParameters

MAX_UPLOAD = 10 * 1024 * 1024  # bytes of a request with an image: docs/providers/stability.md, "Statuses"
MAX_JSON = 1024 * 1024  # bytes
# Clients on Node give up after 300 s without headers, and many of them order again then.
WAIT_SECONDS = 280.0


@dataclass(frozen=True)
class HttpRequest:
    """A request whose body has arrived: variable parts of the path, headers by lower-case name, body."""

    path_parts: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


class MaskChanges(Enum):
    """Which part of a mask stands for what shall change."""

    WHITE = "white"
    BLACK = "black"
    TRANSPARENT = "transparent"


@dataclass(frozen=True)
class InputFile:
    """A file of a request that is sent to the provider in this role."""

    role: str
    data: bytes
    name: str = ""
    mask_changes: MaskChanges = MaskChanges.WHITE  # of a mask


@dataclass(frozen=True)
class GenerationRequest:
    """What to generate, in the catalogue's names, and which kind of response to write.

    `wire_names` are the format's names of fields and roles where they differ: errors use them. With
    `is_task` the response is an id at once, with which the result is asked for later.
    """

    model: str
    parameters: Mapping[str, Any]
    count: int = 1
    files: tuple[InputFile, ...] = ()
    response_kind: str = ""  # the format's own word for it, such as b64_json
    wire_names: Mapping[str, str] = field(default_factory=dict)
    is_task: bool = False


@dataclass(frozen=True)
class Result:
    """A generation that ended, with its image or with the reason why there is none."""

    row: Generation
    image: Image | None = None
    failure: CompatError | None = None

    @property
    def seed(self) -> int:
        """The seed that was used; 0 if it is unknown."""
        known = self.image.seed if self.image else None
        return known or self.row.parameters.get("seed") or 0

    def read_image(self) -> bytes:
        """Return the bytes of the image. Raises CompatError (424) if storage is unavailable."""
        if self.image is None:
            raise self.failure or compat_errors.internal_error()
        try:
            return storage_client.read(self.image.key)
        except storage_client.StorageUnavailable as problem:
            raise compat_errors.order_goes_on("service_unavailable", str(problem)) from problem


@dataclass(frozen=True)
class Response:
    """An HTTP response."""

    status: int
    body: bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class Format(Protocol):
    """One wire format in which images can be requested."""

    max_body: int  # bytes
    timeout: float  # seconds for which a call waits for its images before it gets a 424

    def parse(self, request: HttpRequest) -> GenerationRequest:
        """Return what is asked for; CompatError (400, 404) if the request is invalid."""

    def respond(self, request: GenerationRequest, results: Sequence[Result]) -> Response:
        """Write the response once all generations have ended. Raises CompatError if there is no image."""

    def respond_error(self, error: CompatError, request_id: str) -> Response:
        """Write an error."""


def validated(request: GenerationRequest, errors: Mapping[str, str]) -> GenerationRequest:
    """Return the request with the parameters that will be sent.

    Raises CompatError (400) with a sentence for each wrong field or file, and with the format's own `errors`,
    which are by its names.
    """
    model, roles = catalogue_registry.get(request.model), Counter(file.role for file in request.files)
    found: dict[str, str] = {}
    parameters = dict(request.parameters)
    try:
        parameters = catalogue_registry.validate(model, parameters, roles=roles.keys())
        job_inputs.check_counts(model, roles)
    except InvalidParameters as problem:
        found = wire_errors(request, problem.errors)
    if found or errors:
        raise compat_errors.bad_fields(found | dict(errors))
    return replace(request, parameters=parameters)


def wire_errors(request: GenerationRequest, errors: Mapping[str, str]) -> dict[str, str]:
    """Return errors of the catalogue's fields and roles by their names in the format."""
    return {request.wire_names.get(name, name): sentence for name, sentence in errors.items()}


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Write a JSON document."""
    return Response(status, json.dumps(value).encode(), headers=headers or {})


def single_result(results: Sequence[Result]) -> Result:
    """Return the result of a call for one image; raise its CompatError if it failed."""
    result = results[0]
    if result.failure:
        raise result.failure
    return result
