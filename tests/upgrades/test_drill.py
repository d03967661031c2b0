"""An older version's portal is upgraded while its workers draw: nothing is lost, nothing is charged wrongly.

The older code is taken from git, with its own processes; the libraries are today's.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import uuid
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
import requests

from sdweb.process import ports
from sdweb.process.program import ChildProcess, Program
from tests.sandboxes import Sandbox
from tests.sdweb.portal import eventually
from tests.stage import PROVIDER_KEY, ROOT, Stage, worker_command

VERSIONS = {
    "0.1.0": "02cd09580d10e60620940eb9bf3c5d1db0ec5700",
    "before backups": "99e2a62da701d66a39de711221579d3d6fa554ca",
}
EMAIL = "mei@studio.example"
PATIENCE = 90
EACH = 12  # pictures ordered at a time

pytestmark = pytest.mark.slow


class Upgraded:
    """One portal, run by the code of one tree and then of another."""

    def __init__(self, folder: Path) -> None:
        self.stage = Stage(os.environ.get("SDWEB_TEST_DATABASE", "sqlite"))
        self.stage.start_servers()
        self.provider = Sandbox(self.stage.start_provider("provider", "--plain", "--latency", "2"))
        self.port, self.folder, self.token = ports.free_port(), folder, ""
        self.address = f"http://{ports.LOOPBACK}:{self.port}"
        self.stage.environment |= {
            "PUBLIC_URL": self.address,
            "STABILITY_BASE_URL": self.provider.url,
            "STABILITY_API_KEY": PROVIDER_KEY,
            "SPOOL": str(folder / "spool"),
            "SETUP_OPERATOR_EMAIL": "operator@studio.example",
        }
        self.running: dict[str, ChildProcess] = {}

    def run(self, tree: Path, *words: str) -> str:
        """Run a command of that tree's `manage.py`; what it said."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=tree,
            env=self.stage.environment | {"PYTHONPATH": str(tree)},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, tree: Path) -> None:
        """Start web, workers and beat of that tree."""
        serve = f"-m uvicorn sdweb.asgi:application --host {ports.LOOPBACK} --port {self.port}"
        celery = ("-m", "celery", "-A", "sdweb")
        commands = {
            "web": (*serve.split(), "--timeout-graceful-shutdown", "3", "--no-access-log"),
            "calls": (*celery, *worker_command("calls", 20, "calls")),
            "upkeep": (*celery, *worker_command("upkeep", 4, "upkeep")),
            "beat": (*celery, "beat", "--pidfile=", "--schedule", str(self.folder / "beat")),
        }
        for name, command in commands.items():
            program = Program(
                name=name,
                command=(sys.executable, *command),
                folder=tree,
                log=self.folder / f"{name}.log",
                environment=self.stage.environment | {"PYTHONPATH": str(tree)},
                stop_timeout=60,
            )
            self.running[name] = self.stage.children[name] = ChildProcess(program)
            self.running[name].start()
        assert eventually(lambda: ports.answers(self.port), within=PATIENCE)

    def stop(self) -> None:
        """Stop all of them as docs/operations.md says."""
        for name in ("beat", "web", "upkeep", "calls"):
            self.running[name].stop()

    def ask(self, method: str, path: str, **options: object) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": str(uuid.uuid4())}
        answer = requests.request(method, self.address + path, headers=headers, timeout=30, **options)
        assert answer.ok, answer.text
        return answer

    def order(self) -> None:
        for _half in range(2):
            body = {"model": "core", "prompt": "a quiet harbour at dawn", "count": EACH // 2}
            self.ask("POST", "/api/v1/generations", json=body)

    def pictures(self) -> list[str]:
        return [each["id"] for each in self.ask("GET", "/api/v1/images?limit=100").json()["items"]]


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Upgraded]:
    upgraded = Upgraded(tmp_path)
    yield upgraded
    upgraded.stage.strike()


def older_tree(commit: str, folder: Path) -> Path:
    """The files of a commit."""
    done = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"this clone has no commit {commit[:7]}")
    with tarfile.open(fileobj=BytesIO(done.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder


@pytest.mark.parametrize("version", VERSIONS)
def test_a_portal_is_upgraded_while_its_workers_draw(portal: Upgraded, tmp_path: Path, version: str) -> None:
    tree = older_tree(VERSIONS[version], tmp_path / "older")
    portal.run(tree, "setup")
    portal.run(tree, "collectstatic", "--noinput", "-v0")
    portal.run(tree, "add_user", EMAIL, "--credits", "1000")
    portal.token = portal.run(tree, "issue_token", EMAIL, "--scopes", "generate", "read").split()[-1]
    portal.start(tree)
    portal.order()
    assert eventually(lambda: len(portal.pictures()) == EACH, within=PATIENCE)
    first = portal.pictures()[-1]
    original = portal.ask("GET", f"/api/v1/images/{first}/original").content

    portal.order()  # is drawn while the new version migrates
    assert eventually(lambda: portal.provider.orders() > EACH, within=PATIENCE)
    portal.run(ROOT, "setup")
    portal.stop()
    portal.run(ROOT, "collectstatic", "--noinput", "-v0")
    portal.start(ROOT)
    assert eventually(lambda: len(portal.pictures()) == 2 * EACH, within=PATIENCE), portal.pictures()
    assert portal.provider.orders() == 2 * EACH  # none was bought twice
    assert portal.ask("GET", f"/api/v1/images/{first}/original").content == original
    portal.order()
    assert eventually(lambda: len(portal.pictures()) == 3 * EACH, within=PATIENCE)
    assert "The ledger is exact." in portal.run(ROOT, "audit_ledger")
    portal.run(ROOT, "check_library", "--repair")  # a new filter's terms of older pictures
    portal.run(ROOT, "check_library")
