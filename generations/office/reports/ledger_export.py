"""Exports of a ledger as CSV or JSON, of any length: oldest first, a few thousand entries at a time.

Each chunk is a query of its own that continues after the last entry (keyset pagination), so neither this
process nor the database holds more than one chunk, and a slow client keeps no transaction, cursor or
connection open. Nothing is lost or doubled between chunks: entries never change, and the end is fixed at the
start.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import CharField, Q
from django.db.models.functions import Cast
from django.utils import timezone

from generations.core import exports
from generations.credits.models import Account, AccountKind, TransferKind
from generations.office.members import query as members_query
from generations.office.reports.ledger import LedgerFilters
from generations.teams.models import Team, User

CHUNK_SIZE = 5_000
COLUMNS = ["line", "time", "kind", "member", "model", "credits", "from", "to", "note", "by", "reference"]


class EntryRow(NamedTuple):
    """A ledger entry as the database returns it, its time and its reference as text of that database."""

    pk: int
    time_text: str
    kind: str
    member: int | None
    model: str
    amount: int
    source: int
    target: int
    note: str
    actor: int | None
    reference_text: str


@dataclass(frozen=True)
class EscapedNames:
    """Names of members, accounts and actors, escaped for the file's format."""

    escape: Callable[[str], str]
    members: dict[int | None, str]
    accounts: dict[int, str]
    actors: dict[int | None, str] = field(default_factory=dict)

    def load_actors(self, chunk: list[EntryRow]) -> None:
        """Load the names of these entries' actors, unless they are loaded already."""
        new = {row.actor for row in chunk if row.actor} - self.actors.keys()
        users = User.objects.filter(pk__in=new).values_list("pk", "name", "email") if new else ()
        self.actors.update({pk: self.escape(name or email) for pk, name, email in users})


def csv_chunks(team: Team, filters: LedgerFilters) -> Iterator[str]:
    """Yield the CSV file in chunks: a header, then a row for each entry."""
    names = _names(team, lru_cache(1_000)(exports.escape_formulas))  # most texts occur many times
    yield exports.BYTE_ORDER_MARK + exports.csv_text([COLUMNS])
    zone = ZoneInfo(team.time_zone)
    for chunk in _chunks(team, filters):
        names.load_actors(chunk)
        yield exports.csv_text([_csv_row(row, names, zone) for row in chunk])


def json_chunks(team: Team, filters: LedgerFilters) -> Iterator[str]:
    """Yield one JSON object in chunks: the entries, then their totals by kind."""
    names = _names(team, lru_cache(1_000)(_json_string))
    zone = ZoneInfo(team.time_zone)
    sums = dict.fromkeys(TransferKind.values, 0)
    counts = dict.fromkeys(TransferKind.values, 0)
    yield f'{{"team": {_json_string(team.slug)}, "time_zone": {_json_string(team.time_zone)}, "lines": ['
    separator = "\n"
    for chunk in _chunks(team, filters):
        names.load_actors(chunk)
        for row in chunk:
            sums[row.kind] += row.amount
            counts[row.kind] += 1
        yield separator + ",\n".join([_json_object(row, names, zone) for row in chunk])
        separator = ",\n"
    totals = {kind: {"lines": counts[kind], "credits": sums[kind] / 100} for kind in sums if counts[kind]}
    yield f'\n], "totals": {json.dumps(totals)}}}\n'


def _json_string(text: str) -> str:
    """Return the text as a JSON string."""
    return json.dumps(text, ensure_ascii=False)


def _chunks(team: Team, filters: LedgerFilters) -> Iterator[list[EntryRow]]:
    """Yield the entries that match and exist now, oldest first."""
    rows = filters.entries(team).filter(created_at__lte=timezone.now()).order_by("created_at", "pk")
    # As text: the driver takes longer to parse one time than we take for the rest of the row.
    rows = rows.annotate(
        time_text=Cast("created_at", CharField()), reference_text=Cast("reference", CharField())
    )
    remaining = rows
    while True:
        chunk = list(map(EntryRow._make, remaining.values_list(*EntryRow._fields)[:CHUNK_SIZE]))
        _release_connection()
        if chunk:
            yield chunk
        if len(chunk) < CHUNK_SIZE:
            return
        pk, at = chunk[-1].pk, _parse_time(chunk[-1].time_text)
        done = Q(created_at=at, pk__lte=pk)
        # The first condition follows from the second, in a form that an index can start from.
        remaining = rows.filter(created_at__gte=at).exclude(done)


def _parse_time(text: str) -> datetime:
    """Return the time that a database wrote as text; SQLite writes UTC without an offset."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _reference(text: str) -> str:
    """Return the UUID that a database wrote as text; SQLite writes 32 digits without hyphens."""
    return text if "-" in text else str(UUID(text))


def _release_connection() -> None:
    """Return the connection to the pool while the client reads the chunk."""
    if not connection.in_atomic_block:
        connection.close()


def _names(team: Team, escape: Callable[[str], str]) -> EscapedNames:
    members: dict[int | None, str] = {
        pk: escape(name) for pk, name in members_query.member_names(team).items()
    }
    wallets = Account.objects.filter(membership__team=team).values_list("pk", "membership")
    accounts = {pk: members.get(member, "") for pk, member in wallets}
    others = Q(team=team) | Q(kind__in=[AccountKind.ISSUED, AccountKind.SPENT])
    accounts |= {account.pk: escape(account.kind) for account in Account.objects.filter(others)}
    return EscapedNames(escape, members, accounts)


def _csv_row(row: EntryRow, names: EscapedNames, zone: ZoneInfo) -> tuple[object, ...]:
    pk, time, kind, member, model, amount, source, target, note, actor, reference = row
    whole, hundredths = divmod(amount, 100)
    return (
        pk,
        _parse_time(time).astimezone(zone).isoformat(" ", "seconds"),
        kind,
        names.members.get(member, ""),
        names.escape(model) if model else "",
        f"{whole}.{hundredths:02}",
        names.accounts.get(source, ""),
        names.accounts.get(target, ""),
        names.escape(note) if note else "",
        names.actors.get(actor, ""),
        _reference(reference),
    )


def _json_object(row: EntryRow, names: EscapedNames, zone: ZoneInfo) -> str:
    """Return the entry as JSON; names are JSON strings. Not by an encoder, which takes twice as long."""
    empty, (whole, hundredths) = '""', divmod(row.amount, 100)
    at = _parse_time(row.time_text).astimezone(zone).isoformat()
    model = names.escape(row.model) if row.model else empty
    note = names.escape(row.note) if row.note else empty
    return (
        f'{{"line": {row.pk}, "time": "{at}", "kind": "{row.kind}", '
        f'"member": {names.members.get(row.member, empty)}, "model": {model}, '
        f'"credits": {whole}.{hundredths:02}, "from": {names.accounts.get(row.source, empty)}, '
        f'"to": {names.accounts.get(row.target, empty)}, "note": {note}, '
        f'"by": {names.actors.get(row.actor, empty)}, "reference": "{_reference(row.reference_text)}"}}'
    )


def file_name(team: Team, filters: LedgerFilters, extension: str) -> str:
    """Return the name of the file, in ASCII."""
    days = [f"{day:%Y-%m-%d}" for day in (filters.since, filters.until) if day]
    return "-".join(["ledger", team.slug, *days]) + f".{extension}"
