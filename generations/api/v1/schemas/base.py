"""Types that several schemas share. Credits have at most two decimals."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal

from ninja import Field, Schema
from pydantic import AfterValidator, ConfigDict


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain a NUL character")
    return text


Text = Annotated[str, AfterValidator(_without_nul)]
Id = uuid.UUID
Credits = Annotated[float, Field(description="Credits.", examples=[6.5])]
PositiveCredits = Annotated[
    float,
    Field(gt=0, le=10_000_000_000, multiple_of=0.01, description="Credits, with at most two decimals."),
]
Next = Annotated[str | None, Field(description="Path of the next page; null on the last page.")]
Links = Annotated[
    dict[str, str], Field(description="Paths of this resource and of what can be done with it.")
]
Visibility = Annotated[
    Literal["team", "private"], Field(description="Who sees it: `team`, or `private` for only its owner.")
]
RoleName = Literal["owner", "administrator", "member", "viewer"]


class RequestBody(Schema):
    """A request body. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Who(Schema):
    """A member or person."""

    id: int
    name: str


class ErrorDetail(Schema):
    """What went wrong."""

    code: str = Field(description="Identifies the error for programs. Codes never change.")
    message: str = Field(description="Explains the error to people. Messages may change.")
    field: str | None = Field(None, description="Name of the invalid field, if the error is about one.")


class Error(Schema):
    """An error. A refused request changes nothing and costs nothing."""

    error: ErrorDetail
