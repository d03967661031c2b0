"""The account of the sandbox."""

from __future__ import annotations

from generations.sandbox.responses import payment_required


class Account:
    """A balance in hundredths of a credit that never goes below zero."""

    def __init__(self, balance: float) -> None:
        self.hundredths = round(balance * 100)

    @property
    def credits(self) -> float:
        """The balance in credits, as in the API."""
        return self.hundredths / 100

    def require(self, hundredths: int) -> None:
        """Raise ApiError (402) if the balance is lower."""
        if self.hundredths < hundredths:
            raise payment_required()

    def charge(self, hundredths: int) -> None:
        """Charge a call; ApiError (402) if the balance is too low."""
        self.require(hundredths)
        self.hundredths -= hundredths

    def refund(self, hundredths: int) -> None:
        """Refund a call that failed."""
        self.hundredths += hundredths
