"""Results by address: signed, for a while only, and for nobody who sends a key.

Makers keep results on storage hosts of others, which must never see a key: calls with one are refused and
counted.
"""

from __future__ import annotations

import hmac
import secrets
import time
from dataclasses import dataclass
from urllib.parse import parse_qs

from generations.sandbox.responses import Response, as_json

PATH = "/delivery/"
MAX_KEPT = 256 * 1024 * 1024  # bytes; beyond that the oldest are forgotten
KEY_HEADERS = ("authorization", "x-key", "api-key", "x-api-key", "mj-api-secret", "cookie")


@dataclass(frozen=True)
class _File:
    data: bytes
    media_type: str
    address: str


class Delivery:
    """Files by name, oldest first. `refused_keys` counts the calls that brought a key."""

    def __init__(self) -> None:
        self.refused_keys = 0
        self.served: dict[str, int] = {}
        self._secret = secrets.token_bytes(32)
        self._files: dict[str, _File] = {}

    def address(self, name: str, data: bytes, media_type: str, *, host: str, lifetime: float) -> str:
        """Return the address of a file, the same as long as its name is kept. `host` may have a port."""
        if name not in self._files:
            until = f"{time.time() + lifetime:.3f}"
            query = f"se={until}&sig={self._signature(name, until)}"
            self._files[name] = _File(data, media_type, f"http://{host}{PATH}{name}?{query}")
            self._forget_oldest()
        return self._files[name].address

    def find(self, name: str) -> str:
        """Return the address of a file that is kept; "" without it."""
        return self._files[name].address if name in self._files else ""

    def respond(self, path: str, query: str, headers: dict[str, str]) -> Response:
        """Return the file at an address: 403 with a key, a wrong signature or too late, 404 if it is gone."""
        if any(name in headers for name in KEY_HEADERS):
            self.refused_keys += 1
            return as_json({"error": "no key may be sent here"}, 403)
        name = path.removeprefix(PATH)
        until, signature = (parse_qs(query).get(part, [""])[0] for part in ("se", "sig"))
        if not hmac.compare_digest(signature.encode(), self._signature(name, until).encode()):
            return as_json({"error": "the signature is wrong"}, 403)
        if float(until) < time.time():
            return as_json({"error": "the address has expired"}, 403)
        file = self._files.get(name)
        if file is None:
            return as_json({"error": "not found"}, 404)
        self.served[name] = self.served.get(name, 0) + 1
        return Response(200, file.data, file.media_type)

    @property
    def most_served(self) -> int:
        """How often the file was fetched that was fetched most."""
        return max(self.served.values(), default=0)

    def clear(self) -> None:
        """Forget what was counted."""
        self.refused_keys = 0
        self.served.clear()

    def _signature(self, name: str, until: str) -> str:
        return hmac.digest(self._secret, f"{name} {until}".encode(), "sha256").hex()

    def _forget_oldest(self) -> None:
        kept = sum(len(file.data) for file in self._files.values())
        for name in list(self._files)[:-1]:
            if kept <= MAX_KEPT:
                return
            kept -= len(self._files.pop(name).data)
