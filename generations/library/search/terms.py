"""Tokens of a search entry: those of filters, and questions about them in either database's words.

A filter's token begins with a sign that no word contains, so that nobody's prompt can pretend to be one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

SIGN = "§"


@lru_cache(maxsize=4096)
def facet(kind: str, value: object) -> str:
    """The token of a filter's value, such as §o12 for what member 12 owns."""
    return f"{SIGN}{kind}{''.join(letter for letter in str(value).casefold() if letter.isalnum())}"


def team(pk: int) -> str:
    """What belongs to a team."""
    return facet("t", pk)


def owner(pk: int) -> str:
    """What a member made or brought."""
    return facet("o", pk)


def model(name: str) -> str:
    """What a model made."""
    return facet("m", name)


def style(name: str) -> str:
    """What was asked for in a style."""
    return facet("s", name)


def shape(name: str) -> str:
    """What has a shape, such as 16:9."""
    return facet("h", name.replace(":", "x"))


def seed(number: int) -> str:
    """What was drawn from a seed."""
    return facet("n", number)


def tag(pk: int) -> str:
    """What carries a tag."""
    return facet("g", pk)


def collection(pk: object) -> str:
    """What lies in a collection."""
    return facet("c", pk)


def favourite(member: int) -> str:
    """What a member likes."""
    return facet("f", member)


def batch(pk: object) -> str:
    """What one press of Generate made."""
    return facet("b", pk)


def origin(name: str) -> str:
    """What was generated, uploaded or imported."""
    return facet("r", name)


@dataclass(frozen=True)
class All:
    """All of `must` (which is never empty), at least one of each group of `any_of`, none of `without`."""

    must: tuple[str, ...]
    any_of: tuple[tuple[str, ...], ...] = ()
    without: tuple[str, ...] = ()

    def as_tsquery(self) -> str:
        """For PostgreSQL."""
        parts = [_quoted(token) for token in self.must]
        parts += [f"({' | '.join(map(_quoted, group))})" for group in self.any_of]
        parts += [f"!{_quoted(token)}" for token in self.without]
        return " & ".join(parts)

    def as_fts5(self) -> str:
        """For SQLite."""
        parts = [_string(token) for token in self.must]
        parts += [f"({' OR '.join(map(_string, group))})" for group in self.any_of]
        wanted, unwanted = " AND ".join(parts), " OR ".join(map(_string, self.without))
        return f"({wanted}) NOT ({unwanted})" if unwanted else wanted


def _quoted(token: str) -> str:
    return f"'{token}'"


def _string(token: str) -> str:
    return f'"{token}"'
