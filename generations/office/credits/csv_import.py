"""Grants from a CSV file: one row for each member, checked as a whole before any credits move.

A row is an email address or the name of a program, an amount, and an optional note, separated by commas,
semicolons or tabs. "12,5" is twelve and a half. "1,000" may mean a thousand or one, so it is refused, also
where its comma separates two cells, as is everything else that is ambiguous.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.translation import gettext as _

from generations.credits.amounts import MAX_AMOUNT, as_text, from_credits
from generations.office.credits.service import MAX_NOTE_LENGTH, MemberAmount
from generations.teams.models import Kind, Membership, Team

MAX_ROWS = 10_000
MAX_LINE_BREAKS = 2 * MAX_ROWS  # blank lines and line breaks in notes included
MAX_BYTES = 1_000_000
AMOUNT = re.compile(r"[0-9]{1,12}([.,][0-9]{1,2})?")
SPLIT_AMOUNT = re.compile(r"[0-9]{1,3}")  # the rest of an amount that a comma divided
QUOTED = re.compile(r'"[^"]*("|$)')
HEADINGS = {"email", "e-mail", "member", "name", "who"}


@dataclass(frozen=True)
class RowError:
    """Why a row cannot be granted, with its line number in the file; line 0 is the file as a whole."""

    line: int
    reason: str


@dataclass
class ParsedFile:
    """The amounts in a file, and its errors. Nothing may be granted while there are errors."""

    amounts: list[MemberAmount] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)

    @property
    def total(self) -> int:
        """The sum of all amounts, in hundredths."""
        return sum(each.amount for each in self.amounts)


class RowRefused(Exception):
    """A row that cannot be granted; the message is shown to the person."""


def decode(content: bytes) -> str | RowError:
    """Return the file as text, or the error if it cannot be read at all."""
    if len(content) > MAX_BYTES:
        return RowError(0, _("The file is larger than 1 MB."))
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as problem:
        line = content[: problem.start].count(b"\n") + 1
        return RowError(line, _("This is not UTF-8 text. Save the table as “CSV UTF-8” and choose it again."))
    if text.count("\n") > MAX_LINE_BREAKS:
        return RowError(0, _("A file has at most 10,000 lines."))
    if "\0" in text:
        return RowError(text[: text.index("\0")].count("\n") + 1, _("This is not text."))
    return text


def parse(team: Team, text: str) -> ParsedFile:
    """Return the amount for each member of the team, and every error."""
    parsed = ParsedFile()
    members, first_lines, delimiter = _MemberLookup(team), dict[int, int](), _delimiter(text)
    for count, (line, cells) in enumerate(_rows(text, delimiter, parsed)):
        if count == 0 and _is_heading(cells):
            continue
        if len(parsed.amounts) + len(parsed.errors) >= MAX_ROWS:
            parsed.errors.append(RowError(line, _("A file has at most 10,000 lines.")))
            break
        try:
            amount = _parse_row(members, cells, delimiter)
            _check_duplicate(amount, first_lines.setdefault(amount.member.pk, line), line)
        except RowRefused as problem:
            parsed.errors.append(RowError(line, str(problem)))
        else:
            parsed.amounts.append(amount)
    if not parsed.amounts and not parsed.errors:
        parsed.errors.append(RowError(0, _("There are no lines in this file.")))
    return parsed


class _MemberLookup:
    """The members of a team by email address, and its programs by name."""

    def __init__(self, team: Team) -> None:
        self.known: dict[str, list[Membership]] = {}
        for member in team.memberships.select_related("user", "team"):
            if member.kind == Kind.PROGRAM:
                self.known.setdefault(member.name.casefold(), []).append(member)
            elif member.user:
                self.known.setdefault(member.user.email.casefold(), []).append(member)

    def find(self, name: str) -> Membership:
        """Return the one member with that address or name; RowRefused if there is not exactly one."""
        found = self.known.get(name.casefold(), [])
        present = [member for member in found if member.ended_at is None]
        if len(present) == 1:
            return present[0]
        if present:
            raise RowRefused(_("Several programs are called “%(name)s”.") % {"name": _shortened(name)})
        if found:
            raise RowRefused(_("“%(name)s” has left the team.") % {"name": _shortened(name)})
        raise RowRefused(_("Nobody in this team is called “%(name)s”.") % {"name": _shortened(name)})


def _rows(text: str, delimiter: str, parsed: ParsedFile) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty, with their line numbers; invalid CSV ends the file with an error."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error:
            parsed.errors.append(RowError(line, _("The quotes on this line do not match.")))
            return
        if any(cells):
            yield line, cells
        line = reader.line_num + 1


def _delimiter(text: str) -> str:
    """Return the first delimiter of the first row: a name contains none, unless it is quoted."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return next((character for character in QUOTED.sub("", first) if character in ",;\t"), ",")


def _is_heading(cells: list[str]) -> bool:
    return cells[0].casefold() in HEADINGS and not AMOUNT.fullmatch("".join(cells[1:2]))


def _parse_row(members: _MemberLookup, cells: list[str], delimiter: str) -> MemberAmount:
    while cells and not cells[-1]:
        cells.pop()
    if len(cells) < 2:
        raise RowRefused(_("A line needs an email address or the name of a program, and an amount."))
    if len(cells) > 3:
        raise RowRefused(_("There are more than three columns. Put quotes around a note that has a comma."))
    name, amount, note = [*cells, ""][:3]
    if delimiter == "," and amount.isdecimal() and SPLIT_AMOUNT.fullmatch(note):
        raise RowRefused(
            _("“%(text)s” may be one number or two. Write 1000 or 12.5, and a note in words.")
            % {"text": _shortened(f"{amount},{note}")}
        )
    member = members.find(name)
    if len(note) > MAX_NOTE_LENGTH:
        raise RowRefused(_("The note is longer than 400 letters."))
    return MemberAmount(member, _parse_amount(amount), note)


def _check_duplicate(amount: MemberAmount, first_line: int, line: int) -> None:
    if first_line != line:
        message = _("%(who)s is on line %(line)s already.")
        raise RowRefused(message % {"who": amount.member, "line": first_line})


def _parse_amount(text: str) -> int:
    if not AMOUNT.fullmatch(text):
        raise RowRefused(
            _("“%(text)s” is not an amount. Write 1000 or 12.5: two decimals at most, no thousands signs.")
            % {"text": _shortened(text)}
        )
    amount = from_credits(Decimal(text.replace(",", ".")))
    if amount == 0:
        raise RowRefused(_("An amount must be more than 0."))
    if amount > MAX_AMOUNT:
        raise RowRefused(_("An amount is at most %(most)s.") % {"most": as_text(MAX_AMOUNT)})
    return amount


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"
