"""The rate limit: so many calls in any window, then a time-out.

Figures: docs/providers/stability.md, "Rate limit".
"""

from __future__ import annotations

from collections import deque

from generations.sandbox.options import Options
from generations.sandbox.responses import too_many


class RateLimit:
    """A sliding log of calls. Times are seconds of one monotonic clock."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.calls: deque[float] = deque()
        self.blocked_until = float("-inf")
        self.refused = 0
        self.fullest = 0

    def admit(self, now: float) -> None:
        """Count a call; RefusalError (429) if it is one too many or the time-out still runs."""
        self._forget(now)
        if now >= self.blocked_until and len(self.calls) < self.options.limit:
            self.calls.append(now)
            self.fullest = max(self.fullest, len(self.calls))
            return
        if now >= self.blocked_until:
            self.blocked_until = now + self.options.penalty
        self.refused += 1
        raise too_many()

    def reset(self) -> None:
        """Forget all calls and end the time-out."""
        self.calls.clear()
        self.blocked_until = float("-inf")
        self.refused = self.fullest = 0

    def blocked_for(self, now: float) -> float:
        """Seconds until calls are taken again."""
        return max(0.0, round(self.blocked_until - now, 3))

    def _forget(self, now: float) -> None:
        while self.calls and self.calls[0] <= now - self.options.window:
            self.calls.popleft()
