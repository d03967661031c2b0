"""Calls to providers for generations. An attempt is written before its call is made, and keeps a task."""

from __future__ import annotations

from http import HTTPStatus

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generations.jobs.models.generation import Generation
from generations.jobs.models.status import Outcome
from generations.upstreams.models import Upstream


class Attempt(models.Model):
    """One call to a provider: when, to which account, its outcome, and what it cost the portal."""

    generation = models.ForeignKey(
        Generation, models.PROTECT, verbose_name=_("generation"), related_name="attempts"
    )
    number = models.PositiveIntegerField(_("number"))
    upstream = models.ForeignKey(
        Upstream, models.PROTECT, verbose_name=_("provider account"), related_name="attempts"
    )
    worker = models.CharField(_("worker"), max_length=64, blank=True)
    started_at = models.DateTimeField(_("started at"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    outcome = models.CharField(
        _("outcome"), max_length=12, choices=Outcome, blank=True, help_text=_("Empty while it runs.")
    )
    status_code = models.PositiveSmallIntegerField(_("status code"), null=True, blank=True)
    code = models.CharField(_("code"), max_length=60, blank=True)
    reason = models.CharField(_("reason"), max_length=400, blank=True)
    request_id = models.CharField(_("request id"), max_length=128, blank=True)
    remote_id = models.CharField(_("remote id"), max_length=128, blank=True)
    seed = models.BigIntegerField(_("seed"), null=True, blank=True)
    cost = models.BigIntegerField(
        _("cost"), null=True, blank=True, help_text=_("hundredths; empty: not known")
    )
    unit = models.CharField(_("unit"), max_length=20, default="credit")

    # Of a task that the provider has accepted, until it has ended:
    poll_at = models.DateTimeField(
        _("poll at"), null=True, blank=True, help_text=_("When it is polled next; empty if it is no task.")
    )
    expires_at = models.DateTimeField(
        _("expires at"), null=True, blank=True, help_text=_("When it is given up.")
    )
    to_fetch = models.BooleanField(
        _("to be fetched"),
        default=False,
        db_default=False,
        help_text=_("Its results are only fetched from their addresses, which asks nothing of the account."),
    )
    failed_polls = models.PositiveSmallIntegerField(_("failed polls in a row"), default=0, db_default=0)
    progress = models.PositiveSmallIntegerField(_("progress in percent"), null=True, blank=True)
    message = models.CharField(
        _("message"),
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text=_("What the provider says."),
    )
    task = models.TextField(
        _("task"),
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text=_("How to poll it, or the addresses of its results; encrypted."),
    )
    half_done = ""  # which half-done picture a page shows of it, no column: see jobs.engine.half_done

    class Meta:
        ordering = ["number"]
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints = [
            models.UniqueConstraint(fields=["generation", "number"], name="an_attempt_is_made_once"),
        ]
        indexes = [
            models.Index(fields=["upstream", "-started_at"], name="newest_calls_of_an_upstream"),
            models.Index(fields=["poll_at"], condition=Q(poll_at__isnull=False), name="tasks_by_next_poll"),
        ]

    def __str__(self) -> str:
        return _("Call %(number)s: %(outcome)s") % {
            "number": self.number,
            "outcome": self.outcome_text or _("running"),
        }

    @property
    def outcome_text(self) -> str:
        """How it ended; "" while it runs. Only a provider that asks to wait is busy, not one that fails."""
        if self.outcome != Outcome.BUSY or self.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            return str(self.get_outcome_display())
        return str(_("not reached") if self.status_code is None else _("the provider's server failed"))

    @property
    def seconds(self) -> float | None:
        """How long the call took; None while it runs."""
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else None
