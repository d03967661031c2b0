"""Kinds of fields of a model, and how each validates a value."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

from generations.providers.i18n import gettext as _

WHOLE = re.compile(r"[+-]?[0-9]{1,20}(?=(\.0{0,20})?$)", re.ASCII)  # 2.0 is whole
STYLE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)  # of a style that a team has made
COLOR = re.compile(r"#?([0-9a-f]{6}|[0-9a-f]{3})", re.ASCII | re.IGNORECASE)
DECIMAL = re.compile(r"[+-]?([0-9]{1,20}(\.[0-9]{0,20})?|\.[0-9]{1,20})([eE][+-]?[0-9]{1,3})?", re.ASCII)

FLAG_VALUES: Mapping[str, bool | None] = {"true": True, "on": True, "false": None, "off": None, "": None}


class When(Enum):
    """Whether a field is used with or without an image in the role `image`."""

    ALWAYS = "always"
    WITH_IMAGE = "with an image"
    WITHOUT_IMAGE = "without an image"

    def holds(self, *, has_image: bool) -> bool:
        """Return whether the endpoint takes the field in such a request."""
        return self is When.ALWAYS or (self is When.WITH_IMAGE) == has_image


class Group(Enum):
    """Where a form shows a field: at once, folded away, or beside the image that it is about."""

    MAIN = "main"
    MORE = "more"
    IMAGE = "image"


class Kind(StrEnum):
    """What programs call the kinds of fields."""

    TEXT = "text"
    CHOICE = "choice"
    NUMBER = "number"
    WHOLE_NUMBER = "whole number"
    FLAG = "flag"
    COLORS = "colors"
    NONE = ""  # only in formats of other makers


class InvalidValue(ValueError):
    """An invalid value; the text says what is valid."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a model, under the provider's own name.

    `default` is what the provider uses when nothing is sent; `required` applies only `when` the field is
    used. `label` is its name in the metadata of a picture, its title in English if empty. A form fills in
    what a member chose last in fields that are `remembered`.
    """

    name: str
    title: str
    help: str = ""
    group: Group = Group.MAIN
    required: bool = False
    remembered: bool = False
    default: Any = None
    label: str = ""
    when: When = When.ALWAYS

    @property
    def kind(self) -> Kind:
        """What programs call its kind."""
        return Kind.NONE

    @property
    def value_type(self) -> type:
        """The type of a value in JSON."""
        return str

    @property
    def limits(self) -> Mapping[str, Any]:
        """What a value is limited by, in the words of the API."""
        return {}

    def clean(self, value: Any) -> Any:
        """Return the value as the provider takes it, None for an empty one; InvalidValue otherwise."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Text(Field):
    """A text; lengths count Unicode code points after trimming."""

    min_length: int = 0
    max_length: int

    @property
    def kind(self) -> Kind:
        """Text."""
        return Kind.TEXT

    @property
    def limits(self) -> Mapping[str, Any]:
        """The longest text, in code points."""
        return {"max_length": self.max_length}

    def clean(self, value: Any) -> str | None:
        """Return the text trimmed, with line feeds only."""
        if not isinstance(value, str):
            raise InvalidValue(_("Write this as text."))
        text = value.replace("\r\n", "\n").replace("\r", "\n").strip()
        if not text:
            return None
        if any(unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\t" for letter in text):
            raise InvalidValue(_("Remove the control characters from this text."))
        if len(text) > self.max_length:
            counts = {"most": f"{self.max_length:,}", "count": f"{len(text):,}"}
            raise InvalidValue(_("Use at most %(most)s characters; these are %(count)s.") % counts)
        if len(text) < self.min_length:
            least = {"least": f"{self.min_length:,}"}
            raise InvalidValue(_("Use at least %(least)s characters.") % least)
        return text


@dataclass(frozen=True, kw_only=True)
class WeightedTexts(Field):
    """Several texts with a weight each: [{"text": "a harbour", "weight": 0.5}, …].

    Only programs send it, beside `prompt` and `negative_prompt` that sum it up for people; forms have no such
    field.
    """

    max_texts: int = 100

    def clean(self, value: Any) -> list[dict[str, Any]]:
        """Return the texts unchanged."""
        if not isinstance(value, list) or not 1 <= len(value) <= self.max_texts:
            raise InvalidValue(_("Send a list of texts, each with its weight."))
        return [_weighted(entry) for entry in value]


@dataclass(frozen=True, kw_only=True)
class Choice(Field):
    """One of several values, each with its title, in display order; `absent` mean the same as sending none.

    With `has_samples` each value has a picture to choose by, `style-<value>.webp` of the static files.
    Beside `choices` there are the styles that a team has made with the models `made_with`, by their ids:
    `clean` takes any, and who knows teams must check whose it is.
    """

    choices: Mapping[str, str]
    has_samples: bool = False
    made_with: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        """Choice."""
        return Kind.CHOICE

    @property
    def limits(self) -> Mapping[str, Any]:
        """The values to choose from."""
        return {"choices": list(self.choices)}

    @property
    def values(self) -> tuple[str, ...]:
        """The values as they are sent to the provider."""
        return tuple(self.choices)

    def clean(self, value: Any) -> str | None:
        """Return the value."""
        if value == "":
            return None
        if not isinstance(value, str) or not (value in self.choices or self.is_made(value)):
            raise InvalidValue(_("Choose one of: %(choices)s.") % {"choices": ", ".join(self.choices)})
        return None if value in self.absent else value

    def is_made(self, value: str) -> bool:
        """Return whether a value can be the id of a style that a team has made."""
        return bool(self.made_with and value not in self.choices and STYLE_ID.fullmatch(value))


@dataclass(frozen=True, kw_only=True)
class Number(Field):
    """A number from `minimum` to `maximum`; `step` is for sliders and is not validated.

    `suggested` is where a slider starts; `absent` are values that mean the same as sending none.
    """

    minimum: float
    maximum: float
    step: float = 1
    whole: bool = False
    suggested: float | None = None
    absent: tuple[float, ...] = ()

    @property
    def kind(self) -> Kind:
        """Number, or whole number."""
        return Kind.WHOLE_NUMBER if self.whole else Kind.NUMBER

    @property
    def value_type(self) -> type:
        """The type of a value in JSON."""
        return int if self.whole else float

    @property
    def limits(self) -> Mapping[str, Any]:
        """The range."""
        return {"minimum": self.minimum, "maximum": self.maximum}

    def clean(self, value: Any) -> float | int | None:
        """Return an int or a finite float within the range."""
        if isinstance(value, str) and not value.strip():
            return None
        number = parse_whole(value) if self.whole else parse_decimal(value)
        if number in self.absent:
            return None
        if number is None or not self.minimum <= number <= self.maximum:
            raise InvalidValue(self._range % {"least": f"{self.minimum:g}", "most": self._top})
        return number

    @property
    def _range(self) -> str:
        if self.whole:
            return _("Enter a whole number from %(least)s to %(most)s.")
        return _("Enter a number from %(least)s to %(most)s.")

    @property
    def _top(self) -> str:
        return f"{self.maximum:.0f}" if self.whole else f"{self.maximum:g}"


@dataclass(frozen=True, kw_only=True)
class Flag(Field):
    """On or off: a checkbox. Off is not sent, so the provider must take a missing one for off."""

    default: bool = False

    @property
    def kind(self) -> Kind:
        """Flag."""
        return Kind.FLAG

    @property
    def value_type(self) -> type:
        """The type of a value in JSON."""
        return bool

    def clean(self, value: Any) -> bool | None:
        """Return True for on, None for off."""
        text = str(value).strip().lower()
        if not isinstance(value, bool | str) or text not in FLAG_VALUES:
            raise InvalidValue(_("Choose on or off."))
        return FLAG_VALUES[text]


@dataclass(frozen=True, kw_only=True)
class Colors(Field):
    """Colors, at most `maximum`: `#rrggbb` with spaces between."""

    maximum: int = 1

    @property
    def kind(self) -> Kind:
        """Colors."""
        return Kind.COLORS

    @property
    def limits(self) -> Mapping[str, Any]:
        """How many there may be."""
        return {"max_colors": self.maximum}

    def clean(self, value: Any) -> str | None:
        """Return the colors as `#rrggbb`, with spaces between."""
        if not isinstance(value, str):
            raise InvalidValue(_("Write this as text."))
        written = value.replace(",", " ").split()
        if not all(COLOR.fullmatch(each) for each in written):
            raise InvalidValue(_("Write colors as #rrggbb, such as #ff8e3c, with spaces between."))
        if len(written) > self.maximum:
            counts = {"most": self.maximum, "count": len(written)}
            raise InvalidValue(_("Choose at most %(most)s colors; these are %(count)s.") % counts)
        return " ".join(map(_full, written)) or None

    @staticmethod
    def rgb(value: str) -> list[tuple[int, int, int]]:
        """Return red, green and blue, each from 0 to 255, of the colors in a cleaned value."""
        return [(int(each[1:3], 16), int(each[3:5], 16), int(each[5:7], 16)) for each in value.split()]


def _full(color: str) -> str:
    digits = color.lstrip("#").lower()
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def _weighted(entry: Any) -> dict[str, Any]:
    weight = entry.get("weight") if isinstance(entry, dict) else None
    if parse_decimal(weight) is None or isinstance(weight, str) or not isinstance(entry.get("text"), str):
        raise InvalidValue(_("Send a list of texts, each with its weight."))
    return {"text": entry["text"], "weight": weight}


def parse_whole(value: Any) -> int | None:
    """Return the whole number that a client means by 2, 2.0, "2" or "2.0"; None for anything else."""
    if isinstance(value, str):
        found = WHOLE.match(value.strip())
        return int(found[0]) if found else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def parse_decimal(value: Any) -> float | None:
    """Return the number that a client means by 2, 2.5, "2.5" or "1e3"; None for anything else."""
    if isinstance(value, str):
        if not DECIMAL.fullmatch(value := value.strip()):
            return None
    elif isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # an int too large for a float
        return None
    return number if math.isfinite(number) else None
