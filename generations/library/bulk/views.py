"""Bulk actions on the selected images: start one, show its progress and result, undo it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from generations.library.bulk import actions as bulk_actions
from generations.library.bulk import service as bulk_service
from generations.library.models import BulkAction
from generations.library.organise import service as organise_service
from generations.library.search import engine as search_engine
from generations.library.search.query import Search
from generations.teams.models import Membership
from generations.teams.permissions import member_required

# Fields that name the action of a form without `act`: buttons first, then what Enter in a text field means.
NAMING_FIELDS = ("take_out", "collect", "tag")


@member_required()
@require_POST
def start(request: HttpRequest, member: Membership) -> HttpResponse:
    """Start an action and answer with its progress; 422 and the reason if it cannot be started."""
    try:
        images = selected_images(request.POST, member)
        kind = _requested_kind(request.POST)
        argument = kind.argument_from(request.POST, member, images)
        action = bulk_service.start(member=member, kind=kind, images=images, argument=argument)
    except (bulk_actions.InvalidBulkAction, organise_service.InvalidName) as error:
        return _refuse(request, member, str(error))
    return _show(request, member, action)


@member_required()
@require_safe
@never_cache
def progress(request: HttpRequest, member: Membership, action: uuid.UUID) -> HttpResponse:
    """Show the progress of one of the member's own actions; a whole page without htmx."""
    row = _own_action(member, action)
    template = "library/bulk/result.html" if request.headers.get("HX-Request") else "library/bulk/page.html"
    return render(request, template, _context(member, row))


@member_required()
@require_POST
def undo(request: HttpRequest, member: Membership, action: uuid.UUID) -> HttpResponse:
    """Undo one of the member's own actions."""
    row = _own_action(member, action)
    try:
        return _show(request, member, bulk_service.undo(member=member, action=row))
    except bulk_actions.InvalidBulkAction as error:
        return _refuse(request, member, str(error))


def selected_images(form: QueryDict, member: Membership) -> list[uuid.UUID]:
    """Return the images that a form names, or all results of its search.

    Raises InvalidBulkAction for a malformed id, Http404 for a malformed search.
    """
    if form.get("all") == "1":
        return search_engine.ids(member, Search.from_query(QueryDict(form.get("search", ""))))
    try:
        return list(dict.fromkeys(uuid.UUID(image) for image in form.getlist("image")))
    except ValueError as error:
        raise bulk_actions.InvalidBulkAction(_("Choose some pictures first.")) from error


def _requested_kind(form: QueryDict) -> type[bulk_actions.BulkActionKind]:
    """Return the action that a form asks for, by `act` or by a field named like the action."""
    named = next((name for name in NAMING_FIELDS if form.get(name)), "collect")
    kind = bulk_actions.KINDS.get(form.get("act") or named)
    if kind is None or not kind.in_library:
        raise Http404
    return kind


def _own_action(member: Membership, pk: uuid.UUID) -> BulkAction:
    return get_object_or_404(BulkAction.objects.select_related("undoes", "undone_by"), pk=pk, member=member)


@dataclass(frozen=True)
class Summary:
    """The progress of an action in words: one sentence on changed images, one on unchanged ones."""

    label: str
    changed: str
    unchanged: str
    can_be_undone: bool
    percent: int
    restored: list[str]  # ids that the page had hidden, and that did not change


def summarize(member: Membership, action: BulkAction) -> Summary:
    """Describe an action's progress for the member who started it."""
    kind = bulk_actions.KINDS[action.kind](member, action.argument)
    count, ended = len(action.changed), action.ended_at is not None
    is_undone = action.undoes_id is not None or hasattr(action, "undone_by")
    if action.undoes_id:
        sentence = ngettext("Undone for %(count)s picture", "Undone for %(count)s pictures", count)
    else:
        sentence = kind.sentence(count)
    hidden = set(action.images).difference(action.changed) if ended and kind.hides_images else set()
    return Summary(
        label=str(kind.label),
        changed=sentence % {"count": _formatted(count), "subject": kind.subject()},
        unchanged=_unchanged(action, kind) if ended and action.unchanged else "",
        can_be_undone=ended and count > 0 and bool(kind.undo) and not is_undone,
        percent=100 * action.done // max(1, action.total),
        restored=sorted(hidden),
    )


def _unchanged(action: BulkAction, kind: bulk_actions.BulkActionKind) -> str:
    """How many images were not changed, and why that may be."""
    count = action.unchanged
    sentence = ngettext("%(count)s was left alone", "%(count)s were left alone", count)
    sentence %= {"count": _formatted(count)}
    reason = "" if action.undoes_id else kind.unchanged_reason
    return f"{sentence}: {reason}" if reason else sentence


def _formatted(count: int) -> str:
    return number_format(count, force_grouping=True)


def _context(member: Membership, action: BulkAction) -> dict[str, Any]:
    return {"member": member, "action": action, "summary": summarize(member, action)}


def _show(request: HttpRequest, member: Membership, action: BulkAction) -> HttpResponse:
    """The fragment with the progress; without htmx, a redirect to its page."""
    if not request.headers.get("HX-Request"):
        return redirect("library:deed_progress", member.team.slug, action.pk)
    return render(request, "library/bulk/result.html", _context(member, action))


def _refuse(request: HttpRequest, member: Membership, reason: str) -> HttpResponse:
    if not request.headers.get("HX-Request"):
        messages.error(request, reason)
        return redirect("library:grid", member.team.slug)
    return render(request, "library/bulk/result.html", {"member": member, "problem": reason}, status=422)
