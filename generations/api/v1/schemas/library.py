"""Generations, batches, images, tags, collections and start images."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Field, Schema

from generations.api.v1.schemas.base import Credits, Id, Links, Next, RequestBody, Text, Visibility

Status = Literal["queued", "running", "storing", "succeeded", "failed", "filtered", "canceled"]


class GenerationIn(RequestBody):
    """What to generate. `GET /models` lists the fields of each model and their limits."""

    model: Text = Field(description="Name of a model, as listed by `GET /models`.", examples=["core"])
    prompt: Text = Field(description="What the image should show.", examples=["a quiet harbour at dawn"])
    negative_prompt: Text | None = Field(None, description="What the image should not show.")
    aspect_ratio: Text | None = Field(
        None, description="Width to height. The model determines the size in pixels.", examples=["16:9"]
    )
    seed: int | None = Field(
        None,
        description="Seed of the first image; further images of the batch use seed + 1, seed + 2 and so on. "
        "Omit it for a random seed.",
        examples=[42],
    )
    style_preset: Text | None = Field(None, description="One of the model's styles.")
    output_format: Text | None = Field(None, description="File format of the images.", examples=["png"])
    cfg_scale: float | None = Field(None, description="How strictly the image follows the prompt.")
    steps: int | None = Field(None, description="Number of diffusion steps.")
    strength: float | None = Field(
        None,
        description="How far to depart from the start image: 0 returns it unchanged, 1 ignores it.",
    )
    start_image: Id | None = Field(
        None,
        description="Id of a start image for image to image, from `POST /uploads` or "
        "`POST /images/{pk}/upload`.",
    )
    count: int = Field(1, ge=1, le=10, description="Number of images.")
    visibility: Visibility | None = Field(
        None, description="Who sees the images: `team` or `private`. Omit it for the member's default."
    )


class GenerationOut(Schema):
    """One requested image and its progress."""

    id: Id
    batch: Id = Field(description="Id of the batch that it belongs to.")
    position: int = Field(description="Position in the batch.")
    status: Status = Field(
        description="`queued`, `running` and `storing` are in progress. The others are final: `succeeded`; "
        "`failed`; `filtered` by the provider's content filter; `canceled`."
    )
    model: str
    parameters: dict[str, Any] = Field(description="The fields that were sent, with the seed of this image.")
    price: Credits = Field(description="Credits charged if the image succeeds.")
    code: str = Field(description="Why there is no image, for programs; empty otherwise.")
    reason: str = Field(description="Why there is no image, for people; empty otherwise.")
    retry_of: Id | None = Field(description="Id of the generation that this one retries.")
    created_at: datetime
    ended_at: datetime | None = Field(description="When it reached a final status.")
    image: Id | None = Field(description="Id of the image in the library, once it has succeeded.")
    links: Links


class BatchOut(Schema):
    """The generations of one request."""

    id: Id
    model: str
    parameters: dict[str, Any] = Field(description="The fields that were sent.")
    count: int = Field(description="Number of images that were requested.")
    visibility: Visibility
    start_image: Id | None
    created_at: datetime
    finished: bool = Field(description="Whether all generations have reached a final status.")
    generations: list[GenerationOut] = Field(description="In order; a retried one is replaced by its retry.")
    links: Links


class GenerationPage(Schema):
    """A page of generations."""

    items: list[GenerationOut]
    next: Next


class ImageOut(Schema):
    """An image in the library."""

    id: Id
    title: str
    prompt: str
    negative_prompt: str
    model: str
    parameters: dict[str, Any] = Field(description="The fields with which it was generated.")
    seed: int | None
    width: int = Field(description="In pixels.")
    height: int = Field(description="In pixels.")
    bytes: int = Field(description="Size of the original file.")
    media_type: str = Field(description="Of the original file, such as image/png.")
    sha256: str = Field(description="Hash of the original file, in hex.")
    visibility: Visibility
    origin: str = Field(description="How it came into the library, such as generated or uploaded.")
    owner: str = Field(description="Name of the member who owns it.")
    tags: list[str]
    liked: bool = Field(description="Whether it is one of the member's favourites.")
    generation: Id | None
    batch: Id | None
    created_at: datetime
    trashed_at: datetime | None = Field(description="When it was moved to the trash; null if it was not.")
    links: Links


class ImagePage(Schema):
    """A page of images."""

    items: list[ImageOut]
    next: Next


class ImageSearch(Schema):
    """Filters of the library. Invalid values are ignored."""

    q: Text = Field("", description='Words in any order, "phrases", and -words that must not occur.')
    model: list[str] = Field([], description="Names of models; an image of any of them matches.")
    operation: list[str] = Field(
        [], description="Operations such as `generate` or `upscale`; an image made by any of them matches."
    )
    style: list[str] = Field([], description="Style presets; an image with any of them matches.")
    shape: list[str] = Field([], description="Aspect ratios such as 16:9; an image with any of them matches.")
    who: list[str] = Field([], description="Ids of members; an image of any of them matches.")
    tag: list[str] = Field([], description="Tags; only images with all of them match.")
    seed: str = Field("", description="Exactly this seed.")
    since: str = Field("", description="First day, in the team's time zone, such as 2026-01-31.")
    until: str = Field("", description="Last day, in the team's time zone.")
    collection: str = Field("", description="Id of a collection.")
    batch: str = Field("", description="Id of a batch.")
    liked: str = Field("", description="`1` for only the member's favourites.")
    order: str = Field("", description="`oldest` to list the oldest images first.")


class FileWanted(Schema):
    """Which file of an image to download."""

    format: Literal["original", "png", "jpeg", "webp", "stored"] = Field(
        "original",
        description="Keep the `original` format, convert to another, or send the file exactly as `stored`.",
    )
    parameters: bool = Field(True, description="Whether to write the prompt and parameters into the file.")


class ImageChange(RequestBody):
    """Changes to an image. Omitted fields do not change."""

    title: Text | None = Field(None, description="New title; empty for none.")
    visibility: Visibility | None = Field(None, description="Who sees it: `team` or `private`.")


class TagIn(RequestBody):
    """A tag to add."""

    name: Text = Field(examples=["harbour"])


class TagOut(Schema):
    """A tag of the team."""

    name: str
    uses: int = Field(description="Number of images with this tag.")


class CollectionIn(RequestBody):
    """Name and visibility of a collection."""

    name: Text = Field(examples=["Postcards"])
    visibility: Visibility = "team"


class CollectionOut(Schema):
    """A collection of images."""

    id: Id
    name: str
    visibility: Visibility
    owner: str = Field(description="Name of the member who owns it.")
    changed_at: datetime
    links: Links


class UploadOut(Schema):
    """A start image, after its file was checked, rotated upright, stripped of metadata and re-encoded."""

    id: Id = Field(description="Send it as `start_image` to `POST /generations`.")
    width: int = Field(description="In pixels.")
    height: int = Field(description="In pixels.")
    bytes: int = Field(description="Size of the file.")
    media_type: str
