"""Models with their fields and inputs."""

from __future__ import annotations

from typing import Any, Literal

from ninja import Field, Schema

from generations.api.v1.schemas.base import Credits
from generations.api.v1.schemas.generations import OutputKind


class FieldOut(Schema):
    """A field of a model. Which limits it has depends on its kind."""

    name: str = Field(description="Send it under this name to `POST /generations`.", examples=["seed"])
    title: str = Field(description="What pages call it, in English.")
    help: str = Field(description="A sentence for people; may be empty.")
    kind: str = Field(
        description="`text`, `choice`, `number`, `whole number`, `flag` (true or false), `colors` (`#rrggbb` "
        "with spaces between) or `image`.",
        examples=["whole number"],
    )
    required: bool = Field(description="Whether it must be sent `when` it is used.")
    default: Any = Field(description="What the provider uses if it is omitted; null if that is not known.")
    when: Literal["always", "with an image", "without an image"] = Field(
        description="Whether it is used with or without an input in the role `image`."
    )
    choices: list[str] = Field([], description="The values of a `choice`; the team's own styles come last.")
    titles: dict[str, str] = Field({}, description="What the team calls its own styles, by their values.")
    minimum: float = Field(0, description="The smallest `number` or `whole number`.")
    maximum: float = Field(0, description="The largest `number` or `whole number`.")
    max_length: int = Field(0, description="The longest `text`, in characters.")
    max_colors: int = Field(0, description="How many `colors` there may be.")
    type: str = Field(description="The same as `kind`.", deprecated=True)
    longest: int = Field(0, description="The same as `max_length`.", deprecated=True)


class InputOut(Schema):
    """The images of one role that a model takes."""

    role: str = Field(
        description="Send ids under this name in `inputs` of `POST /generations`.", examples=["mask"]
    )
    title: str = Field(description="What pages call it, in English.")
    help: str = Field(description="A sentence for people; may be empty.")
    minimum: int = Field(description="The least number of images; 0 if it may be omitted.")
    maximum: int = Field(description="The largest number of images.")
    media_types: list[str] = Field(description="Formats that the provider gets; uploads are converted.")
    max_bytes: int = Field(description="Largest file that the provider gets.")
    max_pixels: int | None = Field(description="Larger images are made smaller; null for no limit.")
    min_side: int = Field(description="The smallest width and height, in pixels.")
    max_ratio: float | None = Field(
        description="Of the longer side to the shorter one, at most; null for no limit."
    )


class ModelOut(Schema):
    """A model: what it does, its price, its fields and its inputs."""

    name: str = Field(description="Send it as `model` to `POST /generations`.", examples=["core"])
    title: str
    system: str = Field(description="Whose model it is.", examples=["stability"])
    operation: str = Field(description="What it does.", examples=["generate", "upscale"])
    output: OutputKind = Field(description="The kind of its results.")
    clause: str = Field(description="A short description.")
    price: Credits = Field(description="Price of one image for this team, without options that cost extra.")
    available: bool = Field(description="Whether a provider serves it and this token may use it.")
    sizes: dict[str, list[int]] = Field(
        description="Width and height in pixels by aspect ratio; empty if other things decide the size."
    )
    languages: list[str] = Field(description="Languages of prompts that the model understands; empty: any.")
    fields: list[FieldOut] = Field(
        description="Fields that the model accepts. An entry `start_image` of the kind `image` stands for "
        "the input in the role `image`, for programs that do not know `inputs`."
    )
    inputs: list[InputOut] = Field(description="Images that the model takes, by role.")
