"""Who people are, and with whom they work. Nobody is ever deleted: lines of the ledger name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import available_timezones

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Sequence

    CharField = models.CharField[str, str]
else:
    CharField = models.CharField  # it takes no types at run time


class Visibility(models.TextChoices):
    """Who sees an image: everyone in its team, or its owner alone."""

    TEAM = "team", _("Team")
    PRIVATE = "private", _("Private")


class UserManager(BaseUserManager["User"]):
    """Makes users; the email address is kept in lower case, so it is compared by plain equality."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A new user; without a password nobody can sign in until one is set by a link."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """An operator, as `manage.py createsuperuser` makes one."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        """The user who signs in with this address, however it is capitalised."""
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in by email. Operators are staff."""

    email = models.EmailField(_("email"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(
        _("operator"),
        default=False,
        help_text=_("Runs the installation: upstreams, prices, issuing credits."),
    )
    joined_at = models.DateTimeField(_("joined"), default=timezone.now)
    default_visibility = models.CharField(
        _("default visibility"), max_length=8, choices=Visibility, default=Visibility.TEAM
    )
    preferences = models.JSONField(
        _("preferences"), default=dict, blank=True, help_text=_("What the person chose last.")
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
    def initials(self) -> str:
        """One or two letters for the round badge."""
        words = (self.name or self.email.partition("@")[0].replace(".", " ")).split() or ["?"]
        return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def validate_time_zone(value: str) -> None:
    """Refuse a name that the time zone database does not know."""
    if value not in available_timezones():
        raise ValidationError(
            _("“%(value)s” is not a time zone; use a name such as Europe/Berlin."), params={"value": value}
        )


class TimeZoneField(CharField):
    """A name of the time zone database, such as Europe/Berlin."""

    default_validators = [validate_time_zone]

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        """For a migration it is any other text, so that none imports this module."""
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.CharField", args, options


class Team(models.Model):
    """People who share credits and a library."""

    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(_("address"), max_length=60, unique=True)
    time_zone = TimeZoneField(_("time zone"), max_length=64, default="UTC")
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    deactivated_at = models.DateTimeField(_("deactivated at"), null=True, blank=True)
    founding = models.UUIDField(
        _("founding"), null=True, unique=True, editable=False, help_text=_("The form that made it, if any.")
    )
    low_wallet = models.PositiveBigIntegerField(
        _("low wallet"),
        default=2_000,
        help_text=_("A member with less is told so; hundredths of a credit, 0 for never."),
    )
    low_pool = models.PositiveBigIntegerField(
        _("low pool"),
        default=50_000,
        help_text=_("Administrators of a pool with less are told so; 0 for never."),
    )

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    ADMINISTRATOR = "administrator", _("Administrator")
    MEMBER = "member", _("Member")
    VIEWER = "viewer", _("Viewer")


class Kind(models.TextChoices):
    PERSON = "person", _("Person")
    PROGRAM = "program", _("Program")


class Membership(models.Model):
    """One person or one program in one team: who spends, who owns, who may do what."""

    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="memberships")
    user = models.ForeignKey(
        User, models.PROTECT, verbose_name=_("user"), related_name="memberships", null=True, blank=True
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.PERSON)
    name = models.CharField(_("name"), max_length=120, blank=True, help_text=_("What a program is called."))
    role = models.CharField(_("role"), max_length=16, choices=Role, default=Role.MEMBER)
    weight = models.PositiveSmallIntegerField(
        _("weight"), default=1, help_text=_("How many slots in the queue for one of the others'.")
    )
    cap_per_day = models.PositiveBigIntegerField(
        _("cap per day"), null=True, blank=True, help_text=_("hundredths of a credit")
    )
    cap_per_month = models.PositiveBigIntegerField(
        _("cap per month"), null=True, blank=True, help_text=_("hundredths of a credit")
    )
    joined_at = models.DateTimeField(_("joined at"), default=timezone.now, editable=False)
    seen_at = models.DateTimeField(_("seen at"), null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            models.UniqueConstraint(fields=["team", "user"], name="a_person_is_in_a_team_once"),
            models.CheckConstraint(condition=Q(weight__gt=0), name="a_member_has_some_weight"),
            models.CheckConstraint(
                condition=Q(kind="program") | Q(user__isnull=False), name="a_person_has_an_account"
            ),
            models.CheckConstraint(
                condition=Q(kind="person") | (Q(user__isnull=True) & ~Q(name="")),
                name="a_program_has_a_name_and_no_account",
            ),
            models.UniqueConstraint(
                Lower("name"),
                "team",
                condition=Q(kind="program", ended_at=None),
                name="no_two_programs_of_a_team_have_one_name",
            ),
        ]

    def __str__(self) -> str:
        return self.name or str(self.user)

    @property
    def is_current(self) -> bool:
        """Still in the team, and the team and the account still active."""
        active = self.user is None or self.user.is_active
        return self.ended_at is None and self.team.deactivated_at is None and active

    @property
    def default_visibility(self) -> str:
        """The visibility of new images: as the person chose, and the team's for a program."""
        return self.user.default_visibility if self.user else Visibility.TEAM


class Invitation(models.Model):
    """A link that lets people into a team. Only its hash is kept: the link is shown once, or mailed."""

    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="invitations")
    token_hash = models.CharField(
        _("token hash"), max_length=64, unique=True, editable=False, help_text=_("SHA-256, hex")
    )
    email = models.EmailField(
        _("email"),
        max_length=254,
        blank=True,
        help_text=_("Whom it was mailed to, and for whom alone it is good."),
    )
    role = models.CharField(_("role"), max_length=16, choices=Role, default=Role.MEMBER)
    credits = models.PositiveBigIntegerField(
        _("credits"),
        default=0,
        help_text=_("What each who comes is granted from the pool; hundredths of a credit"),
    )
    uses = models.PositiveIntegerField(_("uses"), default=1, help_text=_("How many people it lets in."))
    used = models.PositiveIntegerField(_("used"), default=0, editable=False)
    made_by = models.ForeignKey(User, models.PROTECT, verbose_name=_("made by"), related_name="+", null=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires at"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.CheckConstraint(
                condition=Q(used__lte=models.F("uses")), name="an_invitation_is_used_no_more_than_it_may"
            ),
        ]
        indexes = [models.Index(fields=["team", "-created_at"], name="invitations_of_a_team")]


class InvitationUse(models.Model):
    """Who came in by which invitation."""

    invitation = models.ForeignKey(
        Invitation, models.PROTECT, verbose_name=_("invitation"), related_name="people"
    )
    membership = models.ForeignKey(
        Membership, models.PROTECT, verbose_name=_("membership"), related_name="invitations"
    )
    granted = models.PositiveBigIntegerField(
        _("granted"),
        default=0,
        help_text=_("Less than promised if the pool had too little; hundredths of a credit"),
    )
    used_at = models.DateTimeField(_("used at"), default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["invitation", "membership"], name="a_person_uses_an_invitation_once"
            ),
        ]
