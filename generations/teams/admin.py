"""The back office itself: its name, its one sign-in, and what of others' is not shown in it."""

from allauth.account import admin as allauth_account
from allauth.account.decorators import secure_admin_login
from allauth.usersessions import admin as allauth_usersessions
from django.contrib import admin
from django.contrib.auth import admin as _django_auth  # registers groups
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _

admin.site.site_header = admin.site.site_title = _("sdweb back office")
admin.site.index_title = _("Running the installation")
# Sign-in happens on one page alone, whose attempts are counted. The assignment is allauth's documented way.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
# The libraries register these when imported: nobody here is in a group, `people` keeps the addresses,
# and each person ends their own sessions.
assert _django_auth
admin.site.unregister([Group, allauth_account.EmailAddress, allauth_usersessions.UserSession])
