"""Whether somebody has just shown that they are themselves, as what an open browser must not do asks for."""

from __future__ import annotations

from allauth.account.internal.flows import reauthentication
from allauth.core import ratelimit
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from generations.teams.models import User


def is_password_needed(request: HttpRequest) -> bool:
    """Whether the user has to enter their password again. Who has none is not asked for it."""
    return bool(reauthentication.is_reauthentication_required(request, app="allauth.account"))


def check_password(request: HttpRequest, password: str) -> None:
    """Remember for some minutes that the user gave their password; ValidationError if it is another."""
    assert isinstance(request.user, User)
    if not ratelimit.consume(request, action="reauthenticate", user=request.user):
        raise ValidationError(_("Too many wrong passwords. Wait a minute."))
    if not request.user.check_password(password):
        raise ValidationError(_("This is not your password."))
    reauthentication.reauthenticate_by_password(request)
