"""What one running sandbox knows, and one request as it was received."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field

from generations.sandbox.account import Account
from generations.sandbox.faults import Plan
from generations.sandbox.options import Options
from generations.sandbox.rate_limit import RateLimit
from generations.sandbox.render import Pictures
from generations.sandbox.request_log import Journal


@dataclass(frozen=True)
class Request:
    """One HTTP request, read whole. `body_length` may exceed what was kept in `body`."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    body_length: int
    arrived: float
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def version(self) -> str:
        """Which API's envelope the caller understands."""
        return "v1" if self.path.startswith("/v1/") else "v2beta"

    @property
    def key(self) -> str:
        """The bearer key, empty if there is none."""
        scheme, _, key = self.headers.get("authorization", "").partition(" ")
        return key.strip() if scheme.lower() == "bearer" else ""

    @property
    def content_type(self) -> str:
        """The content type as it was sent."""
        return self.headers.get("content-type", "")

    @property
    def accept(self) -> str:
        """The accept header as it was sent."""
        return self.headers.get("accept", "")

    @property
    def wants_json(self) -> bool:
        """v1 answers JSON unless asked for PNG; v2beta answers bytes unless asked for JSON."""
        if self.version == "v1":
            return "image/png" not in self.accept.lower()
        return "application/json" in self.accept.lower()


class Sandbox:
    """One account at one address, with its limit, its plan and its log."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.limiter = RateLimit(options)
        self.account = Account(options.credits)
        self.plan = Plan()
        self.journal = Journal()
        self.pictures = Pictures()
        self.in_flight = 0

    def now(self) -> float:
        """The clock of limits and latency, in seconds."""
        return time.monotonic()
