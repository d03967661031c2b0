"""Template tags for images: thumbnails, covers, days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from generations.library.delivery import signed_urls as delivery_signed_urls
from generations.library.delivery import thumbnails
from generations.library.imaging import convert as imaging_convert
from generations.library.models import Image
from generations.library.storage import client as storage_client
from generations.library.trash import listing as trash_listing
from generations.teams.models import Membership

register = template.Library()


@dataclass(frozen=True)
class Thumbnail:
    """The attributes of an <img>: URLs for two pixel densities, the image's size, a blurred placeholder.

    `by_width` has the same URLs for where an image is shown at several sizes.
    """

    src: str
    srcset: str
    width: int
    height: int
    placeholder: str
    by_width: str = ""


@register.simple_tag(takes_context=True)
def thumbnail(context: Context, image: Image, member: Membership) -> Thumbnail:
    """Return a thumbnail with URLs signed for the session: {% thumbnail image member as picture %}."""
    session = _session_key(context)
    small, large = (
        delivery_signed_urls.thumbnail_url(image, size, member, session) for size in thumbnails.WIDTHS
    )
    return Thumbnail(
        small,
        f"{small} 1x, {large} 2x",
        image.shown_width,
        image.shown_height,
        image.placeholder,
        f"{small} {thumbnails.WIDTHS['small']}w, {large} {thumbnails.WIDTHS['large']}w",
    )


@register.simple_tag
def trashed_thumbnail(image: Image, member: Membership) -> Thumbnail:
    """Return the thumbnail of an image in the trash; its URLs check the member's permission each time."""
    sizes = thumbnails.WIDTHS
    small, large = (
        reverse("library:trashed_thumbnail", args=[member.team.slug, image.pk, size]) for size in sizes
    )
    return Thumbnail(
        small, f"{small} 1x, {large} 2x", image.shown_width, image.shown_height, image.placeholder
    )


@register.filter
def type_name(image: Image) -> str:
    """Return the short name of an image's type, such as PNG or PSD."""
    return storage_client.type_name(image.media_type)


@register.filter
def is_converted(image: Image) -> bool:
    """Return whether downloads in other formats are offered."""
    return image.media_type in imaging_convert.CONVERTED


@register.filter
def days_left(image: Image) -> int:
    """Return for how many more days an image in the trash can be restored."""
    return trash_listing.days_left(image)


@register.simple_tag(takes_context=True)
def cover(context: Context, image: Image, member: Membership) -> str:
    """Return the URL of a collection's newest thumbnail: {% cover collection.newest member %}."""
    return delivery_signed_urls.thumbnail_url(image, "small", member, _session_key(context))


def _session_key(context: Context) -> str:
    """Return the key of the request's session; "" for HTML that `jobs.live` signs for each open page."""
    request = context.get("request")
    return (request.session.session_key if request else None) or delivery_signed_urls.NO_SESSION


@register.filter
def day_name(day: date, today: date) -> str:
    """Return Today, Yesterday, a weekday with its date, or a date with its year."""
    if day == today:
        return _("Today")
    if day == today - timedelta(days=1):
        return _("Yesterday")
    return date_format(day, "WEEKDAY_FORMAT" if day.year == today.year else "WEEKDAY_YEAR_FORMAT")
