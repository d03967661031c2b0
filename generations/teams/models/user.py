"""Users of the portal. A user is never deleted, since ledger entries refer to them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generations.teams.models.time_zone import TimeZoneField


class Visibility(models.TextChoices):
    """Who sees an image: the whole team, or only its owner."""

    TEAM = "team", _("Team")
    PRIVATE = "private", _("Private")


class UserManager(BaseUserManager["User"]):
    """Creates users. Addresses are stored in lower case, so that they compare by plain equality."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a user; without a password they cannot sign in until they set one by a link."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create an operator, for `manage.py createsuperuser`."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        """Return the user who signs in with this address, in any capitalisation."""
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in by email. Operators have `is_staff`."""

    email = models.EmailField(_("email"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(
        _("operator"),
        default=False,
        help_text=_("Runs the installation: provider accounts, prices, issuing credits."),
    )
    joined_at = models.DateTimeField(_("joined"), default=timezone.now)
    default_visibility = models.CharField(
        _("default visibility"), max_length=8, choices=Visibility, default=Visibility.TEAM
    )
    time_zone = TimeZoneField(
        _("time zone"),
        max_length=64,
        blank=True,
        default="",
        help_text=_("Of the times on their pages; empty: that of the team."),
    )
    language = models.CharField(
        _("language"), max_length=16, blank=True, default="", help_text=_("Empty: as the browser asks.")
    )
    preferences = models.JSONField(
        _("preferences"), default=dict, blank=True, help_text=_("The last choices on forms.")
    )

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.CheckConstraint(
                condition=Q(email=Lower("email")), name="an_address_is_kept_in_lower_case"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def display(self) -> dict[str, Any]:
        """How pages look to them: `density` is "dense" or "roomy", `shortcuts` False switches keys off."""
        stored = self.preferences.get("display")
        return stored if isinstance(stored, dict) else {}

    @property
    def initials(self) -> str:
        """One or two letters for the badge."""
        words = (self.name or self.email.partition("@")[0].replace(".", " ")).split() or ["?"]
        return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()
