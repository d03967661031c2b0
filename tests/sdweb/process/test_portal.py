"""`manage.py portal`, as `make run` runs it."""

import os
import re
import signal
import socket
import subprocess
import sys

import requests

from sdweb.process.local_environment import BASE_DIR
from tests.sdweb.portal import Portal, bare_environment, eventually, manage

EVERYTHING = {
    "manage.py portal",
    "valkey",
    "nanio",
    "sdweb sandbox",
    "sdweb web",
    "sdweb calls",
    "sdweb upkeep",
}
WITH_FILE_SIZE_LIMIT_0 = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def sign_in(portal: Portal, email: str, password: str) -> requests.Response:
    """Sign in and return the response."""
    session = requests.Session()
    page = session.get(f"{portal.address}/accounts/login/", timeout=10)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token, page.text
    form = {"csrfmiddlewaretoken": token[1], "login": email, "password": password}
    return session.post(page.url, data=form, timeout=10, allow_redirects=False)


def test_the_printed_password_signs_in_and_a_second_start_keeps_everything(new_portal):
    portal = new_portal
    output = portal.start()
    makefile = (BASE_DIR / "Makefile").read_text()
    assert f"1/{re.search(r'STEPS_TO_COME := ([0-9]+)', makefile)[1]} " in output
    assert f"Open {portal.address}" in output
    email, password = re.search(r"Sign in as (\S+) with the password (\S+)", output).groups()
    assert sign_in(portal, email, password).status_code == 302
    assert portal.processes().keys() >= EVERYTHING
    assert (portal.data / "portal.env").stat().st_mode & 0o077 == 0

    if "DATABASE_URL" not in portal.environment:  # without settings, as in a second terminal
        audit = manage("audit_ledger", environment=bare_environment(SDWEB_DATA=str(portal.data)))
        assert audit.returncode == 0, audit.stdout + audit.stderr

    second = manage("portal", environment=portal.environment)
    assert second.returncode == 1
    assert second.stderr.startswith("Another portal runs in ")
    assert second.stderr.count("\n") == 1

    assert portal.stop(signal.SIGINT) == 0
    assert portal.processes() == {}
    assert not portal.answers()

    output = portal.start()
    assert "password" not in output
    assert sign_in(portal, email, password).status_code == 302
    portal.kill()
    assert eventually(lambda: not portal.processes(), within=5), portal.processes()


def test_killed_services_are_restarted(portal):
    portal.start()
    before = portal.processes()
    assert before.keys() >= EVERYTHING, portal.output()
    victims = EVERYTHING - {"manage.py portal"}
    for name in victims:
        os.kill(before[name], signal.SIGKILL)
    assert eventually(
        lambda: all(portal.processes().get(name, before[name]) != before[name] for name in victims)
    )
    assert eventually(portal.answers)
    assert "Valkey stopped (SIGKILL)" in portal.output()
    assert portal.stop() == 0
    assert portal.processes() == {}


def test_a_port_in_use_is_reported_in_one_sentence_and_no_process_is_left(portal):
    with socket.create_server(("127.0.0.1", portal.port)):
        done = manage("portal", environment=portal.environment)
    assert done.returncode == 1
    assert f"127.0.0.1:{portal.port}" in done.stderr
    assert done.stderr.count("\n") == 1
    assert portal.processes() == {}


def test_an_unreachable_database_is_reported_in_one_sentence_and_no_process_is_left(folder):
    portal = Portal(folder / "var", DATABASE_URL="postgres://nobody@127.0.0.1:1/nothing")
    done = manage("portal", environment=portal.environment)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "127.0.0.1" in done.stderr
    assert portal.processes() == {}


def test_an_unusable_folder_is_reported_in_one_sentence(folder):
    (folder / "file").write_text("")
    done = manage("portal", environment=bare_environment(SDWEB_DATA=str(folder / "file" / "var")))
    assert done.returncode == 1
    assert done.stderr == f"{folder}/file/var cannot be used: Not a directory.\n"


def test_a_failing_write_is_reported_in_one_sentence(folder):
    done = subprocess.run(
        [sys.executable, "-c", WITH_FILE_SIZE_LIMIT_0, "manage.py", "portal"],
        cwd=BASE_DIR,
        env=bare_environment(SDWEB_DATA=str(folder), PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == f"{folder} cannot be used: File too large.\n"


def test_other_commands_report_the_missing_setting(folder):
    done = manage("check", environment=bare_environment(SDWEB_DATA=str(folder)))
    assert done.returncode == 1
    assert done.stderr.startswith("SECRET_KEY is not set")
    assert done.stderr.count("\n") == 1
    assert not list(folder.iterdir())
