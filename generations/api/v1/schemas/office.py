"""Caps, allowances, prices, invitations and API tokens of the team."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from ninja import Field, Schema

from generations.api.v1.schemas.base import (
    Credits,
    Links,
    Next,
    PositiveCredits,
    RequestBody,
    RoleName,
    Text,
    Who,
)
from generations.api.v1.schemas.team import CapOut

GeneratingRole = Literal["owner", "administrator", "member"]
ScopeName = Literal["generate", "read", "administer"]
Cap = Annotated[
    float,
    Field(
        ge=0,
        le=10_000_000_000,
        multiple_of=0.01,
        allow_inf_nan=False,
        description="Credits, with at most two decimals; 0 stops all spending.",
    ),
]


class CapsIn(RequestBody):
    """Both caps of a member; null for no cap."""

    per_day: Cap | None = Field(examples=[20])
    per_month: Cap | None = Field(examples=[300])


class CapsOut(Schema):
    """What a member may spend in a day and in a month of the team's time zone; null for no cap."""

    per_day: Credits | None
    per_month: Credits | None
    standing: list[CapOut] = Field(description="How much of each cap is used.")


class AllowanceIn(RequestBody):
    """Credits that a member gets from the pool each month."""

    kind: Literal["top_up", "add"] = Field(
        description="`top_up` grants what is missing to this amount; `add` grants this amount."
    )
    credits: PositiveCredits = Field(examples=[100])
    starts: Literal["now", "next"] = Field(
        "now", description="Whether the first grant is for this month or the `next`."
    )


class AllowanceOut(Schema):
    """The monthly allowance of a member; its fields are null if there is none."""

    kind: Literal["top_up", "add"] | None
    credits: Credits | None
    first_month: date | None
    is_given: bool = Field(description="Whether this month's allowance was granted, or nothing was missing.")


class PriceToCome(Schema):
    """A price that will apply later."""

    price: Credits
    valid_from: datetime
    is_own: bool = Field(description="Whether it applies only to this team.")


class TeamModelOut(Schema):
    """A model, its price for the team, and the roles that may use it."""

    name: str
    title: str
    price: Credits = Field(description="Price of one image, without options that cost extra.")
    since: datetime | None = Field(description="When this price began; null for the list price.")
    is_own: bool = Field(description="Whether the price applies only to this team.")
    price_everywhere: Credits = Field(description="Price for teams without their own.")
    to_come: list[PriceToCome] = Field(description="Prices that will apply later.")
    roles: list[GeneratingRole] = Field(description="Roles that may use it.")
    is_served: bool = Field(description="Whether a provider serves it.")


class RulesIn(RequestBody):
    """The roles that may use a model; none closes it for the team."""

    roles: list[GeneratingRole] = Field(max_length=10, examples=[["owner", "administrator"]])


class InvitationIn(RequestBody):
    """What each person who accepts an invitation gets."""

    role: RoleName = "member"
    credits: PositiveCredits | None = Field(
        None, description="Granted from the team credits to each person who accepts.", examples=[50]
    )
    days: Literal[1, 7, 30, 90] = Field(7, description="Days until it expires.")


class LinkIn(InvitationIn):
    """An invitation link."""

    uses: int = Field(1, ge=1, le=500, description="Number of people who can accept it.")


class MailIn(InvitationIn):
    """Invitations by e-mail."""

    emails: list[Text] = Field(
        min_length=1, max_length=50, description="Addresses to invite.", examples=[["tom@example.org"]]
    )


class InvitationOut(Schema):
    """An open invitation. Its link is returned only when it is created."""

    id: int
    email: str | None = Field(description="Address that it was mailed to; null for a link.")
    role: RoleName
    credits: Credits = Field(description="Granted to each person who accepts.")
    uses: int = Field(description="Number of people who can accept it.")
    used: int = Field(description="Number of people who have accepted it.")
    made_by: str | None = Field(description="Who created it.")
    created_at: datetime
    expires_at: datetime
    links: Links


class LinkOut(InvitationOut):
    """A new invitation link."""

    link: str = Field(description="URL for the people you invite. It is not stored, so save it now.")


class MailedOut(Schema):
    """The addresses to which invitations were mailed, and those that failed and are not invited."""

    mailed: list[str]
    not_mailed: list[str]


class InvitationPage(Schema):
    """A page of invitations."""

    items: list[InvitationOut]
    next: Next


class TokenIn(RequestBody):
    """An API token to create. It cannot do more than the token of this request; omitted limits are copied."""

    name: Text = Field(min_length=1, max_length=120, examples=["shop"])
    scopes: list[ScopeName] = Field(min_length=1, max_length=10, examples=[["generate", "read"]])
    member: int | None = Field(
        None, ge=1, description="Id of a program of the team. Omit it for a token of your own."
    )
    days: int | None = Field(None, ge=1, le=3650, description="Days until it expires.", examples=[30])
    cap: PositiveCredits | None = Field(
        None, description="Credits that it may spend in total.", examples=[100]
    )
    models: list[Text] = Field(
        [], max_length=50, description="Models that it may use; empty for all.", examples=[["core"]]
    )


class MadeTokenOut(Schema):
    """An API token of the team. Its secret is returned only when it is created."""

    id: int
    name: str
    hint: str = Field(description="First and last characters of the token.")
    member: Who = Field(description="Member for whom it acts.")
    state: Literal["good", "expired", "revoked"]
    scopes: list[str] = Field(description="Scopes of the token that the member's role allows now.")
    expires_at: datetime | None = Field(description="null if it does not expire.")
    cap: Credits | None = Field(description="Credits that it may spend in total; null for no cap.")
    used: Credits = Field(description="Credits that it has spent or that are on hold.")
    models: list[str] = Field(description="Models that it may use; empty for all.")
    made_by: str | None = Field(description="Who created it.")
    created_at: datetime
    last_used_at: datetime | None
    links: Links


class SecretOut(MadeTokenOut):
    """A new API token with its secret."""

    secret: str = Field(description="The token to send as Bearer. It is not stored, so save it now.")


class TokenPage(Schema):
    """A page of API tokens."""

    items: list[MadeTokenOut]
    next: Next
