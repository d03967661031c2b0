"""One generation, from form to finished page: the row is the job, every message is only a doorbell."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7

from generations.library.models import Upload
from generations.teams.models import Membership, Team, Visibility
from generations.upstreams.models import Upstream

if TYPE_CHECKING:
    import uuid


class Status(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Drawing")
    STORING = "storing", _("Storing")
    SUCCEEDED = "succeeded", _("Done")
    FAILED = "failed", _("Not charged")
    FILTERED = "filtered", _("Not charged: filtered")
    CANCELED = "canceled", _("Canceled, not charged")


STEP = 1_000_000  # of virtual time: one slot at weight 1

UNFINISHED = (Status.QUEUED, Status.RUNNING, Status.STORING)

# The state machine. An ended row never reopens: a retry makes a new one (`retry_of`).
# A waiting row whose worker was thought dead, and brings the image after all, need not run again.
MOVES: dict[str, set[str]] = {
    Status.QUEUED: {Status.RUNNING, Status.STORING, Status.FAILED, Status.CANCELED},
    Status.RUNNING: {Status.QUEUED, Status.STORING, Status.FAILED, Status.FILTERED},
    Status.STORING: {Status.SUCCEEDED, Status.FAILED},
}


class Batch(models.Model):
    """One press of Generate: n generations of the same request, made once per submission."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, models.PROTECT, related_name="batches")
    member = models.ForeignKey(Membership, models.PROTECT, related_name="batches")
    submission = models.UUIDField(help_text=_("Named by the form, so that pressing twice makes one batch."))
    model = models.CharField(max_length=40)
    parameters = models.JSONField(default=dict)
    start_image = models.ForeignKey(Upload, models.PROTECT, related_name="batches", null=True, blank=True)
    count = models.PositiveSmallIntegerField()
    visibility = models.CharField(max_length=8, choices=Visibility, default=Visibility.TEAM)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        constraints = [
            models.UniqueConstraint(fields=["member", "submission"], name="a_submission_makes_one_batch"),
        ]
        indexes = [models.Index(fields=["member", "-id"], name="newest_batches_of_a_member")]

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

    def fairest_first(self) -> GenerationQuerySet:
        """In the order in which they are served: an operator's priority, then start-time fair queueing."""
        return self.order_by("-priority", "stamp", "pk")

    def unfinished(self) -> GenerationQuerySet:
        """Those that something will still happen to."""
        return self.filter(status__in=UNFINISHED)


class Generation(models.Model):
    """One image asked for: what, by whom, at what price, and how far it is."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="generations")
    team = models.ForeignKey(Team, models.PROTECT, related_name="generations")
    member = models.ForeignKey(Membership, models.PROTECT, related_name="generations")
    position = models.PositiveSmallIntegerField()
    model = models.CharField(max_length=40)
    parameters = models.JSONField(default=dict)
    price = models.PositiveBigIntegerField(help_text=_("hundredths of a credit"))
    retry_of = models.ForeignKey("self", models.PROTECT, related_name="retries", null=True, blank=True)

    status = models.CharField(max_length=9, choices=Status, default=Status.QUEUED)
    reason = models.CharField(max_length=400, blank=True, help_text=_("Why no image came, in plain words."))
    code = models.CharField(max_length=60, blank=True, help_text=_("The provider's or our own name for it."))

    priority = models.SmallIntegerField(default=0)
    stamp = models.BigIntegerField(help_text=_("Virtual start: the smallest is served first."))
    not_before = models.DateTimeField(default=timezone.now)
    attempt = models.PositiveIntegerField(default=0, help_text=_("Counts claims; fences late writers."))
    tries = models.PositiveSmallIntegerField(default=0, help_text=_("Calls answered busy, 429 apart."))
    unknowns = models.PositiveSmallIntegerField(default=0, help_text=_("Calls that may have been bought."))
    upstream = models.ForeignKey(Upstream, models.PROTECT, related_name="generations", null=True, blank=True)
    worker = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    called_at = models.DateTimeField(null=True, blank=True, help_text=_("Its first call."))
    started_at = models.DateTimeField(null=True, blank=True, help_text=_("Its latest claim."))
    changed_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    waited_out = models.DurationField(
        null=True, blank=True, help_text=_("Blocks and pauses since the first call; they do not count.")
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
        ]

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


class Outcome(models.TextChoices):
    OK = "ok", _("drawn")
    FILTERED = "filtered", _("filtered")
    REFUSED = "refused", _("refused")
    UNAVAILABLE = "unavailable", _("unavailable")
    BUSY = "busy", _("busy")
    UNKNOWN = "unknown", _("unknown")


class Attempt(models.Model):
    """One call to a provider: when, to whom, what came of it, what it cost us."""

    generation = models.ForeignKey(Generation, models.PROTECT, related_name="attempts")
    number = models.PositiveIntegerField()
    upstream = models.ForeignKey(Upstream, models.PROTECT, related_name="attempts")
    worker = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(
        max_length=12, choices=Outcome, blank=True, help_text=_("Empty while it runs.")
    )
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    code = models.CharField(max_length=60, blank=True)
    reason = models.CharField(max_length=400, blank=True)
    request_id = models.CharField(max_length=128, blank=True)
    remote_id = models.CharField(max_length=128, blank=True)
    seed = models.BigIntegerField(null=True, blank=True)
    cost = models.BigIntegerField(null=True, blank=True, help_text=_("hundredths; empty: not known"))
    unit = models.CharField(max_length=20, default="credit")

    class Meta:
        ordering = ["number"]
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints = [
            models.UniqueConstraint(fields=["generation", "number"], name="an_attempt_is_made_once"),
        ]
        indexes = [models.Index(fields=["upstream", "-started_at"], name="newest_calls_of_an_upstream")]

    @property
    def seconds(self) -> float | None:
        """How long the call took, once it ended."""
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else None


class PriceQuerySet(models.QuerySet["Price"]):
    def valid_at(self, moment: datetime, team: Team) -> PriceQuerySet:
        """Prices that hold for the team at that moment, the most binding first."""
        mine = self.filter(Q(team=team) | Q(team__isnull=True), valid_from__lte=moment)
        return mine.order_by("model", F("team").asc(nulls_last=True), "-valid_from", "-pk")


class Price(models.Model):
    """What a member pays for one image of a model from a time on; without a row, the catalogue's cost."""

    model = models.CharField(max_length=40)
    team = models.ForeignKey(Team, models.PROTECT, related_name="prices", null=True, blank=True)
    amount = models.PositiveBigIntegerField(help_text=_("hundredths of a credit"))
    valid_from = models.DateTimeField(default=timezone.now)

    # The stubs see a plain manager; it has every method of the set it is made from.
    objects: ClassVar[PriceQuerySet] = PriceQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="a_price_is_something")]
        indexes = [models.Index(fields=["model", "-valid_from"], name="prices_of_a_model")]
