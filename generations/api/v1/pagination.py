"""Pages that go on from a row, so that the last of a million comes as fast as the first."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from urllib.parse import urlencode

from django.db.models import Q
from ninja import Query

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

    Row = TypeVar("Row", bound=Model)

MOST = 100
Before = Annotated[uuid.UUID | None, Query(description="The id that a page ended with.")]
Number = Annotated[int | None, Query(ge=1, le=2**63 - 1, description="The number of one.")]
Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at once.")]


def older(rows: QuerySet[Row], than: Row | None, limit: int) -> list[Row]:
    """The newest, or those made before `than`; one more than the limit if there are more."""
    if than is not None:
        moment: Any = than.created_at  # type: ignore[attr-defined]  # as all that is paged has
        # The first condition says again what the second says, in a way that an index can begin from.
        rows = rows.filter(created_at__lte=moment).exclude(Q(created_at=moment, pk__gte=than.pk))
    return list(rows.order_by("-created_at", "-pk")[: limit + 1])


def following(request: HttpRequest, last: object | None, name: str = "before") -> str | None:
    """The address of the page that goes on from the last row of this one; None if there is none."""
    if last is None:
        return None
    kept = [(key, value) for key, values in request.GET.lists() if key != name for value in values]
    return f"{request.path}?{urlencode([*kept, (name, str(last))], errors='replace')}"
