"""How the form of Create shows a field of a model: which template, which value, which choices.

Everything follows from the declaration. Few names have a look of their own: the prompts have a place at the
top, shapes are drawn, styles have samples, a seed can be random, and four sides are dragged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from generations.core import kept_fragments
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import (
    Choice,
    Colors,
    Field,
    Flag,
    Group,
    InvalidValue,
    Number,
    Text,
    WeightedTexts,
    When,
)
from generations.providers.catalogue.model import Model

PROMPT, NEGATIVE_PROMPT = "prompt", "negative_prompt"
SIDES = ("left", "right", "up", "down")  # how far a picture is expanded
SHAPE = re.compile(r"\d+:\d+|auto")
MAX_SEGMENTS = 4  # choices side by side; more are a list
MAX_SEGMENT_LETTERS = 40  # of all their titles
MAX_SLIDER_STEPS = 10_000
LONG_TEXT = 200  # letters; a longer text gets several lines


@dataclass(frozen=True)
class Control:
    """One field with its value and errors, for the template of its widget.

    `made` are the styles of the team that it offers beside its own choices: values and names.
    """

    field: Field
    value: str
    errors: Sequence[str] = ()
    made: tuple[tuple[str, str], ...] = ()
    model: Model | None = None

    @property
    def html(self) -> SafeString:
        """The control. One with one of a few values, which is nobody's own, is rendered once."""
        if self.model and self._is_usual:
            values = {"model": self.model, "name": self.name, "value": self.value}
            return kept_fragments.kept_fragment("jobs/create/kept_control.html", **values)
        return render_to_string(self.template, {"control": self})

    @property
    def _is_usual(self) -> bool:
        choices = self.field.choices if isinstance(self.field, Choice) else ()
        return not self.errors and not self.made and (not self.value or self.value in choices)

    @property
    def sizes(self) -> dict[str, str]:
        """Width and height of the images of the model, by shape."""
        sizes = self.model.sizes if self.model else {}
        return {shape: f"{width} × {height}" for shape, (width, height) in sizes.items()}  # noqa: RUF001  the sign of sizes

    @property
    def template(self) -> str:
        """The template that shows it."""
        return f"jobs/create/fields/{widget(self.field)}.html"

    @property
    def name(self) -> str:
        """Its name in the form."""
        return self.field.name

    @property
    def title(self) -> str:
        """Its title, translated."""
        return _(self.field.title)

    @property
    def help(self) -> str:
        """A sentence about it; "" for none."""
        return _(self.field.help) if self.field.help else ""

    @property
    def is_wide(self) -> bool:
        """Whether it needs the whole width of the form."""
        return widget(self.field) not in ("number", "select", "flag")

    @property
    def when(self) -> str:
        """`with` or `without` an image if it only holds then."""
        return {When.ALWAYS: "", When.WITH_IMAGE: "with", When.WITHOUT_IMAGE: "without"}[self.field.when]

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """Values and translated titles."""
        choices = self.field.choices if isinstance(self.field, Choice) else {}
        return tuple((value, _(title)) for value, title in choices.items())

    @property
    def chosen(self) -> str:
        """The chosen value; "" if it is none of the choices."""
        return self.value if isinstance(self.field, Choice) and self.value in self.field.choices else ""

    @property
    def chosen_title(self) -> str:
        """The title of the chosen value; "" if there is none."""
        if self.value in (made := dict(self.made)):
            return made[self.value]
        title = self.field.choices.get(self.value) if isinstance(self.field, Choice) else None
        return _(title) if title else ""

    @property
    def has_empty(self) -> bool:
        """Whether nothing can be chosen, or must be until something is."""
        return self.field.default is None

    @property
    def minimum(self) -> str:
        """The smallest number."""
        return number_text(self.field.minimum) if isinstance(self.field, Number) else ""

    @property
    def maximum(self) -> str:
        """The largest number."""
        return number_text(self.field.maximum) if isinstance(self.field, Number) else ""

    @property
    def step(self) -> str:
        """The step of the slider."""
        return number_text(self.field.step) if isinstance(self.field, Number) else ""

    @property
    def usual(self) -> str:
        """The number that is used if none is given; "" if that is not known."""
        start = start_of(self.field) if isinstance(self.field, Number) else None
        return "" if start is None else number_text(start)

    @property
    def slider_value(self) -> str:
        """Where the slider stands."""
        return self.value or self.usual or self.minimum

    @property
    def most_colors(self) -> int:
        """How many colors may be chosen."""
        return self.field.maximum if isinstance(self.field, Colors) else 0

    @property
    def max_length(self) -> int:
        """How long a text may be; 0 for other kinds."""
        return self.field.max_length if isinstance(self.field, Text) else 0


