"""A drill: a portal is backed up while its workers draw, destroyed, and restored on another machine."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

import pytest
import requests

from tests import migrated, postgresql
from tests.sdweb.portal import Portal, bare_environment, eventually, manage

PICTURES = 20
SECRETS = ("SECRET_KEY", "ENCRYPTION_KEYS")


class Program:
    """A program of a portal with a token."""

    def __init__(self, portal: Portal, token: str) -> None:
        self.address, self.headers = portal.address, {"Authorization": f"Bearer {token}"}

    def order(self, count: int) -> None:
        """Ask for that many pictures, ten at a time."""
        for _ten in range(count // 10):
            body = {"model": "core", "prompt": "a quiet harbour at dawn", "count": 10}
            headers = self.headers | {"Idempotency-Key": str(uuid.uuid4())}
            asked = requests.post(
                f"{self.address}/api/v1/generations", json=body, headers=headers, timeout=30
            )
            assert asked.status_code == 202, asked.text

    def get(self, path: str) -> requests.Response:
        return requests.get(f"{self.address}{path}", headers=self.headers, timeout=30)

    def pictures(self) -> list[str]:
        """The ids of all pictures in the library."""
        return [each["id"] for each in self.get("/api/v1/images?limit=100").json()["items"]]


def run(portal: Portal, *words: str, expected: int = 0) -> str:
    """Run a command with the state of the portal, as in a second terminal; what it said."""
    settings = {"SDWEB_DATA": str(portal.data)}
    if "DATABASE_URL" in portal.environment:  # then `manage.py` takes all settings from the environment
        settings |= stored(portal) | {"DATABASE_URL": portal.environment["DATABASE_URL"]}
        settings["PATH"] = f"{postgresql.binaries()}:{os.environ['PATH']}"
    done = manage(*words, environment=bare_environment(**settings))
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stderr if expected else done.stdout


def stored(portal: Portal) -> dict[str, str]:
    """What the portal made up for itself."""
    lines = (portal.data / "portal.env").read_text().splitlines()
    return {name: value.strip("'") for name, _equals, value in (line.partition("=") for line in lines)}


def new_portal(folder: Path, name: str) -> Portal:
    """A portal of its own, on an empty database."""
    url = migrated.empty_database(f"drill_{uuid.uuid4().hex[:8]}")
    settings = {} if url.startswith("sqlite") else {"DATABASE_URL": url}
    (folder / name).mkdir()
    return Portal(folder / name / "var", **settings)


@pytest.mark.slow
def test_a_portal_is_backed_up_while_it_draws_and_restored_on_another_machine(folder: Path) -> None:
    backup = str(folder / "backup")
    old, new = new_portal(folder, "old"), new_portal(folder, "new")
    try:
        old.start()
        token = run(old, "issue_token", "operator@example.com", "--scopes", "generate", "read").split()[-1]
        program = Program(old, token)
        program.order(PICTURES)
        assert eventually(program.pictures)
        program.order(PICTURES)
        run(old, "backup", backup)  # while the second half is drawn
        assert eventually(lambda: len(program.pictures()) == 2 * PICTURES, within=60)
        said = run(old, "backup", backup)
        assert f"Objects: {2 * PICTURES}," in said
        assert f"{2 * PICTURES} copied" not in said
        drawn = program.pictures()
        program.order(PICTURES)
        run(old, "backup", backup)  # the third part waits, is drawn, or is stored
        secrets = {name: stored(old)[name] for name in SECRETS}
        old.kill()
        assert eventually(lambda: not old.processes(), within=10)
        shutil.rmtree(old.data)

        new.start()  # makes its folder, and an operator: then it is stopped, and told the secrets
        assert new.stop() == 0
        env = new.data / "portal.env"
        told = stored(new) | secrets
        env.write_text("".join(f"{name}='{value}'\n" for name, value in told.items()))
        assert "not empty" in run(new, "restore", backup, expected=1)
        said = run(new, "restore", backup, "--replace")
        assert "Ledger: exact" in said
        assert "Keys of providers: 2 of 2 can be read." in said
        new.start()
        restored = Program(new, token)
        assert set(drawn) <= set(restored.pictures())
        assert eventually(lambda: len(restored.pictures()) == 3 * PICTURES, within=90), restored.pictures()
        assert "The ledger is exact." in run(new, "audit_ledger")
        run(new, "check_library")
        shown = restored.get(f"/api/v1/images/{restored.pictures()[-1]}/original")
        assert shown.status_code == 200
        assert shown.content.startswith(b"\x89PNG")
        assert new.stop() == 0

        said = run(new, "restore", backup, "--replace", "--revoke")
        assert "Revoked: 1 tokens" in said
        new.start()
        assert restored.get("/api/v1/me").status_code == 401
    finally:
        old.kill()
        new.kill()
