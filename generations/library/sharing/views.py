"""Sharing within the portal: the dialog in which links are made, and the page on which they are kept."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generations.library.models import Collection, Image, Share
from generations.library.sharing import listing as sharing_listing
from generations.library.sharing import service as sharing_service
from generations.teams.permissions import may, member_required

if TYPE_CHECKING:
    from generations.teams.models import Membership

PAGE = 50


class ShareForm(forms.Form):
    """For how long, and how much."""

    expires = forms.ChoiceField(
        label=gettext_lazy("Expires after"),
        choices=sharing_service.Lifetime.choices,
        initial=sharing_service.Lifetime.WEEK.value,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose when the link expires.")},
    )
    shows_prompt = forms.BooleanField(label=gettext_lazy("Show the prompt"), required=False)


@dataclass(frozen=True)
class Thing:
    """What a link is to lead to."""

    image: Image | None = None
    collection: Collection | None = None

    def share(self, member: Membership, form: ShareForm) -> Share:
        """A link to it, as the form says."""
        how = {
            "member": member,
            "lifetime": sharing_service.Lifetime(form.cleaned_data["expires"]),
            "shows_prompt": form.cleaned_data["shows_prompt"],
        }
        if self.image:
            return sharing_service.share_image(image=self.image.pk, **how)
        assert self.collection
        return sharing_service.share_collection(collection=self.collection.pk, **how)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(may="share")
def share(request: HttpRequest, member: Membership) -> HttpResponse:
    """A form for a link to `?image=` or `?collection=`; sent, the link, to be copied."""
    thing = _thing(request, member)
    if request.method != "POST" or "expires" not in request.POST:  # a button of another form led here
        return _dialog(request, member, thing, form=ShareForm())
    form = ShareForm(request.POST)
    if not form.is_valid():
        return _dialog(request, member, thing, form=form, status=422)
    made = thing.share(member, form)
    if getattr(request, "htmx", False):
        return _dialog(request, member, thing, made=made)
    messages.success(request, _("The link is ready; here it is."))
    return redirect("library:shares", member.team.slug)


def _dialog(
    request: HttpRequest,
    member: Membership,
    thing: Thing,
    *,
    form: ShareForm | None = None,
    made: Share | None = None,
    status: int = 200,
) -> HttpResponse:
    """A page; for a script that asks, a dialog to open, and after that what is in it."""
    image, collection = thing.image, thing.collection
    known = sharing_listing.to(
        member, image=image.pk if image else None, collection=collection.pk if collection else None
    )
    context = {
        "member": member,
        "image": image,
        "collection": collection,
        "form": form,
        "made": made and sharing_listing.described(member, [made])[0],
        "known": sharing_listing.described(member, [each for each in known if each != made]),
    }
    part = "page"
    if getattr(request, "htmx", False):
        part = "form" if request.method == "POST" else "dialog"
    response = render(request, f"library/sharing/{part}.html", context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _thing(request: HttpRequest, member: Membership) -> Thing:
    """The one image or the one collection that the request names, if the member may share it."""
    named = request.POST if request.method == "POST" else request.GET
    image, collection = named.get("image"), named.get("collection")
    if bool(image) == bool(collection):
        raise Http404
    if image:
        return Thing(image=get_object_or_404(sharing_service.shareable_images(member), pk=_uuid(image)))
    return Thing(
        collection=get_object_or_404(
            sharing_service.shareable_collections(member), pk=_uuid(collection or "")
        )
    )


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as problem:
        raise Http404 from problem


@require_safe
@member_required()
def shares(request: HttpRequest, member: Membership) -> HttpResponse:
    """My links, for curators all of the team's: those that work, or with `?over=1` those that do no more."""
    over, after = bool(request.GET.get("over")), request.GET.get("after")
    try:
        found = sharing_listing.page(member, over=over, after=_uuid(after) if after else None, size=PAGE + 1)
    except Share.DoesNotExist as problem:
        raise Http404 from problem
    context = {
        "member": member,
        "links": sharing_listing.described(member, found[:PAGE]),
        "over": over,
        "after": after,
        "older": found[PAGE - 1].pk if len(found) > PAGE else None,
        "sees_all": may(member, "curate"),
    }
    return render(request, "library/sharing/links.html", context)


@require_POST
@member_required()
def revoke(request: HttpRequest, member: Membership, share: uuid.UUID) -> HttpResponse:
    """Take a link back; whoever opens it from now on finds nothing."""
    try:
        sharing_service.revoke(member=member, share=share)
    except Share.DoesNotExist as problem:
        raise Http404 from problem
    if getattr(request, "htmx", False):
        return HttpResponse(format_html('<span class="tag tag-bad">{}</span>', _("taken back")))
    messages.success(request, _("The link is taken back. Nobody can open it any more."))
    return redirect("library:shares", member.team.slug)
