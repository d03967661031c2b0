"""Running a team: monthly allowances, requests for credits, the audit log, and notices with their readers."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generations.teams.models import Membership, Team, User
from generations.upstreams.models import Upstream


class AllowanceKind(models.TextChoices):
    TOP_UP = "top_up", _("Top up to")
    ADD = "add", _("Add")


class Allowance(models.Model):
    """What a member is granted from the team credits each month, by the team's calendar."""

    membership = models.OneToOneField(
        Membership, models.PROTECT, verbose_name=_("membership"), related_name="allowance"
    )
    kind = models.CharField(_("kind"), max_length=8, choices=AllowanceKind, default=AllowanceKind.TOP_UP)
    amount = models.PositiveBigIntegerField(_("amount"), help_text=_("hundredths of a credit"))
    first_month = models.DateField(
        _("first month"), help_text=_("The first day of the first month that it is given for.")
    )
    given_month = models.DateField(
        _("given month"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("The first day of the last month it was given for."),
    )
    changed_at = models.DateTimeField(_("changed at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("allowance")
        verbose_name_plural = _("allowances")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="an_allowance_gives_something"),
        ]


class AuditAction(models.TextChoices):
    """What an administrator or an operator did; the values are stored."""

    TEAM_MADE = "team_made", _("made the team")
    TEAM_CHANGED = "team_changed", _("changed the team")
    MEMBER_ADMITTED = "member_admitted", _("admitted")
    MEMBER_REMOVED = "member_removed", _("removed")
    MEMBER_LEFT = "member_left", _("left")
    ROLE_CHANGED = "role_changed", _("changed the role of")
    WEIGHT_CHANGED = "weight_changed", _("changed the weight of")
    PROGRAM_MADE = "program_made", _("made the program")
    INVITED = "invited", _("invited")
    INVITATION_REVOKED = "invitation_revoked", _("revoked the invitation of")
    ISSUED = "issued", _("issued credits to the team")
    GRANTED = "granted", _("granted credits to")
    TAKEN_BACK = "taken_back", _("took credits back from")
    REFUNDED = "refunded", _("refunded a picture of")
    ADJUSTED = "adjusted", _("adjusted the credits of")
    ALLOWANCE_SET = "allowance_set", _("set the allowance of")
    CAPS_SET = "caps_set", _("set the caps of")
    PRICE_SET = "price_set", _("set the price of")
    MODEL_RULE_SET = "model_rule_set", _("set who may use")
    UPSTREAM_CHANGED = "upstream_changed", _("changed the provider account")
    PERSON_CHANGED = "person_changed", _("changed the account of")
    QUEUE_CHANGED = "queue_changed", _("changed the queue")
    TOKEN_MADE = "token_made", _("made an API token of")
    TOKEN_REVOKED = "token_revoked", _("revoked an API token of")
    CREDITS_ASKED = "credits_asked", _("asked for credits")
    CREDITS_DECLINED = "credits_declined", _("granted no credits to")
    CREDITS_WITHDRAWN = "credits_withdrawn", _("withdrew a request for credits")


class AuditEntry(models.Model):
    """One administrative action: actor, time, IP address, values before and after. Never changed."""

    team = models.ForeignKey(
        Team, models.PROTECT, verbose_name=_("team"), related_name="audit_entries", null=True
    )
    actor = models.ForeignKey(
        User,
        models.PROTECT,
        verbose_name=_("actor"),
        related_name="+",
        null=True,
        help_text=_("Empty: a command."),
    )
    address = models.GenericIPAddressField(
        _("address"), null=True, help_text=_("From where; empty for a command.")
    )
    act = models.CharField(_("act"), max_length=24, choices=AuditAction)
    member = models.ForeignKey(
        Membership, models.PROTECT, verbose_name=_("member"), related_name="+", null=True
    )
    subject = models.CharField(
        _("subject"), max_length=200, blank=True, help_text=_("What it was done to, if no member.")
    )
    before = models.JSONField(_("before"), default=dict, blank=True)
    after = models.JSONField(_("after"), default=dict, blank=True)
    note = models.CharField(_("note"), max_length=400, blank=True)
    at = models.DateTimeField(_("at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        indexes = [
            models.Index(fields=["team", "-at", "-id"], name="changes_of_a_team"),
            models.Index(fields=["-at", "-id"], name="changes_by_time"),
        ]


class NoticeKind(models.TextChoices):
    WALLET_LOW = "wallet_low", _("My credits are running low")
    CAP_REACHED = "cap_reached", _("My cap is reached")
    # No row of `Notice` has these two: the request itself is what is shown, and it has its own mails.
    CREDITS_ANSWERED = "credits_answered", _("My request for credits is answered")
    CREDITS_ASKED = "credits_asked", _("Somebody asks for credits")
    POOL_LOW = "pool_low", _("The team credits are running low")
    UPSTREAM_PAUSED = "upstream_paused", _("A provider account is paused")
    PROVIDER_LOW = "provider_low", _("The provider's balance is running low")


class Notice(models.Model):
    """A condition that users are notified of: raised once, cleared when it no longer holds."""

    kind = models.CharField(_("kind"), max_length=20, choices=NoticeKind)
    about = models.CharField(
        _("about"), max_length=80, help_text=_("What it is about, unique within its kind while open.")
    )
    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="notices", null=True)
    member = models.ForeignKey(
        Membership, models.PROTECT, verbose_name=_("member"), related_name="notices", null=True
    )
    upstream = models.ForeignKey(
        Upstream, models.PROTECT, verbose_name=_("provider account"), related_name="notices", null=True
    )
    values = models.JSONField(
        _("values"), default=dict, help_text=_("The numbers and names its sentence holds.")
    )
    raised_at = models.DateTimeField(_("raised at"), default=timezone.now, editable=False)
    cleared_at = models.DateTimeField(_("cleared at"), null=True, editable=False)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "about"], condition=Q(cleared_at=None), name="a_notice_is_raised_once"
            ),
        ]
        indexes = [models.Index(fields=["team", "kind"], name="notices_of_a_team")]


