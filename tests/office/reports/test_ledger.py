"""The team's ledger: filters, pages, totals and exports."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import uuid
from collections import Counter
from datetime import timedelta

import pytest
from django.db import transaction
from django.test import AsyncClient, Client
from django.utils import timezone

from generations.core import exports
from generations.credits import daily_totals, ledger
from generations.credits.models import Transfer
from generations.office.members import service as members_service
from generations.office.reports import ledger as reports_ledger
from generations.office.reports import ledger_export
from generations.office.reports.ledger import LedgerFilters
from generations.teams.models import Role
from tests import past
from tests.markup import compact

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def owner(make_member):
    return make_member("ana", role=Role.OWNER, granted=1_000)


@pytest.fixture
def ana(owner):
    client = Client()
    client.force_login(owner.user, BACKEND)
    return client


@pytest.fixture
def address(owner):
    return lambda path="": f"/t/{owner.team.slug}/team/ledger/{path}"


@pytest.fixture
def lines(team, owner, member):
    """A few hundred lines of all kinds on twenty days, many of them at the same moment."""
    begin = past.moment("2026-03-01T08:00")
    for number in range(130):
        who, model = ((owner, "core"), (member, "core"), (member, "ultra"))[number % 3]
        at = begin + timedelta(hours=4 * (number // 5))
        past.charge(who, at, 10 + number, model, refunded=at if number % 20 == 0 else None)
    ledger.issue(team=team, amount=50_00, reference=uuid.uuid4(), note="for spring")
    ledger.grant(member=member, amount=5_00, reference=uuid.uuid4(), actor=owner.user, note="for the harbour")
    ledger.take_back(member=member, amount=1_00, reference=uuid.uuid4(), actor=owner.user, note="=1+1")
    return Transfer.objects.filter(team=team)


def entry_numbers(page: str) -> list[int]:
    """The lines that a page shows, in its order."""
    rows = re.findall(r"<tr>.*?</tr>", page.split("ledger-table")[1], re.DOTALL)
    return [int(re.findall(r'class="number quiet">(\d+)<', row)[-1]) for row in rows if "number quiet" in row]


def read_all_pages(client: Client, address: str) -> list[int]:
    """The lines of all pages."""
    page, found = compact(client.get(address).content.decode()), []
    for _ in range(20):
        found += entry_numbers(page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        if not older:
            return found
        page = compact(client.get(older[1].replace("&amp;", "&")).content.decode())
    raise AssertionError("no end of pages")


FILTERS = [
    {},
    {"kind": "charge"},
    {"kind": "refund"},
    {"model": "ultra"},
    {"member": "mei"},
    {"member": "mei", "model": "core"},
    {"since": "2026-03-04", "until": "2026-03-09"},
    {"until": "2026-03-02", "kind": "charge"},
    {"text": "HARBOUR"},
    {"member": "ana", "since": "2026-03-10"},
]


def expected(lines, member, owner, asked):
    """What should pass, found the slow way."""
    found = lines
    people = {"mei": member, "ana": owner}
    if "member" in asked:
        found = found.filter(member=people[asked["member"]])
    found = found.filter(**{name: asked[name] for name in ("kind", "model") if name in asked})
    rows = [
        row
        for row in found
        if asked.get("since", "0") <= f"{row.created_at:%Y-%m-%d}" <= asked.get("until", "9")
        and asked.get("text", "").lower() in row.note.lower()
    ]
    return sorted(rows, key=lambda row: (row.created_at, row.pk), reverse=True)


def query(asked, member, owner):
    return asked | (
        {"member": {"mei": member, "ana": owner}[asked["member"]].pk} if "member" in asked else {}
    )


def test_filters_show_the_entries_that_match_and_their_totals(ana, address, lines, member, owner, subtests):
    for asked in FILTERS:
        with subtests.test(asked=asked), transaction.atomic():
            shows_what_matches(ana, address, lines, member, owner, asked)
            transaction.set_rollback(True)  # days that were summed up are not for the next one


def shows_what_matches(ana, address, lines, member, owner, asked):
    right = expected(lines, member, owner, asked)
    fields = query(asked, member, owner)
    text = "&".join(f"{name}={value}" for name, value in fields.items())
    assert read_all_pages(ana, f"{address()}?{text}") == [row.pk for row in right]
    sums, counts = Counter(), Counter()
    for row in right:
        sums[row.kind] += row.amount
        counts[row.kind] += 1
    form = reports_ledger.LedgerFilterForm(fields)
    assert form.is_valid(), form.errors
    for _ in ("from the lines", "from days that were summed up"):
        totals = LedgerFilters(**form.cleaned_data).totals(owner.team)
        assert {kind: (total.amount, total.lines) for kind, total in totals.items()} == {
            kind: (sums[kind], counts[kind]) for kind in sums
        }
        daily_totals.close_days()
    exported = list(csv.DictReader(io.StringIO(ana.get(address("export.csv"), fields).getvalue().decode())))
    assert [int(row["\ufeffline"]) for row in exported] == [row.pk for row in reversed(right)]


def test_entries_link_to_their_pictures_and_show_refunds(ana, address, owner):
    line = past.charge(owner, timezone.now(), 800, "ultra", refunded=timezone.now())
    page = ana.get(address()).content.decode()
    assert page.count(f"/t/{owner.team.slug}/generation/{line.reference}/") == 2
    assert '<span class="tag">refunded</span>' in page
    assert "−8.00" in page
    assert "+8.00" in page


INVALID = {
    "kind=everything": "Kind",
    "since=yesterday": "From",
    "since=2026-03-09&until=2026-03-01": "last day must not be before",
    "member=mei": "Member",
    "member=99999999999999999999999": "Member",
    f"text={'x' * 101}": "Words in the note",
    "until=2026-02-30": "To",
}


def test_an_invalid_filter_shows_an_error_and_no_entries(ana, address, lines, subtests):
    for asked, message in INVALID.items():
        with subtests.test(asked=asked):
            page = ana.get(f"{address()}?{asked}")
            assert page.status_code == 200
            assert message in page.content.decode().split('role="alert"')[1]
            assert "ledger-table" not in page.content.decode()
            for ending in ("csv", "json"):
                sent_back = ana.get(f"{address(f'export.{ending}')}?{asked}")
                assert sent_back.status_code == 302
                assert sent_back["Location"].startswith(address())


HOSTILE = """
    text=%00 text=%25 text=%27%3B-- model=%00x since=0001-01-01 until=9999-12-31 before=
