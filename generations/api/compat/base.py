"""What every wire format gives to the door that all calls come through (`wire`)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from generations.api.compat import errors as compat_errors
from generations.api.compat.errors import Problem
from generations.library.storage import client as storage_client

if TYPE_CHECKING:
    from generations.jobs.models import Generation
    from generations.library.models import Image


@dataclass(frozen=True)
class Request:
    """A call whose body has arrived: what of its address varies, its headers by lower name, its bytes."""

    parts: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Wish:
    """What is to be drawn, in the catalogue's words, and how the answer is to look."""

    model: str
    parameters: Mapping[str, Any]
    count: int = 1
    image: bytes | None = None
    image_name: str = ""
    answer: str = ""  # a format's own name for it


@dataclass(frozen=True)
class Result:
    """A generation that ended, and its picture, if it has one."""

    row: Generation
    image: Image | None = None
    failure: Problem | None = None

    @property
    def seed(self) -> int:
        """The seed it was drawn with; 0 if nobody knows."""
        known = self.image.seed if self.image else None
        return known or self.row.parameters.get("seed") or 0

    def read(self) -> bytes:
        """The picture's bytes. Problem (503) if storage is away."""
        if self.image is None:
            raise self.failure or compat_errors.internal_error()
        try:
            return storage_client.read(self.image.key)
        except storage_client.StorageUnavailable as problem:
            raise compat_errors.unavailable(str(problem)) from problem


@dataclass(frozen=True)
class Answer:
    """What goes back over the wire."""

    status: int
    body: bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class Format(Protocol):
    """One way to ask for pictures and to be answered."""

    patience: float  # seconds until a call that waits is told to ask later

    def read(self, request: Request) -> Wish:
        """What is asked for; Problem (400, 404) if that is not clear."""

    def draw(self, wish: Wish, results: Sequence[Result]) -> Answer:
        """The answer once all have ended. Raises Problem where there is no picture to give."""

    def refuse(self, problem: Problem, request_id: str) -> Answer:
        """A refusal or failure in this format."""


def as_json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """A JSON document."""
    return Answer(status, json.dumps(value).encode(), headers=headers or {})


def one_picture(results: Sequence[Result]) -> Result:
    """The result of a call for one; Problem if it has no picture to show."""
    result = results[0]
    if result.failure:
        raise result.failure
    return result
