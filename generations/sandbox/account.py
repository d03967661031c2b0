"""The account of the sandbox: its balance, and the prices of images."""

from __future__ import annotations

from generations.sandbox.stability.responses import payment_required

# Hundredths of a credit per image: docs/providers/stability.md, "Prices".
COSTS = {
    "ultra": 800,
    "core": 300,
    "sd3.5-large": 650,
    "sd3.5-large-turbo": 400,
    "sd3.5-medium": 350,
    "sd3.5-flash": 250,
}


def cost_by_steps(steps: int) -> int:
    """Return the price of one v1 image: 0.9 credits up to 30 steps, then in proportion."""
    return max(90, -(-90 * steps // 30))


class Account:
    """A balance in hundredths of a credit that never goes below zero."""

    def __init__(self, balance: float) -> None:
        self.hundredths = round(balance * 100)

    @property
    def credits(self) -> float:
        """The balance in credits, as in the API."""
        return self.hundredths / 100

    def charge(self, hundredths: int) -> None:
        """Charge a call; ApiError (402) if the balance is too low."""
        if self.hundredths < hundredths:
            raise payment_required()
        self.hundredths -= hundredths

    def refund(self, hundredths: int) -> None:
        """Refund a call that failed."""
        self.hundredths += hundredths
