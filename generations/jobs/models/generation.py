"""One generation, from form to finished page: the row is the job, every message is only a doorbell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7

from generations.jobs.models.status import MOVES, STEP, UNFINISHED, Outcome, Status
from generations.library.models import Upload
from generations.teams.models import Membership, Team, Token, Visibility
from generations.upstreams.models import Upstream

if TYPE_CHECKING:
    import uuid
    from collections.abc import Collection


class Batch(models.Model):
    """One press of Generate: n generations of the same request, made once per submission."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="batches")
    member = models.ForeignKey(Membership, models.PROTECT, verbose_name=_("member"), related_name="batches")
    submission = models.UUIDField(
        _("submission"), help_text=_("Named by the form, so that pressing twice makes one batch.")
    )
    model = models.CharField(_("model"), max_length=40)
    parameters = models.JSONField(_("parameters"), default=dict)
    start_image = models.ForeignKey(
        Upload, models.PROTECT, verbose_name=_("start image"), related_name="batches", null=True, blank=True
    )
    count = models.PositiveSmallIntegerField(_("count"))
    visibility = models.CharField(_("visibility"), max_length=8, choices=Visibility, default=Visibility.TEAM)
    token = models.ForeignKey(
        Token,
        models.PROTECT,
        verbose_name=_("API token"),
        related_name="batches",
        null=True,
        blank=True,
        db_index=False,
        help_text=_("By which it was asked for; empty: on the page."),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    made: list[Generation] | None = None  # no column: its generations, on a batch that was made just now

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        constraints = [
            models.UniqueConstraint(fields=["member", "submission"], name="a_submission_makes_one_batch"),
        ]
        indexes = [models.Index(fields=["member", "-id"], name="newest_batches_of_a_member")]

    def __str__(self) -> str:
        return self.prompt[:60]

    @property
    def prompt(self) -> str:
        """What was asked for."""
        return str(self.parameters.get("prompt", ""))


class GenerationQuerySet(models.QuerySet["Generation"]):
    def move(
        self, pk: uuid.UUID, *, fence: int, to: Status, sources: tuple[Status, ...] = (), **changes: Any
    ) -> bool:
        """Move one generation to a new status; False if someone else moved it first.

        `fence` is the attempt that the mover knows: a worker that was thought dead knows an old one.
        """
        allowed = [status for status, targets in MOVES.items() if to in targets]
        movable = self.filter(pk=pk, attempt=fence, status__in=sources or allowed)
        return movable.update(status=to, changed_at=Now(), **changes) == 1

    def shift(self, row: Generation, steps: int) -> int:
        """Move what its member has waiting behind a row by so many slots of virtual time; how many."""
        behind = self.filter(member=row.member_id, status=Status.QUEUED, stamp__gt=row.stamp)
        behind.locked()
        return behind.update(stamp=F("stamp") + steps * row.step)

    def locked(self) -> list[uuid.UUID]:
        """Lock them from first to last, as everybody does who locks several; which they are."""
        rows = self.select_for_update(no_key=True).order_by("stamp", "pk")
        return list(rows.values_list("pk", flat=True))

    def ready(self) -> GenerationQuerySet:
        """Those that may be claimed now."""
        return self.filter(status=Status.QUEUED, not_before__lte=Now())

    def served_by(self, upstream: Upstream) -> GenerationQuerySet:
        """Those of a model that the account may be asked for."""
        return self.of_models(upstream.served_models)

    def of_models(self, models: Collection[str]) -> GenerationQuerySet:
        """Those of these models."""
        return self.filter(model__in=models)

    def fairest_first(self) -> GenerationQuerySet:
        """In the order in which they are served: an operator's priority, then start-time fair queueing."""
        return self.order_by("-priority", "stamp", "pk")

    def unfinished(self) -> GenerationQuerySet:
        """Those that something will still happen to."""
        return self.filter(status__in=UNFINISHED)


class Generation(models.Model):
    """One image asked for: what, by whom, at what price, and how far it is."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    batch = models.ForeignKey(Batch, models.PROTECT, verbose_name=_("batch"), related_name="generations")
    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="generations")
    member = models.ForeignKey(
        Membership, models.PROTECT, verbose_name=_("member"), related_name="generations"
    )
    position = models.PositiveSmallIntegerField(_("position"))
    model = models.CharField(_("model"), max_length=40)
    parameters = models.JSONField(_("parameters"), default=dict)
    price = models.PositiveBigIntegerField(_("price"), help_text=_("hundredths of a credit"))
    token = models.ForeignKey(
        Token,
        models.PROTECT,
        verbose_name=_("API token"),
        related_name="generations",
        null=True,
        blank=True,
        db_index=False,
        help_text=_("Whose cap it counts against: a retry may be asked for by another than its batch was."),
    )
    retry_of = models.ForeignKey(
        "self", models.PROTECT, verbose_name=_("retry of"), related_name="retries", null=True, blank=True
    )

    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.QUEUED)
    reason = models.CharField(
        _("reason"), max_length=400, blank=True, help_text=_("Why no image came, in plain words.")
    )
    code = models.CharField(
        _("code"), max_length=60, blank=True, help_text=_("The provider's or our own name for it.")
    )

    priority = models.SmallIntegerField(_("priority"), default=0)
    stamp = models.BigIntegerField(_("stamp"), help_text=_("Virtual start: the smallest is served first."))
    not_before = models.DateTimeField(_("not before"), default=timezone.now)
    attempt = models.PositiveIntegerField(
        _("attempt"), default=0, help_text=_("Counts claims; fences late writers.")
    )
    tries = models.PositiveSmallIntegerField(
        _("tries"), default=0, help_text=_("Calls answered busy, 429 apart.")
    )
    unknowns = models.PositiveSmallIntegerField(
        _("unknowns"), default=0, help_text=_("Calls that may have been bought.")
    )
    upstream = models.ForeignKey(
        Upstream,
        models.PROTECT,
        verbose_name=_("upstream"),
        related_name="generations",
        null=True,
        blank=True,
    )
    worker = models.CharField(_("worker"), max_length=64, blank=True)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)

    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    called_at = models.DateTimeField(_("called at"), null=True, blank=True, help_text=_("Its first call."))
    started_at = models.DateTimeField(
        _("started at"), null=True, blank=True, help_text=_("Its latest claim.")
    )
    changed_at = models.DateTimeField(_("changed at"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    waited_out = models.DurationField(
        _("waited out"),
        null=True,
        blank=True,
        help_text=_("Blocks and pauses since the first call; they do not count."),
    )

    # The stubs see a plain manager; it has every method of the set it is made from.
    objects: ClassVar[GenerationQuerySet] = GenerationQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("generation")
        verbose_name_plural = _("generations")
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "position"],
                condition=Q(retry_of__isnull=True),
                name="a_batch_counts_its_images",
            ),
            models.UniqueConstraint(fields=["retry_of"], name="an_ended_row_is_tried_again_once"),
            models.CheckConstraint(
                condition=Q(status__in=UNFINISHED, ended_at__isnull=True)
                | (~Q(status__in=UNFINISHED) & Q(ended_at__isnull=False)),
                name="what_ended_says_when",
            ),
        ]
        # Whole ones, not partial: SQLite does not use a partial index for a status that is a parameter.
        indexes = [
            models.Index(fields=["status", "-priority", "stamp", "id"], name="waiting_fairest_first"),
            models.Index(fields=["status", "lease_until"], name="leases"),
            models.Index(fields=["-stamp"], name="virtual_clock"),
            models.Index(fields=["member", "-stamp"], name="last_start_of_a_member"),
            models.Index(fields=["member", "-created_at"], name="newest_of_a_member"),
            models.Index(fields=["token"], condition=Q(token__isnull=False), name="asked_for_by_a_token"),
        ]

    def __str__(self) -> str:
        return self.prompt[:60]

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status not in UNFINISHED

    @property
    def prompt(self) -> str:
        """What was asked for."""
        return str(self.parameters.get("prompt", ""))

    @property
    def step(self) -> int:
        """How much virtual time one slot of its member takes: the heavier, the less."""
        return STEP // self.member.weight


class Attempt(models.Model):
    """One call to a provider: when, to whom, what came of it, what it cost us."""

    generation = models.ForeignKey(
        Generation, models.PROTECT, verbose_name=_("generation"), related_name="attempts"
    )
    number = models.PositiveIntegerField(_("number"))
    upstream = models.ForeignKey(
        Upstream, models.PROTECT, verbose_name=_("upstream"), related_name="attempts"
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

    class Meta:
        ordering = ["number"]
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints = [
            models.UniqueConstraint(fields=["generation", "number"], name="an_attempt_is_made_once"),
        ]
        indexes = [models.Index(fields=["upstream", "-started_at"], name="newest_calls_of_an_upstream")]

    def __str__(self) -> str:
        return _("Call %(number)s: %(outcome)s") % {
            "number": self.number,
            "outcome": self.get_outcome_display() or _("running"),
        }

    @property
    def seconds(self) -> float | None:
        """How long the call took, once it ended."""
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else None
