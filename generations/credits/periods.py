"""Days and months as a team's time zone counts them, with its half hours and its changes of the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from generations.teams.models import Team

DAY = timedelta(days=1)


def today(team: Team, now: datetime | None = None) -> date:
    """The day that it is there."""
    return (now or timezone.now()).astimezone(ZoneInfo(team.time_zone)).date()


def begin(team: Team, day: date) -> datetime:
    """The first moment of a day there, also where clocks change at midnight."""
    return datetime.combine(day, time(), ZoneInfo(team.time_zone)).astimezone(UTC)


@dataclass(frozen=True, order=True)
class Month:
    """A month of the calendar."""

    first: date

    @classmethod
    def of(cls, day: date) -> Month:
        """The one that the day is in."""
        return cls(day.replace(day=1))

    @classmethod
    def named(cls, name: str) -> Month:
        """The one that an address names, as 2026-11; ValueError if it is none."""
        return cls(datetime.strptime(name, "%Y-%m").date())  # noqa: DTZ007  a month, in no zone yet

    @property
    def name(self) -> str:
        """As addresses name it: 2026-11."""
        return f"{self.first:%Y-%m}"

    @property
    def last(self) -> date:
        """Its last day."""
        return self.next.first - DAY

    @property
    def next(self) -> Month:
        """The one after it."""
        return Month((self.first + timedelta(days=31)).replace(day=1))

    @property
    def previous(self) -> Month:
        """The one before it."""
        return Month((self.first - DAY).replace(day=1))

    @property
    def days(self) -> list[date]:
        """Every day of it."""
        return [self.first + timedelta(days=number) for number in range((self.next.first - self.first).days)]
