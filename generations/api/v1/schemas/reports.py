"""The team's ledger, spending and audit log."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from ninja import Field, Schema

from generations.api.v1.schemas.base import Credits, Id, Next, Text, Who

AccountKind = Literal["issued", "spent", "pool", "wallet"]
TransferKind = Literal["issue", "grant", "take_back", "allowance", "charge", "refund", "adjustment"]


class LineSearch(Schema):
    """Filters of the ledger. Omitted filters match everything."""

    member: int | None = Field(None, ge=1, le=2**63 - 1, description="Id of a member.")
    kind: TransferKind | None = Field(None, description="Kind of transfer.")
    model: Text = Field("", max_length=40, description="Name of a model.")
    since: date | None = Field(None, description="First day, in the team's time zone.")
    until: date | None = Field(None, description="Last day, in the team's time zone.")
    text: Text = Field("", max_length=100, description="Words in the note.")


class TeamLineOut(Schema):
    """An entry of the team's ledger: an amount moved from the source to the target account."""

    number: int = Field(description="Number of the entry; later entries have higher numbers.")
    kind: TransferKind
    amount: Credits
    source: AccountKind
    target: AccountKind
    member: Who | None = Field(description="Member whose wallet is the source or target.")
    model: str = Field(description="Model of the charged image; empty for other entries.")
    note: str
    by: str | None = Field(description="Who moved the credits; null for the portal itself.")
    reference: Id = Field(description="Identifies the transfer.")
    generation: Id | None = Field(description="Id of the generation that was charged or refunded.")
    created_at: datetime


class TeamLinePage(Schema):
    """A page of ledger entries."""

    items: list[TeamLineOut]
    next: Next


class MonthIn(Schema):
    """Which month to report."""

    month: str = Field(
        "", pattern=r"^([0-9]{4}-[0-9]{2})?$", description="Such as 2026-11; the current month if omitted."
    )


class SpentByMember(Who):
    """What a member spent."""

    spent: Credits


class SpentByModel(Schema):
    """What a model cost."""

    model: str
    spent: Credits


class SpendingOut(Schema):
    """What the team spent in a month (charges minus refunds), and the credits that it has now."""

    month: str
    pool: Credits = Field(description="Team credits now: what can be granted.")
    with_members: Credits = Field(description="Credits in the wallets of members now, including holds.")
    held: Credits = Field(description="Credits on hold now for images that are in progress.")
    spent: Credits
    pictures: int = Field(description="Number of images that were charged.")
    refunded: int = Field(description="Number of images that were refunded.")
    members: list[SpentByMember] = Field(description="Also former members; the highest amount first.")
    models: list[SpentByModel] = Field(description="The highest amount first.")


class ChangeSearch(Schema):
    """Filters of the audit log. Omitted filters match everything."""

    who: Text = Field("", max_length=20, description="Id of the person; `server` for management commands.")
    what: Text = Field("", max_length=24, description="What was done, such as `granted`.")
    first: Text = Field(
        "", max_length=10, description="First day, in the team's time zone, such as 2026-01-31."
    )
    last: Text = Field("", max_length=10, description="Last day, in the team's time zone.")


class Actor(Who):
    """A person who changed something."""

    email: str


class ChangeOut(Schema):
    """An entry of the audit log. Amounts in `before` and `after` are hundredths of a credit."""

    id: int
    what: str = Field(description="What was done, such as `granted`.")
    who: Actor | None = Field(description="Who did it; null for a management command.")
    address: str | None = Field(description="IP address of the request.")
    member: Who | None = Field(description="Member that was changed.")
    subject: str = Field(description="Name of what was changed.")
    sentence: str = Field(description="The entry in words.")
    note: str
    before: dict[str, Any] = Field(description="Values before the change.")
    after: dict[str, Any] = Field(description="Values after the change.")
    created_at: datetime


class ChangePage(Schema):
    """A page of the audit log."""

    items: list[ChangeOut]
    next: Next
