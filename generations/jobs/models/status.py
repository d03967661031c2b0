"""The state machine of a generation, and the names of what became of a call."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Drawing")
    STORING = "storing", _("Storing")
    SUCCEEDED = "succeeded", _("Done")
    FAILED = "failed", _("Not charged")
    FILTERED = "filtered", _("Not charged: filtered")
    CANCELED = "canceled", _("Canceled, not charged")


BLOCKED, PAUSED = "blocked", "paused"  # codes of waits that count for nobody's patience

STEP = 1_000_000  # of virtual time: one slot at weight 1

UNFINISHED = (Status.QUEUED, Status.RUNNING, Status.STORING)

# The state machine. An ended row never reopens: a retry makes a new one (`retry_of`).
# A waiting row whose worker was thought dead, and brings the image after all, need not run again.
MOVES: dict[str, set[str]] = {
    Status.QUEUED: {Status.RUNNING, Status.STORING, Status.FAILED, Status.CANCELED},
    Status.RUNNING: {Status.QUEUED, Status.STORING, Status.FAILED, Status.FILTERED},
    Status.STORING: {Status.SUCCEEDED, Status.FAILED},
}


class Outcome(models.TextChoices):
    OK = "ok", _("drawn")
    FILTERED = "filtered", _("filtered")
    REFUSED = "refused", _("refused")
    UNAVAILABLE = "unavailable", _("unavailable")
    BUSY = "busy", _("busy")
    UNKNOWN = "unknown", _("unknown")
