"""The rate limit: a number of calls in any window, then a time-out.

Source: docs/providers/stability.md, "Rate limit".
"""

from __future__ import annotations

from collections import deque

from generations.sandbox.options import Options
from generations.sandbox.responses import rate_limited


class RateLimit:
    """A sliding-window log of calls. Times are seconds of one monotonic clock."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.calls: deque[float] = deque()
        self.blocked_until = float("-inf")
        self.refused = 0
        self.fullest = 0

    def admit(self, now: float) -> None:
        """Count a call; ApiError (429) above the limit or during the time-out."""
        self._drop_old_calls(now)
        if now >= self.blocked_until and len(self.calls) < self.options.limit:
            self.calls.append(now)
            self.fullest = max(self.fullest, len(self.calls))
            return
        if now >= self.blocked_until:
            self.blocked_until = now + self.options.penalty
        self.refused += 1
        raise rate_limited()

    def reset(self) -> None:
        """Drop all calls and end the time-out."""
        self.calls.clear()
        self.blocked_until = float("-inf")
        self.refused = self.fullest = 0

    def blocked_for(self, now: float) -> float:
        """Return the seconds until the time-out ends."""
        return max(0.0, round(self.blocked_until - now, 3))

    def _drop_old_calls(self, now: float) -> None:
        while self.calls and self.calls[0] <= now - self.options.window:
            self.calls.popleft()
