"""The filters by days: the first, whose chip shows both, and the last."""

from __future__ import annotations

from datetime import date, timedelta

from django.http import QueryDict
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from generations.library.search.filters import Choice, Filter, Page
from generations.teams.models import Membership

MIN_DAY, MAX_DAY = date(2000, 1, 1), date(2199, 12, 31)  # that every time zone and database knows


class DayFilter(Filter[date | None]):
    """The first or the last day, in the member's time zone; the engine turns days into moments."""

    default: date | None = None

    def parse(self, query: QueryDict) -> date | None:
        return _day(query.get(self.parameter, ""))

    def unreadable(self, member: Membership, values: list[str]) -> list[str]:
        return [value for value in values if _day(value) is None]


class FirstDayFilter(DayFilter):
    """The first day, and the chip for both days."""

    chip = "date"

    @property
    def fields(self) -> tuple[str, ...]:
        return ("since", "until")

    def choices(self, page: Page, value: date | None) -> list[Choice]:
        today = page.today
        spans = {
            _("Today"): (today, None),
            _("Yesterday"): (today - timedelta(days=1), today - timedelta(days=1)),
            _("This week"): (today - timedelta(days=today.weekday()), None),
            _("This month"): (today.replace(day=1), None),
        }
        chosen = (page.search.since, page.search.until)
        return [
            Choice(
                "", title, span == chosen, page.search.replace(since=span[0], until=span[1]).query_string()
            )
            for title, span in spans.items()
        ]

    def summary(self, page: Page, value: date | None, choices: list[Choice]) -> str:
        named = next((choice.title for choice in choices if choice.is_chosen), "")
        return named or _span(page.search.since, page.search.until)


def _span(since: date | None, until: date | None) -> str:
    """Two days in words."""
    first, last = (day and date_format(day, "DATE_FORMAT") for day in (since, until))
    if first and last:
        return first if first == last else f"{first} – {last}"  # noqa: RUF001  an en dash, for a span
    if first:
        return _("since %(day)s") % {"day": first}
    return _("until %(day)s") % {"day": last} if last else ""


def _day(text: str) -> date | None:
    """Return the day that a text names, if every database knows it."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if MIN_DAY <= day <= MAX_DAY else None
