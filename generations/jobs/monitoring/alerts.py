"""What people are told above their pictures: members what concerns theirs, operators what they can mend."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generations.jobs.engine.heartbeats import Worker
from generations.jobs.models import Generation, Status
from generations.jobs.monitoring import health as monitoring_health

if TYPE_CHECKING:
    from generations.teams.models import Membership

SLOW = timedelta(seconds=10)  # in which a picture that came is usually stored


@dataclass(frozen=True)
class Notice:
    """A sentence, and how it looks: `warn` or `bad`."""

    look: str
    words: str


def notices_for(member: Membership) -> list[Notice]:
    """All that this person is told on Create."""
    told = of_member(member)
    return (
        [*told, *of_installation(monitoring_health.check())] if member.user and member.user.is_staff else told
    )


def of_member(member: Membership) -> list[Notice]:
    """That pictures of theirs are here, and cannot be shown yet. One query."""
    late = timezone.now() - SLOW
    count = Generation.objects.filter(member=member, status=Status.STORING, changed_at__lt=late).count()
    if not count:
        return []
    words = ngettext(
        "%(count)s picture waits to be stored: it is drawn and safe, but the storage for pictures does not"
        " take it at the moment.",
        "%(count)s pictures wait to be stored: they are drawn and safe, but the storage for pictures does not"
        " take them at the moment.",
        count,
    )
    return [Notice("warn", words % {"count": count})]


def of_installation(felt: monitoring_health.Health) -> list[Notice]:
    """What does not answer or is nearly full, the worst first."""
    found = []
    if not felt.redis:
        found.append(
            Notice("bad", _("Redis does not answer, so nobody is called. Nothing is lost meanwhile."))
        )
    elif not felt.present:
        found.append(
            Notice("bad", _("No worker is running, so nobody is called. Nothing is lost meanwhile."))
        )
    if not felt.storage:
        words = _("The storage for pictures does not answer. Pictures that come wait in the workers' spools.")
        found.append(Notice("bad", words))
    return [*found, *map(_spool, felt.short)]


def _spool(worker: Worker) -> Notice:
    """How full the spool of a worker is."""
    about = {"name": worker.name, "waiting": worker.waiting, "free": worker.free // 2**20}
    if worker.has_room:
        words = _("The disk of the spool of %(name)s is nearly full: %(free)s MB are left.")
        return Notice("warn", words % about)
    words = _(
        "%(name)s takes nothing new: %(waiting)s pictures wait in its spool, and its disk has %(free)s MB"
        " left."
    )
    return Notice("bad", words % about)
