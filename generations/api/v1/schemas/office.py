"""What goes in and comes out about running a team: caps, allowances, models, invitations and tokens."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from ninja import Field, Schema

from generations.api.v1.schemas.library import Credits, Given, Some, Text
from generations.api.v1.schemas.team import CapOut, Roles

Makers = Literal["owner", "administrator", "member"]
Scopes = Literal["generate", "read", "administer"]
Cap = Annotated[
    float,
    Field(
        ge=0,
        le=10_000_000_000,
        multiple_of=0.01,
        allow_inf_nan=False,
        description="credits, two decimals; 0 lets nothing be spent",
    ),
]
Next = Annotated[str | None, Field(description="The address of the next page, if there is one.")]


class CapsIn(Given):
    """Both are set; null is no cap."""

    per_day: Cap | None = Field(examples=[20])
    per_month: Cap | None = Field(examples=[300])


class CapsOut(Schema):
    """What a member may spend in a day and in a month of the team's calendar; null is no cap."""

    per_day: Credits | None
    per_month: Credits | None
    standing: list[CapOut] = Field(description="How far each cap is used.")


class AllowanceIn(Given):
    """What a member is given from the pool each month."""

    kind: Literal["top_up", "add"] = Field(description="Up to so many credits, or so many more.")
    credits: Some = Field(examples=[100])
    starts: Literal["now", "next"] = Field("now", description="With this month, or with the next.")


class AllowanceOut(Schema):
    """What a member is given from the pool each month; nulls for nothing."""

    kind: Literal["top_up", "add"] | None
    credits: Credits | None
    first_month: date | None
    is_given: bool = Field(description="Whether this month's was given, or there was nothing to add.")


class PriceToCome(Schema):
    price: Credits
    valid_from: datetime
    is_own: bool


class TeamModelOut(Schema):
    """A model, what it costs the team, and which roles may use it."""

    name: str
    title: str
    price: Credits = Field(description="One picture, before options that cost more.")
    since: datetime | None = Field(description="When that price began; null for the model's own.")
    is_own: bool = Field(description="Whether the price is this team's own.")
    price_everywhere: Credits = Field(description="What it costs teams without a price of their own.")
    to_come: list[PriceToCome]
    roles: list[Makers] = Field(description="Those that may use it.")
    is_served: bool = Field(description="Whether a provider serves it.")


class RulesIn(Given):
    """Those that may use a model, and no other; none closes it."""

    roles: list[Makers] = Field(max_length=10, examples=[["owner", "administrator"]])


class InvitationIn(Given):
    """What an invitation offers each who comes by it."""

    role: Roles = "member"
    credits: Some | None = Field(None, description="From the pool, for each who comes.", examples=[50])
    days: Literal[1, 7, 30, 90] = Field(7, description="How long it is good.")


class LinkIn(InvitationIn):
    uses: int = Field(1, ge=1, le=500, description="How many people it lets in.")


class MailIn(InvitationIn):
    emails: list[Text] = Field(min_length=1, max_length=50, examples=[["tom@example.org"]])


class InvitationOut(Schema):
    """An invitation that is open. Its link is told once, or mailed."""

    id: int
    email: str | None = Field(description="Whom it was mailed to; null for a link.")
    role: Roles
    credits: Credits
    uses: int
    used: int
    made_by: str | None
    created_at: datetime
    expires_at: datetime
    links: dict[str, str]


class LinkOut(InvitationOut):
    link: str = Field(description="Lets people in. It is kept nowhere, and told to the same call alone.")


class MailedOut(Schema):
    """To whom invitations were mailed, and to whom none could be: these are not invited."""

    mailed: list[str]
    not_mailed: list[str]


class InvitationPage(Schema):
    items: list[InvitationOut]
    next: Next


class Who(Schema):
    id: int
    name: str


class TokenIn(Given):
    """A token that does no more than the one that asks. What is left out is as that one has it."""

    name: Text = Field(min_length=1, max_length=120, examples=["shop"])
    scopes: list[Scopes] = Field(min_length=1, max_length=10, examples=[["generate", "read"]])
    member: int | None = Field(None, ge=1, description="A program of the team; else yourself.")
    days: int | None = Field(None, ge=1, le=3650, description="How long it is good.", examples=[30])
    cap: Some | None = Field(None, description="What it may ever spend.", examples=[100])
    models: list[Text] = Field([], max_length=50, description="Those it may use.", examples=[["core"]])


class MadeTokenOut(Schema):
    """A token of the team; its secret is never told again."""

    id: int
    name: str
    hint: str = Field(description="Its ends, to know it by.")
    member: Who
    state: Literal["good", "expired", "revoked"]
    scopes: list[str] = Field(description="Those that the member's role allows now.")
    expires_at: datetime | None
    cap: Credits | None
    used: Credits = Field(description="What it has spent and holds.")
    models: list[str] = Field(description="Those it may use; empty for all.")
    made_by: str | None
    created_at: datetime
    last_used_at: datetime | None
    links: dict[str, str]


class SecretOut(MadeTokenOut):
    secret: str = Field(
        description="What programs send. It is kept nowhere, and told to the same call alone."
    )


class TokenPage(Schema):
    items: list[MadeTokenOut]
    next: Next
