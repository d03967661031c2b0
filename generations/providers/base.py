"""The interface of all providers, whatever their wire format.

`generate` takes an `ImageRequest` and returns `Done` or `Pending`, or raises one of five errors. The class of
the error decides what a caller does next; its text is shown to members.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

# Codes of `Refused` for a prompt or an image that was moderated, whatever the provider.
CONTENT_CODES = frozenset(
    {
        "content_moderation",
        "content_policy_violation",
        "moderation_blocked",
        "content_filter",
        "sensitive_words_detected",
    }
)


@dataclass(frozen=True)
class ImageRequest:
    """A request for an image: a model of the catalogue and validated parameters.

    `parameters` maps the provider's field names (`prompt`, `seed`, `aspect_ratio`, ...) to values, without
    empty ones. `image` is the start image, encoded as PNG, JPEG or WebP.
    """

    model: str
    parameters: Mapping[str, Any]
    image: bytes | None = None


@dataclass(frozen=True)
class ReceivedImage:
    """A complete image with its real type and size."""

    data: bytes
    media_type: str  # image/png, image/jpeg or image/webp
    width: int
    height: int
    seed: int | None = None


@dataclass(frozen=True)
class Done:
    """A finished generation; `filtered` if the provider's content filter blurred the result."""

    images: tuple[ReceivedImage, ...]
    filtered: bool = False
    finish_reason: str = "SUCCESS"
    request_id: str = ""
    status: int = 200


@dataclass(frozen=True)
class Pending:
    """An accepted request; poll it by `remote_id`, not before `ask_after` seconds."""

    remote_id: str
    ask_after: float
    request_id: str = ""


@dataclass(eq=False)
class ProviderError(Exception):
    """A call without an image. `reason` is shown to members: readable, without key and markup."""

    reason: str
    status: int | None = None
    request_id: str = ""
    code: str = field(default="", kw_only=True)  # the provider's error code, such as content_moderation

    def __str__(self) -> str:
        return self.reason


class Refused(ProviderError):
    """The request is invalid or was moderated (400, 403, 413, 422): never retry it unchanged."""


class Unavailable(ProviderError):
    """The account cannot be used (401, 402, quota): pause it and notify operators."""


class ModelUnavailable(ProviderError):
    """The account does not have this model now (404, 405, 501, `model_not_found`, a 403 for one model).

    It says nothing about other models: do not ask the account for this one for some minutes, and try another
    account. Nothing was charged.
    """


@dataclass(eq=False)
class Busy(ProviderError):
    """Proven not to be charged (429, 503 or 5xx in the provider's own words, connection refused): retry."""

    retry_after: float | None = field(default=None, kw_only=True)  # seconds; None: not given

    __str__ = ProviderError.__str__

    @property
    def limited(self) -> bool:
        """Whether the rate limit of the account was hit (429), not only this call failed."""
        return self.status == 429


class Unknown(ProviderError):
    """The request was sent whole, and nothing proves that it was not charged.

    The connection was cut, the time was over, a server in between answered (504, 520 to 524, a page of HTML),
    or what came is no image.
    """


class Provider(Protocol):
    """One account at one image API. Thread-safe."""

    def generate(self, request: ImageRequest, *, timeout: float) -> Done | Pending:
        """Call the API once, within `timeout` seconds in all, body included.

        Raises Refused, Unavailable, ModelUnavailable, Busy or Unknown and nothing else, whatever the provider
        sends.
        """

    def collect(self, pending: Pending, *, timeout: float) -> Done | Pending:
        """Poll a pending request; raises what `generate` raises.

        After `Busy` the generation is requested again, so a poll raises it only if the provider has no such
        request; a poll that merely failed raises `Unknown`.
        """

    def balance(self, *, timeout: float) -> float | None:
        """Return the credits left, None if the provider does not say; raises what `generate` raises."""
