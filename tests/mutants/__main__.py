"""`make mutants`: break one promise of the portal at a time, and see its test fail.

The breaks stand in mutants.toml, and each is applied in a copy of the tree of its own. First their tests run
once unbroken: a test that fails anyway would catch everything. These mutants are of the code that one test
looks at; those of `tests/chaos/mutants.py` are engines that lack a safeguard, and the storm must catch them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name("mutants.toml")
AT_ONCE = 2
LONGEST = 300.0  # seconds of one test; one that never ends has not failed
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # others take longer to load than a test
PYTEST = (sys.executable, "-m", "pytest", "-p", "pytest_django.plugin", "-q", "--color=no")
CAUGHT, SURVIVED, NOT_RUN = "caught", "SURVIVED", "COULD NOT RUN"
NO_VERDICT = ("ImportError", "ModuleNotFoundError", "NameError", "SyntaxError")  # the break itself is broken


@dataclass(frozen=True)
class Mutant:
    """One break: where `text` stands in `file` it `becomes` something else, which `caught_by` must notice."""

    name: str
    broken: str
    file: str
    text: str
    becomes: str
    caught_by: str
    database: str = "sqlite"

    def misfit(self, root: Path) -> str:
        """Why it cannot be applied to that tree; empty if it can."""
        path = root / self.file
        found = path.read_text().count(self.text) if path.is_file() else 0
        return "" if found == 1 else f"{self.name}: its text is found {found} times in {self.file}, not once"

    def apply(self, root: Path) -> None:
        """Break that tree."""
        path = root / self.file
        path.write_text(path.read_text().replace(self.text, self.becomes))


@dataclass(frozen=True)
class Run:
    """What pytest answered: its exit code (None: it never ended), tests by how they ended, what it said."""

    code: int | None
    ended: Counter[str]
    said: str
    seconds: float

    @property
    def verdict(self) -> str:
        """Whether the test noticed; a test that could not run at all has not."""
        if self.code is None:
            return "NEVER ENDED"
        if self.code == 0:
            return SURVIVED
        return CAUGHT if self.code == 1 and self.ended["failure"] else NOT_RUN


def main(arguments: list[str]) -> int:
    """Run the mutants that are asked for; 0 if every one is caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--only", metavar="NAME", action="append", help="run this mutant; may be repeated")
    parser.add_argument("--list", action="store_true", help="show the mutants and run nothing")
    asked = parser.parse_args(arguments)
    rooms = read()
    mutants = [mutant for room in rooms.values() for mutant in room]
    if unknown := set(asked.only or ()) - {mutant.name for mutant in mutants}:
        parser.error(f"there is no mutant {', '.join(sorted(unknown))}")
    if asked.list:
        for room, members in rooms.items():
            say(f"{room}\n" + "\n".join(f"  {mutant.name:34}{mutant.broken}" for mutant in members))
        return 0
    chosen = [mutant for mutant in mutants if not asked.only or mutant.name in asked.only]
    with tempfile.TemporaryDirectory(prefix="sdweb-mutants-", ignore_cleanup_errors=True) as scratch:
        return run_all(chosen, Path(scratch))


def read() -> dict[str, list[Mutant]]:
    """All mutants, by room."""
    rooms = {room: [Mutant(**one) for one in rows] for room, rows in tomllib.loads(LIST.read_text()).items()}
    names = [mutant.name for room in rooms.values() for mutant in room]
    assert len(names) == len(set(names)), "two mutants have one name"
    return rooms


def run_all(mutants: list[Mutant], scratch: Path) -> int:
    """First the tests unbroken, then every mutant; 0 if all are caught."""
    began, whole = time.monotonic(), scratch / "whole"
    copy_tree(whole)
    misfits = [misfit for mutant in mutants if (misfit := mutant.misfit(whole))]
    if misfits or not all_pass(mutants, whole):
        say("\n".join(misfits))
        return 1
    say(f"{len(mutants)} mutants; their tests pass without them ({time.monotonic() - began:.0f} s)\n")
    verdicts = Counter(at_once(partial(judged, whole), mutants))
    say(f"\n{verdicts[CAUGHT]} of {len(mutants)} are caught ({time.monotonic() - began:.0f} s)")
    return 0 if verdicts[CAUGHT] == len(mutants) else 1


def copy_tree(to: Path) -> None:
    """Copy what git knows, and what is new, as it is now; times too, so that compiled modules stay good."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if os.path.lexists(ROOT / name):
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name, follow_symlinks=False)


def all_pass(mutants: list[Mutant], whole: Path) -> bool:
    """Whether every test that is named is there, runs and passes on its database, without any break."""
    databases = sorted({mutant.database for mutant in mutants})
    tests = [{one.caught_by for one in mutants if one.database == name} for name in databases]
    runs = at_once(partial(run_tests, whole), tests, databases)
    unwell = [run for run in runs if run.code != 0 or run.ended["skipped"]]
    for run in unwell:
        say(f"The tests do not all pass without a break:\n{run.said}")
    return not unwell


def judged(whole: Path, mutant: Mutant) -> str:
    """The verdict on one mutant, told as a line of the table."""
    folder = whole.with_name(mutant.name)
    shutil.copytree(whole, folder, symlinks=True)
    mutant.apply(folder)
    for _try in range(2):  # a busy machine may keep a server of the tests from starting
        run = run_tests(folder, [mutant.caught_by], mutant.database, "-x")
        if run.verdict != NOT_RUN:
            break
    shutil.rmtree(folder, ignore_errors=True)
    say(f"{mutant.name:34}{run.verdict:14}{run.seconds:4.0f} s  {mutant.caught_by} ({mutant.database})")
    if run.verdict != CAUGHT:
        say(mutant.broken if run.verdict == SURVIVED else run.said)
    return run.verdict


def run_tests(folder: Path, tests: Iterable[str], database: str, *options: str) -> Run:
    """Run tests of a tree on one database."""
    report, began = folder.with_name(f"{folder.name}-{database}.xml"), time.monotonic()
    environment = os.environ | ALONE | {"SDWEB_TEST_DATABASE": database}
    try:
        done = subprocess.run(
            [*PYTEST, f"--junitxml={report}", *options, *sorted(tests)],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LONGEST if options else None,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Run(None, Counter(), "", time.monotonic() - began)
    said = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
    return Run(done.returncode, endings(report), said, time.monotonic() - began)


def endings(report: Path) -> Counter[str]:
    """How many tests failed, were skipped or could not run; a failure that tells nothing is an error."""
    if not report.exists():
        return Counter()
    ends = ElementTree.parse(report).iterfind(".//testcase/*")
    return Counter("error" if end.get("message", "").startswith(NO_VERDICT) else end.tag for end in ends)


def at_once(work, *each_of):
    """What the work makes of each, two at a time, in order."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(work, *each_of))


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
