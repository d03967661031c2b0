"""`manage.py reconcile`: compare what providers charged with what members paid."""

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.credits.amounts import as_text
from generations.jobs.reconciliation import report as reconciliation_report
from generations.jobs.reconciliation.report import Report

AMOUNTS = {
    "bought",
    "may_have_cost",
    "charged",
    "refunded",
    "uncharged",
    "under_way",
    "cost",
    "ledger_charged",
    "charged_without_call",
}


class Command(BaseCommand):
    help = "Per upstream and day: what calls cost, what members were charged, and what nobody was charged."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add options for a period of whole days, the last week by default."""
        parser.add_argument("--since", type=date.fromisoformat, metavar="DATE", help="2026-01-31")
        parser.add_argument("--until", type=date.fromisoformat, metavar="DATE", help="that day included")
        parser.add_argument("--json", action="store_true", help="amounts in credits, as exact text")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the report; CommandError if the period ends before it begins."""
        until = options["until"] or timezone.localdate()
        since = options["since"] or until - timedelta(days=6)
        try:
            report = reconciliation_report.reconcile(since=since, until=until)
        except ValueError as problem:
            raise CommandError(problem) from problem
        self.stdout.write(_as_json(report) if options["json"] else "\n".join(_lines(report)))


def _as_json(report: Report) -> str:
    days = [asdict(day) | {"calls": day.calls} for day in report.days]
    drifts = [asdict(each) | {"drift": each.drift} for each in report.drifts]
    whole = asdict(report) | {"days": days, "drifts": drifts}
    return json.dumps(_in_credits(whole), cls=DjangoJSONEncoder, indent=2, ensure_ascii=False)


def _in_credits(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: Decimal(each) / 100 if name in AMOUNTS and isinstance(each, int) else _in_credits(each)
            for name, each in value.items()
        }
    return [_in_credits(each) for each in value] if isinstance(value, list) else value


def _lines(report: Report) -> list[str]:
    head = [_("Account"), _("Day"), _("Calls"), _("Bought"), _("Charged"), _("Refunded")]
    head += [_("To nobody"), _("Under way"), _("May have cost")]
    days = [
        [
            day.upstream,
            str(day.day),
            _calls(day.calls),
            as_text(day.bought),
            as_text(day.charged),
            as_text(day.refunded),
            as_text(day.uncharged),
            as_text(day.under_way),
            as_text(day.may_have_cost),
        ]
        for day in report.days
    ]
    return [
        f"{report.since} – {report.until}",  # noqa: RUF001  the sign of periods
        "",
        *_table([head, *days]),
        *_member_lines(report),
        *_balance_lines(report),
        "",
        _("The ledger charged %(credits)s in this time, of which %(stray)s belong to no call.")
        % {
            "credits": as_text(report.ledger_charged),
            "stray": as_text(report.charged_without_call),
        },
    ]


def _member_lines(report: Report) -> list[str]:
    if not report.uncharged:
        return []
    head = [_("Paid, but charged to nobody"), _("Day"), _("Member"), _("Team"), _("Calls"), _("Cost")]
    rows = [
        [
            line.upstream,
            str(line.day),
            line.member,
            line.team,
            str(line.calls),
            as_text(line.cost),
            as_text(line.may_have_cost),
            line.why,
        ]
        for line in report.uncharged
    ]
    return ["", *_table([[*head, _("May have cost"), _("Why")], *rows])]


def _balance_lines(report: Report) -> list[str]:
    if not report.drifts:
        return ["", _("No provider account has two readings of its balance in this time.")]
    head = [_("Balance"), _("From"), _("To"), _("Spent"), _("Bought"), _("Drift"), _("May have cost")]
    rows = [
        [
            each.upstreams,
            f"{each.first_at:%Y-%m-%d %H:%M}",
            f"{each.last_at:%Y-%m-%d %H:%M}",
            f"{each.spent:f}",
            f"{each.bought:f}",
            f"{each.drift:f}",
            f"{each.may_have_cost:f}",
            f"{each.topped_up:f}",
        ]
        for each in report.drifts
    ]
    return ["", *_table([[*head, _("Topped up")], *rows])]


def _calls(calls: dict[str, int]) -> str:
    return " ".join(f"{outcome}:{number}" for outcome, number in sorted(calls.items()))


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
