"""Makes a virtual environment and installs pinned packages: `install.py FOLDER REQUIREMENTS...`.

It runs before anything is installed, so it uses nothing but Python. Without the
standard pip of a virtual environment (Debian: python3-venv) the system's pip does.
"""

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

QUIET = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_ROOT_USER_ACTION": "ignore"}


def main(folder: Path, requirements: list[str]) -> None:
    """Leave an environment with exactly these packages; exits with a sentence if that fails."""
    if sys.version_info < (3, 11):  # noqa: UP036  this is what finds that out
        sys.exit(
            f"Python 3.11 or newer is needed; this is {sys.version.split()[0]} (make PYTHON=python3.11 ...)"
        )
    try:
        make_environment(folder)
        install(folder, requirements)
    except OSError as problem:
        sys.exit(f"{folder} cannot be made: {problem.strerror}.")


def make_environment(folder: Path) -> None:
    """Make the environment unless there is one that works."""
    if not (folder / "bin/python").exists():
        say(f"Making {folder} ...\n")
        venv.EnvBuilder(clear=True, symlinks=True).create(folder)


def install(folder: Path, requirements: list[str]) -> None:
    """Install the packages, counting them for whoever waits."""
    options = [option for name in requirements for option in ("-r", name)]
    total = len(set(re.findall(r"^[\w.-]+==", "".join(map(read, requirements)), flags=re.MULTILINE)))
    pip = subprocess.Popen(
        [*pip_for(folder), "install", "--require-hashes", "--progress-bar", "off", *options],
        env=os.environ | QUIET,
        stdout=subprocess.PIPE,
        text=True,
    )
    done = 0
    for line in pip.stdout or ():
        done += line.startswith(("Collecting", "Requirement already satisfied"))
        if line.startswith("Installing"):
            say(f"\rInstalling {total} packages; this takes a minute ...\n")
        elif sys.stdout.isatty():
            say(f"\rDownloading packages: {done} of {total} ")
    if pip.wait():
        sys.exit("The packages could not be installed; what pip says stands above.")


def pip_for(folder: Path) -> list[str]:
    """The command of a pip that installs into the folder."""
    python = str(folder / "bin/python")
    for command in ([python, "-m", "pip"], [sys.executable, "-m", "pip", "--python", python]):
        if not subprocess.run([*command, "--version"], capture_output=True, check=False).returncode:
            return command
    if subprocess.run([python, "-m", "ensurepip"], capture_output=True, check=False).returncode:
        sys.exit(f"pip 22.3 or newer is missing for {sys.executable} (Debian: apt-get install python3-pip).")
    return [python, "-m", "pip"]


def read(name: str) -> str:
    """What stands in a file."""
    return Path(name).read_text()


def say(text: str) -> None:
    """Show it at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
