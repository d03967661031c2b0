"""The sandbox's one account: what it has left and what a picture costs."""

from __future__ import annotations

from generations.sandbox.responses import payment_required

# Hundredths of a credit for one picture: docs/providers/stability.md, "Prices".
COSTS = {
    "ultra": 800,
    "core": 300,
    "sd3.5-large": 650,
    "sd3.5-large-turbo": 400,
    "sd3.5-medium": 350,
    "sd3.5-flash": 250,
}


def cost_by_steps(steps: int) -> int:
    """Hundredths of a credit for one v1 picture: 0.9 up to 30 steps, then in proportion."""
    return max(90, -(-90 * steps // 30))


class Account:
    """A balance in hundredths of a credit that never goes below zero."""

    def __init__(self, balance: float) -> None:
        self.hundredths = round(balance * 100)

    @property
    def credits(self) -> float:
        """The balance as the API states it."""
        return self.hundredths / 100

    def take(self, hundredths: int) -> None:
        """Reserve the price of a call; RefusalError (402) if the balance is short."""
        if self.hundredths < hundredths:
            raise payment_required()
        self.hundredths -= hundredths

    def give_back(self, hundredths: int) -> None:
        """Return the price of a call that brought nothing."""
        self.hundredths += hundredths
