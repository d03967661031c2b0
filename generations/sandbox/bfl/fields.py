"""Kinds of field of a JSON body. Each reads its value; Wrong says what is wrong with it, as FastAPI does."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

from generations.sandbox.image_decoding import DECODED, open_image

MAX_BYTES = 20 * 1024 * 1024  # of an image
RATIO = re.compile(r"([1-9]\d?):([1-9]\d?)")


class Wrong(ValueError):
    """A value that is not taken; `kind` is FastAPI's name of the problem."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Field(Protocol):
    """What every kind of field has."""

    @property
    def default(self) -> Any:
        """What is taken if the field is not sent."""

    @property
    def required(self) -> bool:
        """Whether it must be sent."""

    def read(self, value: Any) -> Any:
        """Return the value; Wrong if it is not taken."""


@dataclass(frozen=True)
class Text:
    """A text."""

    required: bool = False
    default: str = ""

    def read(self, value: Any) -> str:
        """Return the text."""
        if not isinstance(value, str):
            raise Wrong("string_type", "Input should be a valid string")
        return value


@dataclass(frozen=True)
class Choice:
    """One of some words."""

    allowed: Collection[str]
    default: str | None = None
    required: bool = False

    def read(self, value: Any) -> str:
        """Return the word."""
        if not isinstance(value, str) or value not in self.allowed:
            words = ", ".join(f"'{word}'" for word in self.allowed)
            raise Wrong("enum", f"Input should be {words}")
        return value


@dataclass(frozen=True)
class Ratio:
    """A ratio of width and height from 21:9 to 9:21."""

    default: str | None = None
    required: bool = False

    def read(self, value: Any) -> str:
        """Return the ratio as it came."""
        found = RATIO.fullmatch(value) if isinstance(value, str) else None
        if found is None or not 9 / 21 <= int(found[1]) / int(found[2]) <= 21 / 9:
            raise Wrong("value_error", "Value error, aspect ratio must be between 21:9 and 9:21")
        return str(value)


@dataclass(frozen=True)
class Number:
    """A number within a range, both ends of which belong to it; `step` is of what it must be a multiple."""

    low: float
    high: float
    default: float | None = None
    whole: bool = False
    step: int = 1
    required: bool = False

    def read(self, value: Any) -> float:
        """Return the number, an int if it has to be whole."""
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            kind = "integer" if self.whole else "number"
            raise Wrong(f"{kind}_type", f"Input should be a valid {kind}")
        if value < self.low:
            raise Wrong("greater_than_equal", f"Input should be greater than or equal to {self.low}")
        if value > self.high:
            raise Wrong("less_than_equal", f"Input should be less than or equal to {self.high}")
        if self.whole and value % self.step:
            raise Wrong("multiple_of", f"Input should be a multiple of {self.step}")
        return float(value) if not self.whole else int(value)


@dataclass(frozen=True)
class FreeSide:
    """A side of at least 64 pixels, a multiple of 16; 0 is automatic."""

    default: int = 0
    required: bool = False

    def read(self, value: Any) -> int:
        """Return the pixels."""
        return 0 if value == 0 else int(Number(64, 65_536, whole=True, step=16).read(value))


@dataclass(frozen=True)
class Flag:
    """True or false."""

    default: bool = False
    required: bool = False

    def read(self, value: Any) -> bool:
        """Return the value."""
        if not isinstance(value, bool):
            raise Wrong("bool_type", "Input should be a valid boolean")
        return value


@dataclass(frozen=True)
class Picture:
    """The base64 of an image, which is decoded to see that it is whole."""

    required: bool = False
    min_side: int = 64
    default: bytes | None = None

    def read(self, value: Any) -> bytes:
        """Return the bytes of the image."""
        if not isinstance(value, str):
            raise Wrong("string_type", "Input should be a valid string")
        try:
            data = base64.b64decode(
                value.partition(",")[2] if value.startswith("data:") else value, validate=True
            )
            image = open_image(data)
            if image.width * image.height <= DECODED:
                image.load()
        except (binascii.Error, OSError, SyntaxError, ValueError):
            raise Wrong("value_error", "Value error, the image could not be read") from None
        if min(image.size) < self.min_side or len(data) > MAX_BYTES:
            raise Wrong(
                "value_error", f"Value error, sides of at least {self.min_side} pixels, 20 MB at most"
            )
        return data


@dataclass(frozen=True)
class Pictures:
    """An image, or a list of up to ten."""

    min_side: int
    required: bool = False
    default: None = None

    def read(self, value: Any) -> list[bytes]:
        """Return the bytes of all images."""
        values = value if isinstance(value, list) else [value]
        if not 1 <= len(values) <= 10:
            raise Wrong("too_long", "List should have from 1 to 10 items")
        return [Picture(min_side=self.min_side).read(each) for each in values]
