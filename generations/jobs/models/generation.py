"""Batches and generations. State is in these rows; Celery messages only wake workers.

The status of a generation changes by `Generation.objects.move` alone, along the table in `status.py`.
Waiting generations are served by priority, then by start-time fair queueing (Goyal, Vin and Cheng, 1996):
each slot of a member costs VIRTUAL_COST / weight of virtual time, and the smallest `virtual_start` is next.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7

from generations.core.one_message import Write
from generations.core.prepared_queries import Param
from generations.core.prepared_writes import PreparedUpdate
from generations.jobs.models.status import MOVES, UNFINISHED, VIRTUAL_COST, Status
from generations.library.models import Upload
from generations.teams.models import Membership, Team, Token, Visibility
from generations.upstreams.models import Upstream

LOST_AFTER = timedelta(seconds=60)  # without a lease: a worker that has the image renews it every 5 s


class Batch(models.Model):
    """`count` generations of the same request, created once per submission of the form."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="batches")
    member = models.ForeignKey(Membership, models.PROTECT, verbose_name=_("member"), related_name="batches")
    submission = models.UUIDField(
        _("submission"), help_text=_("Chosen by the form, so that sending it twice creates one batch.")
    )
    model = models.CharField(_("model"), max_length=40)
    parameters = models.JSONField(_("parameters"), default=dict)
    # The first input in the role `image`, which is in `inputs` too. Versions before `inputs` read and write
    # it, and may still run while this one is installed.
    start_image = models.ForeignKey(
        Upload, models.PROTECT, verbose_name=_("start image"), related_name="batches", null=True, blank=True
    )
    parent = models.UUIDField(
        _("parent"), null=True, blank=True, help_text=_("The image of the library that it continues.")
    )
    action = models.JSONField(
        _("action"),
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        blank=True,
        help_text=_("What its parent offered as a next step: name, title, state; empty for other requests."),
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
        help_text=_("The token of the request; empty if it came from the page."),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    # Not columns: the generations and the inputs, on a batch created just now.
    created: list[Generation] | None = None
    given: Sequence[BatchInput] = ()

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
        """The prompt of the request."""
        return str(self.parameters.get("prompt", ""))

    # Read once for each object. What has read them for many batches at once assigns them.

    @cached_property
    def all_generations(self) -> list[Generation]:
        """Its generations, retried ones too, in order."""
        return list(self.generations.order_by("position", "pk"))

    @cached_property
    def all_inputs(self) -> list[BatchInput]:
        """What it was made from."""
        return list(self.inputs.all())


class BatchInput(models.Model):
    """An image that goes with the requests of a batch, in one of its model's roles."""

    batch = models.ForeignKey(Batch, models.CASCADE, verbose_name=_("batch"), related_name="inputs")
    role = models.CharField(_("role"), max_length=20)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    upload = models.ForeignKey(
        Upload, models.PROTECT, verbose_name=_("upload"), related_name="inputs", help_text=_("As it is sent.")
    )
    image = models.UUIDField(
        _("image"), null=True, blank=True, help_text=_("The image of the library that it was made from.")
    )

    class Meta:
        ordering = ["role", "position"]
        verbose_name = _("input of a batch")
        verbose_name_plural = _("inputs of batches")
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "role", "position"], name="one_input_a_role_and_position"
            ),
        ]
        indexes = [
            models.Index(
                fields=["image"], condition=Q(image__isnull=False), name="batches_made_with_an_image"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.position + 1}"


class GenerationQuerySet(models.QuerySet["Generation"]):
    def move(self, pk: uuid.UUID, *, fence: int, to: Status, **changes: Any) -> bool:
        """Move one generation to a new status; False if another writer moved it first.

        `fence` is the attempt that the caller works on: a worker whose row was claimed again has an old one.
        """
        return self.movable(pk, fence, to).update(status=to, changed_at=Now(), **changes) == 1

    def movable(self, pk: uuid.UUID | Param, fence: int | Param, to: Status) -> GenerationQuerySet:
        """The generation, if it may be moved to this status by the writer that works on this attempt."""
        allowed = [status for status, targets in MOVES.items() if to in targets]
        return self.filter(Q(attempt=fence, pk=pk), status__in=allowed)

    def shift_behind(self, row: Generation, slots: int) -> int:
        """Move the member's generations waiting behind `row` by `slots` of virtual time; return how many."""
        behind = self.filter(member=row.member_id, status=Status.QUEUED, virtual_start__gt=row.virtual_start)
        behind.lock_in_order()
        return behind.update(virtual_start=F("virtual_start") + slots * row.virtual_cost)

    def lock_in_order(self) -> list[uuid.UUID]:
        """Lock these rows and return their keys. One order for every caller, so that none deadlocks."""
        rows = self.select_for_update(no_key=True).order_by("virtual_start", "pk")
        return list(rows.values_list("pk", flat=True))

    def in_flight(self) -> GenerationQuerySet:
        """Generations that the provider works on: called just now, or accepted as a task."""
        return self.filter(status__in=[Status.RUNNING, Status.SUBMITTED])

    def ready(self) -> GenerationQuerySet:
        """Waiting generations that may be claimed now."""
        return self.filter(status=Status.QUEUED, not_before__lte=Now())

    def served_by(self, upstream: Upstream) -> GenerationQuerySet:
        """Generations of the models that the account serves now, without those pinned to another account."""
        return self.of_models(upstream.callable_models).open_to(upstream.pk)

    def open_to(self, upstream: int | Param) -> GenerationQuerySet:
        """Generations that are not pinned to another account than the one with this key."""
        return self.filter(Q(pinned_to__isnull=True) | Q(pinned_to=upstream))

    def of_models(self, models: Collection[str]) -> GenerationQuerySet:
        """Generations of these models."""
        return self.filter(model__in=models)

    def in_queue_order(self) -> GenerationQuerySet:
        """In the order in which they are served: an operator's priority, then start-time fair queueing."""
        return self.order_by("-priority", "virtual_start", "pk")

    def unfinished(self) -> GenerationQuerySet:
        """Generations that are queued, running, submitted or storing."""
        return self.filter(status__in=UNFINISHED)

    def lost(self) -> GenerationQuerySet:
        """Generations whose image was received by a worker that has not renewed its lease since."""
        return self.filter(status=Status.STORING, lease_until__lt=Now() - LOST_AFTER)


class PreparedMove:
    """`Generation.objects.move` to one status, compiled once; the changes have `Param`s for values."""

    def __init__(self, to: Status, **changes: Any) -> None:
        self._update = PreparedUpdate(
            lambda: Generation.objects.movable(Param("pk"), Param("fence"), to),
            status=to,
            changed_at=Now(),
            **changes,
        )

    def run(self, row: Generation, **values: Any) -> bool:
        """Move the generation, fenced by its attempt; False if another writer moved it first."""
        return self._update.run(pk=row.pk, fence=row.attempt, **values) == 1

    def write(self, row: Generation, **values: Any) -> Write:
        """Return the same for `write_together`, which does nothing if another writer moved it first."""
        return self._update.write(1, pk=row.pk, fence=row.attempt, **values)


class Generation(models.Model):
    """One requested image: the request, its member, its price, and its progress."""

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
        help_text=_("The token whose cap it counts against; a retry may have another one than its batch."),
    )
    retry_of = models.ForeignKey(
        "self", models.PROTECT, verbose_name=_("retry of"), related_name="retries", null=True, blank=True
    )

    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.QUEUED)
    reason = models.CharField(
        _("reason"), max_length=400, blank=True, help_text=_("Why there is no image, as members read it.")
    )
    code = models.CharField(
        _("code"),
        max_length=60,
        blank=True,
        help_text=_("The reason as the provider's or portal's code."),
    )

    priority = models.SmallIntegerField(_("priority"), default=0)
    virtual_start = models.BigIntegerField(
        _("virtual start"), help_text=_("In virtual time; the smallest is served first.")
    )
    not_before = models.DateTimeField(_("not before"), default=timezone.now)
    attempt = models.PositiveIntegerField(
        _("attempt"), default=0, help_text=_("Number of claims; a writer with an older number is refused.")
    )
    busy_calls = models.PositiveSmallIntegerField(
        _("busy calls"), default=0, help_text=_("Calls answered busy, other than by 429.")
    )
    unknown_calls = models.PositiveSmallIntegerField(
        _("unknown calls"),
        default=0,
        help_text=_("Calls without an answer; they may have been charged."),
    )
    interrupted_calls = models.PositiveSmallIntegerField(
        _("interrupted calls"),
        default=0,
        db_default=0,
        help_text=_("Calls whose worker was killed or hung; they may have been charged."),
    )
    upstream = models.ForeignKey(
        Upstream,
        models.PROTECT,
        verbose_name=_("provider account"),
        related_name="generations",
        null=True,
        blank=True,
    )
    pinned_to = models.ForeignKey(
        Upstream,
        models.PROTECT,
        verbose_name=_("pinned to"),
        related_name="+",
        null=True,
        blank=True,
        db_index=False,
        help_text=_("The only account that can do it: the one that made its parent, or its style."),
    )
    worker = models.CharField(_("worker"), max_length=64, blank=True)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)

    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    first_called_at = models.DateTimeField(_("first called at"), null=True, blank=True)
    claimed_at = models.DateTimeField(_("claimed at"), null=True, blank=True, help_text=_("Its last claim."))
    changed_at = models.DateTimeField(_("changed at"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    excused_wait = models.DurationField(
        _("excused wait"),
        null=True,
        blank=True,
        help_text=_("Time since the first call in which the account was blocked or paused; not counted."),
    )

    # django-stubs infer a plain manager here; it has every method of the query set.
    objects: ClassVar[GenerationQuerySet] = GenerationQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("generation")
        verbose_name_plural = _("generations")
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "position"],
                condition=Q(retry_of__isnull=True),
                name="a_batch_has_one_image_a_position",
            ),
            models.UniqueConstraint(fields=["retry_of"], name="a_generation_is_retried_once"),
            models.CheckConstraint(
                condition=Q(status__in=UNFINISHED, ended_at__isnull=True)
                | (~Q(status__in=UNFINISHED) & Q(ended_at__isnull=False)),
                name="finished_means_an_end_time",
            ),
        ]
        # Not partial indexes: SQLite does not use one where the status is a query parameter.
        indexes = [
            models.Index(fields=["status", "-priority", "virtual_start", "id"], name="queue_order"),
            models.Index(fields=["status", "lease_until"], name="leases_by_expiry"),
            models.Index(fields=["-virtual_start"], name="newest_virtual_start"),
            models.Index(fields=["member", "-virtual_start"], name="last_virtual_start_of_a_member"),
            models.Index(fields=["member", "-created_at"], name="newest_of_a_member"),
            models.Index(fields=["token"], condition=Q(token__isnull=False), name="generations_of_a_token"),
        ]

    def __str__(self) -> str:
        return self.prompt[:60]

    @property
    def is_erased(self) -> bool:
        """Whether what was asked for is erased. Some models take pictures alone, and no parameters."""
        return not self.parameters and (bool(self.batch.parameters) or not self.batch.all_inputs)

    @property
    def is_finished(self) -> bool:
        """Whether it has reached a final status."""
        return self.status not in UNFINISHED

    @property
    def prompt(self) -> str:
        """The prompt of the request."""
        return str(self.parameters.get("prompt", ""))

    @property
    def virtual_cost(self) -> int:
        """Virtual time that one slot costs its member; less for a heavier weight."""
        return VIRTUAL_COST // self.member.weight