class Mailing(models.Model):
    """A mail to one user: whether it is due, how often it was tried, when it was sent."""

    user = models.ForeignKey(User, models.PROTECT, verbose_name=_("user"), related_name="+")
    mail_due_at = models.DateTimeField(
        _("mail due at"),
        null=True,
        editable=False,
        help_text=_("Not before then; empty: no mail, or no more."),
    )
    mail_tries = models.PositiveSmallIntegerField(_("mail tries"), default=0, editable=False)
    mailed_at = models.DateTimeField(_("mailed at"), null=True, editable=False)

    class Meta:
        abstract = True


class NoticeReader(Mailing):
    """The state of a notice for one user: whether it is due to be mailed, was mailed, or was dismissed."""

    notice = models.ForeignKey(Notice, models.PROTECT, verbose_name=_("notice"), related_name="readers")
    dismissed_at = models.DateTimeField(_("dismissed at"), null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["notice", "user"], name="a_notice_is_told_a_person_once"),
        ]
        indexes = [
            models.Index(
                fields=["mail_due_at"], condition=Q(mail_due_at__isnull=False), name="mails_that_are_due"
            ),
        ]


class CreditRequestState(models.TextChoices):
    OPEN = "open", _("Open")
    GRANTED = "granted", _("Granted")
    DECLINED = "declined", _("Declined")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class CreditRequest(models.Model):
    """A member asks those who may grant for credits. It is answered once, or withdrawn."""

    id = models.UUIDField(
        _("id"),
        primary_key=True,
        default=uuid.uuid4,
        editable=False,
        help_text=_("Chosen by the form, so that sending it twice asks once."),
    )
    member = models.ForeignKey(
        Membership, models.PROTECT, verbose_name=_("member"), related_name="credit_requests"
    )
    amount = models.BigIntegerField(_("amount"), help_text=_("hundredths of a credit"))
    note = models.CharField(_("note"), max_length=400, blank=True)
    state = models.CharField(
        _("state"), max_length=9, choices=CreditRequestState, default=CreditRequestState.OPEN
    )
    granted = models.BigIntegerField(
        _("granted"), null=True, blank=True, help_text=_("hundredths of a credit; may differ from the amount")
    )
    answer = models.CharField(_("answer"), max_length=400, blank=True)
    answered_by = models.ForeignKey(
        User, models.PROTECT, verbose_name=_("answered by"), related_name="+", null=True, blank=True
    )
    asked_at = models.DateTimeField(_("asked at"), default=timezone.now, editable=False)
    closed_at = models.DateTimeField(_("closed at"), null=True, editable=False)
    seen_at = models.DateTimeField(
        _("seen at"), null=True, editable=False, help_text=_("When the member put the answer away.")
    )

    class Meta:
        verbose_name = _("request for credits")
        verbose_name_plural = _("requests for credits")
        constraints = [
            models.UniqueConstraint(
                fields=["member"], condition=Q(state="open"), name="a_member_asks_once_at_a_time"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="a_request_asks_for_something"),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True)
                | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="a_request_is_closed_once",
            ),
            models.CheckConstraint(
                condition=Q(state="granted", granted__gt=0) | (~Q(state="granted") & Q(granted__isnull=True)),
                name="what_was_granted_is_known",
            ),
        ]
        indexes = [models.Index(fields=["member", "-asked_at"], name="requests_of_a_member")]


class CreditRequestMail(Mailing):
    """A mail about a request: to each who may answer it, then to the member about the answer."""

    request = models.ForeignKey(
        CreditRequest, models.PROTECT, verbose_name=_("request"), related_name="mails"
    )
    is_answer = models.BooleanField(_("is answer"))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request", "user", "is_answer"], name="a_request_is_mailed_a_person_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["mail_due_at"],
                condition=Q(mail_due_at__isnull=False),
                name="request_mails_that_are_due",
            ),
        ]
