"""Images, tags, collections and uploads."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Field, Schema

from generations.api.v1.schemas.base import Id, Links, Next, RequestBody, Text, Visibility
from generations.api.v1.schemas.generations import OutputKind


class ActionOut(Schema):
    """A next step that an image offers."""

    name: str
    title: str


class ImageOut(Schema):
    """An image in the library, or what else a model made."""

    id: Id
    kind: OutputKind = Field(description="`image`, `svg`, `text`, or `file` for another format.")
    parent: Id | None = Field(description="Id of the image that it was made from.")
    actions: list[ActionOut] = Field(
        description="Next steps that it offers: send the name of one as `action` to `POST /generations`."
    )
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

    q: Text = Field(
        "",
        description='Words in any order, "phrases", and -words that must not occur. A word of three'
        " letters or more finds those that begin with it too.",
    )
    model: list[str] = Field([], description="Names of models; an image of any of them matches.")
    operation: list[str] = Field(
        [], description="Operations such as `generate` or `upscale`; an image made by any of them matches."
    )
    style: list[str] = Field([], description="Style presets; an image with any of them matches.")
    shape: list[str] = Field([], description="Aspect ratios such as 16:9; an image with any of them matches.")
    who: list[str] = Field([], description="Ids of members; an image of any of them matches.")
    tag: list[str] = Field([], description="Tags; only images with all of them match.")
    seed: str = Field("", description="Exactly this seed.")
    since: str = Field(
        "",
        description="First day, such as 2026-01-31, in the time zone of the token's member or the team.",
    )
    until: str = Field("", description="Last day, in the same time zone.")
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
    """An upload, after its file was checked, rotated upright, stripped of metadata and re-encoded."""

    id: Id = Field(description="Send it in `inputs`, or as `start_image`, to `POST /generations`.")
    width: int = Field(description="In pixels.")
    height: int = Field(description="In pixels.")
    bytes: int = Field(description="Size of the file.")
    media_type: str
    has_alpha: bool = Field(description="Whether a part of it is transparent.")
