"""The team's ledger with filters: a page of lines, what all that pass come to, and the way to the next page.

Pages go on from a line (keyset), so the last of a million lines comes as fast as the first.
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

PAGE = 50
DATE = {"type": "date"}
OUTSIDE = {AccountKind.ISSUED, AccountKind.SPENT}
INTO, OUT_OF = "+", "−"  # noqa: RUF001  the minus that is as wide as a plus
OF_A_PICTURE = {TransferKind.CHARGE, TransferKind.REFUND}


class LedgerFilter(forms.Form):
    """Which lines are asked for; nothing filled in means all."""

    member = forms.IntegerField(label=_("Member"), required=False, min_value=1, max_value=2**63 - 1)
    kind = forms.ChoiceField(
        label=_("Kind"), required=False, choices=[("", _("All kinds")), *TransferKind.choices]
    )
    model = forms.CharField(label=_("Model"), required=False, max_length=40)
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs=DATE))
    until = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs=DATE))
    text = forms.CharField(label=_("Words in the note"), required=False, max_length=100)

    def clean_text(self) -> str:
        """Without the byte that PostgreSQL cannot keep; no note has it."""
        return str(self.cleaned_data["text"]).replace("\0", "")

    def clean(self) -> None:
        """A period that ends after it begins."""
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        for name, day in (("since", since), ("until", until)):
            if day and not 2000 <= day.year < 3000:
                self.add_error(name, _("No line is of that year."))
        if since and until and since > until:
            self.add_error("until", _("The last day must not be before the first."))

    @property
    def query(self) -> str:
        """The filters as an address carries them."""
        return urlencode({name: value for name, value in self.cleaned_data.items() if value})


@dataclass(frozen=True)
class Filters:
    """What a valid form asks for."""

    member: int | None = None
    kind: str = ""
    model: str = ""
    since: date | None = None
    until: date | None = None
    text: str = ""

    @property
    def exact(self) -> Mapping[str, Any]:
        """Those that a column equals."""
        named = {"member": self.member, "kind": self.kind, "model": self.model}
        return {name: value for name, value in named.items() if value}

    def lines(self, team: Team) -> QuerySet[Transfer]:
        """The team's lines that pass, in no order."""
        lines = Transfer.objects.filter(team=team, **self.exact)
        if self.since:
            lines = lines.filter(created_at__gte=periods.begin(team, self.since))
        if self.until:
            lines = lines.filter(created_at__lt=periods.begin(team, self.until + periods.DAY))
        if self.text:
            # The first condition is the one of the index that knows lines with a note.
            lines = lines.filter(~Q(note=""), note__icontains=self.text)
        return lines

    def totals(self, team: Team) -> dict[str, credits_totals.Total]:
        """What the lines that pass come to, by kind."""
        if self.text:
            grouped = (
                self.lines(team).order_by().values("kind").annotate(sum=Sum("amount"), count=Count("pk"))
            )
            return {
                kind: credits_totals.Total(*rest)
                for kind, *rest in grouped.values_list("kind", "sum", "count")
            }
        found = credits_totals.totals(
            team, by=("kind",), since=self.since, until=self.until, where=self.exact
        )
        return {kind: total for (kind,), total in found.items()}


@dataclass(frozen=True)
class Line:
    """One line as the page shows it. `sign`: whether the team as a whole has more by it, or less."""

    row: Transfer
    member: str
    sign: str
    generation: uuid.UUID | None
    may_be_refunded: bool


@dataclass(frozen=True)
class Page:
    """Lines, newest first, and the number of the last one if there are older ones."""

    lines: list[Line]
    older: int | None


def options(names: Mapping[int, str], chosen: str) -> SafeString:
    """The members to choose from; written here since a template takes long for hundreds of them."""
    rows = ((pk, SafeString(" selected") if str(pk) == chosen else "", name) for pk, name in names.items())
    return format_html_join("", '<option value="{}"{}>{}</option>', rows)


def models() -> list[tuple[str, str]]:
    """The models to choose from, with their titles."""
    return [(model.name, model.title) for model in catalogue_registry.MODELS.values()]


def read(team: Team, filters: Filters, names: Mapping[int, str], *, before: Transfer | None) -> Page:
    """A page of the lines that pass, those older than `before` if there is one. Two queries."""
    rows = filters.lines(team).select_related("source", "target", "actor").order_by("-created_at", "-pk")
    if before:
        same_moment = Q(created_at=before.created_at, pk__gte=before.pk)
        # The first condition says again what the second says, in a way that an index can begin from.
        rows = rows.filter(created_at__lte=before.created_at).exclude(same_moment)
    found = list(rows[: PAGE + 1])
    shown = found[:PAGE]
    refunded = _refunded([row.reference for row in shown if row.kind == TransferKind.CHARGE])
    lines = [_line(row, names, refunded) for row in shown]
    return Page(lines, shown[-1].pk if len(found) > PAGE else None)


def _refunded(charges: list[uuid.UUID]) -> set[uuid.UUID]:
    refunds = Transfer.objects.filter(reference__in=charges, kind=TransferKind.REFUND)
    return set(refunds.values_list("reference", flat=True))


def _line(row: Transfer, names: Mapping[int, str], refunded: set[uuid.UUID]) -> Line:
    leaves, comes = (end.kind in OUTSIDE for end in (row.target, row.source))
    return Line(
        row=row,
        member=names.get(row.member_id, "") if row.member_id else "",
        sign=OUT_OF if leaves else INTO if comes else "",
        generation=row.reference if row.kind in OF_A_PICTURE else None,
        may_be_refunded=row.kind == TransferKind.CHARGE and row.reference not in refunded,
    )


def named(totals: Mapping[str, credits_totals.Total]) -> list[tuple[str, str, credits_totals.Total]]:
    """The sums by kind in the order of the kinds, each with its name; kinds without a line are left out."""
    return [
        (kind.value, str(kind.label), totals[kind.value]) for kind in TransferKind if kind.value in totals
    ]
