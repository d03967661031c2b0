"""`deploy/install.py`, with real virtual environments and packages that are built here."""

import base64
import hashlib
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from sdweb.process.local_environment import BASE_DIR
from tests.sdweb.portal import eventually

UV = shutil.which("uv")
needs_uv = pytest.mark.skipif(not UV, reason="uv is not on the path")
INSTALLERS = ["pip", pytest.param("uv", marks=needs_uv)]
# With pip an environment takes three seconds: what pip alone does not need to show is slow.
QUICK_INSTALLERS = [pytest.param("pip", marks=pytest.mark.slow), pytest.param("uv", marks=needs_uv)]
PYTHON = f"{sys.base_prefix}/bin/python3"  # of which the environment that runs the tests was made
MISSING = "raise ImportError('this Python was shipped without it')"
SLOW_UV = """#!/bin/sh
echo "Resolved 2 packages in 1ms"
echo $$ > "$PID_FILE"
exec sleep 60
"""


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def make_wheel(folder: Path, name: str) -> str:
    """Write a wheel with one module; return its pinned requirement."""
    about = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": f"NAME = '{name}'\n",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = [
        f"{path},sha256={base64.urlsafe_b64encode(sha256(text.encode())).decode().rstrip('=')},{len(text)}"
        for path, text in files.items()
    ]
    files[f"{about}/RECORD"] = "\n".join([*lines, f"{about}/RECORD,,\n"])
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return f"{name}==1.0 --hash=sha256:{sha256(wheel.read_bytes()).hex()}\n"


class Machine:
    """A machine with an empty home folder and a package index of two packages."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.environment = folder, folder / "venv"
        self.wheels, self.programs, self.modules = folder / "wheels", folder / "bin", folder / "modules"
        for each in (self.wheels, self.programs, self.modules):
            each.mkdir()
        self.requirements = folder / "requirements.txt"
        pins = [make_wheel(self.wheels, name) for name in ("sdone", "sdtwo")]
        elsewhere = "sdthree==1.0 ; sys_platform == 'win32' --hash=sha256:" + "0" * 64 + "\n"
        self.requirements.write_text("".join([*pins, elsewhere]))
        self.shell = {
            "PATH": f"{self.programs}:/usr/bin:/bin",
            "HOME": str(folder),
            "PYTHONPATH": str(self.modules),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "UV_OFFLINE": "1",
            "UV_FIND_LINKS": str(self.wheels),
            "UV_NO_CONFIG": "1",
        }

    def provide(self, installer: str) -> None:
        """Put uv on the path, or only pip."""
        if installer == "uv":
            self.program("uv", f'#!/bin/sh\nexec "{UV}" "$@"\n')

    def program(self, name: str, script: str) -> None:
        (self.programs / name).write_text(script)
        (self.programs / name).chmod(0o755)

    def remove_modules(self, *modules: str) -> None:
        """Make these modules of Python fail to import."""
        for name in modules:
            (self.modules / f"{name}.py").write_text(MISSING)

    def command(self) -> list[str]:
        return [PYTHON, "-m", "deploy.install", str(self.environment), str(self.requirements)]

    def install(self, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(),
            cwd=BASE_DIR,
            env=self.shell | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def imports(self, *names: str) -> bool:
        """Return whether the environment's own Python can import the packages."""
        python = [self.environment / "bin/python", "-I", "-c", f"import {', '.join(names)}"]
        return subprocess.run(python, capture_output=True, check=False).returncode == 0

    def module(self) -> Path:
        (found,) = self.environment.glob("lib/python*/site-packages/sdone.py")
        return found


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.mark.parametrize("installer", INSTALLERS)
def test_pinned_packages_are_installed_and_counted(machine, installer):
    machine.provide(installer)
    done = machine.install()
    assert done.returncode == 0, done.stdout + done.stderr
    assert machine.imports("sdone", "sdtwo")
    assert re.search(rf"^2/2 Installing packages: 2 of 2 by {installer}, \d+ s$", done.stdout, re.MULTILINE)
    assert not (machine.environment / ".unfinished").exists()


@pytest.mark.parametrize("installer", QUICK_INSTALLERS)
def test_a_second_run_keeps_the_environment(machine, installer):
    machine.provide(installer)
    machine.install()
    (machine.environment / "mine").touch()
    done = machine.install()
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"2 of 2 by {installer}" in done.stdout
    assert (machine.environment / "mine").exists()


@pytest.mark.parametrize("installer", INSTALLERS)
def test_a_package_with_another_hash_is_refused(machine, installer):
    machine.provide(installer)
    with zipfile.ZipFile(machine.wheels / "sdone-1.0-py3-none-any.whl", "a") as archive:
        archive.writestr("stranger.py", "")
    done = machine.install()
    assert done.returncode == 1
    assert re.search("hash", done.stdout, re.IGNORECASE)
    assert done.stderr == "The packages could not be installed; see the output of pip above.\n"
    assert not machine.imports("sdone")


