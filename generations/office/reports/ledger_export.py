"""The lines of a ledger as a file of any length: oldest first, a few thousand at a time.

Each piece is its own query that goes on after the last line (keyset), so neither this process nor the
database ever holds more than one piece, and a slow reader keeps no transaction, no cursor and no connection.
Nothing is lost or doubled between two pieces: lines are never changed, and the end is fixed beforehand.
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
from generations.office.members import names as members_names
from generations.office.reports.ledger import Filters
from generations.teams.models import Team, User

PIECE = 5_000
COLUMNS = (
    *("line", "time", "kind", "member", "model", "credits", "from", "to"),
    *("note", "by", "reference"),
)


class Fields(NamedTuple):
    """One line as it comes from the database: `time` and `form`, its reference, in that one's own letters."""

    pk: int
    time: str
    kind: str
    member: int | None
    model: str
    amount: int
    source: int
    target: int
    note: str
    actor: int | None
    form: str


@dataclass(frozen=True)
class Names:
    """What members, accounts and those who acted are called, as it may stand in the file."""

    made_safe: Callable[[str], str]
    members: dict[int | None, str]
    accounts: dict[int, str]
    actors: dict[int | None, str] = field(default_factory=dict)

    def learn(self, piece: list[Fields]) -> None:
        """Ask for those who acted in these lines, unless they are known."""
        fresh = {line.actor for line in piece if line.actor} - self.actors.keys()
        found = User.objects.filter(pk__in=fresh).values_list("pk", "name", "email") if fresh else ()
        self.actors.update({pk: self.made_safe(name or email) for pk, name, email in found})


def csv_pieces(team: Team, filters: Filters) -> Iterator[str]:
    """The file for spreadsheets, piece by piece: a header, then a row for each line."""
    names = _names(team, lru_cache(1_000)(exports.escape_formulas))  # most words come again and again
    yield exports.BYTE_ORDER_MARK + exports.csv_text([COLUMNS])
    zone = ZoneInfo(team.time_zone)
    for piece in _pieces(team, filters):
        names.learn(piece)
        yield exports.csv_text([_row(line, names, zone) for line in piece])


def json_pieces(team: Team, filters: Filters) -> Iterator[str]:
    """One JSON object, piece by piece: the lines, and last what they come to by kind."""
    names = _names(team, lru_cache(1_000)(_quoted))
    zone = ZoneInfo(team.time_zone)
    sums = dict.fromkeys(TransferKind.values, 0)
    counts = dict.fromkeys(TransferKind.values, 0)
    yield f'{{"team": {_quoted(team.slug)}, "time_zone": {_quoted(team.time_zone)}, "lines": ['
    separator = "\n"
    for piece in _pieces(team, filters):
        names.learn(piece)
        for line in piece:
            sums[line.kind] += line.amount
            counts[line.kind] += 1
        yield separator + ",\n".join([_object(line, names, zone) for line in piece])
        separator = ",\n"
    totals = {kind: {"lines": counts[kind], "credits": sums[kind] / 100} for kind in sums if counts[kind]}
    yield f'\n], "totals": {json.dumps(totals)}}}\n'


def _quoted(text: str) -> str:
    """The text as JSON."""
    return json.dumps(text, ensure_ascii=False)


def _pieces(team: Team, filters: Filters) -> Iterator[list[Fields]]:
    """The lines that pass, oldest first, up to this moment."""
    rows = filters.lines(team).filter(created_at__lte=timezone.now()).order_by("created_at", "pk")
    # As text: the driver takes longer to make a moment of one cell than we take for the rest of its line.
    rows = rows.annotate(time=Cast("created_at", CharField()), form=Cast("reference", CharField()))
    rest = rows
    while True:
        piece = list(map(Fields._make, rest.values_list(*Fields._fields)[:PIECE]))
        _rest()
        if piece:
            yield piece
        if len(piece) < PIECE:
            return
        pk, at = piece[-1].pk, _moment(piece[-1].time)
        done = Q(created_at=at, pk__lte=pk)
        # The first condition says again what the second says, in a way that an index can begin from.
        rest = rows.filter(created_at__gte=at).exclude(done)


def _moment(text: str) -> datetime:
    """A moment that a database wrote down; one that knows no zones writes UTC."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _reference(text: str) -> str:
    """A UUID that a database wrote down; one that has no type for them writes 32 digits."""
    return text if "-" in text else str(UUID(text))


def _rest() -> None:
    """Give the connection back to the pool: nobody knows how long the reader takes for a piece."""
    if not connection.in_atomic_block:
        connection.close()


def _names(team: Team, made_safe: Callable[[str], str]) -> Names:
    members: dict[int | None, str] = {pk: made_safe(name) for pk, name in members_names.names(team).items()}
    wallets = Account.objects.filter(membership__team=team).values_list("pk", "membership")
    accounts = {pk: members.get(member, "") for pk, member in wallets}
    others = Q(team=team) | Q(kind__in=[AccountKind.ISSUED, AccountKind.SPENT])
    accounts |= {account.pk: made_safe(account.kind) for account in Account.objects.filter(others)}
    return Names(made_safe, members, accounts)


def _row(line: Fields, names: Names, zone: ZoneInfo) -> tuple[object, ...]:
    pk, time, kind, member, model, amount, source, target, note, actor, form = line
    whole, hundredths = divmod(amount, 100)
    return (
        pk,
        _moment(time).astimezone(zone).isoformat(" ", "seconds"),
        kind,
        names.members.get(member, ""),
        names.made_safe(model) if model else "",
        f"{whole}.{hundredths:02}",
        names.accounts.get(source, ""),
        names.accounts.get(target, ""),
        names.made_safe(note) if note else "",
        names.actors.get(actor, ""),
        _reference(form),
    )


def _object(line: Fields, names: Names, zone: ZoneInfo) -> str:
    """One line as JSON; the names are quoted. Written out, since an encoder takes twice as long."""
    empty, (whole, hundredths) = '""', divmod(line.amount, 100)
    at = _moment(line.time).astimezone(zone).isoformat()
    model = names.made_safe(line.model) if line.model else empty
    note = names.made_safe(line.note) if line.note else empty
    return (
        f'{{"line": {line.pk}, "time": "{at}", "kind": "{line.kind}", '
        f'"member": {names.members.get(line.member, empty)}, "model": {model}, '
        f'"credits": {whole}.{hundredths:02}, "from": {names.accounts.get(line.source, empty)}, '
        f'"to": {names.accounts.get(line.target, empty)}, "note": {note}, '
        f'"by": {names.actors.get(line.actor, empty)}, "reference": "{_reference(line.form)}"}}'
    )


def file_name(team: Team, filters: Filters, ending: str) -> str:
    """What the file is called where it is saved: letters, digits and hyphens alone."""
    days = [f"{day:%Y-%m-%d}" for day in (filters.since, filters.until) if day]
    return "-".join(["ledger", team.slug, *days]) + f".{ending}"
