"""Making an account: where sign-up is open, and for whoever holds an invitation.

Whose an address is, is for whoever signs in with it or confirmed it: a claim of it that was never
confirmed neither keeps its owner from an account nor is sent the way to a new password.
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
        """The name on one line."""
        return " ".join(str(self.cleaned_data["name"]).split())

    def clean_email(self) -> str:
        """In lower case; where no mail is sent, one that is taken is refused here, else by mail alone."""
        email = str(super().clean_email())
        if self.account_already_exists and not settings.EMAIL_URL:
            raise forms.ValidationError(_("There is an account with this address. Sign in with it."))
        return email

    def validate_unique_email(self, value: str) -> str:
        """As allauth does, but a claim that nobody confirmed takes no address."""
        self.account_already_exists = teams_users.is_taken(value)
        return value

    def custom_signup(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Keep the name; where the mailbox proved whose the address is, others' claims of it go."""
        super().custom_signup(request, user)
        if get_adapter().is_email_verified(request, user.email):  # type: ignore[attr-defined]
            teams_users.drop_claims(user)  # type: ignore[arg-type]
        User.objects.filter(pk=user.pk).update(name=self.cleaned_data["name"])
        user.name = self.cleaned_data["name"]  # type: ignore[attr-defined]

    def try_save(self, request: HttpRequest) -> Any:
        """The account, or an answer if there is none; a form that arrives twice at once makes one."""
        try:
            with transaction.atomic():
                return super().try_save(request)
        except IntegrityError:
            return None, redirect(settings.LOGIN_URL)


class ResetForm(ResetPasswordForm):  # type: ignore[misc]  # allauth has no types
    """The address to which the way to a new password is mailed."""

    users: list[User]

    def clean_email(self) -> str:
        """Of those whom allauth finds, the ones whose address it is."""
        email = str(super().clean_email())
        confirmed = EmailAddress.objects.filter(email=email.lower(), verified=True).values_list("user")
        who = User.objects.filter(Q(email=email.lower()) | Q(pk__in=confirmed))
        self.users = list(who.filter(pk__in=[user.pk for user in self.users]))
        return email