@pytest.mark.parametrize("installer", QUICK_INSTALLERS)
def test_an_environment_of_an_interrupted_run_is_created_again(machine, installer):
    machine.provide(installer)
    machine.install()
    machine.module().unlink()  # half copied: its neighbours say that it is there
    (machine.environment / ".unfinished").touch()
    done = machine.install()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is incomplete, so it is created again" in done.stdout
    assert machine.imports("sdone", "sdtwo")


@pytest.mark.slow
def test_an_environment_whose_python_does_not_run_is_created_again(machine):
    machine.install()
    python = machine.environment / "bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    assert machine.install().returncode == 0
    assert machine.imports("sdone", "sdtwo")


@pytest.mark.slow
def test_an_environment_of_another_python_is_created_again(machine):
    machine.install()
    python = machine.environment / "bin/python"
    python.unlink()
    python.write_text("#!/bin/sh\necho 3.4\n")
    python.chmod(0o755)
    assert machine.install().returncode == 0
    assert machine.imports("sdone", "sdtwo")


@needs_uv
def test_when_uv_fails_pip_installs_and_a_message_says_so(machine):
    machine.provide("uv")
    done = machine.install(UV_FIND_LINKS=str(machine.modules))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "uv could not install the packages, so pip does." in done.stdout
    assert "2 of 2 by pip" in done.stdout
    assert machine.imports("sdone", "sdtwo")


def test_an_interrupted_run_ends_with_one_sentence_and_the_next_run_repairs_it(machine):
    pid_file = machine.folder / "pid"
    machine.program("uv", SLOW_UV)
    install = subprocess.Popen(
        machine.command(),
        cwd=BASE_DIR,
        env=machine.shell | {"PID_FILE": str(pid_file)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert eventually(lambda: pid_file.exists() and pid_file.read_text().strip())
    install.send_signal(signal.SIGINT)
    said, _nothing = install.communicate(timeout=30)
    assert install.returncode == 130
    assert said.endswith("Stopped. The next run begins again.\n")
    assert "Traceback" not in said
    assert not Path(f"/proc/{pid_file.read_text().strip()}").exists()

    (machine.programs / "uv").unlink()
    again = machine.install()
    assert again.returncode == 0, again.stdout + again.stderr
    assert "is incomplete" in again.stdout
    assert machine.imports("sdone", "sdtwo")


@pytest.mark.slow
def test_without_ensurepip_the_pip_of_the_system_installs(machine):
    machine.remove_modules("ensurepip")
    done = machine.install()
    assert done.returncode == 0, done.stdout + done.stderr
    assert machine.imports("sdone", "sdtwo")


def test_without_pip_one_sentence_says_what_to_install(machine):
    machine.remove_modules("ensurepip", "pip", "virtualenv")
    done = machine.install()
    assert done.returncode == 1
    assert done.stderr.startswith(f"pip 22.3 or newer is missing for {PYTHON}")
    assert "apt-get install python3-pip" in done.stderr
    assert done.stderr.count("\n") == 1


@needs_uv
def test_uv_needs_neither_venv_nor_pip(machine):
    machine.provide("uv")
    machine.remove_modules("venv", "ensurepip", "pip", "virtualenv")
    done = machine.install()
    assert done.returncode == 0, done.stdout + done.stderr
    assert machine.imports("sdone", "sdtwo")


def test_without_venv_one_sentence_says_what_to_install(machine):
    machine.remove_modules("venv", "virtualenv")
    done = machine.install()
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_that_cannot_be_created_is_reported_in_one_sentence(machine):
    (machine.folder / "file").touch()
    machine.environment = machine.folder / "file" / "venv"
    done = machine.install()
    assert done.returncode == 1
    assert done.stderr == f"{machine.environment} cannot be created: Not a directory.\n"


@pytest.mark.slow
def test_the_steps_that_follow_are_counted_too(machine):
    said = machine.install(STEPS_TO_COME="6").stdout
    assert f"1/8 Preparing {machine.environment}" in said
    assert "2/8 Installing packages" in said


def test_make_run_counts_the_steps_of_both_programs(tmp_path):
    command = ["make", "-n", "--no-print-directory", "run", f"ENVIRONMENT={tmp_path}", f"PYTHON={PYTHON}"]
    first = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=True).stdout
    assert f"{PYTHON} -m deploy.install {tmp_path} requirements.txt" in first
    assert first.endswith("manage.py portal --steps-done 2\n")
    (tmp_path / ".installed").touch()
    second = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=True).stdout
    assert second == f"exec {tmp_path}/bin/python manage.py portal --steps-done 0\n"


def test_a_terminal_shows_one_rewritten_line_per_step(machine):
    ours, theirs = pty.openpty()
    done = subprocess.run(
        machine.command(), cwd=BASE_DIR, env=machine.shell, stdout=theirs, stderr=theirs, check=False
    )
    os.close(theirs)
    said = os.read(ours, 65_536).decode()
    os.close(ours)
    assert done.returncode == 0, said
    lines = said.split("\r\n")
    assert len(lines) == 3  # two steps, and nothing behind the last
    assert lines[1].count("\r\x1b[K2/2 Installing packages") >= 2
    assert re.search(r"2 of 2 by pip, \d+ s$", lines[1])
