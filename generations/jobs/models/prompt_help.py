"""Calls of the prompt helper: a prompt that a chat model translates, makes richer or varies."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7

from generations.jobs.models.status import Outcome
from generations.teams.models import Membership, Team
from generations.upstreams.models import Upstream


class HelpTask(models.TextChoices):
    ENGLISH = "english", _("Translate to English")
    RICHER = "richer", _("Make it richer")
    VARIANTS = "variants", _("Three variants")


class HelpStatus(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Answered")
    FAILED = "failed", _("No answer")


OPEN = (HelpStatus.QUEUED, HelpStatus.RUNNING)


class PromptHelpQuerySet(models.QuerySet["PromptHelp"]):
    def move(self, row: PromptHelp, *, to: HelpStatus, **changes: Any) -> bool:
        """Move an open call to a status; False if another writer has moved or claimed it meanwhile."""
        movable = self.filter(pk=row.pk, attempt=row.attempt, status=row.status)
        return movable.update(status=to, **changes) == 1

    def unfinished(self) -> PromptHelpQuerySet:
        """Calls that wait or run."""
        return self.filter(status__in=OPEN)

    def ready(self) -> PromptHelpQuerySet:
        """Calls that may be made now, the oldest first."""
        return self.filter(status=HelpStatus.QUEUED, not_before__lte=Now()).order_by("created_at", "pk")


class PromptHelp(models.Model):
    """One press of the prompt helper. Its id is the reference of its hold and charge.

    `text` and `answers` are the member's alone, and are blanked a day later; the rest stays for the ledger.
    """

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="prompt_helps")
    member = models.ForeignKey(
        Membership, models.PROTECT, verbose_name=_("member"), related_name="prompt_helps"
    )
    submission = models.UUIDField(
        _("submission"), help_text=_("Chosen by the page, so that pressing twice asks once.")
    )
    task = models.CharField(_("task"), max_length=10, choices=HelpTask)
    text = models.TextField(_("text"), blank=True)
    answers = models.JSONField(_("answers"), default=list, blank=True)
    price = models.PositiveBigIntegerField(_("price"), help_text=_("hundredths of a credit"))
    status = models.CharField(_("status"), max_length=9, choices=HelpStatus, default=HelpStatus.QUEUED)
    reason = models.CharField(
        _("reason"), max_length=400, blank=True, help_text=_("Why there is no answer, as members read it.")
    )
    attempt = models.PositiveIntegerField(
        _("attempt"), default=0, help_text=_("Number of claims; a writer with an older number is refused.")
    )
    not_before = models.DateTimeField(_("not before"), default=timezone.now)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    upstream = models.ForeignKey(
        Upstream,
        models.PROTECT,
        verbose_name=_("provider account"),
        related_name="prompt_helps",
        null=True,
        blank=True,
        help_text=_("That of the last call."),
    )
    unit = models.CharField(_("unit of cost"), max_length=20, blank=True)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome, blank=True)
    status_code = models.PositiveSmallIntegerField(_("status code"), null=True, blank=True)
    cost = models.PositiveBigIntegerField(
        _("cost"), default=0, help_text=_("Of the last call, in hundredths of a US cent.")
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    called_at = models.DateTimeField(_("called at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    closed_at = models.DateTimeField(
        _("closed at"), null=True, blank=True, help_text=_("When its member took or left the answer.")
    )

    objects: ClassVar[PromptHelpQuerySet] = PromptHelpQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("call of the prompt helper")
        verbose_name_plural = _("calls of the prompt helper")
        constraints = [
            models.UniqueConstraint(fields=["member", "submission"], name="a_press_asks_for_help_once"),
            models.CheckConstraint(
                condition=Q(status__in=OPEN, ended_at__isnull=True)
                | (~Q(status__in=OPEN) & Q(ended_at__isnull=False)),
                name="help_that_ended_has_an_end_time",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "created_at"], name="helps_by_status"),
            models.Index(fields=["member", "-created_at"], name="newest_helps_of_a_member"),
            models.Index(fields=["upstream", "called_at"], name="helps_of_an_upstream"),
        ]

    def __str__(self) -> str:
        return f"{self.get_task_display()} ({self.pk})"

    @property
    def is_finished(self) -> bool:
        """Whether it has an answer, or never will."""
        return self.status not in OPEN
