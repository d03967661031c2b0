"""API tokens: what a program authenticates with in the name of one membership."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import (
    PROTECT,
    CharField,
    DateTimeField,
    ForeignKey,
    JSONField,
    Model,
    PositiveBigIntegerField,
    TextChoices,
)
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from datetime import datetime


class Scope(TextChoices):
    """What a token permits, as far as the role of its member permits it too."""

    GENERATE = "generate", _("Generate")
    READ = "read", _("Read")
    ADMINISTER = "administer", _("Administer")


class Token(Model):
    """An API token of one membership. Only a hash of the secret is stored; the secret is shown once."""

    membership = ForeignKey("teams.Membership", PROTECT, verbose_name=_("membership"), related_name="tokens")
    name = CharField(_("name"), max_length=120)
    token_hash = CharField(
        _("token hash"), max_length=64, unique=True, editable=False, help_text=_("SHA-256, hex")
    )
    hint = CharField(
        _("hint"),
        max_length=20,
        editable=False,
        help_text=_("Its first and last characters, to recognise it; not secret."),
    )
    scopes = JSONField(_("scopes"), default=list, help_text=_("Values of Scope."))
    expires_at = DateTimeField(_("expires at"), null=True, blank=True)
    cap = PositiveBigIntegerField(
        _("cap"),
        null=True,
        blank=True,
        help_text=_("Most that it may spend in all, in hundredths of a credit; empty: no cap of its own."),
    )
    models = JSONField(
        _("models"),
        default=list,
        blank=True,
        help_text=_("Names of the models that it may use; empty for all."),
    )
    made_by = ForeignKey("teams.User", PROTECT, verbose_name=_("made by"), related_name="+", null=True)
    created_at = DateTimeField(_("created at"), default=timezone.now, editable=False)
    last_used_at = DateTimeField(_("last used at"), null=True, blank=True, editable=False)
    revoked_at = DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return self.name

    def is_valid_at(self, at: datetime) -> bool:
        """Whether the token is neither revoked nor expired at that time. Does not check its membership."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > at)
