"""Pagination: keyset pages, whose cost does not grow with the number of rows, and numbered pages."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from django.core.paginator import Page
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from ninja import Query

Row = TypeVar("Row", bound=Model)

MAX_LIMIT = 100
Before = Annotated[uuid.UUID | None, Query(description="List items older than the item with this id.")]
BeforeNumber = Annotated[
    int | None, Query(ge=1, le=2**63 - 1, description="List items older than the item with this number.")
]
MemberId = Annotated[int | None, Query(ge=1, le=2**63 - 1, description="Id of a member.")]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Maximum number of items.")]


def older(rows: QuerySet[Row], than: Row | None, limit: int) -> list[Row]:
    """Return the newest rows, or those older than one; one more than the limit if there are more."""
    if than is not None:
        created_at: Any = than.created_at  # type: ignore[attr-defined]  # every paginated model has it
        # The first condition is implied by the second, but lets the database start in the index.
        rows = rows.filter(created_at__lte=created_at).exclude(Q(created_at=created_at, pk__gte=than.pk))
    return list(rows.order_by("-created_at", "-pk")[: limit + 1])


def keyset_page(
    request: HttpRequest, rows: list[Row], limit: int, serialize: Callable[[list[Row]], list[dict[str, Any]]]
) -> dict[str, Any]:
    """Return a page of up to `limit` rows; further rows in the list mean that there is a next page."""
    items = rows[:limit]
    return {
        "items": serialize(items),
        "next": next_path(request, items[-1].pk if len(rows) > limit else None),
    }


def numbered_page(
    request: HttpRequest, found: Page[Any], number: int, serialize: Callable[[Any], dict[str, Any]]
) -> dict[str, Any]:
    """Return a page of a paginator; a number past the last page has no items."""
    exists = number == found.number
    following = found.next_page_number() if exists and found.has_next() else None
    return {
        "items": [serialize(row) for row in found] if exists else [],
        "next": next_path(request, following, "page"),
    }


def next_path(request: HttpRequest, value: object | None, parameter: str = "before") -> str | None:
    """Return the path and query of the page that begins at `value`; None if there is none."""
    if value is None:
        return None
    query = [(key, each) for key, values in request.GET.lists() if key != parameter for each in values]
    return f"{request.path}?{urlencode([*query, (parameter, str(value))], errors='replace')}"
