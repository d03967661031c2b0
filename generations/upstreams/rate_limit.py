"""Rate limiter of calls to providers: one per account, in Redis, on the clock of Redis.

GCRA with a burst of one: slots are (window + 0.25 s) / limit apart, so that no window of the provider,
wherever it begins, has more calls than the limit. State belongs to an epoch. A flushed or restarted Redis, or
a clock set back, begins a new one, whose first slot is a whole window away, since it is unknown what was sent
before. A permit is confirmed just before sending; it is void if it is late, of an older epoch, or if the
account was blocked since. A poll, which costs nothing, may use a permit that is younger than MARGIN without
that. Calls and polls are blocked apart from each other, also where they share a limit. Without Redis there
are no permits, and so no calls.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

from redis import RedisError
from redis.commands.core import Script

from generations.core import redis_client
from generations.upstreams.models import Upstream

MARGIN = 0.25  # seconds: how late a confirmed call may be sent, and so what the window is extended by
HORIZON = 2.0  # seconds: how far ahead slots are reserved
CALLS_BLOCKED, POLLS_BLOCKED = "blocked", "polls_blocked"  # in a limiter's state: until when none is sent

# Which server process this is: its run id, or for a user who may not ask INFO the second since which the
# marker is in its memory, which a restart moves: idle times are not saved. They are in whole seconds.
IDENTITY = """
local function identity(marker, now)
  local info = redis.pcall('INFO', 'server')
  local id = type(info) == 'string' and string.match(info, 'run_id:(%w+)')
  if id then return id end
  local idle = redis.pcall('OBJECT', 'IDLETIME', marker)
  return type(idle) == 'number' and 'since ' .. math.floor(now / 1000000) - idle or ''
end
local function is_same(known, current)
  if known == current then return current ~= '' end
  local before = tonumber(string.match(known or '', '^since (%d+)$'))
  local after = tonumber(string.match(current, '^since (%d+)$'))
  return before and after and math.abs(after - before) <= 2
end
"""
# KEYS: the limiter, its marker. ARGV: interval, wait of a new epoch, horizon (microseconds), name of a new
# epoch, how far ahead a slot can be unless the clock was set back (microseconds), and which block counts.
# Returns: reserved (1 or 0), epoch, slot, microseconds to wait.
RESERVE = (
    IDENTITY
    + """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, quiet, horizon = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local server = identity(KEYS[2], now)
local state = redis.call('HMGET', KEYS[1], 'epoch', 'server', 'next', ARGV[6])
local epoch, slot, blocked = state[1], tonumber(state[3]), tonumber(state[4] or 0)
if not epoch or not is_same(state[2], server) or slot - now > tonumber(ARGV[5]) then
  epoch, slot = ARGV[4], now + quiet
  redis.call('SET', KEYS[2], epoch)
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'server', identity(KEYS[2], now), 'next', slot)
end
if blocked > now then return {0, epoch, 0, blocked - now} end
slot = math.max(slot, now)
if slot - now > horizon then return {0, epoch, 0, slot - now} end
redis.call('HSET', KEYS[1], 'next', slot + interval)
return {1, epoch, slot, slot - now}
"""
)
# KEYS: the limiter, its marker. ARGV: epoch, slot, margin (microseconds), and which block counts.
# Returns 1: send now; 0: void; negative: microseconds too early.
CONFIRM = (
    IDENTITY
    + """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local state = redis.call('HMGET', KEYS[1], 'epoch', ARGV[4], 'server')
if state[1] ~= ARGV[1] or tonumber(state[2] or 0) > now then return 0 end
if not is_same(state[3], identity(KEYS[2], now)) then return 0 end
local late = now - tonumber(ARGV[2])
if late < 0 then return late end
return late < tonumber(ARGV[3]) and 1 or 0
"""
)
# KEYS: the limiter. Returns how far ahead the next slot is (microseconds), 0 if it is free now.
AHEAD = """
local time = redis.call('TIME')
local slot = tonumber(redis.call('HGET', KEYS[1], 'next') or 0)
return math.max(slot - (time[1] * 1000000 + time[2]), 0)
"""
# KEYS: the limiter. ARGV: duration (microseconds), which block. Returns the microseconds until its end.
BLOCK = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local blocked = math.max(tonumber(redis.call('HGET', KEYS[1], ARGV[2]) or 0), now + tonumber(ARGV[1]))
redis.call('HSET', KEYS[1], ARGV[2], blocked)
return blocked - now
"""
# KEYS: any key, its marker. Returns 1 if a restart of the server would be noticed.
KNOWN = IDENTITY + "redis.call('SET', KEYS[2], 1, 'EX', 60); return(identity(KEYS[2], 0) ~= '' and 1 or 0)"


