"""The back office: who signs in. People are deactivated, never deleted."""

from allauth.account import admin as allauth_admin
from allauth.account.decorators import secure_admin_login
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from generations.teams import people, recovery
from generations.teams.models import User

admin.site.site_header = admin.site.site_title = _("sdweb back office")
admin.site.index_title = _("Running the installation")
# Sign-in happens on one page alone, whose attempts are counted. The assignment is allauth's documented way.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
# Both libraries register these when imported: nobody here is in a group, and `people` keeps the addresses.
admin.site.unregister([Group, allauth_admin.EmailAddress])


class EmailInLowerCase(forms.ModelForm):
    def clean_email(self) -> str:
        """The address as it is compared: in lower case."""
        return str(self.cleaned_data["email"]).lower()


class AddUserForm(EmailInLowerCase, AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name")
        field_classes: dict[str, type[forms.Field]] = {}


class ChangeUserForm(EmailInLowerCase, UserChangeForm):
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
        """Nobody locks themselves out."""
        own = ("is_active", "is_staff") if obj == request.user else ()
        return (*self.readonly_fields, *own)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """The ledger names people."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm, change: bool) -> None:
        """An operator may do everything in the back office, and an operator's word confirms an address."""
        obj.is_superuser = obj.is_staff
        super().save_model(request, obj, form, change)
        if "email" in form.changed_data:
            people.confirm_address(obj)
        if not change and not obj.has_usable_password():
            self._print_reset_link(request, obj)

    @admin.action(description=_("Make a link on which a password is set"))
    def print_reset_links(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Show a link for each of them."""
        for user in users.filter(is_active=True)[:20]:
            self._print_reset_link(request, user)

    def _print_reset_link(self, request: HttpRequest, user: User) -> None:
        sentence = _("%(person)s sets a password here, once: %(link)s")
        messages.info(request, sentence % {"person": user.email, "link": recovery.reset_link(user)})
