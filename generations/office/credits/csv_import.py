"""Granting from a file: a line for each member, checked as a whole before anything moves.

A line is an email address or the name of a program, an amount, and perhaps a note; commas or
semicolons between, as spreadsheets write them. "12,5" is twelve and a half. "1,000" may be a
thousand or one, so it is refused, also where its comma parts two cells, as is everything that a
person would have to guess about.
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
from generations.office.credits.grants import Gift
from generations.teams.models import Kind, Membership, Team

MOST_LINES = 10_000
MOST_BREAKS = 2 * MOST_LINES  # blank lines and broken notes included
MOST_BYTES = 1_000_000
LONGEST_NOTE = 400
AMOUNT = re.compile(r"[0-9]{1,12}([.,][0-9]{1,2})?")
REST = re.compile(r"[0-9]{1,3}")  # of an amount that a comma cut in two
QUOTED = re.compile(r'"[^"]*("|$)')
HEADINGS = {"email", "e-mail", "member", "name", "who"}


@dataclass(frozen=True)
class Wrong:
    """A line that cannot be granted, by its number in the file, and why; 0 is the file as a whole."""

    line: int
    reason: str


@dataclass
class Reading:
    """What a file says. Nothing of it may be applied while anything is wrong."""

    gifts: list[Gift] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)

    @property
    def total(self) -> int:
        """All amounts together, in hundredths."""
        return sum(gift.amount for gift in self.gifts)


class LineRefused(Exception):
    """Why a line cannot be granted."""


def decode(content: bytes) -> str | Wrong:
    """The file as text, or what is wrong with it as a whole."""
    if len(content) > MOST_BYTES:
        return Wrong(0, _("The file is larger than 1 MB."))
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as problem:
        number = content[: problem.start].count(b"\n") + 1
        return Wrong(number, _("This is not UTF-8 text. Save the table as “CSV UTF-8” and choose it again."))
    if text.count("\n") > MOST_BREAKS:
        return Wrong(0, _("A file has at most 10,000 lines."))
    if "\0" in text:
        return Wrong(text[: text.index("\0")].count("\n") + 1, _("This is not text."))
    return text


def read(team: Team, text: str) -> Reading:
    """What each line grants to whom, in the team; every wrong line is named."""
    reading = Reading()
    people, seen, sign = _People(team), dict[int, int](), _delimiter(text)
    for count, (number, cells) in enumerate(_lines(text, sign, reading)):
        if count == 0 and _is_heading(cells):
            continue
        if len(reading.gifts) + len(reading.wrong) >= MOST_LINES:
            reading.wrong.append(Wrong(number, _("A file has at most 10,000 lines.")))
            break
        try:
            gift = _gift(people, cells, sign)
            _check_once(gift, seen.setdefault(gift.member.pk, number), number)
        except LineRefused as problem:
            reading.wrong.append(Wrong(number, str(problem)))
        else:
            reading.gifts.append(gift)
    if not reading.gifts and not reading.wrong:
        reading.wrong.append(Wrong(0, _("There are no lines in this file.")))
    return reading


class _People:
    """Those of a team by what a file calls them."""

    def __init__(self, team: Team) -> None:
        self.known: dict[str, list[Membership]] = {}
        for member in team.memberships.select_related("user", "team"):
            if member.kind == Kind.PROGRAM:
                self.known.setdefault(member.name.casefold(), []).append(member)
            elif member.user:
                self.known.setdefault(member.user.email.casefold(), []).append(member)

    def find(self, name: str) -> Membership:
        """The one of that address or name."""
        found = self.known.get(name.casefold(), [])
        present = [member for member in found if member.ended_at is None]
        if len(present) == 1:
            return present[0]
        if present:
            raise LineRefused(_("Several programs are called “%(name)s”.") % {"name": _short(name)})
        if found:
            raise LineRefused(_("“%(name)s” has left the team.") % {"name": _short(name)})
        raise LineRefused(_("Nobody in this team is called “%(name)s”.") % {"name": _short(name)})


def _lines(text: str, sign: str, reading: Reading) -> Iterator[tuple[int, list[str]]]:
    """The lines that say something, each with its number; a line that is no CSV ends the file."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=sign, strict=True)
    number = 1
    while True:
        try:
            cells = [cell.strip() for cell in next(rows)]
        except StopIteration:
            return
        except csv.Error:
            reading.wrong.append(Wrong(number, _("The quotes on this line do not match.")))
            return
        if any(cells):
            yield number, cells
        number = rows.line_num + 1


def _delimiter(text: str) -> str:
    """What stands after the first name: names hold neither commas nor semicolons, or have quotes around."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return next((sign for sign in QUOTED.sub("", first) if sign in ",;\t"), ",")


def _is_heading(cells: list[str]) -> bool:
    return cells[0].casefold() in HEADINGS and not AMOUNT.fullmatch("".join(cells[1:2]))


def _gift(people: _People, cells: list[str], sign: str) -> Gift:
    while cells and not cells[-1]:
        cells.pop()
    if len(cells) < 2:
        raise LineRefused(_("A line needs an email address or the name of a program, and an amount."))
    if len(cells) > 3:
        raise LineRefused(_("There are more than three columns. Put quotes around a note that has a comma."))
    name, amount, note = [*cells, ""][:3]
    if sign == "," and amount.isdecimal() and REST.fullmatch(note):
        raise LineRefused(
            _("“%(text)s” may be one number or two. Write 1000 or 12.5, and a note in words.")
            % {"text": _short(f"{amount},{note}")}
        )
    member = people.find(name)
    if len(note) > LONGEST_NOTE:
        raise LineRefused(_("The note is longer than 400 letters."))
    return Gift(member, _amount(amount), note)


def _check_once(gift: Gift, first: int, number: int) -> None:
    if first != number:
        said = _("%(who)s stands on line %(line)s already.")
        raise LineRefused(said % {"who": gift.member, "line": first})


def _amount(text: str) -> int:
    if not AMOUNT.fullmatch(text):
        raise LineRefused(
            _("“%(text)s” is not an amount. Write 1000 or 12.5: two decimals at most, no thousands signs.")
            % {"text": _short(text)}
        )
    amount = from_credits(Decimal(text.replace(",", ".")))
    if amount == 0:
        raise LineRefused(_("An amount must be more than 0."))
    if amount > MAX_AMOUNT:
        raise LineRefused(_("An amount is at most %(most)s.") % {"most": as_text(MAX_AMOUNT)})
    return amount


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"
