"""`{% load notices %}`: the open notices of the user."""

from __future__ import annotations

from django import template
from django.contrib.auth.models import AnonymousUser

from generations.office.notices import service as notices_service
from generations.office.notices.service import ShownNotice
from generations.teams.models import Membership, User

register = template.Library()


@register.simple_tag
def open_notices(user: User | AnonymousUser, member: Membership | None = None) -> list[ShownNotice]:
    """Return the notices to show to the user on a page of the member's team."""
    return notices_service.notices_for_page(user, member or None) if user.is_authenticated else []
