"""A double-entry ledger of credits, with holds. Amounts are whole hundredths of a credit."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generations.credits.amounts import as_text
from generations.teams.models import Membership, Team, User


class AccountKind(models.TextChoices):
    # System accounts. Credits come from the first, so its balance is what was issued, negative.
    ISSUED = "issued", _("Issued")
    SPENT = "spent", _("Spent")
    POOL = "pool", _("Team credits")
    WALLET = "wallet", _("Wallet")


class Account(models.Model):
    """An account. `balance` and `held` always equal the sums of its transfers and of its open holds."""

    kind = models.CharField(_("kind"), max_length=8, choices=AccountKind)
    team = models.OneToOneField(
        Team, models.PROTECT, verbose_name=_("team"), related_name="pool", null=True, blank=True
    )
    membership = models.OneToOneField(
        Membership, models.PROTECT, verbose_name=_("membership"), related_name="wallet", null=True, blank=True
    )
    balance = models.BigIntegerField(_("balance"), default=0)
    held = models.BigIntegerField(_("held"), default=0)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = [
            models.CheckConstraint(condition=Q(held__gte=0), name="nothing_is_held_twice"),
            models.CheckConstraint(
                condition=Q(kind__in=["issued", "spent"]) | Q(balance__gte=F("held")),
                name="nobody_spends_what_is_not_there",
            ),
            models.CheckConstraint(
                condition=Q(kind="pool", team__isnull=False, membership__isnull=True)
                | Q(kind="wallet", team__isnull=True, membership__isnull=False)
                | Q(kind__in=["issued", "spent"], team__isnull=True, membership__isnull=True),
                name="an_account_belongs_to_one",
            ),
            models.UniqueConstraint(
                fields=["kind"], condition=Q(kind__in=["issued", "spent"]), name="the_outside_is_one"
            ),
        ]

    def __str__(self) -> str:
        return str(self.team or self.membership or self.get_kind_display())

    @property
    def available(self) -> int:
        """What can be held or transferred, in hundredths of a credit."""
        return self.balance - self.held


class TransferKind(models.TextChoices):
    ISSUE = "issue", _("Issued")
    GRANT = "grant", _("Granted")
    TAKE_BACK = "take_back", _("Taken back")
    ALLOWANCE = "allowance", _("Allowance")
    CHARGE = "charge", _("Charged")
    REFUND = "refund", _("Refunded")
    ADJUSTMENT = "adjustment", _("Adjusted")


class Transfer(models.Model):
    """An entry of the ledger. Entries are added, never changed: database triggers refuse that."""

    source = models.ForeignKey(Account, models.PROTECT, verbose_name=_("source"), related_name="outgoing")
    target = models.ForeignKey(Account, models.PROTECT, verbose_name=_("target"), related_name="incoming")
    kind = models.CharField(_("kind"), max_length=12, choices=TransferKind)
    amount = models.BigIntegerField(_("amount"), help_text=_("hundredths of a credit"))
    reference = models.UUIDField(
        _("reference"), help_text=_("What it was for: a generation, a form, a period.")
    )
    team = models.ForeignKey(
        Team, models.PROTECT, verbose_name=_("team"), related_name="transfers", null=True
    )
    member = models.ForeignKey(
        Membership, models.PROTECT, verbose_name=_("member"), related_name="transfers", null=True
    )
    actor = models.ForeignKey(User, models.PROTECT, verbose_name=_("actor"), related_name="+", null=True)
    model = models.CharField(
        _("model"), max_length=40, blank=True, help_text=_("The image model, for a charge.")
    )
    note = models.CharField(_("note"), max_length=400, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    is_new = False  # not a column: True if the call that returned this transfer has posted it

    class Meta:
        verbose_name = _("ledger line")
        verbose_name_plural = _("ledger lines")
        constraints = [
            models.UniqueConstraint(fields=["reference", "kind"], name="a_line_is_written_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="a_transfer_moves_something"),
            models.CheckConstraint(condition=~Q(source=F("target")), name="a_transfer_has_two_ends"),
        ]
        indexes = [
            models.Index(fields=["team", "-created_at", "-id"], name="lines_of_a_team"),
            models.Index(fields=["member", "-created_at", "-id"], name="lines_of_a_member"),
            # A filter that few entries pass must not scan all others of the team.
            models.Index(fields=["team", "kind", "-created_at", "-id"], name="lines_of_a_kind"),
            models.Index(fields=["team", "model", "-created_at", "-id"], name="lines_of_a_model"),
            models.Index(
                fields=["team", "-created_at", "-id"], condition=~Q(note=""), name="lines_with_a_note"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {as_text(self.amount)}"


class HoldState(models.TextChoices):
    OPEN = "open", _("Held")
    SETTLED = "settled", _("Settled")
    RELEASED = "released", _("Released")


class Hold(models.Model):
    """Credits set aside for one generation until it succeeds or fails. Closed once."""

    account = models.ForeignKey(Account, models.PROTECT, verbose_name=_("account"), related_name="holds")
    member = models.ForeignKey(Membership, models.PROTECT, verbose_name=_("member"), related_name="holds")
    amount = models.BigIntegerField(_("amount"), help_text=_("hundredths of a credit"))
    reference = models.UUIDField(_("reference"), unique=True)
    model = models.CharField(_("model"), max_length=40, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=HoldState, default=HoldState.OPEN)
    transfer = models.OneToOneField(
        Transfer, models.PROTECT, verbose_name=_("transfer"), related_name="hold", null=True, blank=True
    )
    opened_at = models.DateTimeField(_("opened at"), default=timezone.now, editable=False)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="a_hold_holds_something"),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True)
                | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="a_hold_is_closed_once",
            ),
        ]
        indexes = [
            models.Index(fields=["account"], condition=Q(state="open"), name="open_holds"),
            models.Index(fields=["member", "-opened_at"], name="holds_of_a_member"),
            # What was not charged is read with the entries of a member, by the time of its release.
            models.Index(
                fields=["member", "-closed_at", "-id"],
                condition=Q(state="released"),
                name="released_holds_of_a_member",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()}: {as_text(self.amount)}"


class RolledUp(models.Model):
    """Up to which day a team's daily totals are stored: all before `until`, in the time zone of then."""

    team = models.OneToOneField(Team, models.PROTECT, verbose_name=_("team"), related_name="rolled_up")
    time_zone = models.CharField(_("time zone"), max_length=64)
    until = models.DateField(_("until"))

    class Meta:
        verbose_name = _("summed up days")
        verbose_name_plural = _("summed up days")


class DaySum(models.Model):
    """A stored daily total of the transfers of one kind; `daily_totals` writes it, `totals` reads it."""

    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="+")
    day = models.DateField(_("day"))
    kind = models.CharField(_("kind"), max_length=12, choices=TransferKind)
    amount = models.BigIntegerField(_("amount"), help_text=_("hundredths of a credit"))
    lines = models.PositiveIntegerField(_("lines"))

    class Meta:
        abstract = True


class DayOfModel(DaySum):
    """By model: a few thousand rows for a year of a team, however many transfers it has."""

    model = models.CharField(_("model"), max_length=40, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "day", "kind", "model"], name="a_day_of_a_model_is_one")
        ]


class DayOfMember(DaySum):
    """By member; transfers without a member, such as an issue, have none."""

    member = models.ForeignKey(
        Membership, models.PROTECT, verbose_name=_("member"), related_name="+", null=True
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "day", "kind", "member"], name="a_day_of_a_member_is_one")
        ]
