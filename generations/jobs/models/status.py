"""The state machine of a generation, and the outcomes of a call to a provider."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Drawing")
    SUBMITTED = "submitted", _("In progress")
    STORING = "storing", _("Storing")
    SUCCEEDED = "succeeded", _("Done")
    FAILED = "failed", _("Not charged")
    FILTERED = "filtered", _("Not charged: filtered")
    CANCELED = "canceled", _("Canceled, not charged")


UNFINISHED = (Status.QUEUED, Status.RUNNING, Status.SUBMITTED, Status.STORING)

# From each status, the statuses that may follow. A finished generation never reopens: a retry is a new row
# (`retry_of`). QUEUED to STORING: a worker whose lease had expired delivers the image after all, so that the
# generation need not be called for again. SUBMITTED: the provider has accepted a task, which is bought: it is
# never requested again.
MOVES: dict[str, set[str]] = {
    Status.QUEUED: {Status.RUNNING, Status.SUBMITTED, Status.STORING, Status.FAILED, Status.CANCELED},
    Status.RUNNING: {Status.QUEUED, Status.SUBMITTED, Status.STORING, Status.FAILED, Status.FILTERED},
    Status.SUBMITTED: {Status.STORING, Status.FAILED, Status.FILTERED},
    Status.STORING: {Status.SUCCEEDED, Status.FAILED},
}

# Values of Generation.code while it waits for an account that is blocked (429) or paused. Such waits do not
# count towards the time limit, and cost no virtual time.
BLOCKED, PAUSED = "blocked", "paused"

# Value of Generation.code of one whose model no account has at the moment.
NO_ACCOUNT = "model_unavailable"

VIRTUAL_COST = 1_000_000  # virtual time of one slot at weight 1


class Outcome(models.TextChoices):
    OK = "ok", _("drawn")
    ACCEPTED = "accepted", _("accepted")
    FILTERED = "filtered", _("filtered")
    REFUSED = "refused", _("refused")
    UNAVAILABLE = "unavailable", _("unavailable")
    BUSY = "busy", _("busy")
    UNKNOWN = "unknown", _("unknown")
