"""Whether the library has what it says, and nothing else: rows, objects, and what is made from them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from generations.library.maintenance import derived_check, object_check

if TYPE_CHECKING:
    from generations.library.findings import Check, Problem


def problems(check: Check) -> Iterator[Problem]:
    """All that is wrong, as it is found and perhaps mended. Raises StorageUnavailable.

    Memory is bounded whatever the number of images; without `is_quick` every byte is read.
    """
    yield from object_check.compare(check)
    yield from derived_check.look(check)
    if not check.is_quick:
        yield from object_check.read(check)
