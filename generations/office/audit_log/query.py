"""Read the audit log of a team or of all teams: filtered, newest first, by page or as CSV."""

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

PAGE_SIZE = 50
EXPORT_CHUNK = 500  # entries that an export holds in memory
COMMAND_CHOICE = "server"  # stands for entries without a user, in the query string
CSV_HEADER = (
    "when",
    "team",
    "who",
    "email",
    "address",
    "act",
    "sentence",
    "member",
    "subject",
    "note",
    "before",
    "after",
)
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)


class DayField(forms.DateField):
    """A day that every database and time zone can represent."""

    widget = forms.DateInput(attrs={"type": "date", "class": "input"}, format="%Y-%m-%d")

    def clean(self, value: Any) -> date | None:
        """Return the day; raise ValidationError outside of the years 2000 to 2199."""
        day: date | None = super().clean(value)
        if day and not FIRST_DAY <= day <= LAST_DAY:
            raise forms.ValidationError(_("Choose a day between 2000 and 2199."))
        return day


class AuditLogFilter(forms.Form):
    """Filter by user, action, team and days. An invalid field shows its error and is ignored."""

    who = forms.ChoiceField(label=gettext_lazy("Who"), required=False)
    what = forms.ChoiceField(label=gettext_lazy("What"), required=False)
    team = forms.ChoiceField(label=gettext_lazy("Team"), required=False)
    first = DayField(label=gettext_lazy("From"), required=False)
    last = DayField(label=gettext_lazy("To"), required=False)

    def __init__(self, data: Any, *, team: Team | None) -> None:
        super().__init__(data, auto_id="changes_%s")
        self.log_of, self.entries = team, entries_of(team)
        self._set_choices("who", gettext_lazy("Anybody"), self._actor_choices())
        self._set_choices("what", gettext_lazy("Anything"), value_labels.action_choices())
        if team:
            del self.fields["team"]
        else:
            teams = Team.objects.order_by("name", "pk").values_list("pk", "name")
            self._set_choices("team", gettext_lazy("Any team, and the installation"), teams)

    def filtered(self) -> QuerySet[AuditEntry]:
        """Return the entries that pass the filter, newest first."""
        self.is_valid()
        data, zone = self.cleaned_data, self.time_zone
        condition = Q()
        if data.get("who"):
            condition &= Q(actor=None) if data["who"] == COMMAND_CHOICE else Q(actor=data["who"])
        if data.get("what"):
            condition &= Q(act=data["what"])
        if data.get("team"):
            condition &= Q(team=data["team"])
        if data.get("first"):
            condition &= Q(at__gte=_start_of(data["first"], zone))
        if data.get("last"):
            condition &= Q(at__lt=_start_of(data["last"] + timedelta(days=1), zone))
        return self.entries.filter(condition)

    @property
    def time_zone(self) -> ZoneInfo:
        """The time zone of the days: that of the team, or of the installation."""
        return (
            ZoneInfo(self.log_of.time_zone) if self.log_of else ZoneInfo(timezone.get_default_timezone_name())
        )

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is set."""
        return any(self.data.get(name) for name in self.fields)

    def _actor_choices(self) -> list[tuple[str, str]]:
        """Return all users with entries in the log."""
        entries = AuditEntry.objects.filter(actor=OuterRef("pk"))
        entries = entries.filter(team=self.log_of) if self.log_of else entries
        users = User.objects.filter(Exists(entries)).order_by("name", "email")
        return [
            *((str(user.pk), str(user)) for user in users),
            (COMMAND_CHOICE, _("A command at the server")),
        ]

    def _set_choices(self, name: str, empty_label: Any, choices: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", empty_label), *choices]
        field.widget.attrs["class"] = "input"


def entries_of(team: Team | None) -> QuerySet[AuditEntry]:
    """Return the entries of the team, or of all teams; newest first, with the related rows of a sentence."""
    entries = AuditEntry.objects.select_related("actor", "member__user", "team").order_by("-at", "-pk")
    return entries.filter(team=team) if team else entries


def page(entries: QuerySet[AuditEntry], before: AuditEntry | None) -> tuple[list[AuditEntry], int | None]:
    """Return a page of entries older than `before`, and the key of its last entry if there are more."""
    rows = list(older(entries, before)[: PAGE_SIZE + 1])
    return rows[:PAGE_SIZE], rows[PAGE_SIZE - 1].pk if len(rows) > PAGE_SIZE else None


def older(entries: QuerySet[AuditEntry], before: AuditEntry | None) -> QuerySet[AuditEntry]:
    """Return the entries older than `before`."""
    if before is None:
        return entries
    return entries.filter(Q(at__lt=before.at) | Q(at=before.at, pk__lt=before.pk))


def csv_lines(form: AuditLogFilter) -> Iterator[str]:
    """Yield the filtered entries as CSV text in chunks, so that a log of any size fits into memory."""
    yield exports.BYTE_ORDER_MARK + exports.csv_text([CSV_HEADER])
    entries, last = form.filtered(), None
    while rows := list(older(entries, last)[:EXPORT_CHUNK]):
        yield exports.csv_text(_row(entry, form.time_zone) for entry in rows)
        last = rows[-1]


def _row(entry: AuditEntry, zone: ZoneInfo) -> tuple[str, ...]:
    cells = (
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
    return (when, *(exports.escape_formulas(cell) for cell in cells))


def _start_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone)
