"""Which rows are one account at its provider: its balance is counted once, and its limit is shared."""

from __future__ import annotations

from collections.abc import Iterable

from generations.upstreams import encryption
from generations.upstreams.models import Upstream

Mark = tuple[str, str, str]  # what rows of one account have in common: an address, and a key or a limit


def grouped(upstreams: Iterable[Upstream]) -> list[list[Upstream]]:
    """Return the rows by provider account: the same address, with the same key or a limit shared by hand."""
    groups: list[tuple[set[Mark], list[Upstream]]] = []
    for upstream in upstreams:
        marks, rows = _marks(upstream), [upstream]
        for group in [group for group in groups if group[0] & marks]:
            groups.remove(group)
            marks, rows = marks | group[0], [*group[1], *rows]
        groups.append((marks, rows))
    return [rows for _marks_of_rows, rows in groups]


def twins(upstream: Upstream, others: Iterable[Upstream]) -> list[Upstream]:
    """Return those of the others that have the address and the key of this row."""
    own = {mark for mark in _marks(upstream) if mark[0] == "key"}
    return [other for other in others if own & _marks(other)]


def _marks(upstream: Upstream) -> set[Mark]:
    address = upstream.base_url.rstrip("/")
    marks = {("row", address, str(upstream.pk))}
    if upstream.pace_account:
        marks.add(("pace", address, upstream.pace_account))
    try:
        key = upstream.key
    except encryption.Undecryptable:
        return marks
    return marks | {("key", address, key)} if key else marks
