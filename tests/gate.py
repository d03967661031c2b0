"""`make test`: the checks, and beside them the tests on both databases (tests/databases.py).

Whatever could not run is said by name in the last lines.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests import postgresql

BIN = Path(sys.executable).parent
RESULTS = Path("test-results")
PLACEHOLDERS = {
    "SECRET_KEY": "only-for-checks-that-start-nothing-0123456789-0123456789",
    "ENCRYPTION_KEYS": "b25seS1mb3ItY2hlY2tzLXRoYXQtc3RhcnQtbm90aGk=",
    "DATABASE_URL": "sqlite://:memory:",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}
CHECKS = {
    "format": "ruff format --check .",
    "lint": "ruff check .",
    "types": "mypy sdweb generations manage.py",
    "imports": "lint-imports",
    "migrations": "python manage.py makemigrations --check --dry-run",
    "settings": "python manage.py check",
}
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main(arguments: list[str]) -> int:
    """Run checks and tests; --checks: only the former, --all: also what is slow. 0 if all has passed."""
    RESULTS.mkdir(exist_ok=True)
    if "--checks" in arguments:
        return report(run_checks(), {}, [])
    missing = [reason for reason in (without_browser(), without_postgresql()) if reason]
    if "--all" in arguments:
        os.environ.setdefault("SDWEB_RANDOM_BODIES", "10000")
    runs = {
        name: start_tests(name, options) for name, options in plan(everything="--all" in arguments).items()
    }
    failed = run_checks()
    verdicts = {name: finish_tests(name, run) for name, run in runs.items()}
    failed += [f"tests on {DATABASES[name]}" for name, run in runs.items() if run.returncode]
    return report(failed, verdicts, missing)


def plan(*, everything: bool) -> dict[str, tuple[str, ...]]:
    """How each database is tested: PostgreSQL with all tests, in several processes.

    There is one more than there are CPUs, since that of the journeys waits for much of its time.
    """
    cpus = os.cpu_count() or 1
    spread = ("--dist", "loadfile", "-n")
    if everything:
        both = (*spread, str(cpus), "-m", "slow or not slow")
        return {"sqlite": both} if without_postgresql() else {"postgresql": both, "sqlite": both}
    parallel = (*spread, str(cpus + 1))
    if without_postgresql():
        return {"sqlite": parallel}
    return {"postgresql": parallel, "sqlite": ("--where-sql-differs",)}


def run_checks() -> list[str]:
    """The names of the checks that failed."""
    return [name for name, command in CHECKS.items() if not check(name, command)]


def check(name: str, command: str) -> bool:
    """Run one check, and show what it says if it fails."""
    program, *options = command.split()
    began = time.monotonic()
    environment = {**os.environ, **PLACEHOLDERS, "DJANGO_SETTINGS_MODULE": "sdweb.settings"}
    done = subprocess.run(
        [BIN / program, *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    passed = done.returncode == 0
    say(f"{name:12}{'passed' if passed else 'FAILED'} in {time.monotonic() - began:.0f} s ({command})")
    if not passed:
        say(done.stdout)
    return passed


def start_tests(database: str, options: tuple[str, ...]) -> "subprocess.Popen[bytes]":
    """Begin the tests on one database."""
    say(f"Testing on {DATABASES[database]} ...")
    # The browser's plugin empties its output folder at its start, so that is not where ours go.
    places = (f"--junitxml={RESULTS / database}.xml", f"--output={RESULTS / database}-browser")
    return subprocess.Popen(
        [BIN / "python", "-m", "pytest", *places, "--color=no", "--durations=25", *options],
        # What is compiled once is read by hundreds of processes, wherever Python was told to keep nothing.
        env=os.environ | {"SDWEB_TEST_DATABASE": database, "PYTHONDONTWRITEBYTECODE": ""},
        stdin=subprocess.DEVNULL,
        stdout=(RESULTS / f"{database}.txt").open("wb"),
        stderr=subprocess.STDOUT,
    )


def finish_tests(database: str, run: "subprocess.Popen[bytes]") -> str:
    """Wait for the tests, show what they said, and count them."""
    run.wait()
    said = (RESULTS / f"{database}.txt").read_text(errors="replace")
    say(f"\n{f' {DATABASES[database]} ':#^80}\n{said}")
    counts = dict.fromkeys(("passed", "failed", "skipped"), 0)
    for number, word in re.findall(r"(\d+) (passed|failed|error|skipped)", said.strip().rpartition("\n")[2]):
        counts["failed" if word == "error" else word] += int(number)
    return ", ".join(f"{number} {word}" for word, number in counts.items())


def without_browser() -> str:
    """Why the browser's part cannot run; empty if it can, after installing Chromium where that is allowed."""
    if any(map(shutil.which, BROWSERS)):
        return ""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say("Installing Chromium ...")
        for command in ("update -q", "install -qy --no-install-recommends chromium fonts-dejavu-core"):
            with (RESULTS / "chromium.txt").open("ab") as log:
                apt = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
                subprocess.run(["apt-get", *command.split()], env=apt, stdout=log, stderr=log, check=False)
    return "" if any(map(shutil.which, BROWSERS)) else "browser journey (no Chromium)"


def without_postgresql() -> str:
    """Why the tests cannot run on PostgreSQL; empty if they can."""
    try:
        postgresql.binaries()
    except postgresql.NotInstalled as problem:
        return f"all tests on PostgreSQL ({problem})"
    return ""


def report(failed: list[str], verdicts: dict[str, str], missing: list[str]) -> int:
    """Say how it ended, in the last lines."""
    for name in failed:
        say(f"FAILED: {name}")
    for name in missing:
        say(f"NOT RUN: {name}")
    for database, verdict in verdicts.items():
        say(f"{DATABASES[database]}: {verdict}")
    return 1 if failed else 0


def say(text: str) -> None:
    """Print it at once, so that a pipe shows it in order."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
