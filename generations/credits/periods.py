"""Days and months in a team's time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from generations.teams.models import Team

DAY = timedelta(days=1)


def today(team: Team, now: datetime | None = None) -> date:
    """Return the current day in the team's time zone."""
    return (now or timezone.now()).astimezone(ZoneInfo(team.time_zone)).date()


def begin(team: Team, day: date) -> datetime:
    """Return the start of a day in the team's time zone, also where clocks change at midnight."""
    return datetime.combine(day, time(), ZoneInfo(team.time_zone)).astimezone(UTC)


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month."""

    first: date

    @classmethod
    def of(cls, day: date) -> Month:
        """Return the month of a day."""
        return cls(day.replace(day=1))

    @classmethod
    def named(cls, name: str) -> Month:
        """Parse a month such as 2026-11; ValueError if it is none."""
        return cls(datetime.strptime(name, "%Y-%m").date())  # noqa: DTZ007  a month, in no zone yet

    @property
    def name(self) -> str:
        """The month in URLs, such as 2026-11."""
        return f"{self.first:%Y-%m}"

    @property
    def last(self) -> date:
        """The last day of the month."""
        return self.next.first - DAY

    @property
    def next(self) -> Month:
        """The month after this one."""
        return Month((self.first + timedelta(days=31)).replace(day=1))

    @property
    def previous(self) -> Month:
        """The month before this one."""
        return Month((self.first - DAY).replace(day=1))

    @property
    def days(self) -> list[date]:
        """All days of the month."""
        return [self.first + timedelta(days=number) for number in range((self.next.first - self.first).days)]
