"""Pictures in templates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django import template
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from generations.library.delivery import signed_urls as delivery_signed_urls
from generations.library.delivery import thumbnails
from generations.library.trash import listing as trash_listing

if TYPE_CHECKING:
    from generations.library.models import Image
    from generations.teams.models import Membership

register = template.Library()


@dataclass(frozen=True)
class Thumbnail:
    """What an <img> needs: addresses for two densities, the picture's own shape, and a blurred first look."""

    src: str
    srcset: str
    width: int
    height: int
    placeholder: str


@register.simple_tag
def thumbnail(image: Image, member: Membership) -> Thumbnail:
    """The thumbnail of an image as the member may see it: {% thumbnail image member as picture %}."""
    small, large = (delivery_signed_urls.thumbnail_url(image, size, member) for size in thumbnails.WIDTHS)
    return Thumbnail(small, f"{small} 1x, {large} 2x", image.width, image.height, image.placeholder)


@register.simple_tag
def trashed_thumbnail(image: Image, member: Membership) -> Thumbnail:
    """The thumbnail of an image in the trash, whose address is of no use to anybody else."""
    sizes = thumbnails.WIDTHS
    small, large = (
        reverse("library:trashed_thumbnail", args=[member.team.slug, image.pk, size]) for size in sizes
    )
    return Thumbnail(small, f"{small} 1x, {large} 2x", image.width, image.height, image.placeholder)


@register.filter
def days_left(image: Image) -> int:
    """For how many days more an image in the trash can be brought back."""
    return trash_listing.days_left(image)


@register.simple_tag
def cover(image: Image, member: Membership) -> str:
    """Where the thumbnail of a collection's newest image is: {% cover collection.newest member %}."""
    return delivery_signed_urls.thumbnail_url(image, "small", member)


@register.filter
def day_name(day: date, today: date) -> str:
    """Today, Yesterday, a weekday of this year, or a date with its year."""
    if day == today:
        return _("Today")
    if day == today - timedelta(days=1):
        return _("Yesterday")
    return date_format(day, "l, j F" if day.year == today.year else "l, j F Y")
