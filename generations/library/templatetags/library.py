"""Template tags for images: thumbnails, covers, days."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from generations.core.html_pattern import filled
from generations.library.delivery import shown, thumbnails
from generations.library.delivery import signed_urls as delivery_signed_urls
from generations.library.delivery.shown import Thumbnail
from generations.library.gallery import tiles
from generations.library.imaging import convert as imaging_convert
from generations.library.models import Collection, Image
from generations.library.search.filters import Choice
from generations.library.storage import keys as storage_keys
from generations.library.trash import listing as trash_listing
from generations.teams.models import Membership, Visibility

register = template.Library()


@register.simple_tag(takes_context=True)
def thumbnail(context: Context, image: Image, member: Membership) -> Thumbnail:
    """Return a thumbnail with URLs signed for the session: {% thumbnail image member as picture %}."""
    return shown.thumbnail(image, member, shown.session_of(context.get("request")))


@register.simple_tag
def trashed_thumbnail(image: Image, member: Membership) -> Thumbnail:
    """Return the thumbnail of an image in the trash; its URLs check the member's permission each time."""
    small, large = (
        reverse("library:trashed_thumbnail", args=[member.team.slug, image.pk, size])
        for size in thumbnails.WIDTHS
    )
    return Thumbnail(small, large, image.shown_width, image.shown_height, image.placeholder)


register.filter(shown.alternative_text)


@register.simple_tag(takes_context=True)
def grid_picture(context: Context, image: Image, query: str) -> SafeString:
    """Return a picture of the library's grid: {% grid_picture image search.query_string %}."""
    return tiles.html(
        image,
        context["member"],
        shown.session_of(context.get("request")),
        is_liked=image.pk in context["liked"],
        query=query,
    )


@register.simple_tag(takes_context=True)
def side_collection(context: Context, collection: Collection, grid_url: str) -> SafeString:
    """Return a collection of the sidebar: {% side_collection one grid_url %}."""
    newest = getattr(collection, "newest", None)
    return filled(
        "library/gallery/side_collection.html",
        is_shown=getattr(context.get("search"), "collection", None) == collection.pk,
        is_private=collection.visibility == Visibility.PRIVATE,
        has_cover=newest is not None,
        cover=cover(context, newest, context["member"]) if newest else "",
        grid_url=grid_url,
        collection=collection.pk,
        name=collection.name,
        size=getattr(collection, "size_text", ""),
    )


@register.simple_tag
def collect_choice(collection: Collection) -> SafeString:
    """Return a collection that chosen pictures are put into: {% collect_choice one %}."""
    return filled(
        "library/bulk/collect_choice.html",
        is_private=collection.visibility == Visibility.PRIVATE,
        collection=collection.pk,
        name=collection.name,
    )


@register.simple_tag
def filter_choices(name: str, choices: list[Choice]) -> SafeString:
    """Return the values of a filter that are ticked: {% filter_choices chip.name chip.choices %}."""
    return _filter_choices(name, tuple(choices))


@lru_cache(maxsize=64)  # a hundred models are the same on most pages
def _filter_choices(name: str, choices: tuple[Choice, ...]) -> SafeString:
    template = "library/gallery/filters/choice.html"
    return SafeString(
        "\n".join(
            filled(template, is_chosen=each.is_chosen, name=name, value=each.value, title=each.title)
            for each in choices
        )
    )


@register.simple_tag
def linked_choice(grid_url: str, choice: Choice) -> SafeString:
    """Return a value of a filter that is a link: {% linked_choice grid_url choice %}."""
    return filled(
        "library/gallery/filters/linked_choice.html",
        is_chosen=choice.is_chosen,
        grid_url=grid_url,
        query_string=choice.query_string,
        title=choice.title,
    )


@register.filter
def type_name(image: Image) -> str:
    """Return the short name of an image's type, such as PNG or PSD."""
    return storage_keys.type_name(image.media_type)


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
    return delivery_signed_urls.thumbnail_url(
        image, "small", member, shown.session_of(context.get("request"))
    )


@register.filter
def day_name(day: date, today: date) -> str:
    """Return Today, Yesterday, a weekday with its date, or a date with its year."""
    if day == today:
        return _("Today")
    if day == today - timedelta(days=1):
        return _("Yesterday")
    return date_format(day, "WEEKDAY_FORMAT" if day.year == today.year else "WEEKDAY_YEAR_FORMAT")