def is_on_form(field: Field) -> bool:
    """Whether people can fill it in; weighted prompts are for programs only."""
    return not isinstance(field, WeightedTexts)


def fields_of(model: Model) -> list[Field]:
    """The fields of a model that are on its form."""
    return [each for each in model.fields if is_on_form(each)]


def names() -> set[str]:
    """The names of all fields that any model has on its form."""
    return {each.name for model in catalogue_registry.MODELS.values() for each in fields_of(model)}


def widget(field: Field) -> str:
    """The name of the template in jobs/create/fields/; TypeError for a kind that has none."""
    match field:
        case Text():
            return "textarea" if field.max_length > LONG_TEXT else "text"
        case Choice():
            return _widget_of_choice(field)
        case Number(name="seed"):
            return "seed"
        case Number():
            return "slider" if (field.maximum - field.minimum) / field.step <= MAX_SLIDER_STEPS else "number"
        case Flag():
            return "flag"
        case Colors():
            return "colors"
        case _:
            raise TypeError(f"no control for the kind of field {type(field).__name__}")


def initial(field: Field, remembered: Any = None) -> str:
    """The value in a new form: what was chosen last, what is usual, or nothing."""
    if field.remembered and (kept := valid_text(field, remembered)):
        return kept
    if isinstance(field, Number):
        start = start_of(field)
        return number_text(start) if field.required and start is not None else ""
    return str(field.default) if isinstance(field, Choice) and field.default is not None else ""


def valid_text(field: Field, value: Any) -> str:
    """The value as a form shows it; "" if the field does not take it.

    A text that is too long stays, so that it can be shortened.
    """
    if value is None or isinstance(value, list | dict):
        return ""
    text = "true" if value is True else number_text(value) if isinstance(value, float) else str(value)
    try:
        return text if isinstance(field, Text | Colors) or field.clean(text) is not None else ""
    except InvalidValue:
        return ""


def start_of(field: Number) -> float | None:
    """Where a number begins."""
    return field.default if field.suggested is None else field.suggested


def number_text(number: float) -> str:
    """A number as it is written in a field: without an exponent, and without zeros at the end."""
    return str(int(number)) if number == int(number) else f"{number:.10f}".rstrip("0")


def is_expandable(model: Model) -> bool:
    """Whether the model takes a number for each side of a picture."""
    return all(model.takes(side) and isinstance(model.field(side), Number) for side in SIDES)


def of_group(controls: Sequence[Control], group: Group) -> list[Control]:
    """The controls of a group, without the prompts, which have a place of their own."""
    return [
        each for each in controls if each.field.group is group and each.name not in (PROMPT, NEGATIVE_PROMPT)
    ]


def _widget_of_choice(field: Choice) -> str:
    if field.name == "aspect_ratio" and all(SHAPE.fullmatch(value) for value in field.choices):
        return "shapes"
    if field.made_with:
        return "select"
    if field.has_samples:
        return "styles"
    letters = sum(len(title) for title in field.choices.values())
    is_short = len(field.choices) <= MAX_SEGMENTS and letters <= MAX_SEGMENT_LETTERS
    return "segments" if is_short and field.default is not None else "select"
