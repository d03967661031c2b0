"""Template tags of every page: icons, relative times, badges of people, permissions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from django import template
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from generations.core import durations, html_pattern, kept_fragments
from generations.core.prepared_queries import Param, PreparedQuery
from generations.teams import permissions
from generations.teams.models import Membership, User

register = template.Library()

BADGES = 6  # colours in static/css/components.css
_current_memberships = PreparedQuery(
    lambda: (
        Membership.objects.select_related("team")
        .filter(user=Param("user"), ended_at=None, team__deactivated_at=None)
        .order_by("team__name", "pk")
    )
)


register.simple_tag(kept_fragments.kept_fragment, name="kept")
register.simple_tag(html_pattern.filled)


@register.simple_tag
@lru_cache(maxsize=512)  # a page of the library has about two hundred icons
def icon(name: str, size: str = "") -> SafeString:
    """Render an icon of static/icons.svg, hidden from screen readers, which read the text next to it."""
    classes = f"icon icon-{size}" if size else "icon"
    address = f"{static('icons.svg')}#{name}"
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}"/></svg>', classes, address)


@register.filter
def ago(moment: datetime | None) -> SafeString:
    """Render a relative time, with the exact time on hover; a script updates it while the page is open."""
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
    """Return the time since then in the largest unit that fits; a date after a week."""
    seconds = (timezone.now() - moment).total_seconds()
    if seconds < 90:
        return _("just now")
    if seconds < 24 * 3600:
        return _("%(time)s ago") % {"time": durations.duration(seconds)}
    if seconds < 7 * 24 * 3600:
        days = (timezone.localdate() - timezone.localdate(moment)).days
        return _("yesterday") if days == 1 else _("%(count)d days ago") % {"count": days}
    return date_format(timezone.localtime(moment), "DATE_FORMAT")


register.filter("duration", durations.duration)


@register.filter
def badge(pk: int | None) -> str:
    """Return the CSS classes of a person's badge, in the same colour everywhere."""
    return f"badge badge-{(pk or 0) % BADGES}"


@register.filter
def undo_address(message: Message) -> str:
    """Return the URL that undoes what the message reports, empty if there is none."""
    return next((word[5:] for word in (message.extra_tags or "").split() if word.startswith("undo=/")), "")


@register.filter
def may(member: Membership | None, permission: str) -> bool:
    """Return whether the member's role has the permission; False without a member."""
    return member is not None and permissions.may(member, permission)


@register.simple_tag
def membership_of_bar(user: User | AnonymousUser, member: Membership | None) -> Membership | None:
    """Return the membership whose team stands in the bar: that of the page, else the one visited last."""
    return member or permissions.last_membership(user)


@register.simple_tag
def time_zone_of(user: User | AnonymousUser, member: Membership | None) -> ZoneInfo | None:
    """Return the time zone of the times on a page for the user; None for that of the installation."""
    if member:
        return member.tzinfo
    own = user.time_zone if isinstance(user, User) else ""
    return ZoneInfo(own) if own else None


@dataclass(frozen=True)
class TeamLink:
    """A team of the user, and the address that opens it."""

    name: str
    url: str
    is_current: bool


@register.simple_tag
def team_links(request: HttpRequest, member: Membership) -> list[TeamLink]:
    """Return the user's teams by name, each with the same page in it where it has one."""
    if member.user is None:
        return []
    rows = _current_memberships.all(user=member.user.pk)
    return [TeamLink(row.team.name, _same_page(request, row), row.pk == member.pk) for row in rows]


def _same_page(request: HttpRequest, member: Membership) -> str:
    """Return the page in that team, if its address names nothing but the team; else the team's library."""
    match = request.resolver_match
    if match and match.kwargs.keys() == {"team"} and request.method == "GET":
        permission = getattr(match.func, "permission", None)
        if permission and permissions.may(member, permission):
            return reverse(match.view_name, args=[member.team.slug])
    return reverse("library:grid", args=[member.team.slug])
