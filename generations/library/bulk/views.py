"""Acting on the pictures that somebody has chosen: a deed, how far it is, and its undoing."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from generations.library.bulk import service as bulk_service
from generations.library.bulk.messages import said
from generations.library.models import Act, Deed
from generations.library.organise import service as organise_service
from generations.library.search import engine as search_engine
from generations.library.search.query import Search
from generations.teams.models import Visibility
from generations.teams.permissions import may, member_required

if TYPE_CHECKING:
    from generations.teams.models import Membership


@member_required()
@require_POST
def deed(request: HttpRequest, member: Membership) -> HttpResponse:
    """Do something to many images; answers how far that is. 422 and a sentence if it cannot be done."""
    try:
        images = chosen(request.POST, member)
        act, argument = _asked(request.POST, member, images)
        done = bulk_service.start(member=member, act=act, images=images, argument=argument)
    except (bulk_service.BadDeed, organise_service.BadName) as problem:
        return _refused(request, member, str(problem))
    return _shown(request, member, done)


@member_required()
@require_safe
@never_cache
def progress(request: HttpRequest, member: Membership, deed: uuid.UUID) -> HttpResponse:
    """How far a deed of mine is; the whole page without a script."""
    row = _mine(member, deed)
    if not request.headers.get("HX-Request"):
        return render(request, "library/bulk/page.html", _context(member, row))
    return render(request, "library/bulk/result.html", _context(member, row))


@member_required()
@require_POST
def undo(request: HttpRequest, member: Membership, deed: uuid.UUID) -> HttpResponse:
    """Take a deed of mine back."""
    row = _mine(member, deed)
    try:
        return _shown(request, member, bulk_service.undo(member=member, deed=row))
    except bulk_service.BadDeed as problem:
        return _refused(request, member, str(problem))


def chosen(form: QueryDict, member: Membership) -> list[uuid.UUID]:
    """The images that a form names, or all that its search finds. Raises BadDeed, Http404."""
    if form.get("all") == "1":
        return search_engine.ids(member, Search.read(QueryDict(form.get("search", ""))))
    try:
        return list(dict.fromkeys(uuid.UUID(image) for image in form.getlist("image")))
    except ValueError as problem:
        raise bulk_service.BadDeed(_("Choose some pictures first.")) from problem


def _asked(form: QueryDict, member: Membership, images: list[uuid.UUID]) -> tuple[Act, str]:
    """Which act, and with what. A button that names a collection collects; so does a new one's name."""
    named = next((act for act in (Act.TAKE_OUT, Act.COLLECT, Act.TAG) if form.get(act)), Act.COLLECT)
    wanted = form.get("act") or named
    if wanted not in Act.values or wanted == Act.PURGE:
        raise Http404
    act = Act(wanted)
    argument = form.get("argument") or form.get("tag" if act == Act.UNTAG else act, "")
    if act in {Act.TAG, Act.UNTAG}:
        return act, organise_service.checked_tag(argument)
    if act == Act.COLLECT and not argument:
        return act, _new_collection(form, member, images)
    return act, _id(argument) if act in {Act.COLLECT, Act.TAKE_OUT} else ""


def _id(text: str) -> str:
    """A collection's id as we write it; "" for what is none."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return ""


def _new_collection(form: QueryDict, member: Membership, images: list[uuid.UUID]) -> str:
    """A collection made for what was chosen; none for nothing."""
    if not may(member, "organise"):
        raise bulk_service.BadDeed(_("Your role in this team does not allow this."))
    if not images:
        raise bulk_service.BadDeed(_("Choose some pictures first."))
    kept = Visibility.PRIVATE if form.get("visibility") == Visibility.PRIVATE else Visibility.TEAM
    made = organise_service.make_collection(member=member, name=form.get("name", ""), visibility=kept)
    return str(made.pk)


def _mine(member: Membership, pk: uuid.UUID) -> Deed:
    return get_object_or_404(Deed.objects.select_related("undoes", "undone_by"), pk=pk, member=member)


def _context(member: Membership, row: Deed) -> dict[str, Any]:
    return {"member": member, "deed": row, "said": said(row)}


def _shown(request: HttpRequest, member: Membership, row: Deed) -> HttpResponse:
    """The part that tells how far it is; without a script, the page that does."""
    if not request.headers.get("HX-Request"):
        return redirect("library:deed_progress", member.team.slug, row.pk)
    return render(request, "library/bulk/result.html", _context(member, row))


def _refused(request: HttpRequest, member: Membership, sentence: str) -> HttpResponse:
    if not request.headers.get("HX-Request"):
        messages.error(request, sentence)
        return redirect("library:grid", member.team.slug)
    context = {"member": member, "problem": sentence}
    return render(request, "library/bulk/result.html", context, status=422)
