"""Forms of the operators' pages of teams: a new team with its owner, and admitting somebody."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generations.office.members.forms import NewTeamForm
from generations.teams.models import Role, User


class UserField(forms.EmailField):
    """The address of an active user; the cleaned value is the user."""

    def clean(self, value: Any) -> Any:
        """Return the user; ValidationError if there is none."""
        email = super().clean(value)
        if not email:
            return None
        user = User.objects.filter(email=email.lower(), is_active=True).first()
        if user is None:
            raise ValidationError(_("Nobody signs in with this address. Add the user first."))
        return user


class OwnedTeamForm(NewTeamForm):
    """A new team, and who owns it."""

    owner = UserField(label=gettext_lazy("Email address of its owner"))


class AdmitForm(forms.Form):
    """A user to admit into a team, with a role."""

    user = UserField(label=gettext_lazy("Email address"))
    role = forms.TypedChoiceField(
        label=gettext_lazy("Role"),
        choices=[(role.value, role.label) for role in Role],
        coerce=Role,
        initial=Role.MEMBER.value,
    )
