"""What tiles say of generations that wait or are drawn; `waitingText` in static/js/tiles.js is a twin."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.contrib.humanize.templatetags.humanize import ordinal
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from generations.core.durations import duration
from generations.jobs.engine import queue_position
from generations.jobs.engine.queue_position import QueuePosition
from generations.jobs.models import Generation
from generations.library.delivery import shown
from generations.library.imaging import aspect_ratio as imaging_aspect_ratio
from generations.providers.catalogue import registry as catalogue_registry

MAX_TICKS = 8  # queue positions drawn as ticks; more are a "+"
MAX_PERCENT = 96  # of the progress bar, when a call takes longer than usual


@dataclass(frozen=True)
class Waiting:
    """A tile that waits: its ticks, where it stands in the queue, and when it is there, or why it is not."""

    ticks: SafeString
    is_halted: bool
    words: str
    about: str

    @classmethod
    def of(cls, position: QueuePosition | None, zone: ZoneInfo) -> Waiting:
        """One at that position; without one it is next."""
        if position is None:
            return cls(_ticks(1), False, _("Next in line"), "")
        about = position.notice or _("about %(time)s") % {"time": duration(position.seconds)}
        return cls(_ticks(position.position), position.halted, _state(position, zone), about)


@dataclass(frozen=True)
class Progress:
    """Seconds since the call was sent, seconds it usually takes, and per cent for the bar."""

    elapsed: int
    typical: int
    percent: int

    @classmethod
    def of(cls, row: Generation) -> Progress:
        """That of a running generation, estimated from recent calls for its model."""
        typical = max(1, round(queue_position.typical_seconds(row.model)))
        started = row.claimed_at or timezone.now()
        elapsed = max(0, int((timezone.now() - started).total_seconds()))
        return cls(elapsed, typical, min(MAX_PERCENT, round(100 * elapsed / typical)))

    @property
    def words(self) -> str:
        """How far it is."""
        if self.elapsed > self.typical:
            return _("longer than usual")
        done, usual = duration(self.elapsed), duration(self.typical)
        return _("%(done)s of about %(usual)s") % {"done": done, "usual": usual}


def ratio_class(row: Generation) -> str:
    """The CSS class of the shape that its picture will have."""
    start = row.batch.start_image
    if start and "aspect_ratio" not in row.parameters:
        return shown.ratio_class(start.width, start.height)
    return f"ratio-{shape_class(row.parameters.get('aspect_ratio', '1:1'))}"


def shape_class(aspect_ratio: str) -> str:
    """16:9 as 16x9, for CSS classes; of another shape the closest one."""
    if aspect_ratio in (*catalogue_registry.SHAPES, "auto"):
        return aspect_ratio.replace(":", "x")
    across, _colon, down = aspect_ratio.partition(":")
    if not (across.isdecimal() and down.isdecimal() and int(across) and int(down)):
        return "1x1"
    return imaging_aspect_ratio.nearest(int(across), int(down)).replace(":", "x")


def _ticks(position: int) -> SafeString:
    more = "+" if position > MAX_TICKS else ""
    return format_html("{}{}", SafeString("<i></i>" * min(position, MAX_TICKS)), more)


def _state(position: QueuePosition, zone: ZoneInfo) -> str:
    if position.paused_at:
        time = date_format(position.paused_at.astimezone(zone), "TIME_FORMAT")
        return _("Waits: the provider is paused since %(time)s") % {"time": time}
    if position.halted:
        return _("Waits")
    if position.retry_in:
        said = {"time": duration(position.retry_in), "n": position.next_call, "m": position.calls}
        return _("Tries again in %(time)s, %(n)s of %(m)s") % said
    if position.position > 1:
        return _("%(nth)s in line") % {"nth": ordinal(position.position)}
    return _("Next in line")
