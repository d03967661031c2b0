"""The interface of all providers, whatever their wire format.

`submit` takes an `ImageRequest` and returns `Done`, or `Accepted` for a task that is polled for its result.
Failures are raised as one of five errors: the class decides what a caller does next; the text is shown to
members.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

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


class OutputKind(StrEnum):
    """What a model makes: a raster image, a drawing in SVG, a text, or a file that only programs open.

    A style is kept at the account that made it, for other models of the account to draw in; the `text` of
    such an output is its id there, which `catalogue.fields.STYLE_ID` matches.
    """

    IMAGE = "image"
    SVG = "svg"
    TEXT = "text"
    FILE = "file"
    STYLE = "style"


@dataclass(frozen=True)
class InputImage:
    """An image that goes with a request, in one of the roles that its model declares."""

    role: str
    data: bytes
    media_type: str  # image/png, image/jpeg or image/webp


@dataclass(frozen=True)
class ImageRequest:
    """A request: a model of the catalogue, validated parameters, and images by role.

    `parameters` maps the provider's field names (`prompt`, `seed`, `aspect_ratio`, ...) to values, without
    empty ones. `inputs` of one role are in the order that the member gave them. `action` is what an earlier
    result offered as a next step, if this is one. `wire_name` is the name by which the account sells the
    model, "" for the maker's own.
    """

    model: str
    parameters: Mapping[str, Any]
    inputs: tuple[InputImage, ...] = ()
    action: Action | None = None
    wire_name: str = ""

    @property
    def sold_as(self) -> str:
        """The name of the model as it is sent."""
        return self.wire_name or self.model

    @property
    def roles(self) -> frozenset[str]:
        """The roles that have an image."""
        return frozenset(image.role for image in self.inputs)

    def of_role(self, role: str) -> list[InputImage]:
        """Return the images of a role, in order."""
        return [image for image in self.inputs if image.role == role]


@dataclass(frozen=True)
class Action:
    """A next step that a result offers: its name, what a button says, and what the provider needs for it."""

    name: str
    title: str
    state: Mapping[str, Any] = field(default_factory=dict)  # JSON, at most 2 KB


@dataclass(frozen=True)
class Output:
    """One result: complete bytes with their real type and size, an address to fetch them from, or a text.

    A `filtered` one was withheld or blurred by the provider, and has nothing to keep.
    """

    data: bytes = b""
    media_type: str = ""
    width: int = 0
    height: int = 0
    seed: int | None = None
    kind: OutputKind = OutputKind.IMAGE
    finish_reason: str = "SUCCESS"
    url: str = ""
    text: str = ""
    filtered: bool = False
    actions: tuple[Action, ...] = ()
    is_animated: bool = False  # an image with several frames


@dataclass(frozen=True)
class Done:
    """A finished request with one or more outputs; `broken` more came and cannot be used."""

    outputs: tuple[Output, ...]
    request_id: str = ""
    status: int = 200
    cost: int | None = None  # what the answer says it cost, in hundredths of a US cent
    broken: int = 0

    @property
    def kept(self) -> tuple[Output, ...]:
        """The outputs that were not withheld."""
        return tuple(output for output in self.outputs if not output.filtered)

    @property
    def filtered(self) -> bool:
        """Whether the provider's filter withheld all that there was."""
        return not self.kept

    @property
    def finish_reason(self) -> str:
        """The finish reason of the first output."""
        return self.outputs[0].finish_reason if self.outputs else ""


@dataclass(frozen=True)
class Task:
    """A request that the provider has accepted: how to poll it, and what the client needs to know then.

    `state` is the client's own, as JSON of at most 4 KB. `poll_url` is empty where the task's id is enough.
    """

    remote_id: str
    poll_url: str = ""
    state: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Accepted:
    """A task that is under way; poll it not before `poll_after` seconds. It counts as bought.

    `half_done` is the address of a picture that shows how far it is, where the provider has one.
    """

    task: Task
    poll_after: float
    progress: int | None = None  # percent
    message: str = ""  # what the provider says about it, for members
    half_done: str = ""
    request_id: str = ""
    status: int = 200


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
    of_system: bool = field(default=False, kw_only=True)  # a 429 of one system, not of a whole gateway

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
    """One account at one image API. Thread-safe.

    Every client is made by `Client(base_url, key, *, client_id, proxy, at_gateway, dialect)`. At a gateway
    the base URL already has the path before the system's own paths, and the key is sent as `Authorization:
    Bearer`; else as the maker wants it. `dialect` is one of those that the system declares.
    """

    # Whether polls count towards the account's limit of calls; if not, they have one of the same size.
    polls_count_as_calls: bool
    result_hosts: tuple[str, ...]  # from which results given by address come; empty: the account's own host

    def submit(self, request: ImageRequest, *, timeout: float) -> Done | Accepted:
        """Call the API once, within `timeout` seconds in all, body included.

        Raises Refused, Unavailable, ModelUnavailable, Busy or Unknown and nothing else, whatever the provider
        sends.
        """

    def poll(self, task: Task, *, timeout: float) -> Done | Accepted:
        """Ask once how a task is.

        Raises what `submit` raises, but `Refused` only if the provider says that the task has failed or was
        moderated: it ends the task. After any other error the task is polled again later.
        """

    def balance(self, *, timeout: float) -> float | None:
        """Return the credits left, None if the provider does not say; raises what `submit` raises."""


@runtime_checkable
class ListsTasks(Protocol):
    """A provider that tells in one answer how many tasks are, which is one call instead of one for each."""

    def list_of(self, task: Task) -> str:
        """Return the name of the list that has the task; "" for one that is polled by itself."""

    def poll_many(self, tasks: Sequence[Task], *, timeout: float) -> Mapping[str, Accepted]:
        """Ask once for tasks of one list; those that go on, by their remote ids.

        What has ended, waits for something or is not in the answer is left out, and is polled by itself: the
        last word is in `poll` alone, which may take it from this answer. Raises what `submit` raises.
        """
