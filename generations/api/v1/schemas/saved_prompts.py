"""Saved prompts: a request under a name, and an order with it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from ninja import Field, Schema

from generations.api.v1.schemas.base import Id, Links, Next, RequestBody, Text, Visibility
from generations.api.v1.schemas.generations import MAX_INPUTS
from generations.api.v1.schemas.team import Page

MAX_PARAMETERS = 100
Inputs = dict[Text, Annotated[list[Id], Field(max_length=MAX_INPUTS)]]
Value = bool | int | float | Text


class SavedPromptSearch(Page):
    """Which saved prompts to list."""

    q: Text = Field("", max_length=200, description="Words in the name.")


class SavedPromptIn(RequestBody):
    """A request under a name. It is checked by its model's fields; what is required may still be missing."""

    name: Text = Field(examples=["Harbours"])
    visibility: Visibility = "private"
    model: Text = Field(description="Name of a model, as listed by `GET /models`.", examples=["core"])
    parameters: dict[Text, Value] = Field(
        {},
        description="Fields of the model by name.",
        examples=[{"prompt": "a quiet harbour at dawn"}],
        max_length=MAX_PARAMETERS,
    )
    inputs: Inputs = Field(
        {}, description="Ids of uploads or of images of the library, by role.", max_length=20
    )


class SavedPromptChange(RequestBody):
    """Changes to a saved prompt. Omitted fields do not change."""

    name: Text | None = Field(None, description="New name.")
    visibility: Visibility | None = Field(None, description="Who sees it: `team` or `private`.")


class SavedPromptOrder(RequestBody):
    """How many images to generate with a saved prompt, and what to do otherwise than it says."""

    count: int = Field(1, ge=1, le=10, description="Number of images.")
    visibility: Visibility | None = Field(
        None, description="Who sees the images: `team` or `private`. Omit it for the member's default."
    )
    parameters: dict[Text, Value | None] = Field(
        {},
        description="Fields of the model that take the place of those saved; null leaves a saved one out.",
        max_length=MAX_PARAMETERS,
    )
    inputs: Inputs = Field(
        {}, description="Images by role, in place of those saved for the role.", max_length=20
    )


class SavedPromptOut(Schema):
    """A saved prompt."""

    id: Id
    name: str
    visibility: Visibility
    owner: str = Field(description="Name of the member who owns it.")
    model: str = Field(description="Name of its model; empty if none was chosen.")
    parameters: dict[str, Any] = Field(description="Fields of the model by name.")
    inputs: dict[str, list[Id]] = Field(
        description="Ids of uploads or of images, by role. Not all of them need be there for who reads this."
    )
    created_at: datetime
    links: Links


class SavedPromptPage(Schema):
    """A page of saved prompts."""

    items: list[SavedPromptOut]
    next: Next
