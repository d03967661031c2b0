"""Views of share links for members: create and change them in a dialog, list them, revoke them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generations.core import request_params
from generations.library.models import Collection, Image, Share
from generations.library.search import engine as search_engine
from generations.library.search.query import Search
from generations.library.sharing import listing as sharing_listing
from generations.library.sharing import service as sharing_service
from generations.library.sharing.service import Lifetime, Options
from generations.teams.models import Membership
from generations.teams.permissions import may, member_required

PAGE_SIZE = 50
MIN_PASSWORD_LENGTH, MAX_PASSWORD_LENGTH = 6, 200


class ShareForm(forms.Form):
    """What the maker of a link decides."""

    title = forms.CharField(
        label=gettext_lazy("Title of the page"),
        required=False,
        max_length=sharing_service.MAX_TITLE_LENGTH,
        error_messages={"max_length": gettext_lazy("A title has at most 200 letters.")},
    )
    expires = forms.ChoiceField(
        label=gettext_lazy("Expires after"),
        choices=Lifetime.choices,
        initial=Lifetime.WEEK.value,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose when the link expires.")},
    )
    shows_prompt = forms.BooleanField(label=gettext_lazy("Show the prompt"), required=False)
    password = forms.CharField(
        label=gettext_lazy("Password"),
        required=False,
        strip=False,
        min_length=MIN_PASSWORD_LENGTH,
        max_length=MAX_PASSWORD_LENGTH,
        error_messages={
            "min_length": gettext_lazy("A password has at least 6 letters."),
            "max_length": gettext_lazy("A password has at most 200 letters."),
        },
    )

    def options(self) -> Options:
        """The values of a valid form."""
        values = self.cleaned_data
        return Options(
            lifetime=Lifetime(values["expires"]),
            shows_prompt=values["shows_prompt"],
            title=values["title"],
            password=values["password"],
        )


class ChangeForm(ShareForm):
    """The same for a link that there is: lifetime and password stay unless they are given."""

    KEEP = "keep"

    expires = forms.ChoiceField(
        label=gettext_lazy("Expires"),
        choices=[(KEEP, gettext_lazy("As it is")), *Lifetime.choices],
        initial=KEEP,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose when the link expires.")},
    )
    without_password = forms.BooleanField(label=gettext_lazy("Without a password"), required=False)

    def change(self, member: Membership, share: Share) -> Share:
        """Change the link. Raises Share.DoesNotExist."""
        values = self.cleaned_data
        kept = None if not values["password"] else values["password"]
        return sharing_service.change(
            member=member,
            share=share.pk,
            title=values["title"],
            shows_prompt=values["shows_prompt"],
            lifetime=None if values["expires"] == self.KEEP else Lifetime(values["expires"]),
            password="" if values["without_password"] else kept,
        )


@dataclass(frozen=True)
class ShareTarget:
    """What a link shows: an image, a collection, or images that were selected."""

    image: Image | None = None
    collection: Collection | None = None
    selected: Sequence[uuid.UUID] = ()

    def share(self, member: Membership, options: Options) -> Share:
        """Create a link. Raises TooManySelected."""
        if self.image:
            return sharing_service.share_image(member=member, image=self.image.pk, options=options)
        if self.collection:
            pk = self.collection.pk
            return sharing_service.share_collection(member=member, collection=pk, options=options)
        return sharing_service.share_selection(member=member, images=self.selected, options=options)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(may="share")
def share(request: HttpRequest, member: Membership) -> HttpResponse:
    """A form for a link to `image` (one or several), to all that `search` finds (`all=1`) or to `collection`.

    POST creates the link and shows its URL.
    """
    target = _target(request, member)
    if len(target.selected) > sharing_service.MAX_SELECTED:
        return _dialog(request, member, target, problem=str(sharing_service.TooManySelected()), status=422)
    if request.method != "POST" or "expires" not in request.POST:  # opened by a button of another form
        return _dialog(request, member, target, form=ShareForm())
    form = ShareForm(request.POST)
    if not form.is_valid():
        return _dialog(request, member, target, form=form, status=422)
    created = target.share(member, form.options())
    if getattr(request, "htmx", False):
        return _dialog(request, member, target, created=created)
    messages.success(request, _("The link is ready; here it is."))
    return redirect("library:shares", member.team.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(may="share")
def change(request: HttpRequest, member: Membership, share: uuid.UUID) -> HttpResponse:
    """A form to change what a link of the member's own shows, how long, and its password."""
    row = get_object_or_404(sharing_service.changeable_links(member), pk=share)
    target = _target_of(row, member)
    if request.method != "POST":
        values = {"title": row.title, "shows_prompt": row.shows_prompt}
        return _dialog(request, member, target, form=ChangeForm(initial=values), changed=row)
    form = ChangeForm(request.POST)
    if not form.is_valid():
        return _dialog(request, member, target, form=form, changed=row, status=422)
    changed = form.change(member, row)
    if getattr(request, "htmx", False):
        return _dialog(request, member, target, created=changed, changed=changed)
    messages.success(request, _("The link is changed."))
    return redirect("library:shares", member.team.slug)


