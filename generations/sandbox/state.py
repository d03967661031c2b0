"""The state of a running sandbox, and a received request."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field

from generations.sandbox.account import Account
from generations.sandbox.delivery import Delivery
from generations.sandbox.faults import Plan
from generations.sandbox.options import Options
from generations.sandbox.rate_limit import RateLimit
from generations.sandbox.render import Renderer
from generations.sandbox.request_log import RequestLog
from generations.sandbox.tasks import Tasks


@dataclass(frozen=True)
class Request:
    """A complete HTTP request. `body_length` may exceed the length of `body`, which is limited.

    `prefix` is that of a gateway, which `path` has no more; `key` is what the system took for the key.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    body_length: int
    arrived: float
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    prefix: str = ""
    key: str = ""

    @property
    def content_type(self) -> str:
        """The Content-Type header."""
        return self.headers.get("content-type", "")

    @property
    def host(self) -> str:
        """The Host header, by which results of the same sandbox are addressed."""
        return self.headers.get("host", "")

    @property
    def accept(self) -> str:
        """The Accept header."""
        return self.headers.get("accept", "")


class Sandbox:
    """One account with its rate limit, planned outcomes, tasks and log."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.limiter = RateLimit(options)
        self.account = Account(options.credits)
        self.plan = Plan()
        self.log = RequestLog()
        self.renderer = Renderer()
        self.tasks = Tasks(options)
        self.delivery = Delivery()
        self.in_flight = 0

    def now(self) -> float:
        """Return the monotonic time of limits and latency, in seconds."""
        return time.monotonic()
