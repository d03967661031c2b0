"""What goes in and comes out about credits, models and the people of a team."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Field, Schema

from generations.api.v1.schemas.library import Credits, Given, Id, Some, Text

Roles = Literal["owner", "administrator", "member", "viewer"]


class TokenOut(Schema):
    """The token that asks."""

    name: str
    hint: str
    scopes: list[str] = Field(description="Those that the member's role allows now.")
    expires_at: datetime | None
    cap: Credits | None = Field(description="What it may ever spend.")
    used: Credits = Field(description="What it has spent and holds.")
    models: list[str] = Field(description="Those it may use; empty for all.")


class MeOut(Schema):
    """For whom the token acts."""

    member: str
    role: Roles
    kind: Literal["person", "program"]
    team: str
    team_address: str
    token: TokenOut


class CapOut(Schema):
    period: Literal["day", "month"]
    cap: Credits
    used: Credits
    left: Credits
    renews_at: datetime


class CreditsOut(Schema):
    """The member's wallet."""

    balance: Credits
    held: Credits = Field(description="Set aside for pictures that are not there yet.")
    available: Credits
    caps: list[CapOut]


class LineOut(Schema):
    """One line of the ledger; what leaves the wallet is negative."""

    number: int
    kind: str
    amount: Credits
    model: str
    note: str
    reference: Id
    generation: Id | None
    created_at: datetime


class LinePage(Schema):
    items: list[LineOut]
    next: str | None = Field(description="The address of the next page, if there is one.")


class ModelOut(Schema):
    """A model, with what it takes and costs."""

    name: str
    title: str
    clause: str
    price: Credits = Field(description="One picture, before options that cost more.")
    available: bool = Field(description="A provider serves it, and this token may use it.")
    sizes: dict[str, list[int]]
    languages: list[str]
    fields: list[dict[str, Any]]


class MemberOut(Schema):
    id: int
    name: str
    email: str | None
    kind: Literal["person", "program"]
    role: Roles
    weight: int
    balance: Credits
    held: Credits
    joined_at: datetime
    seen_at: datetime | None
    links: dict[str, str]


class MemberPage(Schema):
    items: list[MemberOut]
    next: str | None = Field(description="The address of the next page, if there is one.")


class Page(Schema):
    page: int = Field(1, ge=1, le=1_000_000)


class MemberSearch(Page):
    q: Text = Field("", max_length=100)


class TeamOut(Schema):
    name: str
    address: str
    time_zone: str
    pool: Credits
    people: int
    programs: int


class MemberChange(Given):
    """What is left out stays as it is."""

    role: Roles | None = None
    weight: int | None = Field(None, ge=1, le=10)


class GiftIn(Given):
    credits: Some
    note: Text = Field("", max_length=400)


class ProgramIn(Given):
    name: Text = Field(min_length=1, max_length=120)
