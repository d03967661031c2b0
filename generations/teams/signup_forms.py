"""Forms for a new account, by open sign-up or by invitation, and for a forgotten password.

An address belongs to the user who signs in with it or has confirmed it. A claim that was never confirmed
neither blocks the sign-up of its owner nor receives password resets.
"""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import ResetPasswordForm, SignupForm
from allauth.account.models import EmailAddress
from django import forms
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from generations.teams import users as teams_users
from generations.teams.models import User


class SignUpForm(SignupForm):  # type: ignore[misc]  # allauth has no types
    """Name, address, password."""

    name = forms.CharField(label=_("Name"), max_length=120, widget=forms.TextInput({"autocomplete": "name"}))
    field_order = ("name", "email", "password1")

    def clean_name(self) -> str:
        """Collapse white space, line breaks included."""
        return " ".join(str(self.cleaned_data["name"]).split())

    def clean_email(self) -> str:
        """Lower-case the address.

        Without mail the address of an account is refused here; with mail only its owner gets a message.
        """
        email = str(super().clean_email())
        if self.account_already_exists and not settings.EMAIL_URL:
            raise forms.ValidationError(_("There is an account with this address. Sign in with it."))
        return email

    def validate_unique_email(self, value: str) -> str:
        """Check as allauth does, but ignore unconfirmed claims."""
        self.account_already_exists = teams_users.is_email_taken(value)
        return value

    def custom_signup(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Save the name; if the address is confirmed, delete other users' claims to it."""
        super().custom_signup(request, user)
        if get_adapter().is_email_verified(request, user.email):  # type: ignore[attr-defined]
            teams_users.delete_unconfirmed_claims(user)  # type: ignore[arg-type]
        User.objects.filter(pk=user.pk).update(name=self.cleaned_data["name"])
        user.name = self.cleaned_data["name"]  # type: ignore[attr-defined]

    def try_save(self, request: HttpRequest) -> Any:
        """Return the account, or a response without one.

        A form that arrives twice at once creates one account.
        """
        try:
            with transaction.atomic():
                return super().try_save(request)
        except IntegrityError:
            return None, redirect(settings.LOGIN_URL)


class ResetForm(ResetPasswordForm):  # type: ignore[misc]  # allauth has no types
    """The address that a password reset is mailed to."""

    users: list[User]

    def clean_email(self) -> str:
        """Keep only the users to whom the address belongs."""
        email = str(super().clean_email())
        confirmed = EmailAddress.objects.filter(email=email.lower(), verified=True).values_list("user")
        owners = User.objects.filter(Q(email=email.lower()) | Q(pk__in=confirmed))
        self.users = list(owners.filter(pk__in=[user.pk for user in self.users]))
        return email