"""


def test_hostile_filters_never_cause_an_error(ana, address, lines, subtests):
    for asked in HOSTILE.split():
        with subtests.test(asked=asked):
            assert ana.get(f"{address()}?{asked}").status_code == 200
            exported = ana.get(f"{address('export.csv')}?{asked}")
            assert exported.status_code in {200, 302}  # back, to be told why


@pytest.mark.parametrize("before", ["0", "x", "-1", "9" * 30, "%D9%A3"])
def test_a_page_that_does_not_exist_is_not_found(ana, address, before):
    assert ana.get(f"{address()}?before={before}").status_code == 404


def test_the_entries_of_another_team_are_not_found(ana, address, make_member):
    stranger = make_member("eve", team=members_service.create_team("Elsewhere"))
    line = past.charge(stranger, timezone.now(), 98_76)
    assert ana.get(f"{address()}?before={line.pk}").status_code == 404
    page = ana.get(f"{address()}?member={stranger.pk}").content.decode()
    assert "No entry matches." in page
    assert "98.76" not in ana.get(address("export.json")).getvalue().decode()


# The export -----------------------------------------------------------------------------------


def csv_rows(client, address, **filters):
    body = client.get(address("export.csv"), filters).getvalue().decode()
    assert body.startswith(exports.BYTE_ORDER_MARK)
    return list(csv.DictReader(io.StringIO(body[1:])))


def test_an_export_has_each_entry_once_and_the_totals_of_the_ledger(
    ana, address, lines, monkeypatch, subtests
):
    for piece in (3, 10, 5_000):  # some end between entries of one moment
        with subtests.test(piece=piece):
            monkeypatch.setattr(ledger_export, "CHUNK_SIZE", piece)
            has_each_entry_once(ana, address, lines)


def has_each_entry_once(ana, address, lines):
    sums = Counter()
    for row in lines:
        sums[row.kind] += row.amount
    rows = csv_rows(ana, address)
    assert [int(row["line"]) for row in rows] == [
        row.pk for row in sorted(lines, key=lambda row: (row.created_at, row.pk))
    ]
    of_csv = Counter()
    for row in rows:
        of_csv[row["kind"]] += round(float(row["credits"]) * 100)
    exported = json.loads(ana.get(address("export.json")).getvalue())
    assert (
        of_csv == sums == {kind: round(total["credits"] * 100) for kind, total in exported["totals"].items()}
    )
    assert [line["line"] for line in exported["lines"]] == [int(row["line"]) for row in rows]


def test_an_empty_ledger_is_a_header_and_an_empty_list(ana, address):
    assert csv_rows(ana, address, kind="refund") == []
    assert json.loads(ana.get(address("export.json"), {"kind": "refund"}).getvalue())["lines"] == []


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "=cmd|' /C calc'!A0", " =1", '=HYPERLINK("x")'],
)
def test_formulas_in_names_and_notes_are_escaped_for_spreadsheets(ana, address, owner, member, text):
    member.user.name = text[:20]
    member.user.save()
    ledger.issue(team=member.team, amount=1, reference=uuid.uuid4())
    ledger.grant(member=member, amount=1, reference=uuid.uuid4(), actor=member.user, note=text)
    row = csv_rows(ana, address)[-1]
    for column in ("note", "member", "to", "by"):
        assert row[column].startswith("'"), column
    assert row["credits"] == "0.01"
    [line] = [
        line
        for line in json.loads(ana.get(address("export.json")).getvalue())["lines"]
        if line["line"] == int(row["line"])
    ]
    assert line["note"] == text  # programs get what was written


@pytest.mark.parametrize(
    "text", ["", "Mei", "a=b", "3 - 1", "北京", "one; two", "one\r\n\r\ntwo", "a\tb", '{"a": -1, "b": "c"}']
)
def test_texts_without_formulas_are_not_changed(text):
    assert exports.escape_formulas(text) == text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("Bob;=cmd|' /C calc'!A0;x", "Bob;'=cmd|' /C calc'!A0;x"),
        ("Bob; -1; @x", "Bob;' -1;' @x"),
        ('Bob;"=1+1"', 'Bob;\'"=1+1"'),
        ("Bob;\u00a0+1", "Bob;'\u00a0+1"),
        ("Bob\r\n=1", "Bob\r\n'=1"),
        ("Bob\t=1", "Bob\t'=1"),
        ('"=1+1"', '\'"=1+1"'),
        ("\u00a0=1", "'\u00a0=1"),
    ],
)
def test_formulas_are_escaped_wherever_a_spreadsheet_may_start_a_cell(text, escaped):
    assert exports.escape_formulas(text) == escaped


def test_times_are_in_the_teams_time_zone_and_amounts_are_numbers(ana, address, owner):
    owner.team.time_zone = "Asia/Kathmandu"
    owner.team.save()
    past.charge(owner, past.moment("2026-03-31T18:20"), 6_50, "ultra")
    row = next(row for row in csv_rows(ana, address) if row["kind"] == "charge")
    assert row["time"] == "2026-04-01 00:05:00+05:45"
    assert (row["credits"], row["from"], row["to"], row["model"]) == ("6.50", "Ana", "spent", "ultra")


def test_the_file_name_has_the_team_and_the_days(ana, address, owner):
    answer = ana.get(address("export.csv"), {"since": "2026-03-01", "until": "2026-03-31"})
    assert answer["Content-Disposition"] == (
        f'attachment; filename="ledger-{owner.team.slug}-2026-03-01-2026-03-31.csv"'
    )
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]
    assert ana.get(address("export.json"))["Content-Type"].startswith("application/json")


def test_entries_written_during_an_export_are_not_in_it(owner, member, lines, monkeypatch):
    monkeypatch.setattr(ledger_export, "CHUNK_SIZE", 20)
    pieces = ledger_export.csv_chunks(owner.team, LedgerFilters())
    begun = [next(pieces), next(pieces)]
    late = ledger.grant(member=member, amount=1, reference=uuid.uuid4())
    text = "".join([*begun, *pieces])
    assert f"\n{late.pk}," not in text
    assert text.count("\n") == lines.exclude(pk=late.pk).count() + 1


@pytest.mark.django_db(transaction=True)
def test_an_asynchronous_server_streams_the_file_in_chunks(owner, address, lines, monkeypatch):
    monkeypatch.setattr(ledger_export, "CHUNK_SIZE", 20)

    async def read():
        client = AsyncClient()
        await client.aforce_login(owner.user, BACKEND)
        answer = await client.get(address("export.csv"))
        return [piece async for piece in answer]

    pieces = asyncio.run(read())
    assert len(pieces) > 5
    assert b"".join(pieces).decode().count("\n") == lines.count() + 1
