"""The back office: user accounts. They are deactivated, never deleted."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from generations.office.audit_log import service as audit_log_service
from generations.office.credits import allowances
from generations.office.members import service as members_service
from generations.office.models import AuditAction
from generations.office.users import service as users_service
from generations.teams import users as teams_users
from generations.teams.models import User


class LowercaseEmailForm(forms.ModelForm):
    def clean_email(self) -> str:
        """Return the address in lower case; an error if another account has it."""
        email = str(self.cleaned_data["email"]).lower()
        if teams_users.is_email_taken(email, besides=self.instance if self.instance.pk else None):
            raise forms.ValidationError(str(teams_users.EmailTaken(email)))
        return email


class AddUserForm(LowercaseEmailForm, AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name")
        field_classes: dict[str, type[forms.Field]] = {}


class ChangeUserForm(LowercaseEmailForm, UserChangeForm):
    class Meta:
        model = User
        fields = ("email", "name", "password", "is_active", "is_staff")
        field_classes: dict[str, type[forms.Field]] = {}


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    form = ChangeUserForm
    add_form = AddUserForm
    list_display = ("email", "name", "is_active", "is_staff", "joined_at", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name")
    ordering = ("email",)
    filter_horizontal = ()
    readonly_fields = ("joined_at", "last_login")
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        (_("May"), {"fields": ("is_active", "is_staff")}),
        (_("When"), {"fields": ("joined_at", "last_login")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "name", "is_staff", "usable_password", "password1", "password2")}),
    )
    actions = ("print_reset_links",)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Operators cannot deactivate or demote themselves."""
        own = ("is_active", "is_staff") if obj == request.user else ()
        return (*self.readonly_fields, *own)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Never, since the ledger refers to users."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm, change: bool) -> None:
        """Save the user and write the audit entry; an address that an operator enters counts as confirmed."""
        before = _audited_values(User.objects.get(pk=obj.pk)) if change else {}
        obj.is_superuser = obj.is_staff
        if before.get("is_active") and not obj.is_active:
            members_service.revoke_access(user=obj, by=audit_log_service.actor_of(request))
        if change and obj.is_active and not before["is_active"]:
            allowances.resume(obj.memberships.filter(ended_at=None))
        super().save_model(request, obj, form, change)
        if "email" in form.changed_data:
            teams_users.confirm_email(obj)
        _record_changes(request, obj, before)
        if not change and not obj.has_usable_password():
            self._print_reset_link(request, obj)

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """Change the password and write the audit entry."""
        response: HttpResponse = super().user_change_password(request, id, form_url)
        user = self.get_object(request, id)
        if user and request.method == "POST" and response.status_code == 302:
            audit_log_service.record(
                audit_log_service.actor_of(request),
                AuditAction.PERSON_CHANGED,
                subject=user.email,
                after={"did": "password_set"},
            )
        return response

    @admin.action(description=_("Make a link on which a password is set"))
    def print_reset_links(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Show a link for each of them."""
        for user in users.filter(is_active=True)[:20]:
            self._print_reset_link(request, user)

    def _print_reset_link(self, request: HttpRequest, user: User) -> None:
        link = users_service.reset_link(user, by=audit_log_service.actor_of(request))
        message = _("%(person)s sets a password here, once: %(link)s")
        messages.info(request, message % {"person": user.email, "link": link})


def _audited_values(user: User) -> dict[str, Any]:
    return {name: getattr(user, name) for name in ("email", "name", "is_active", "is_staff")}


def _record_changes(request: HttpRequest, user: User, before: dict[str, Any]) -> None:
    """Write an audit entry of what changed, without the password."""
    after = _audited_values(user)
    changed = {name for name in after if before.get(name) != after[name]}
    if changed:
        audit_log_service.record(
            audit_log_service.actor_of(request),
            AuditAction.PERSON_CHANGED,
            subject=user.email,
            before={name: value for name, value in before.items() if name in changed},
            after={name: value for name, value in after.items() if name in changed},
        )
