"""How often Django is asked for an address while something is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import resolvers


def count_addresses(monkeypatch: pytest.MonkeyPatch, do: Callable[[], Any]) -> int:
    """The number of addresses that were made from their names."""
    reverse, names = resolvers.URLResolver._reverse_with_prefix, []

    def counted(self: Any, name: Any, *arguments: Any, **named: Any) -> Any:
        names.append(name)
        return reverse(self, name, *arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(resolvers.URLResolver, "_reverse_with_prefix", counted)
        do()
    return len(names)
