"""What comes out about a team's books: its ledger, what it spent, and who changed what."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from ninja import Field, Schema

from generations.api.v1.schemas.library import Credits, Id, Text
from generations.api.v1.schemas.office import Next, Who

Ends = Literal["issued", "spent", "pool", "wallet"]
Kinds = Literal["issue", "grant", "take_back", "allowance", "charge", "refund", "adjustment"]


class LineSearch(Schema):
    """Which lines; what is left out asks for all."""

    member: int | None = Field(None, ge=1, le=2**63 - 1)
    kind: Kinds | None = None
    model: Text = Field("", max_length=40)
    since: date | None = Field(None, description="The first day where the team is.")
    until: date | None = Field(None, description="The last day.")
    text: Text = Field("", max_length=100, description="Words in the note.")


class TeamLineOut(Schema):
    """One line of the team's ledger: so much went from one to the other."""

    number: int
    kind: Kinds
    amount: Credits
    source: Ends
    target: Ends
    member: Who | None
    model: str
    note: str
    by: str | None = Field(description="Who moved it; null for the portal itself.")
    reference: Id
    generation: Id | None
    created_at: datetime


class TeamLinePage(Schema):
    items: list[TeamLineOut]
    next: Next


class MonthIn(Schema):
    month: str = Field("", pattern=r"^([0-9]{4}-[0-9]{2})?$", description="As 2026-11; else the present one.")


class SpentByMember(Who):
    spent: Credits


class SpentByModel(Schema):
    model: str
    spent: Credits


class SpendingOut(Schema):
    """What the team has now, and what a month cost: charges less what was refunded."""

    month: str
    pool: Credits
    with_members: Credits = Field(description="What is held included.")
    held: Credits = Field(description="Set aside for pictures that are not there yet.")
    spent: Credits
    pictures: int
    refunded: int
    members: list[SpentByMember] = Field(description="Those who left too; who spent most first.")
    models: list[SpentByModel]


class ChangeSearch(Schema):
    """Which changes; what is left out asks for all."""

    who: Text = Field("", max_length=20, description="The number of who acted; server for commands.")
    what: Text = Field("", max_length=24, description="What was done, such as granted.")
    first: Text = Field("", max_length=10, description="The first day where the team is, as 2026-01-31.")
    last: Text = Field("", max_length=10, description="The last day.")


class Actor(Who):
    email: str


class ChangeOut(Schema):
    """Who changed what. Amounts in `before` and `after` are hundredths of a credit."""

    id: int
    what: str
    who: Actor | None = Field(description="Null for a command at the server.")
    address: str | None = Field(description="From where.")
    member: Who | None = Field(description="To whom it was done.")
    subject: str
    sentence: str = Field(description="All of it for people.")
    note: str
    before: dict[str, Any]
    after: dict[str, Any]
    created_at: datetime


class ChangePage(Schema):
    items: list[ChangeOut]
    next: Next
