"""The team's ledger with filters: pages of entries, and the totals of all entries that match.

Pages continue after an entry (keyset pagination), so the last of a million entries is as fast as the first.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.db.models import Count, Q, QuerySet, Sum
from django.utils.html import format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from generations.credits import periods
from generations.credits import totals as credits_totals
from generations.credits.models import AccountKind, Transfer, TransferKind
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Team

PAGE_SIZE = 50
DATE = {"type": "date"}
OUTSIDE = {AccountKind.ISSUED, AccountKind.SPENT}
PLUS, MINUS = "+", "−"  # noqa: RUF001  the minus that is as wide as a plus
PICTURE_KINDS = {TransferKind.CHARGE, TransferKind.REFUND}


class LedgerFilterForm(forms.Form):
    """Filters of the ledger; an empty field filters nothing."""

    member = forms.IntegerField(label=_("Member"), required=False, min_value=1, max_value=2**63 - 1)
    kind = forms.ChoiceField(
        label=_("Kind"), required=False, choices=[("", _("All kinds")), *TransferKind.choices]
    )
    model = forms.CharField(label=_("Model"), required=False, max_length=40)
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs=DATE))
    until = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs=DATE))
    text = forms.CharField(label=_("Words in the note"), required=False, max_length=100)

    def clean_text(self) -> str:
        """Remove NUL, which PostgreSQL cannot store; no note contains it."""
        return str(self.cleaned_data["text"]).replace("\0", "")

    def clean(self) -> None:
        """Check that the years are possible, and that the period does not end before it begins."""
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        for name, day in (("since", since), ("until", until)):
            if day and not 2000 <= day.year < 3000:
                self.add_error(name, _("No entry is of that year."))
        if since and until and since > until:
            self.add_error("until", _("The last day must not be before the first."))

    @property
    def query_string(self) -> str:
        """The filters as the query string of a URL."""
        return urlencode({name: value for name, value in self.cleaned_data.items() if value})


@dataclass(frozen=True)
class LedgerFilters:
    """The cleaned data of a valid form."""

    member: int | None = None
    kind: str = ""
    model: str = ""
    since: date | None = None
    until: date | None = None
    text: str = ""

    @property
    def exact_matches(self) -> Mapping[str, Any]:
        """The filters that are an equality of one column."""
        values = {"member": self.member, "kind": self.kind, "model": self.model}
        return {name: value for name, value in values.items() if value}

    def entries(self, team: Team) -> QuerySet[Transfer]:
        """Return the team's ledger entries that match, unordered."""
        entries = Transfer.objects.filter(team=team, **self.exact_matches)
        if self.since:
            entries = entries.filter(created_at__gte=periods.begin(team, self.since))
        if self.until:
            entries = entries.filter(created_at__lt=periods.begin(team, self.until + periods.DAY))
        if self.text:
            # The first condition is that of the partial index on entries with a note.
            entries = entries.filter(~Q(note=""), note__icontains=self.text)
        return entries

    def totals(self, team: Team) -> dict[str, credits_totals.Total]:
        """Return the totals of the entries that match, by kind."""
        if self.text:
            grouped = self.entries(team).order_by().values("kind")
            sums = grouped.annotate(sum=Sum("amount"), count=Count("pk")).values_list("kind", "sum", "count")
            return {kind: credits_totals.Total(*rest) for kind, *rest in sums}
        totals = credits_totals.totals(
            team, by=("kind",), since=self.since, until=self.until, where=self.exact_matches
        )
        return {kind: total for (kind,), total in totals.items()}


@dataclass(frozen=True)
class LedgerRow:
    """A ledger entry as the page shows it; `sign` says whether the team's credits grew or shrank by it."""

    entry: Transfer
    member: str
    sign: str
    generation: uuid.UUID | None
    is_refundable: bool


@dataclass(frozen=True)
class LedgerPage:
    """Rows, newest first, and the primary key of the last one if there are older entries."""

    rows: list[LedgerRow]
    next_before: int | None


def member_options(names: Mapping[int, str], selected: str) -> SafeString:
    """Return the options of the member filter as HTML; a template is slow for hundreds of them."""
    rows = ((pk, SafeString(" selected") if str(pk) == selected else "", name) for pk, name in names.items())
    return format_html_join("", '<option value="{}"{}>{}</option>', rows)


def model_choices() -> list[tuple[str, str]]:
    """Return the names and titles of all models."""
    return [(model.name, model.title) for model in catalogue_registry.MODELS.values()]


def ledger_page(
    team: Team, filters: LedgerFilters, names: Mapping[int, str], *, before: Transfer | None
) -> LedgerPage:
    """Return a page of the entries that match, those older than `before` if it is set. Two queries."""
    entries = filters.entries(team).select_related("source", "target", "actor").order_by("-created_at", "-pk")
    if before:
        same_moment = Q(created_at=before.created_at, pk__gte=before.pk)
        # The first condition follows from the second, in a form that an index can start from.
        entries = entries.filter(created_at__lte=before.created_at).exclude(same_moment)
    found = list(entries[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    refunded = _refunded([entry.reference for entry in shown if entry.kind == TransferKind.CHARGE])
    rows = [_row(entry, names, refunded) for entry in shown]
    return LedgerPage(rows, shown[-1].pk if len(found) > PAGE_SIZE else None)


def _refunded(charges: list[uuid.UUID]) -> set[uuid.UUID]:
    refunds = Transfer.objects.filter(reference__in=charges, kind=TransferKind.REFUND)
    return set(refunds.values_list("reference", flat=True))


def _is_of_picture(entry: Transfer) -> bool:
    return entry.kind in PICTURE_KINDS and entry.model != catalogue_registry.PROMPT_HELPER


def _row(entry: Transfer, names: Mapping[int, str], refunded: set[uuid.UUID]) -> LedgerRow:
    sign = MINUS if entry.target.kind in OUTSIDE else PLUS if entry.source.kind in OUTSIDE else ""
    return LedgerRow(
        entry=entry,
        member=names.get(entry.member_id, "") if entry.member_id else "",
        sign=sign,
        generation=entry.reference if _is_of_picture(entry) else None,
        is_refundable=entry.kind == TransferKind.CHARGE and entry.reference not in refunded,
    )


def named_totals(totals: Mapping[str, credits_totals.Total]) -> list[tuple[str, str, credits_totals.Total]]:
    """Return (kind, label, total) in the order of the kinds, without kinds that have no entry."""
    return [
        (kind.value, str(kind.label), totals[kind.value]) for kind in TransferKind if kind.value in totals
    ]
