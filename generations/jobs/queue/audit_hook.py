"""What operators do to the queue, told to whoever keeps the log.

The log stands in a room above, which this one must not know: `keep_with` lends it a keeper, as
`providers.i18n` is lent a translator. A keeper is called in the transaction of the deed itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from generations.teams.actor import By
from generations.teams.models import Membership


class Kind(StrEnum):
    """What was changed; the words of the log."""

    WEIGHT = "weight_changed"
    UPSTREAM = "upstream_changed"
    QUEUE = "queue_changed"


@dataclass(frozen=True)
class Deed:
    """One change: of whose, or of what, and what it was before and after."""

    kind: Kind
    member: Membership | None = None
    subject: str = ""
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


Keeper = Callable[[By, Deed], object]
_keepers: list[Keeper] = []


def keep_with(keeper: Keeper) -> None:
    """Tell this one from now on of everything that is done."""
    if keeper not in _keepers:
        _keepers.append(keeper)


def tell(by: By, deed: Deed) -> None:
    """Have it written down. A keeper that cannot undoes the deed with its error."""
    for keeper in _keepers:
        keeper(by, deed)
