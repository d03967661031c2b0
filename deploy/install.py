"""Makes a virtual environment with pinned packages: `python -m deploy.install FOLDER REQUIREMENTS...`.

It runs before anything is installed, so it uses nothing but Python. uv installs if there is one, and pip if
not. Without the standard pip of a virtual environment (Debian: python3-venv) the system's pip does.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from deploy.progress import Progress

STEPS = 2
QUIET = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_ROOT_USER_ACTION": "ignore"}
UNFINISHED = ".unfinished"  # in the environment's folder from before the first package until after the last
LAST_WORDS = 20
# The first import compiles what is used, a third of the packages, unless Python is told to keep nothing.
COMPILED_LATER = not os.environ.get("PYTHONDONTWRITEBYTECODE")


def main(folder: Path, requirements: list[str]) -> None:
    """Leave an environment with at least these packages; exits with a sentence if that fails."""
    if sys.version_info < (3, 11):  # noqa: UP036  this is what finds that out
        sys.exit(
            f"Python 3.11 or newer is needed; this is {sys.version.split()[0]} (make PYTHON=python3.11 ...)"
        )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    progress = Progress(STEPS + int(os.environ.get("STEPS_TO_COME", "0")))
    try:
        prepare_environment(folder, progress)
        install(folder, requirements, progress)
    except KeyboardInterrupt:
        progress.say("Stopped. The next run begins again.")
        sys.exit(130)
    except OSError as problem:
        sys.exit(f"{folder} cannot be made: {problem.strerror}.")


def prepare_environment(folder: Path, progress: Progress) -> None:
    """Make the environment, unless there is one that works and was installed to its end."""
    with progress.step(f"Preparing {folder}"):
        if (folder / UNFINISHED).exists():
            progress.say(f"{folder} was left unfinished, so it is made again.")
        elif version_in(folder) == f"{sys.version_info[0]}.{sys.version_info[1]}":
            return
        make_environment(folder)


def version_in(folder: Path) -> str:
    """Which Python the environment has; empty if none runs."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run(
            [folder / "bin/python", "-c", program], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip()


def make_environment(folder: Path) -> None:
    """Make it anew for the Python that runs this; pip is not put in."""
    try:
        import venv  # noqa: PLC0415  some systems ship a Python without it
    except ImportError:
        make_without_venv(folder)
    else:
        venv.EnvBuilder(clear=True, symlinks=True).create(folder)


def make_without_venv(folder: Path) -> None:
    """Let uv or virtualenv make it."""
    makers = [[sys.executable, "-m", "virtualenv", "--clear", str(folder)]]
    uv = shutil.which("uv")
    if uv:
        makers.insert(0, [uv, "venv", "--clear", "--python", sys.executable, str(folder)])
    for command in makers:
        if succeeds(command):
            return
    sys.exit(f"{sys.executable} has no module venv (Debian: apt-get install python3-venv); uv would do too.")


def install(folder: Path, requirements: list[str], progress: Progress) -> None:
    """Install the packages with uv, or else with pip; exits with a sentence if neither can."""
    packages = Packages(folder, requirements)
    (folder / UNFINISHED).touch()
    with progress.step("Installing packages", packages.how_far):
        if not (install_with_uv(packages, progress) or packages.install("pip", pip_for(folder))):
            progress.say(packages.last_words())
            sys.exit("The packages could not be installed; what pip says stands above.")
    (folder / UNFINISHED).unlink()


def install_with_uv(packages: Packages, progress: Progress) -> bool:
    """Whether uv is there and has installed them.

    It downloads everything before it installs anything, so where it failed pip finds what uv found.
    """
    uv = shutil.which("uv")
    if not uv:
        return False
    compile_all = [] if COMPILED_LATER else ["--compile-bytecode"]
    command = [uv, "pip", "install", *compile_all, "--python", str(packages.folder / "bin/python")]
    if packages.install("uv", command):
        return True
    progress.say(f"{packages.last_words()}\nuv could not install the packages, so pip does.")
    return False


class Packages:
    """What is installed, and how far that is."""

    def __init__(self, folder: Path, requirements: list[str]) -> None:
        """At most as many as are pinned; what a pin is not meant for this machine is taken off later."""
        pins = "".join(Path(name).read_text() for name in requirements)
        self.total = len(set(re.findall(r"^[\w.-]+==[^\\\n]*", pins, flags=re.MULTILINE)))
        self.folder = folder
        self.options = ["--require-hashes", *(option for name in requirements for option in ("-r", name))]
        self.installer = ""
        self.said: list[str] = []
        self.found = 0
        self.is_copying = False

    def install(self, installer: str, command: list[str]) -> bool:
        """Run uv or pip, and count; False if it failed."""
        self.installer, self.said = installer, []
        with subprocess.Popen(
            [*command, *self.options],
            env={**os.environ, **QUIET},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            try:
                for line in process.stdout or ():
                    self.hear(line)
                    self.said.append(line)
            except KeyboardInterrupt:
                process.terminate()
                raise
        if process.returncode:
            return False
        self.is_copying, self.total = True, min(self.total, self.there())
        return True

    def last_words(self) -> str:
        """The end of what uv or pip said."""
        return "".join(self.said[-LAST_WORDS:]).rstrip()

    def hear(self, line: str) -> None:
        """Count by what uv or pip says."""
        self.found += line.startswith(("Collecting ", "Requirement already satisfied"))
        # A pin for other systems or Pythons; two files may have the same.
        self.total -= line.startswith("Ignoring ") and line not in self.said
        resolved = re.match(r"Resolved (\d+) package", line)
        if resolved:
            self.total = int(resolved[1])
        self.is_copying |= line.startswith(("Installing collected", "Prepared ", "Installed "))

    def there(self) -> int:
        """How many packages are in the environment."""
        return len(list(self.folder.glob("lib/python*/site-packages/*.dist-info")))

    def how_far(self) -> str:
        """In words, once the installer is chosen."""
        if not self.installer:
            return ""
        if self.is_copying:
            return f"{min(self.there(), self.total)} of {self.total} by {self.installer}"
        found = f"{self.found} of " if self.found else ""
        return f"{self.installer} downloads {found}{self.total}"


def pip_for(folder: Path) -> list[str]:
    """The command by which pip installs into the folder; exits with a sentence if there is no pip."""
    python, compile_none = str(folder / "bin/python"), ["--no-compile"] if COMPILED_LATER else []
    options = ["install", "--progress-bar", "off", *compile_none]
    for command in ([python, "-m", "pip"], [sys.executable, "-m", "pip", "--python", python]):
        if succeeds([*command, "--version"]):
            return [*command, *options]
    for giver in ([python, "-m", "ensurepip"], [sys.executable, "-m", "virtualenv", str(folder)]):
        if succeeds(giver) and succeeds([python, "-m", "pip", "--version"]):
            return [python, "-m", "pip", *options]
    sys.exit(
        f"pip 22.3 or newer is missing for {sys.executable}"
        " (Debian: apt-get install python3-pip); uv would do too."
    )


def succeeds(command: list[str]) -> bool:
    """Whether a program ends well; nobody sees what it says."""
    return not subprocess.run(command, capture_output=True, check=False).returncode


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
