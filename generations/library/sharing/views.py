"""Views of share links for members: create them in a dialog, list them, revoke them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generations.core import request_params
from generations.library.models import Collection, Image, Share
from generations.library.sharing import listing as sharing_listing
from generations.library.sharing import service as sharing_service
from generations.teams.models import Membership
from generations.teams.permissions import may, member_required

PAGE_SIZE = 50


class ShareForm(forms.Form):
    """How long a link works, and whether it shows the prompt."""

    expires = forms.ChoiceField(
        label=gettext_lazy("Expires after"),
        choices=sharing_service.Lifetime.choices,
        initial=sharing_service.Lifetime.WEEK.value,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose when the link expires.")},
    )
    shows_prompt = forms.BooleanField(label=gettext_lazy("Show the prompt"), required=False)


@dataclass(frozen=True)
class ShareTarget:
    """What a link shows: an image or a collection."""

    image: Image | None = None
    collection: Collection | None = None

    def share(self, member: Membership, form: ShareForm) -> Share:
        """Create a link with the values of the form."""
        options = {
            "member": member,
            "lifetime": sharing_service.Lifetime(form.cleaned_data["expires"]),
            "shows_prompt": form.cleaned_data["shows_prompt"],
        }
        if self.image:
            return sharing_service.share_image(image=self.image.pk, **options)
        assert self.collection
        return sharing_service.share_collection(collection=self.collection.pk, **options)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(may="share")
def share(request: HttpRequest, member: Membership) -> HttpResponse:
    """A form for a link to `?image=` or `?collection=`; POST creates the link and shows its URL."""
    target = _target(request, member)
    if request.method != "POST" or "expires" not in request.POST:  # opened by a button of another form
        return _dialog(request, member, target, form=ShareForm())
    form = ShareForm(request.POST)
    if not form.is_valid():
        return _dialog(request, member, target, form=form, status=422)
    created = target.share(member, form)
    if getattr(request, "htmx", False):
        return _dialog(request, member, target, created=created)
    messages.success(request, _("The link is ready; here it is."))
    return redirect("library:shares", member.team.slug)


def _dialog(
    request: HttpRequest,
    member: Membership,
    target: ShareTarget,
    *,
    form: ShareForm | None = None,
    created: Share | None = None,
    status: int = 200,
) -> HttpResponse:
    """A page; for htmx the dialog (GET) or its content (POST)."""
    image, collection = target.image, target.collection
    existing = sharing_listing.links_to(
        member, image=image.pk if image else None, collection=collection.pk if collection else None
    )
    context = {
        "member": member,
        "image": image,
        "collection": collection,
        "form": form,
        "created": created and sharing_listing.rows(member, [created])[0],
        "existing": sharing_listing.rows(member, [each for each in existing if each != created]),
    }
    part = "page"
    if getattr(request, "htmx", False):
        part = "form" if request.method == "POST" else "dialog"
    response = render(request, f"library/sharing/{part}.html", context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _target(request: HttpRequest, member: Membership) -> ShareTarget:
    """The one image or collection of the request's parameters, if the member may share it; else 404."""
    params = request.POST if request.method == "POST" else request.GET
    image, collection = params.get("image"), params.get("collection")
    if bool(image) == bool(collection):
        raise Http404
    if image:
        pk = request_params.uuid_or_404(image)
        return ShareTarget(image=get_object_or_404(sharing_service.shareable_images(member), pk=pk))
    pk = request_params.uuid_or_404(collection or "")
    return ShareTarget(collection=get_object_or_404(sharing_service.shareable_collections(member), pk=pk))


@require_safe
@member_required()
def shares(request: HttpRequest, member: Membership) -> HttpResponse:
    """List the links that the member may revoke: active ones, or with `?over=1` those that ended."""
    ended, after = bool(request.GET.get("over")), request.GET.get("after")
    try:
        cursor = request_params.uuid_or_404(after) if after else None
        found = sharing_listing.page(member, ended=ended, after=cursor, size=PAGE_SIZE + 1)
    except Share.DoesNotExist as error:
        raise Http404 from error
    context = {
        "member": member,
        "links": sharing_listing.rows(member, found[:PAGE_SIZE]),
        "ended": ended,
        "after": after,
        "older": found[PAGE_SIZE - 1].pk if len(found) > PAGE_SIZE else None,
        "sees_all": may(member, "curate"),
    }
    return render(request, "library/sharing/links.html", context)


@require_POST
@member_required()
def revoke(request: HttpRequest, member: Membership, share: uuid.UUID) -> HttpResponse:
    """Revoke a link: from now on it shows nothing."""
    try:
        sharing_service.revoke(member=member, share=share)
    except Share.DoesNotExist as error:
        raise Http404 from error
    if getattr(request, "htmx", False):
        return HttpResponse(format_html('<span class="tag tag-bad">{}</span>', _("revoked")))
    messages.success(request, _("The link is revoked. Nobody can open it any more."))
    return redirect("library:shares", member.team.slug)
