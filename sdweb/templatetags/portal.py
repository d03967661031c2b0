"""What every page draws the same way: icons, relative times, the round badge of a person."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from generations.teams import permissions

if TYPE_CHECKING:
    from django.contrib.messages.storage.base import Message

    from generations.teams.models import Membership

register = template.Library()

BADGES = 6  # colours in static/css/components.css


@register.simple_tag
@lru_cache(maxsize=512)  # a page of the library has some two hundred of them
def icon(name: str, size: str = "") -> SafeString:
    """An icon of static/icons.svg, hidden from screen readers: its words stand beside it."""
    classes = f"icon icon-{size}" if size else "icon"
    address = f"{static('icons.svg')}#{name}"
    return format_html(
        '<svg class="{}" aria-hidden="true" focusable="false"><use href="{}"/></svg>', classes, address
    )


@register.filter
def ago(moment: datetime | None) -> SafeString:
    """How long ago, with the exact time on hover; a script keeps it true while the page is open."""
    if moment is None:
        return SafeString("")
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>',
        moment.isoformat(timespec="seconds"),
        date_format(local, "DATETIME_FORMAT"),
        relative(moment),
    )


def relative(moment: datetime) -> str:
    """The time since then in the largest unit that fits; a date once it is over a week."""
    seconds = (timezone.now() - moment).total_seconds()
    if seconds < 60:
        return _("just now")
    if seconds < 3600:
        return _("%(count)d min ago") % {"count": seconds // 60}
    if seconds < 24 * 3600:
        return _("%(count)d h ago") % {"count": seconds // 3600}
    if seconds < 7 * 24 * 3600:
        days = (timezone.localdate() - timezone.localdate(moment)).days
        return _("yesterday") if days == 1 else _("%(count)d days ago") % {"count": days}
    return date_format(timezone.localtime(moment), "DATE_FORMAT")


@register.filter
def badge(pk: int | None) -> str:
    """The class that gives a person the same colour everywhere."""
    return f"badge badge-{(pk or 0) % BADGES}"


@register.filter
def undo_address(message: Message) -> str:
    """Where what a message tells is taken back; nothing if that cannot be done."""
    return next((word[5:] for word in (message.extra_tags or "").split() if word.startswith("undo=/")), "")


@register.filter
def may(member: Membership | None, permission: str) -> bool:
    """Whether the member's role allows it; nobody's allows nothing."""
    return member is not None and permissions.may(member, permission)


@register.simple_tag
def teams_of(member: Membership) -> list[Membership]:
    """The person's memberships, to change from one team to another."""
    if member.user is None:
        return []
    mine = member.user.memberships.filter(ended_at=None, team__deactivated_at=None)
    return list(mine.select_related("team").order_by("team__name", "pk"))
