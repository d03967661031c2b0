"""`{% load notices %}`: what the person at a page should know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template

from generations.office.notices import service as notices_service

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from generations.office.notices.service import Told
    from generations.teams.models import Membership, User

register = template.Library()


@register.simple_tag
def told(user: User | AnonymousUser, member: Membership | None = None) -> list[Told]:
    """Notices that concern them here."""
    return notices_service.shown(user, member) if user.is_authenticated else []
