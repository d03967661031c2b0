"""What `make run` promises."""

import os
import re
import signal
import socket
import subprocess
import sys

import requests

from sdweb.process.local_environment import BASE_DIR
from tests.platform.portal import Portal, bare_environment, eventually, manage

EVERYTHING = {
    "manage.py portal",
    "valkey",
    "nanio",
    "generations.sandbox",
    "uvicorn",
    "-Q calls",
    "-Q upkeep",
}
WITH_NO_ROOM = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def sign_in(portal: Portal, email: str, password: str) -> requests.Response:
    """What the portal answers to somebody who signs in."""
    session = requests.Session()
    page = session.get(f"{portal.address}/accounts/login/", timeout=10)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token, page.text
    form = {"csrfmiddlewaretoken": token[1], "login": email, "password": password}
    return session.post(page.url, data=form, timeout=10, allow_redirects=False)


def test_a_newcomer_signs_in_with_what_was_printed_and_a_second_start_keeps_everything(newcomer):
    portal = newcomer
    said = portal.start()
    makefile = (BASE_DIR / "Makefile").read_text()
    assert f"1/{re.search(r'STEPS_TO_COME := ([0-9]+)', makefile)[1]} " in said
    assert f"Open {portal.address}" in said
    email, password = re.search(r"Sign in as (\S+) with the password (\S+)", said).groups()
    assert sign_in(portal, email, password).status_code == 302
    assert portal.processes().keys() >= EVERYTHING
    assert (portal.data / "portal.env").stat().st_mode & 0o077 == 0

    if "DATABASE_URL" not in portal.environment:  # without a setting, as whoever opens a second terminal
        audit = manage("audit_ledger", environment=bare_environment(SDWEB_DATA=str(portal.data)))
        assert audit.returncode == 0, audit.stdout + audit.stderr

    second = manage("portal", environment=portal.environment)
    assert second.returncode == 1
    assert second.stderr.startswith("Another portal runs in ")
    assert second.stderr.count("\n") == 1

    assert portal.stop(signal.SIGINT) == 0
    assert portal.processes() == {}
    assert not portal.answers()

    said = portal.start()
    assert "password" not in said
    assert sign_in(portal, email, password).status_code == 302
    portal.kill()
    assert eventually(lambda: not portal.processes(), within=5), portal.processes()


def test_whatever_is_killed_comes_back(portal):
    portal.start()
    before = portal.processes()
    assert before.keys() >= EVERYTHING, portal.said()
    victims = EVERYTHING - {"manage.py portal"}
    for name in victims:
        os.kill(before[name], signal.SIGKILL)
    assert eventually(
        lambda: all(portal.processes().get(name, before[name]) != before[name] for name in victims)
    )
    assert eventually(portal.answers)
    assert "Valkey stopped (SIGKILL)" in portal.said()
    assert portal.stop() == 0
    assert portal.processes() == {}


def test_a_taken_port_is_said_in_one_sentence_and_nothing_is_left(portal):
    with socket.create_server(("127.0.0.1", portal.port)):
        refused = manage("portal", environment=portal.environment)
    assert refused.returncode == 1
    assert f"127.0.0.1:{portal.port}" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert portal.processes() == {}


def test_a_database_that_does_not_answer_is_said_in_one_sentence_and_nothing_is_left(folder):
    portal = Portal(folder / "var", DATABASE_URL="postgres://nobody@127.0.0.1:1/nothing")
    refused = manage("portal", environment=portal.environment)
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert "127.0.0.1" in refused.stderr
    assert portal.processes() == {}


def test_a_folder_that_cannot_be_used_is_said_in_one_sentence(folder):
    (folder / "file").write_text("")
    refused = manage("portal", environment=bare_environment(SDWEB_DATA=str(folder / "file" / "var")))
    assert refused.returncode == 1
    assert refused.stderr == f"{folder}/file/var cannot be used: Not a directory.\n"


def test_a_disk_that_takes_nothing_is_said_in_one_sentence(folder):
    refused = subprocess.run(
        [sys.executable, "-c", WITH_NO_ROOM, "manage.py", "portal"],
        cwd=BASE_DIR,
        env=bare_environment(SDWEB_DATA=str(folder), PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert refused.stderr == f"{folder} cannot be used: File too large.\n"


def test_without_settings_every_other_command_says_what_is_missing(folder):
    refused = manage("check", environment=bare_environment(SDWEB_DATA=str(folder)))
    assert refused.returncode == 1
    assert refused.stderr.startswith("SECRET_KEY is not set")
    assert refused.stderr.count("\n") == 1
    assert not list(folder.iterdir())
