"""Reading the audit log, of one team or of all: filtered, newest first, a page at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generations.core import exports
from generations.office.audit_log import sentences as audit_log_sentences
from generations.office.audit_log import value_labels
from generations.office.models import AuditEntry
from generations.teams.models import Team, User

PAGE = 50
AT_ONCE = 500  # entries that an export holds in memory
COMMANDS = "server"
HEAD = (
    *("when", "team", "who", "email", "address", "act", "sentence", "member", "subject", "note"),
    *("before", "after"),
)
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)


class Day(forms.DateField):
    """A day that every database and every time zone knows."""

    widget = forms.DateInput(attrs={"type": "date", "class": "input"}, format="%Y-%m-%d")

    def clean(self, value: Any) -> date | None:
        """The day; ValidationError if nobody can have done anything then."""
        day: date | None = super().clean(value)
        if day and not FIRST_DAY <= day <= LAST_DAY:
            raise forms.ValidationError(_("Choose a day between 2000 and 2199."))
        return day


class ChangesForm(forms.Form):
    """Who, what, and on which days. What makes no sense is said beside the field and left out."""

    who = forms.ChoiceField(label=gettext_lazy("Who"), required=False)
    what = forms.ChoiceField(label=gettext_lazy("What"), required=False)
    team = forms.ChoiceField(label=gettext_lazy("Team"), required=False)
    first = Day(label=gettext_lazy("From"), required=False)
    last = Day(label=gettext_lazy("To"), required=False)

    def __init__(self, data: Any, *, team: Team | None) -> None:
        super().__init__(data, auto_id="changes_%s")
        self.of, self.entries = team, entries_of(team)
        self._choices("who", gettext_lazy("Anybody"), self._people())
        self._choices("what", gettext_lazy("Anything"), value_labels.acts())
        if team:
            del self.fields["team"]
        else:
            teams = Team.objects.order_by("name", "pk").values_list("pk", "name")
            self._choices("team", gettext_lazy("Any team, and the installation"), teams)

    def found(self) -> QuerySet[AuditEntry]:
        """The entries that are asked for, newest first."""
        self.is_valid()
        wanted, zone = self.cleaned_data, self.zone
        asked = Q()
        if wanted.get("who"):
            asked &= Q(actor=None) if wanted["who"] == COMMANDS else Q(actor=wanted["who"])
        if wanted.get("what"):
            asked &= Q(act=wanted["what"])
        if wanted.get("team"):
            asked &= Q(team=wanted["team"])
        if wanted.get("first"):
            asked &= Q(at__gte=_begin(wanted["first"], zone))
        if wanted.get("last"):
            asked &= Q(at__lt=_begin(wanted["last"] + timedelta(days=1), zone))
        return self.entries.filter(asked)

    @property
    def zone(self) -> ZoneInfo:
        """Where days begin: in the team's time zone, or in that of the installation."""
        return ZoneInfo(self.of.time_zone) if self.of else ZoneInfo(timezone.get_default_timezone_name())

    @property
    def asks(self) -> bool:
        """Whether anything is filtered."""
        return any(self.data.get(name) for name in self.fields)

    def _people(self) -> list[tuple[str, str]]:
        """Everybody who stands in the log."""
        acted = AuditEntry.objects.filter(actor=OuterRef("pk"))
        acted = acted.filter(team=self.of) if self.of else acted
        people = User.objects.filter(Exists(acted)).order_by("name", "email")
        return [*((str(user.pk), str(user)) for user in people), (COMMANDS, _("A command at the server"))]

    def _choices(self, name: str, anything: Any, choices: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", anything), *choices]
        field.widget.attrs["class"] = "input"


def entries_of(team: Team | None) -> QuerySet[AuditEntry]:
    """All entries of the team, or all there are; newest first, with what a sentence needs."""
    found = AuditEntry.objects.select_related("actor", "member__user", "team").order_by("-at", "-pk")
    return found.filter(team=team) if team else found


def page(found: QuerySet[AuditEntry], before: AuditEntry | None) -> tuple[list[AuditEntry], int | None]:
    """Entries older than `before`, and the number of the last of them if there are more."""
    rows = list(older(found, before)[: PAGE + 1])
    return rows[:PAGE], rows[PAGE - 1].pk if len(rows) > PAGE else None


def older(found: QuerySet[AuditEntry], before: AuditEntry | None) -> QuerySet[AuditEntry]:
    """What happened before that entry."""
    if before is None:
        return found
    return found.filter(Q(at__lt=before.at) | Q(at=before.at, pk__lt=before.pk))


def table(form: ChangesForm) -> Iterator[str]:
    """What is asked for as lines of a CSV file, some hundred at a time, so that any log fits into memory."""
    yield exports.BYTE_ORDER_MARK + exports.csv_text([HEAD])
    found, last = form.found(), None
    while rows := list(older(found, last)[:AT_ONCE]):
        yield exports.csv_text(_row(entry, form.zone) for entry in rows)
        last = rows[-1]


def _row(entry: AuditEntry, zone: ZoneInfo) -> tuple[str, ...]:
    words = (
        str(entry.team or ""),
        str(entry.actor or ""),
        entry.actor.email if entry.actor else "",
        entry.address or "",
        entry.act,
        audit_log_sentences.sentence(entry),
        str(entry.member or ""),
        entry.subject,
        entry.note,
        json.dumps(entry.before, ensure_ascii=False),
        json.dumps(entry.after, ensure_ascii=False),
    )
    when = entry.at.astimezone(zone).isoformat(timespec="seconds")
    return (when, *(exports.escape_formulas(word) for word in words))


def _begin(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone)
