"""Kinds of field of a form. Each reads its part; ValueError says what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from generations.sandbox.image_decoding import DECODED, open_image
from generations.sandbox.multipart import Form

WHOLE = re.compile(r"-?[0-9]{1,20}", re.ASCII)
DECIMAL = re.compile(r"-?([0-9]{1,20}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][-+]?[0-9]{1,3})?", re.ASCII)


class Field(Protocol):
    """What every kind of field has."""

    def read(self, form: Form, name: str) -> Any:
        """Return the value, the default if the part is absent; ValueError if it is invalid."""


@dataclass(frozen=True)
class Text:
    """A text of limited length, empty if absent."""

    max_length: int = 10_000
    required: bool = False

    def read(self, form: Form, name: str) -> str:
        """Return the text."""
        value = form.texts.get(name, "")
        if self.required and not value:
            raise ValueError("is required")
        if len(value) > self.max_length:
            raise ValueError(f"cannot be longer than {self.max_length} characters")
        return value


@dataclass(frozen=True)
class Choice:
    """One of some words."""

    allowed: Iterable[str]
    default: str = ""

    def read(self, form: Form, name: str) -> str:
        """Return the word."""
        value = form.texts.get(name)
        if value is not None and value not in self.allowed:
            raise ValueError(f"must be one of {', '.join(self.allowed)}")
        return self.default if value is None else value


@dataclass(frozen=True)
class Number:
    """A number within a range, both ends of which belong to it."""

    low: float
    high: float
    default: float | None = None
    whole: bool = False
    required: bool = False

    def read(self, form: Form, name: str) -> float | None:
        """Return the number, an int if it has to be whole."""
        text = form.texts.get(name)
        if text is None:
            if self.required:
                raise ValueError("is required")
            return self.default
        if not (WHOLE if self.whole else DECIMAL).fullmatch(text):
            raise ValueError(f"must be {'an integer' if self.whole else 'a number'}")
        value = int(text) if self.whole else float(text)
        if not self.low <= value <= self.high:
            raise ValueError(f"must be between {self.low} and {self.high}")
        return value


@dataclass(frozen=True)
class Picture:
    """A file with an image, which is decoded to see that it is whole. `max_ratio` is of the longer side."""

    required: bool = False
    min_side: int = 1
    max_side: int | None = None
    min_pixels: int = 1
    max_pixels: int | None = None
    max_ratio: float | None = None

    def read(self, form: Form, name: str) -> bytes | None:
        """Return the file as it came."""
        data = form.files.get(name)
        if data is None:
            if name in form.texts:
                raise ValueError("must be sent as a file")
            if self.required:
                raise ValueError("is required")
            return None
        image = open_image(data)
        self._check_size(image.width, image.height)
        if image.width * image.height <= DECODED:
            try:
                image.load()
            except (OSError, SyntaxError, ValueError) as problem:
                raise ValueError("must be a valid jpeg, png or webp image") from problem
        return data

    def _check_size(self, width: int, height: int) -> None:
        pixels = width * height
        if min(width, height) < self.min_side or max(width, height) > (self.max_side or max(width, height)):
            upper = (
                f"between {self.min_side} and {self.max_side}"
                if self.max_side
                else f"at least {self.min_side}"
            )
            raise ValueError(f"width and height must be {upper} pixels")
        if pixels < self.min_pixels:
            raise ValueError(f"must have at least {self.min_pixels} pixels")
        if self.max_pixels and pixels > self.max_pixels:
            raise ValueError(f"cannot have more than {self.max_pixels} pixels")
        if self.max_ratio and max(width, height) > self.max_ratio * min(width, height):
            raise ValueError(f"aspect ratio must be between 1:{self.max_ratio} and {self.max_ratio}:1")