def _dialog(
    request: HttpRequest,
    member: Membership,
    target: ShareTarget,
    *,
    form: ShareForm | None = None,
    created: Share | None = None,
    changed: Share | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    """A page; for htmx the dialog, or its content in answer to its own form."""
    image, collection = target.image, target.collection
    existing: list[Share] = []
    if not changed and (image or collection):
        existing = sharing_listing.links_to(
            member, image=image.pk if image else None, collection=collection.pk if collection else None
        )
    context = {
        "member": member,
        "image": image,
        "collection": collection,
        "selected": target.selected,
        "form": form,
        "created": created and sharing_listing.rows(member, [created])[0],
        "changed": changed,
        "problem": problem,
        "existing": sharing_listing.rows(member, [each for each in existing if each != created]),
    }
    part = "page"
    if getattr(request, "htmx", False):
        part = "form" if "expires" in request.POST else "dialog"
    response = render(request, f"library/sharing/{part}.html", context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _target(request: HttpRequest, member: Membership) -> ShareTarget:
    """What the request's parameters name, if the member may share it; else 404."""
    params = request.POST if request.method == "POST" else request.GET
    images, collection = _images(params, member), params.get("collection")
    if bool(images) == bool(collection):
        raise Http404
    if collection:
        pk = request_params.uuid_or_404(collection)
        return ShareTarget(collection=get_object_or_404(sharing_service.shareable_collections(member), pk=pk))
    shareable = sharing_service.shareable_images(member)
    if len(images) == 1:
        return ShareTarget(image=get_object_or_404(shareable, pk=images[0]))
    if len(images) <= sharing_service.MAX_SELECTED:
        found = set(shareable.filter(pk__in=images).values_list("pk", flat=True))
        images = [image for image in images if image in found]
        if not images:
            raise Http404
    return ShareTarget(selected=images)


def _target_of(row: Share, member: Membership) -> ShareTarget:
    """What the link shows; 404 if the member may not share that any more."""
    if row.image_id:
        return ShareTarget(image=get_object_or_404(sharing_service.shareable_images(member), pk=row.image_id))
    if row.collection_id:
        collections = sharing_service.shareable_collections(member)
        return ShareTarget(collection=get_object_or_404(collections, pk=row.collection_id))
    return ShareTarget()


def _images(params: QueryDict, member: Membership) -> list[uuid.UUID]:
    """The images that are named, or all that a search finds."""
    if params.get("all") == "1":
        return search_engine.ids(member, Search.from_query(QueryDict(params.get("search", ""))))
    return list(dict.fromkeys(request_params.uuid_or_404(image) for image in params.getlist("image")))


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
