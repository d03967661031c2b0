"""Why the ledger refuses. Each error carries the sentence that a person reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from generations.credits.amounts import as_text

if TYPE_CHECKING:
    from datetime import datetime


class LedgerError(Exception):
    """Nothing was written."""


class AmountRefused(LedgerError):
    """The amount is not a positive whole number, or more than was held."""

    def __init__(self) -> None:
        super().__init__(_("An amount must be more than nothing, and no more than there is to move."))


class InsufficientCredits(LedgerError):
    """The account has less than is asked for; both numbers are hundredths of a credit."""

    def __init__(self, *, missing: int, available: int) -> None:
        self.missing, self.available = missing, available
        super().__init__(
            _("Not enough credits: %(missing)s more needed, %(available)s available.")
            % {"missing": as_text(missing), "available": as_text(available)}
        )


class CapReached(LedgerError):
    """The member may not spend as much before `renews_at`; `left` and `cap` are hundredths of a credit."""

    def __init__(self, *, cap: int, left: int, period: str, renews_at: datetime) -> None:
        self.cap, self.left, self.period, self.renews_at = cap, left, period, renews_at
        words = {"cap": as_text(cap), "left": as_text(left)}
        if period == "day":
            said = _(
                "Your cap is %(cap)s credits a day, and %(left)s of it are left. It starts anew at %(time)s."
            )
            words["time"] = date_format(renews_at, "j F, H:i")
        else:
            said = _(
                "Your cap is %(cap)s credits a month, and %(left)s of it are left. It starts anew on %(day)s."
            )
            words["day"] = date_format(renews_at, "j F")
        super().__init__(said % words)


class HoldClosed(LedgerError):
    """The hold was settled or released before, or there never was one."""

    def __init__(self) -> None:
        super().__init__(_("This was already charged or released."))


class ReferenceTaken(LedgerError):
    """The reference stands on another line that says something else."""

    def __init__(self) -> None:
        super().__init__(_("This was already written down, with other values. Open the form again."))


class MembershipEnded(LedgerError):
    """Who left the team neither gets nor spends its credits."""

    def __init__(self) -> None:
        super().__init__(_("This membership has ended."))


class NoSuchCharge(LedgerError):
    """Only what was charged can be refunded."""

    def __init__(self) -> None:
        super().__init__(_("There is no charge to refund."))


class AlreadyRefunded(LedgerError):
    """A charge is given back once."""

    def __init__(self) -> None:
        super().__init__(_("This picture was refunded before. It is given back once."))
