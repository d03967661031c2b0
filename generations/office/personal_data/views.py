"""Pages on which a person exports their data and deletes their account."""

from __future__ import annotations

from typing import Any

from allauth.decorators import rate_limit
from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from generations.core.exports import StreamedFile
from generations.office.personal_data import deletion
from generations.office.personal_data import export as personal_data_export
from generations.teams.membership import LastOwner
from generations.teams.models import User


class DeleteAccountForm(forms.Form):
    """The password, so that it is the person themselves, and a box, so that one click deletes nothing."""

    password = forms.CharField(label=gettext_lazy("Password"), widget=forms.PasswordInput, strip=False)
    sure = forms.BooleanField(
        label=gettext_lazy("Delete my account and my private pictures for good"),
        error_messages={"required": gettext_lazy("Tick the box if you are sure.")},
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        """Return the password; ValidationError if it is not that of the user."""
        password = str(self.cleaned_data["password"])
        if not self.user.check_password(password):
            raise forms.ValidationError(_("This is not your password."))
        return password


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@rate_limit(action="export_my_data")  # type: ignore[untyped-decorator]  # allauth has no types
def export_data(request: HttpRequest) -> HttpResponseBase:
    """Say what is exported; POST downloads it as a zip."""
    if request.method != "POST":
        return render(request, "office/personal_data/export.html")
    name = f"my-data-{timezone.localdate():%Y-%m-%d}.zip"
    return StreamedFile(
        personal_data_export.chunks(_user(request)), name=name, content_type="application/zip"
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@rate_limit(action="reauthenticate")  # type: ignore[untyped-decorator]  # allauth has no types
def delete_account(request: HttpRequest) -> HttpResponse:
    """Say what is deleted and what stays; POST deletes the account and signs out."""
    form = DeleteAccountForm(request.POST or None, user=_user(request))
    if form.is_valid():
        try:
            deletion.delete_account(_user(request))
        except (LastOwner, deletion.LastOperator, deletion.StillDrawing) as error:
            form.add_error(None, str(error))
        else:
            logout(request)
            messages.success(request, _("Your account is deleted."))
            return redirect("account_login")
    status = 422 if form.is_bound else 200
    return render(request, "office/personal_data/delete.html", {"form": form}, status=status)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # @login_required
    return request.user
