"""The Django admin site: its titles, its sign-in page, and third-party models that it does not show."""

from allauth.account import admin as allauth_account
from allauth.account.decorators import secure_admin_login
from allauth.usersessions import admin as allauth_usersessions
from django.contrib import admin
from django.contrib.auth import admin as _django_auth  # registers groups
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _

admin.site.site_header = admin.site.site_title = _("sdweb back office")
admin.site.index_title = _("Running the installation")
# The admin uses the rate-limited sign-in page of allauth. The assignment is what allauth documents.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
# The libraries register these when imported. Groups are unused, email addresses belong to the user's page,
# and users end their own sessions.
assert _django_auth
admin.site.unregister([Group, allauth_account.EmailAddress, allauth_usersessions.UserSession])
