"""Fields that several systems have alike: a seed, and the four sides of a picture that is expanded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from generations.providers.catalogue.fields import Group, Number
from generations.providers.i18n import gettext as _
from generations.providers.i18n import gettext_noop

SIDES: Mapping[str, str] = MappingProxyType(
    {
        "left": gettext_noop("Left"),
        "right": gettext_noop("Right"),
        "up": gettext_noop("Up"),
        "down": gettext_noop("Down"),
    }
)
EXTENDED = gettext_noop("By how many pixels the image is extended on this side.")


def seed(maximum: int) -> Number:
    """A seed from 1 to `maximum`; 0 and -1 are a random one, as sending none."""
    return Number(
        name="seed",
        title=gettext_noop("Seed"),
        group=Group.MORE,
        minimum=0,
        maximum=maximum,
        whole=True,
        default=0,
        absent=(0, -1),
    )


def sides(maximum: int, note: str = EXTENDED) -> tuple[Number, ...]:
    """By how many pixels, at most `maximum`, a picture is extended on each side; `note` is their help."""
    return tuple(
        Number(
            name=name,
            title=title,
            help=note,
            group=Group.IMAGE,
            minimum=0,
            maximum=maximum,
            whole=True,
            default=0,
            absent=(0,),
        )
        for name, title in SIDES.items()
    )


def extends_a_side(parameters: Mapping[str, Any], roles: Collection[str]) -> Mapping[str, str]:
    """A rule: at least one of the four sides is extended."""
    if parameters.keys() & SIDES.keys():
        return {}
    return {"left": _("Choose by how many pixels at least one side is extended.")}
