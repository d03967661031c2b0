"""What goes in and comes out, as the OpenAPI document says it. Credits have two decimals at most."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Field, Schema
from pydantic import AfterValidator, ConfigDict


def _clean(text: str) -> str:
    if "\0" in text:
        raise ValueError("contains a character that is no text")
    return text


Text = Annotated[str, AfterValidator(_clean)]
Id = uuid.UUID
Credits = Annotated[float, Field(description="credits", examples=[6.5])]
Some = Annotated[float, Field(gt=0, le=10_000_000_000, multiple_of=0.01, description="credits, two decimals")]
Status = Literal["queued", "running", "storing", "succeeded", "failed", "filtered", "canceled"]
Seen = Literal["team", "private"]


class Given(Schema):
    """What a program sends: a field that nobody declared is a mistake, and said so."""

    model_config = ConfigDict(extra="forbid")


class ErrorDetail(Schema):
    code: str = Field(description="A word for programs; it does not change.")
    message: str = Field(description="A sentence for people.")
    field: str | None = Field(None, description="Which value is wrong, if one is.")


class Error(Schema):
    """Why a call was refused. What was refused did nothing and costs nothing."""

    error: ErrorDetail


class GenerationIn(Given):
    """What to draw. Which fields a model takes, and their limits, are told by GET /models."""

    model: Text = Field(examples=["core"])
    prompt: Text = Field(examples=["a quiet harbour at dawn"])
    negative_prompt: Text | None = None
    aspect_ratio: Text | None = Field(None, examples=["16:9"])
    seed: int | None = Field(None, description="n pictures take seed, seed + 1, ...", examples=[42])
    style_preset: Text | None = None
    output_format: Text | None = Field(None, examples=["png"])
    cfg_scale: float | None = None
    steps: int | None = None
    strength: float | None = Field(
        None, description="How far from the start image: 0 keeps it, 1 ignores it."
    )
    start_image: Id | None = Field(None, description="Of POST /uploads or POST /images/{id}/upload.")
    count: int = Field(1, ge=1, le=10, description="How many pictures.")
    visibility: Seen | None = Field(None, description="Who sees them; else as the member usually has it.")


class GenerationOut(Schema):
    """One picture that was asked for, and how far it is."""

    id: Id
    batch: Id
    position: int
    status: Status
    model: str
    parameters: dict[str, Any]
    price: Credits
    code: str = Field(description="Why no picture came, for programs; empty otherwise.")
    reason: str = Field(description="Why no picture came, for people; empty otherwise.")
    retry_of: Id | None
    created_at: datetime
    ended_at: datetime | None
    image: Id | None = Field(description="The picture, once it is there.")
    links: dict[str, str]


class BatchOut(Schema):
    """What one call asked for."""

    id: Id
    model: str
    parameters: dict[str, Any]
    count: int
    visibility: Seen
    start_image: Id | None
    created_at: datetime
    finished: bool = Field(description="Nothing more will happen to any of its generations.")
    generations: list[GenerationOut]
    links: dict[str, str]


class GenerationPage(Schema):
    items: list[GenerationOut]
    next: str | None = Field(description="The address of the next page, if there is one.")


class ImageOut(Schema):
    """A picture of the library."""

    id: Id
    title: str
    prompt: str
    negative_prompt: str
    model: str
    parameters: dict[str, Any]
    seed: int | None
    width: int
    height: int
    bytes: int
    media_type: str
    sha256: str
    visibility: Seen
    origin: str
    owner: str
    tags: list[str]
    liked: bool
    generation: Id | None
    batch: Id | None
    created_at: datetime
    trashed_at: datetime | None
    links: dict[str, str]


class ImagePage(Schema):
    items: list[ImageOut]
    next: str | None = Field(description="The address of the next page, if there is one.")


class ImageSearch(Schema):
    """What is looked for; what makes no sense is as if it were not there."""

    q: Text = Field("", description='Words in any order, "phrases", -words that must not be there.')
    model: list[str] = Field([], description="Of several one is enough.")
    style: list[str] = Field([], description="Of several one is enough.")
    shape: list[str] = Field([], description="Of several one is enough, such as 16:9.")
    who: list[str] = Field([], description="Numbers of members; of several one is enough.")
    tag: list[str] = Field([], description="Of several all are needed.")
    seed: str = ""
    since: str = Field("", description="The first day where the team is, as 2026-01-31.")
    until: str = Field("", description="The last day.")
    collection: str = Field("", description="The id of a collection.")
    batch: str = Field("", description="The id of a batch.")
    liked: str = Field("", description="1 for your favourites.")
    order: str = Field("", description="oldest to begin with the oldest.")


class FileWanted(Schema):
    """Which file of a picture."""

    format: Literal["original", "png", "jpeg", "webp", "stored"] = Field(
        "original", description="The one it came in, another, or byte for byte as it is stored."
    )
    parameters: bool = Field(True, description="Whether prompt and parameters are written into it.")


class ImageChange(Given):
    """What is left out stays as it is."""

    title: Text | None = None
    visibility: Seen | None = None


class TagIn(Given):
    name: Text = Field(examples=["harbour"])


class TagOut(Schema):
    name: str
    uses: int


class CollectionIn(Given):
    name: Text = Field(examples=["Postcards"])
    visibility: Seen = "team"


class CollectionOut(Schema):
    id: Id
    name: str
    visibility: Seen
    owner: str
    changed_at: datetime
    links: dict[str, str]


class UploadOut(Schema):
    """A start image: checked, turned upright, stripped, encoded anew."""

    id: Id
    width: int
    height: int
    bytes: int
    media_type: str
