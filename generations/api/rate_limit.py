"""How many requests a minute a token may make, and all tokens of its member together; counted in Redis.

GCRA on Redis's clock, both limiters in one script, so that what one refuses the other does not count.
A limiter holds the requests of a whole minute, and they come back evenly: after 60 quiet seconds it is full.
Without Redis everybody is let through: the limits keep order, the credits keep the promise.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext as _
from redis import RedisError

from generations.core import redis_client

if TYPE_CHECKING:
    from redis.commands.core import Script

    from generations.teams.models import Token

log = logging.getLogger(__name__)

WINDOW = 60  # seconds
PATIENCE = 0.2  # seconds: better unlimited than late
PAUSE = 1.0  # seconds for which a Redis that did not answer is not asked

# KEYS: limiters. ARGV: the window (microseconds), and how many each lets through in it.
# Answers: for the tightest limiter whether it was let through, its limit, how many are left, when it is
# full again and when the next may come (microseconds). A moment too far ahead is of a clock set back since.
COUNT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local window, late, told, moments = tonumber(ARGV[1]), 0, nil, {}
for place, key in ipairs(KEYS) do
  local limit = tonumber(ARGV[place + 1])
  local step = window / limit
  local moment = math.max(tonumber(redis.call('GET', key) or 0), now)
  if moment > now + window then moment = now + window end
  moments[place] = moment + step
  late = math.max(late, moment + step - now - window)
  local left = math.floor((now + window - moment) / step + 0.000001)
  if not told or left < told[2] then told = {limit, left, moment - now, step} end
end
if late > 1 then return {0, told[1], 0, math.ceil(told[3]), math.ceil(late)} end
for place, key in ipairs(KEYS) do
  local ahead = math.max(math.ceil((moments[place] - now) / 1000), 1)
  redis.call('SET', key, string.format('%.0f', moments[place]), 'PX', ahead)
end
return {1, told[1], math.max(told[2] - 1, 0), math.ceil(told[3] + told[4]), 0}
"""
_silent_until = 0.0


@dataclass(frozen=True)
class Allowance:
    """What is left of the tighter limit; `full_in` and `wait` (until the next may come) in seconds."""

    limit: int
    left: int
    full_in: int
    wait: int = 0

    @property
    def headers(self) -> dict[str, str]:
        """What every answer says of it."""
        said = {"Limit": self.limit, "Remaining": self.left, "Reset": self.full_in}
        found = {f"RateLimit-{name}": str(number) for name, number in said.items()}
        found |= {f"X-{name}": number for name, number in found.items()}
        return found | ({"Retry-After": str(self.wait)} if self.wait else {})


class TooManyRequests(Exception):
    """The token, or its member with all tokens, asks more than it may."""

    def __init__(self, allowance: Allowance) -> None:
        self.allowance = allowance
        super().__init__(
            _("Too many requests: %(limit)s a minute are allowed. Try again in %(seconds)s s.")
            % {"limit": allowance.limit, "seconds": allowance.wait}
        )


def count(token: Token) -> Allowance | None:
    """Count one request of the token; TooManyRequests if it is one too many, None if Redis is away."""
    global _silent_until  # noqa: PLW0603  of this process; losing it costs one more try
    if time.monotonic() < _silent_until:
        return None
    keys = [f"api:token:{token.pk}", f"api:member:{token.membership_id}"]
    limits = [settings.API_REQUESTS_PER_TOKEN, settings.API_REQUESTS_PER_MEMBER]
    try:
        passed, *numbers = _script()(keys=keys, args=[WINDOW * 1_000_000, *limits])
    except RedisError as problem:
        _silent_until = time.monotonic() + PAUSE
        log.warning("Redis did not count requests of programs, so they are let through: %s", problem)
        return None
    limit, left, full_in, wait = map(int, numbers)
    allowance = Allowance(limit, left, _seconds(full_in), _seconds(wait))
    if not passed:
        raise TooManyRequests(allowance)
    return allowance


@cache
def _script() -> Script:
    return redis_client.client(PATIENCE).register_script(COUNT)


def _seconds(microseconds: int) -> int:
    return math.ceil(microseconds / 1e6)
