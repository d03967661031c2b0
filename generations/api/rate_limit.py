"""Rate limits of API requests, counted in Redis: per token, and per member for all tokens together.

The algorithm is GCRA (generic cell rate algorithm) on Redis's clock. One script checks both limits, so a
request that one limit refuses is not counted by the other. A burst may use the requests of a whole minute;
they are regained evenly, and after 60 seconds without requests all are available. While Redis is unavailable
requests are not limited: credits are what limits spending.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.utils.translation import gettext as _
from redis import RedisError
from redis.commands.core import Script

from generations.core import redis_client
from generations.core.durations import duration
from generations.teams.models import Token

log = logging.getLogger(__name__)

WINDOW = 60  # seconds
TIMEOUT = 0.2  # seconds: an unlimited request is better than a slow one
PAUSE = 1.0  # seconds for which an unavailable Redis is not tried again

# KEYS: one per limit. ARGV: the window in microseconds, then the requests that each limit allows in it.
# Returns, for the tightest limit: whether the request is allowed, the limit, the remaining requests, and the
# microseconds until all are available again and until the next is allowed. `tat` is GCRA's theoretical
# arrival time; one that is more than a window ahead was written before the clock was set back.
COUNT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local window, excess, tightest, tats = tonumber(ARGV[1]), 0, nil, {}
for index, key in ipairs(KEYS) do
  local limit = tonumber(ARGV[index + 1])
  local interval = window / limit
  local tat = math.max(tonumber(redis.call('GET', key) or 0), now)
  if tat > now + window then tat = now + window end
  tats[index] = tat + interval
  excess = math.max(excess, tat + interval - now - window)
  local remaining = math.floor((now + window - tat) / interval + 0.000001)
  if not tightest or remaining < tightest[2] then tightest = {limit, remaining, tat - now, interval} end
end
if excess > 1 then return {0, tightest[1], 0, math.ceil(tightest[3]), math.ceil(excess)} end
for index, key in ipairs(KEYS) do
  local ahead = math.max(math.ceil((tats[index] - now) / 1000), 1)
  redis.call('SET', key, string.format('%.0f', tats[index]), 'PX', ahead)
end
return {1, tightest[1], math.max(tightest[2] - 1, 0), math.ceil(tightest[3] + tightest[4]), 0}
"""
_paused_until = 0.0  # time.monotonic() until which Redis is not tried


@dataclass(frozen=True)
class Allowance:
    """What is left of the tighter limit; `reset` and `retry_after` are in seconds from now."""

    limit: int
    remaining: int
    reset: int
    retry_after: int = 0

    @property
    def headers(self) -> dict[str, str]:
        """The rate limit headers of every response."""
        values = {"Limit": self.limit, "Remaining": self.remaining, "Reset": self.reset}
        headers = {f"RateLimit-{name}": str(number) for name, number in values.items()}
        headers |= {f"X-{name}": number for name, number in headers.items()}
        return headers | ({"Retry-After": str(self.retry_after)} if self.retry_after else {})


class TooManyRequests(Exception):
    """The token, or its member with all tokens together, has used up its limit."""

    def __init__(self, allowance: Allowance) -> None:
        self.allowance = allowance
        super().__init__(
            _("Too many requests: %(limit)s a minute are allowed. Try again in %(time)s.")
            % {"limit": allowance.limit, "time": duration(allowance.retry_after)}
        )


def count(token: Token) -> Allowance | None:
    """Count one request of the token. Raises TooManyRequests; returns None while Redis is unavailable."""
    global _paused_until  # noqa: PLW0603  per process; a lost write costs one more try
    if time.monotonic() < _paused_until:
        return None
    keys = [f"api:token:{token.pk}", f"api:member:{token.membership_id}"]
    limits = [settings.API_REQUESTS_PER_TOKEN, settings.API_REQUESTS_PER_MEMBER]
    try:
        allowed, *numbers = _script()(keys=keys, args=[WINDOW * 1_000_000, *limits])
    except RedisError as problem:
        _paused_until = time.monotonic() + PAUSE
        log.warning("Redis is unavailable, so API requests are not limited: %s", problem)
        return None
    limit, remaining, reset, retry_after = map(int, numbers)
    allowance = Allowance(limit, remaining, _seconds(reset), _seconds(retry_after))
    if not allowed:
        raise TooManyRequests(allowance)
    return allowance


@cache
def _script() -> Script:
    return redis_client.client(TIMEOUT).register_script(COUNT)


def _seconds(microseconds: int) -> int:
    return math.ceil(microseconds / 1e6)
