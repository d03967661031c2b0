"""Create a virtual environment with pinned packages: `python -m deploy.install FOLDER REQUIREMENTS...`.

It runs before anything is installed, so it only uses the standard library. It installs with uv if that is on
the path, else with pip; without ensurepip (Debian: python3-venv) with the system's pip.
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
UNFINISHED = ".unfinished"  # exists in the environment's folder while packages are being installed
SHOWN_OUTPUT_LINES = 20
# Imports compile what is used, a third of the packages, unless Python must not write bytecode.
COMPILED_ON_IMPORT = not os.environ.get("PYTHONDONTWRITEBYTECODE")


def main(folder: Path, requirements: list[str]) -> None:
    """Create the environment and install the packages; exit with a sentence if that fails."""
    if sys.version_info < (3, 11):  # noqa: UP036  checked for older versions
        sys.exit(
            f"Python 3.11 or newer is needed; this is {sys.version.split()[0]} (make PYTHON=python3.11 ...)"
        )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    progress = Progress(STEPS + int(os.environ.get("STEPS_TO_COME", "0")))
    try:
        prepare_environment(folder, progress)
        install(folder, requirements, progress)
    except KeyboardInterrupt:
        progress.print_message("Stopped. The next run begins again.")
        sys.exit(130)
    except OSError as problem:
        sys.exit(f"{folder} cannot be created: {problem.strerror}.")


def prepare_environment(folder: Path, progress: Progress) -> None:
    """Create the environment, unless a complete one of this Python version exists."""
    with progress.step(f"Preparing {folder}"):
        if (folder / UNFINISHED).exists():
            progress.print_message(f"{folder} is incomplete, so it is created again.")
        elif version_in(folder) == f"{sys.version_info[0]}.{sys.version_info[1]}":
            return
        create_environment(folder)


def version_in(folder: Path) -> str:
    """Return the Python version of the environment; empty if its Python does not run."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run(
            [folder / "bin/python", "-c", program], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip()


def create_environment(folder: Path) -> None:
    """Create it anew for the running Python, without pip."""
    try:
        import venv  # noqa: PLC0415  some systems ship a Python without it
    except ImportError:
        create_without_venv(folder)
    else:
        venv.EnvBuilder(clear=True, symlinks=True).create(folder)


def create_without_venv(folder: Path) -> None:
    """Create it with uv or virtualenv."""
    commands = [[sys.executable, "-m", "virtualenv", "--clear", str(folder)]]
    uv = shutil.which("uv")
    if uv:
        commands.insert(0, [uv, "venv", "--clear", "--python", sys.executable, str(folder)])
    for command in commands:
        if succeeds(command):
            return
    sys.exit(f"{sys.executable} has no module venv (Debian: apt-get install python3-venv); uv would do too.")


def install(folder: Path, requirements: list[str], progress: Progress) -> None:
    """Install the packages with uv, else with pip; exit with a sentence if both fail."""
    packages = Packages(folder, requirements)
    (folder / UNFINISHED).touch()
    with progress.step("Installing packages", packages.progress_text):
        if not (install_with_uv(packages, progress) or packages.install("pip", pip_for(folder))):
            progress.print_message(packages.last_output())
            sys.exit("The packages could not be installed; see the output of pip above.")
    (folder / UNFINISHED).unlink()


def install_with_uv(packages: Packages, progress: Progress) -> bool:
    """Return whether uv is on the path and has installed them.

    uv downloads everything before it installs anything, so a failed uv leaves the environment as it was.
    """
    uv = shutil.which("uv")
    if not uv:
        return False
    compile_all = [] if COMPILED_ON_IMPORT else ["--compile-bytecode"]
    command = [uv, "pip", "install", *compile_all, "--python", str(packages.folder / "bin/python")]
    if packages.install("uv", command):
        return True
    progress.print_message(f"{packages.last_output()}\nuv could not install the packages, so pip does.")
    return False


class Packages:
    """The packages to install, and the progress of that."""

    def __init__(self, folder: Path, requirements: list[str]) -> None:
        """Count the pins; those that are not for this machine are subtracted later."""
        pins = "".join(Path(name).read_text() for name in requirements)
        self.total = len(set(re.findall(r"^[\w.-]+==[^\\\n]*", pins, flags=re.MULTILINE)))
        self.folder = folder
        self.options = ["--require-hashes", *(option for name in requirements for option in ("-r", name))]
        self.installer = ""
        self.output: list[str] = []
        self.collected = 0
        self.is_copying = False

    def install(self, installer: str, command: list[str]) -> bool:
        """Run uv or pip and count packages; return False if it failed."""
        self.installer, self.output = installer, []
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
                    self.count(line)
                    self.output.append(line)
            except KeyboardInterrupt:
                process.terminate()
                raise
        if process.returncode:
            return False
        self.is_copying, self.total = True, min(self.total, self.installed())
        return True

    def last_output(self) -> str:
        """Return the last lines that uv or pip printed."""
        return "".join(self.output[-SHOWN_OUTPUT_LINES:]).rstrip()

    def count(self, line: str) -> None:
        """Update the counts from a line of output of uv or pip."""
        self.collected += line.startswith(("Collecting ", "Requirement already satisfied"))
        # A pin for other systems or Pythons; two files may have the same.
        self.total -= line.startswith("Ignoring ") and line not in self.output
        resolved = re.match(r"Resolved (\d+) package", line)
        if resolved:
            self.total = int(resolved[1])
        self.is_copying |= line.startswith(("Installing collected", "Prepared ", "Installed "))

    def installed(self) -> int:
        """Return how many packages are in the environment."""
        return len(list(self.folder.glob("lib/python*/site-packages/*.dist-info")))

    def progress_text(self) -> str:
        """Return the progress as text; empty before an installer is chosen."""
        if not self.installer:
            return ""
        if self.is_copying:
            return f"{min(self.installed(), self.total)} of {self.total} by {self.installer}"
        found = f"{self.collected} of " if self.collected else ""
        return f"{self.installer} downloads {found}{self.total}"


def pip_for(folder: Path) -> list[str]:
    """Return the pip command that installs into the folder; exit with a sentence if there is no pip."""
    python, compile_none = str(folder / "bin/python"), ["--no-compile"] if COMPILED_ON_IMPORT else []
    options = ["install", "--progress-bar", "off", *compile_none]
    for command in ([python, "-m", "pip"], [sys.executable, "-m", "pip", "--python", python]):
        if succeeds([*command, "--version"]):
            return [*command, *options]
    for provider in ([python, "-m", "ensurepip"], [sys.executable, "-m", "virtualenv", str(folder)]):
        if succeeds(provider) and succeeds([python, "-m", "pip", "--version"]):
            return [python, "-m", "pip", *options]
    sys.exit(
        f"pip 22.3 or newer is missing for {sys.executable}"
        " (Debian: apt-get install python3-pip); uv would do too."
    )


def succeeds(command: list[str]) -> bool:
    """Return whether a command exits with 0; its output is discarded."""
    return not subprocess.run(command, capture_output=True, check=False).returncode


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
