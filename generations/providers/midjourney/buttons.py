"""The next steps that a finished task offers: its buttons, or what can be changed by its id.

Sources: docs/providers/midjourney.md, "Tasks" and "Buttons".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from generations.providers.base import Action
from generations.providers.i18n import gettext as _
from generations.providers.i18n import gettext_noop
from generations.providers.midjourney.models import REGION, ZOOM

MAX_BUTTONS = 24
MAX_ID = 400  # characters of a button's id
QUARTERS = (1, 2, 3, 4)
OF_QUARTERS = frozenset(f"{letter}{quarter}" for letter in "uv" for quarter in QUARTERS)
CHANGED = frozenset({"IMAGINE", "VARIATION", "REROLL", "BLEND"})  # actions of tasks whose result is a grid
# What a button's id says of it, with the name of the step and what ours says. An id that is none of these may
# be an address, a bookmark, or a step that a relay does not know.
QUARTER = re.compile(r"MJ::JOB::(upsample|variation)::([1-4])::")
KNOWN: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "MJ::JOB::reroll::": ("reroll", gettext_noop("Draw again")),
        "MJ::JOB::low_variation::": ("vary-subtle", gettext_noop("Vary a little")),
        "MJ::JOB::high_variation::": ("vary-strong", gettext_noop("Vary a lot")),
        "MJ::JOB::pan_left::": ("pan-left", gettext_noop("Pan left")),
        "MJ::JOB::pan_right::": ("pan-right", gettext_noop("Pan right")),
        "MJ::JOB::pan_up::": ("pan-up", gettext_noop("Pan up")),
        "MJ::JOB::pan_down::": ("pan-down", gettext_noop("Pan down")),
        "MJ::Outpaint::100::": ("make-square", gettext_noop("Make it square")),
        "MJ::Outpaint::75::": ("zoom-out-1.5", gettext_noop("Zoom out 1.5x")),
        "MJ::Outpaint::50::": ("zoom-out-2", gettext_noop("Zoom out 2x")),
        "MJ::CustomZoom::": (ZOOM, gettext_noop("Zoom out")),
        "MJ::Inpaint::": (REGION, gettext_noop("Vary a region")),
    }
)
# Larger: by 2x or 4x, subtle or creative, whatever the version of Midjourney.
ENLARGED = re.compile(r"MJ::JOB::upsample_(?:[a-z0-9]{1,9}_){1,4}(2x|4x|subtle|creative)::")


def of_task(task: Mapping[str, Any], task_id: str) -> tuple[Action, ...]:
    """Return the steps that can be ordered, each under a name of its own; () for a text.

    Those of a grid's quarters come first, whatever stands between them at the provider.
    """
    listed = task.get("buttons")
    buttons = listed if isinstance(listed, list) else []
    found = {
        action.name: action for button in buttons[:MAX_BUTTONS] for action in _of_button(button, task_id)
    }
    if not found and not buttons and str(task.get("action") or "").upper() in CHANGED:
        return tuple(_by_id(task_id))
    return tuple(sorted(found.values(), key=lambda action: action.name not in OF_QUARTERS))


def _of_button(button: Any, task_id: str) -> Iterator[Action]:
    custom_id = button.get("customId") if isinstance(button, Mapping) else None
    if not isinstance(custom_id, str) or len(custom_id) > MAX_ID:
        return
    for name, title in _step(custom_id):
        yield Action(name, title, {"task": task_id, "custom_id": custom_id})


def _step(custom_id: str) -> Iterator[tuple[str, str]]:
    """The name and title of what a button does, if it is known."""
    if quarter := QUARTER.match(custom_id):
        letter = "U" if quarter[1] == "upsample" else "V"
        yield f"{letter.lower()}{quarter[2]}", f"{letter}{quarter[2]}"
    elif enlarged := ENLARGED.match(custom_id):
        yield f"upscale-{enlarged[1]}", _("Upscale (%(how)s)") % {"how": enlarged[1]}
    else:
        yield from ((name, _(title)) for start, (name, title) in KNOWN.items() if custom_id.startswith(start))


def _by_id(task_id: str) -> Iterator[Action]:
    """What a grid without buttons can be asked for."""
    for letter, change in (("U", "UPSCALE"), ("V", "VARIATION")):
        for index in QUARTERS:
            state = {"task": task_id, "change": change, "index": index}
            yield Action(f"{letter.lower()}{index}", f"{letter}{index}", state)
    yield Action("reroll", _("Draw again"), {"task": task_id, "change": "REROLL", "index": 1})
