"""What every provider promises, whatever its wire format.

A caller hands over an `ImageRequest` and gets `Done` or `Pending` back, or one of five
failures. The class of the failure is all a caller needs to know what to do next; the
text is what a member reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class ImageRequest:
    """What somebody wants drawn: a model of the catalogue and values that passed its fields.

    `parameters` holds provider field names (`prompt`, `seed`, `aspect_ratio`, ...) and only
    those that were given. `image` is the start image, encoded as PNG, JPEG or WebP.
    """

    model: str
    parameters: Mapping[str, Any]
    image: bytes | None = None


@dataclass(frozen=True)
class ReceivedImage:
    """Bytes that arrived complete, decode, and are what they say they are."""

    data: bytes
    media_type: str  # image/png, image/jpeg or image/webp
    width: int
    height: int
    seed: int | None = None


@dataclass(frozen=True)
class Done:
    """The provider drew; `filtered` when it says that its filter blurred the result."""

    images: tuple[ReceivedImage, ...]
    filtered: bool = False
    finish_reason: str = "SUCCESS"
    request_id: str = ""
    status: int = 200


@dataclass(frozen=True)
class Pending:
    """The provider took the order; ask for it by `remote_id` not before `ask_after` seconds."""

    remote_id: str
    ask_after: float
    request_id: str = ""


@dataclass(eq=False)
class ProviderError(Exception):
    """A call that brought no image. `reason` is for members: plain words, no key, no markup."""

    reason: str
    status: int | None = None
    request_id: str = ""
    code: str = field(default="", kw_only=True)  # the provider's own name, e.g. content_moderation

    def __str__(self) -> str:
        return self.reason


class Refused(ProviderError):
    """The request itself is at fault (400, 403, 413, 422): never try it again unchanged."""


class Unavailable(ProviderError):
    """This account cannot serve anybody now (401, 402, 404, quota): pause it, tell operators."""


@dataclass(eq=False)
class Busy(ProviderError):
    """Nothing was bought (429, 5xx answered, connection refused): wait and try again."""

    retry_after: float | None = field(default=None, kw_only=True)  # seconds; None: not said

    __str__ = ProviderError.__str__

    @property
    def limited(self) -> bool:
        """True if the whole account must wait (429), False if only this call failed."""
        return self.status == 429


class Unknown(ProviderError):
    """Sent whole, then nothing usable came back: it may have been bought."""


class Provider(Protocol):
    """One account at one image API. Safe to use from many threads."""

    def generate(self, request: ImageRequest, *, timeout: float) -> Done | Pending:
        """Call the API once and wait at most `timeout` seconds in all, body included.

        Raises Refused, Unavailable, Busy or Unknown; nothing else, whatever the provider sends.
        """

    def collect(self, pending: Pending, *, timeout: float) -> Done | Pending:
        """Ask for an order that was taken earlier; raises as `generate` does."""

    def balance(self, *, timeout: float) -> float | None:
        """Credits left at the provider; None where it does not say. Raises as `generate` does."""
