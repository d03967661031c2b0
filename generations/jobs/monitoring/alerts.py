"""Alerts on Create: for members about their images, for operators about the installation as well."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generations.core.prepared_queries import Param, PreparedQuery
from generations.jobs.engine.heartbeats import Worker
from generations.jobs.models import Generation, Status
from generations.jobs.monitoring import health as monitoring_health
from generations.teams.models import Membership

UNSTORED_AFTER = timedelta(seconds=10)  # since the image was received
_unstored = PreparedQuery(
    lambda: Generation.objects.filter(
        member=Param("member"), status=Status.STORING, changed_at__lt=Param("late")
    ).values_list("pk")
)


@dataclass(frozen=True)
class Alert:
    """A sentence and its level, `warn` or `bad`."""

    level: str
    text: str


def alerts_for(member: Membership) -> list[Alert]:
    """All alerts for a member; those of the installation only for operators."""
    alerts = of_member(member)
    if member.user and member.user.is_staff:
        alerts += of_installation(monitoring_health.check())
    return alerts


def of_member(member: Membership) -> list[Alert]:
    """Images of the member that were received and are not stored yet. One query."""
    late = timezone.now() - UNSTORED_AFTER
    count = len(_unstored.rows(member=member.pk, late=late))
    if not count:
        return []
    text = ngettext(
        "%(count)s picture waits to be stored: it is drawn and safe, but the storage for pictures does not"
        " take it at the moment.",
        "%(count)s pictures wait to be stored: they are drawn and safe, but the storage for pictures does not"
        " take them at the moment.",
        count,
    )
    return [Alert("warn", text % {"count": count})]


def of_installation(health: monitoring_health.Health) -> list[Alert]:
    """Services that do not answer and disks that are nearly full, the worst first."""
    found = []
    if not health.redis:
        found.append(
            Alert("bad", _("Redis does not answer, so nobody is called. Nothing is lost meanwhile."))
        )
    elif not health.writes:
        text = _("Redis takes no writes, so nobody is called. Nothing is lost meanwhile; /readyz says why.")
        found.append(Alert("bad", text))
    elif not health.alive:
        found.append(Alert("bad", _("No worker is running, so nobody is called. Nothing is lost meanwhile.")))
    if not health.storage:
        text = _("The storage for pictures does not answer. Pictures that come wait in the workers' spools.")
        found.append(Alert("bad", text))
    failing = [alert for worker in health.workers if worker.is_alive for alert in _failing(worker)]
    return [*found, *map(_spool, health.low_on_space), *failing]


def _failing(worker: Worker) -> list[Alert]:
    """Repairs that fail again and again at a worker, and need somebody who reads its log."""
    text = _("A repair fails again and again at %(name)s, and is in its log: %(what)s")
    return [Alert("bad", text % {"name": worker.name, "what": what}) for what in worker.failing]


def _spool(worker: Worker) -> Alert:
    """That the spool of a worker is full or nearly full."""
    values = {"name": worker.name, "waiting": worker.waiting, "free": worker.free // 2**20}
    if worker.has_room:
        text = _("The disk of the spool of %(name)s is nearly full: %(free)s MB are left.")
        return Alert("warn", text % values)
    text = _(
        "%(name)s takes nothing new: %(waiting)s pictures wait in its spool, and its disk has %(free)s MB"
        " left."
    )
    return Alert("bad", text % values)
