"""Tokens, credits, models, the team and its members."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ninja import Field, Schema

from generations.api.v1.schemas.base import (
    Credits,
    Id,
    Links,
    Next,
    PositiveCredits,
    RequestBody,
    RoleName,
    Text,
)


class TokenOut(Schema):
    """The API token of this request."""

    name: str
    hint: str = Field(description="First and last characters of the token.")
    scopes: list[str] = Field(description="Scopes of the token that the member's role allows now.")
    expires_at: datetime | None = Field(description="null if it does not expire.")
    cap: Credits | None = Field(description="Credits that it may spend in total; null for no cap.")
    used: Credits = Field(description="Credits that it has spent or that are on hold.")
    models: list[str] = Field(description="Models that it may use; empty for all.")


class MeOut(Schema):
    """The member for whom the token acts."""

    member: str = Field(description="Name of the member.")
    role: RoleName
    kind: Literal["person", "program"]
    team: str = Field(description="Name of the team.")
    team_address: str = Field(description="The team's name in URLs.")
    token: TokenOut


class CapOut(Schema):
    """A cap on what a member spends in a day or a month."""

    period: Literal["day", "month"]
    cap: Credits
    used: Credits = Field(description="Credits spent or on hold in this period.")
    left: Credits = Field(description="Credits that may still be spent in this period.")
    renews_at: datetime = Field(description="When the next period begins.")


class CreditsOut(Schema):
    """The wallet of a member."""

    balance: Credits = Field(description="All credits of the wallet, including those on hold.")
    held: Credits = Field(description="Credits on hold for images that are in progress.")
    available: Credits = Field(description="Credits that can be spent: the balance without holds.")
    caps: list[CapOut]


class LineOut(Schema):
    """An entry of the ledger. The amount is negative if credits left the wallet."""

    number: int = Field(description="Number of the entry; later entries have higher numbers.")
    kind: str = Field(description="Kind of transfer, such as grant, charge or refund.")
    amount: Credits
    model: str = Field(description="Model of the charged image; empty for other entries.")
    note: str
    reference: Id = Field(description="Identifies the transfer.")
    generation: Id | None = Field(description="Id of the generation that was charged or refunded.")
    created_at: datetime


class LinePage(Schema):
    """A page of ledger entries."""

    items: list[LineOut]
    next: Next


class MemberOut(Schema):
    """A person or program in the team."""

    id: int
    name: str
    email: str | None = Field(description="null for a program.")
    kind: Literal["person", "program"]
    role: RoleName
    weight: int = Field(description="Share of the queue, relative to other members: 1 to 10.")
    balance: Credits = Field(description="All credits of the wallet, including those on hold.")
    held: Credits = Field(description="Credits on hold for images that are in progress.")
    joined_at: datetime
    seen_at: datetime | None = Field(description="When the member last used the portal.")
    links: Links


class MemberPage(Schema):
    """A page of members."""

    items: list[MemberOut]
    next: Next


class Page(Schema):
    """Which page to list."""

    page: int = Field(1, ge=1, le=1_000_000, description="Number of the page, from 1.")


class MemberSearch(Page):
    """Which members to list."""

    q: Text = Field("", max_length=100, description="Words in the name or e-mail address.")


class TeamOut(Schema):
    """The team."""

    name: str
    address: str = Field(description="The team's name in URLs.")
    time_zone: str = Field(examples=["Europe/Berlin"])
    pool: Credits = Field(description="Credits that can be granted to members.")
    people: int
    programs: int


class MemberChange(RequestBody):
    """Changes to a member. Omitted fields do not change."""

    role: RoleName | None = None
    weight: int | None = Field(
        None, ge=1, le=10, description="Share of the queue, relative to other members."
    )


class GiftIn(RequestBody):
    """An amount of credits to grant or take back."""

    credits: PositiveCredits
    note: Text = Field("", max_length=400, description="Shown in the ledger.")


class ProgramIn(RequestBody):
    """A program to create."""

    name: Text = Field(min_length=1, max_length=120, examples=["shop"])
