"""Errors of the ledger. The text of each is shown to people."""

from __future__ import annotations

from datetime import datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from generations.credits.amounts import as_text, in_credits


class LedgerError(Exception):
    """Base class; nothing was written."""


class AmountRefused(LedgerError):
    """The amount is not a positive whole number, or more than was held."""

    def __init__(self) -> None:
        super().__init__(_("An amount must be more than nothing, and no more than there is to move."))


class InsufficientCredits(LedgerError):
    """The account has less than requested; both numbers are hundredths of a credit."""

    def __init__(self, *, missing: int, available: int) -> None:
        self.missing, self.available = missing, available
        super().__init__(
            _("Not enough credits: %(missing)s more needed, %(available)s available.")
            % {"missing": as_text(missing), "available": as_text(available)}
        )


class CapReached(LedgerError):
    """The member may not spend this much before `renews_at`; `left` and `cap` are hundredths of a credit."""

    def __init__(self, *, cap: int, left: int, period: str, renews_at: datetime) -> None:
        self.cap, self.left, self.period, self.renews_at = cap, left, period, renews_at
        words = {"cap": in_credits(cap), "left": as_text(left)}
        if period == "day":
            text = _("Your cap of %(cap)s a day leaves %(left)s. It renews at %(time)s.")
            words["time"] = date_format(renews_at, "MONTH_DAY_ZONE_FORMAT")
        else:
            text = _("Your cap of %(cap)s a month leaves %(left)s. It renews on %(day)s.")
            words["day"] = date_format(renews_at, "MONTH_DAY_FORMAT")
        super().__init__(text % words)


class HoldClosed(LedgerError):
    """The hold was settled or released before, or does not exist."""

    def __init__(self) -> None:
        super().__init__(_("This was already charged or released."))


class ReferenceTaken(LedgerError):
    """The reference belongs to a different transfer or hold."""

    def __init__(self) -> None:
        super().__init__(_("This was already written down, with other values. Open the form again."))


class MembershipEnded(LedgerError):
    """The member left the team, and so neither gets nor spends its credits."""

    def __init__(self) -> None:
        super().__init__(_("This membership has ended."))


class NoSuchCharge(LedgerError):
    """Nothing was charged under this reference."""

    def __init__(self) -> None:
        super().__init__(_("There is no charge to refund."))


class AlreadyRefunded(LedgerError):
    """The charge was refunded before."""

    def __init__(self) -> None:
        super().__init__(_("This picture was refunded before. It is given back once."))
