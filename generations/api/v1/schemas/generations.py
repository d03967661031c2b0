"""Generations and batches. What may be requested follows from the catalogue of models."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from typing import TYPE_CHECKING, Annotated, Any, Literal

from ninja import Field, Schema
from pydantic import create_model

from generations.api.v1.schemas.base import Credits, Id, Links, Next, RequestBody, Text, Visibility
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Field as CatalogueField

Status = Literal["queued", "running", "submitted", "storing", "succeeded", "failed", "filtered", "canceled"]
OutputKind = Literal["image", "svg", "text", "file", "style"]

MAX_INPUTS = 100  # of one role, whatever the model: a bound for what is looked up
FEW = 4  # models that a description names
# What programs should know besides the help of a field's declaration: description and example.
DETAILS: dict[str, tuple[str, Any]] = {
    "prompt": ("What the image should show.", "a quiet harbour at dawn"),
    "negative_prompt": ("What the image should not show.", None),
    "aspect_ratio": ("Width to height. The model determines the size in pixels.", "16:9"),
    "seed": (
        "Seed of the first image; further images of the batch use seed + 1, seed + 2 and so on. "
        "Omit it for a random seed.",
        42,
    ),
    "style_preset": ("One of the model's styles.", None),
    "output_format": ("File format of the images.", "png"),
    "cfg_scale": ("How strictly the image follows the prompt.", None),
    "steps": ("Number of diffusion steps.", None),
    "strength": ("How far to depart from the input image: 0 returns it unchanged, 1 ignores it.", None),
}


class GenerationRequest(RequestBody):
    """What to generate. `GET /models` lists the fields and inputs of each model and their limits."""

    model: Text = Field(description="Name of a model, as listed by `GET /models`.", examples=["core"])
    count: int = Field(1, ge=1, le=10, description="Number of images.")
    visibility: Visibility | None = Field(
        None, description="Who sees the images: `team` or `private`. Omit it for the member's default."
    )
    inputs: dict[Text, Annotated[list[Id], Field(max_length=MAX_INPUTS)]] | None = Field(
        None,
        description="Images that go with the request, by role: ids of uploads, from `POST /uploads`, or of "
        "images of the library. `GET /models` lists the roles of each model.",
        examples=[{"image": ["01990a3c-7b52-7c11-9d0e-5f6a7b8c9d0e"]}],
        max_length=20,
    )
    start_image: Id | None = Field(
        None,
        description="The only image in the role `image`: the same as `inputs` with one id there.",
    )
    parent: Id | None = Field(None, description="Id of the image of the library that this request continues.")
    action: Text | None = Field(
        None,
        description="Name of a next step that `parent` offers. The other fields are then those of `parent`.",
    )


def _values(name: str, fields: Sequence[CatalogueField]) -> tuple[Any, Any]:
    """The type of a field in a request, with None for one that is omitted, and its description."""
    types = {Text if field.value_type is str else field.value_type: None for field in fields}
    description, example = DETAILS.get(name, (fields[0].help or f"{fields[0].title}.", None))
    models = [model.name for model in catalogue_registry.MODELS.values() if model.takes(name)]
    if len(models) <= FEW:
        description += f" Of {', '.join(f'`{model}`' for model in models)}."
    examples = [] if example is None else [example]
    return reduce(operator.or_, types) | None, Field(None, description=description, examples=examples)


if TYPE_CHECKING:
    GenerationIn = GenerationRequest
else:
    GenerationIn = create_model(
        "GenerationIn",
        __base__=GenerationRequest,
        __doc__=GenerationRequest.__doc__,
        **{name: _values(name, fields) for name, fields in catalogue_registry.fields_by_name().items()},
    )


class OutputOut(Schema):
    """One result of a generation."""

    kind: OutputKind = Field(
        description="`image` (PNG, JPEG, WebP or GIF), `svg`, `text`, `file` for another format, or `style` "
        "for a style that other models draw in."
    )
    media_type: str = Field(description="Such as image/png.", examples=["image/png"])
    image: Id = Field(description="Id of the result in the library: `GET /images/{pk}/original` returns it.")
    text: str | None = Field(
        None, description="The text, if the kind is `text`; of a `style` the value by which fields name it."
    )


class GenerationOut(Schema):
    """One requested image and its progress."""

    id: Id
    batch: Id = Field(description="Id of the batch that it belongs to.")
    position: int = Field(description="Position in the batch.")
    status: Status = Field(
        description="`queued`, `running`, `submitted` (the provider has accepted it and works on it) and "
        "`storing` are in progress. The others are final: `succeeded`; `failed`; `filtered` by the "
        "provider's content filter; `canceled`."
    )
    model: str
    parameters: dict[str, Any] = Field(description="The fields that were sent, with the seed of this image.")
    inputs: dict[str, list[Id]] = Field(description="Uploads that go with the request, by role.")
    price: Credits = Field(description="Credits charged if the image succeeds.")
    progress: int | None = Field(
        description="Percent, if it is `submitted` and the provider says it; else null."
    )
    message: str = Field(description="What the provider says while it is `submitted`; else empty.")
    code: str = Field(description="Why there is no image, for programs; empty otherwise.")
    reason: str = Field(description="Why there is no image, for people; empty otherwise.")
    retry_of: Id | None = Field(description="Id of the generation that this one retries.")
    created_at: datetime
    ended_at: datetime | None = Field(description="When it reached a final status.")
    image: Id | None = Field(description="Id of the first result in the library, once it has succeeded.")
    outputs: list[OutputOut] = Field(description="All results, once it has succeeded.")
    links: Links


class BatchOut(Schema):
    """The generations of one request."""

    id: Id
    model: str
    parameters: dict[str, Any] = Field(description="The fields that were sent.")
    inputs: dict[str, list[Id]] = Field(
        description="Uploads that go with the request, by role, as the model takes them: an image that is "
        "too large for it is made smaller."
    )
    count: int = Field(description="Number of images that were requested.")
    visibility: Visibility
    start_image: Id | None = Field(description="The first upload in the role `image`.")
    parent: Id | None = Field(description="Id of the image of the library that the request continues.")
    action: str = Field(description="The next step of `parent` that was requested; empty for none.")
    created_at: datetime
    finished: bool = Field(description="Whether all generations have reached a final status.")
    generations: list[GenerationOut] = Field(description="In order; a retried one is replaced by its retry.")
    links: Links


class GenerationPage(Schema):
    """A page of generations."""

    items: list[GenerationOut]
    next: Next
