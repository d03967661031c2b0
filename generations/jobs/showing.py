"""All that the page of one picture tells: neighbours, parameters, what it cost, how it went."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from generations.credits.models import Hold, Transfer, TransferKind
from generations.jobs import line, timeline
from generations.library.models import Image
from generations.teams.permissions import may

if TYPE_CHECKING:
    from generations.jobs.models import Generation
    from generations.teams.models import Membership

BESIDE = 4  # pictures of the film strip on each side


def everything_about(member: Membership, row: Generation | None, image: Image | None) -> dict[str, Any]:
    """The context of the page; the generation or the picture may be missing, not both."""
    newer, older = _neighbours(member, image) if image else ([], [])
    mine = (row.member_id if row else image and image.owner_id) == member.pk
    attempts = list(row.attempts.all()) if row else []
    parameters = dict((row.parameters if row else image.parameters if image else None) or {})
    return {
        "member": member,
        "generation": row,
        "image": image,
        "mine": mine,
        "who": row.member if row else image and image.owner,
        "place": line.place(row) if row else None,
        "parameters": parameters,
        "seed": (image.seed if image else None) or parameters.get("seed"),
        "as_json": json.dumps(parameters, ensure_ascii=False, indent=2),
        "hold": _hold(row) if row and (mine or may(member, "spend_see")) else None,
        "refund": _refund(row) if row and (mine or may(member, "spend_see")) else None,
        "steps": timeline.steps(row, attempts) if row else [],
        "seconds": (row.ended_at - row.created_at).total_seconds() if row and row.ended_at else None,
        "newer": newer[-1] if newer else None,
        "older": older[0] if older else None,
        "strip": [*newer, image, *older] if newer or older else [],
    }


def _hold(row: Generation) -> Hold | None:
    return Hold.objects.select_related("transfer").filter(reference=row.pk).first()


def _refund(row: Generation) -> Transfer | None:
    return Transfer.objects.filter(reference=row.pk, kind=TransferKind.REFUND).first()


def _neighbours(member: Membership, image: Image) -> tuple[list[Image], list[Image]]:
    """Those just newer and just older in the library, newest first."""
    visible = Image.objects.visible_to(member)
    same_moment = Q(created_at=image.created_at)
    newer = visible.filter(Q(created_at__gt=image.created_at) | same_moment & Q(pk__gt=image.pk))
    older = visible.filter(Q(created_at__lt=image.created_at) | same_moment & Q(pk__lt=image.pk))
    return (
        list(newer.order_by("created_at", "pk")[:BESIDE])[::-1],
        list(older.order_by("-created_at", "-pk")[:BESIDE]),
    )