@dataclass(frozen=True)
class Permit:
    """The right to send one call `delay` seconds from now, if it is confirmed then."""

    limiter: str
    epoch: str
    slot: int  # microseconds on Redis's clock
    delay: float
    asked_at: float  # on this process's monotonic clock, before the slot was reserved
    voided_by: str = CALLS_BLOCKED  # which block ends it

    @property
    def is_fresh(self) -> bool:
        """Whether it was asked for less than MARGIN ago: a poll may then be sent without `confirm`.

        It is not later than a confirmed call may be. An epoch that has begun since has its first slot a whole
        window and MARGIN later. Only a block of this moment goes unnoticed, as by a call that was just sent.
        """
        return time.monotonic() - self.asked_at < MARGIN


@cache
def _script(text: str) -> Script:
    return redis_client.client().register_script(text)


def _run(text: str, limiter: str, *arguments: str | int) -> Any:
    return _script(text)(keys=[f"pace:{limiter}", f"epoch:{limiter}"], args=list(arguments))


def interval(upstream: Upstream) -> float:
    """Return the seconds between two calls."""
    return (upstream.limit_window + MARGIN) / upstream.limit_calls


def reserve(upstream: Upstream, *, horizon: float = HORIZON) -> Permit | None:
    """Reserve the next slot within `horizon` seconds; None if there is none. Raises RedisError."""
    return _reserve(upstream, horizon, quiet=upstream.limit_window + MARGIN)


def reserve_poll(upstream: Upstream, *, horizon: float, counts_as_call: bool) -> Permit | None:
    """Do as `reserve`, for a poll: of the same limit, or of one of the same size for polls alone."""
    quiet = upstream.limit_window + MARGIN
    return _reserve(upstream, horizon, quiet=quiet, limiter=_of_polls(upstream, counts_as_call), polls=True)


def prepare(upstream: Upstream, *, idle: bool = False) -> None:
    """Begin the first epoch now, so that its first window is over when the first call comes.

    `idle` means that nothing was sent in the last window, so that there is nothing to wait for.
    """
    _reserve(upstream, -1.0, quiet=0.0 if idle else upstream.limit_window + MARGIN)


def is_idle(upstream: Upstream) -> bool:
    """Return whether no slot of the account is reserved beyond the next one. Raises RedisError."""
    return int(_run(AHEAD, upstream.pace_key)) <= interval(upstream) * 1e6


def can_tell_restarts() -> bool:
    """Write to Redis; return whether it tells a restart, without which there are no permits.

    Raises RedisError, also if it answers and takes no writes.
    """
    answer = _run(KNOWN, "readyz")
    return bool(answer)


def confirm(permit: Permit) -> bool:
    """Wait for the slot; return whether the call may be sent now. False without Redis."""
    arguments = permit.epoch, permit.slot, int(MARGIN * 1e6), permit.voided_by
    try:
        while (answer := int(_run(CONFIRM, permit.limiter, *arguments))) < 0:
            time.sleep(-answer / 1e6)
    except RedisError:
        return False
    return bool(answer)


def block(upstream: Upstream, seconds: float) -> None:
    """Block calls to the account for this time, and no polls; a longer block stays. Raises RedisError."""
    _run(BLOCK, upstream.pace_key, int(seconds * 1e6), CALLS_BLOCKED)


def block_polls(upstream: Upstream, seconds: float, *, counts_as_call: bool) -> None:
    """Do as `block`, for polls alone."""
    _run(BLOCK, _of_polls(upstream, counts_as_call), int(seconds * 1e6), POLLS_BLOCKED)


def _of_polls(upstream: Upstream, counts_as_call: bool) -> str:
    return upstream.pace_key if counts_as_call else f"{upstream.pace_key}:polls"


def _reserve(
    upstream: Upstream, horizon: float, *, quiet: float, limiter: str = "", polls: bool = False
) -> Permit | None:
    limiter, block = limiter or upstream.pace_key, POLLS_BLOCKED if polls else CALLS_BLOCKED
    furthest = upstream.limit_window + MARGIN + HORIZON + interval(upstream)
    asked_at = time.monotonic()
    in_microseconds = (int(seconds * 1e6) for seconds in (interval(upstream), quiet, horizon))
    reserved, epoch, slot, wait = _run(
        RESERVE, limiter, *in_microseconds, secrets.token_hex(8), int(furthest * 1e6), block
    )
    return Permit(limiter, epoch.decode(), int(slot), wait / 1e6, asked_at, block) if reserved else None
