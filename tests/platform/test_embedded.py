"""What the portal makes up, keeps, and leaves to the person who starts it."""

import json
import shlex
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import environ
import pytest

from sdweb.process.local_environment import BASE_DIR
from tests.platform.portal import bare_environment

PRINT = """
import json, os
from django.core.exceptions import ImproperlyConfigured
from sdweb.process import local_environment
try:
    local_environment.invent(os.environ)
except ImproperlyConfigured as problem:
    raise SystemExit(str(problem))
names = ("REDIS_URL", "S3_ENDPOINT_URL", "STABILITY_BASE_URL")
ours = {name: local_environment.is_ours(name, os.environ) for name in names}
print(json.dumps({"ours": ours, "environment": dict(os.environ)}))
"""


@pytest.fixture
def invent(folder):
    """Begin a portal with what is given; the environment it has then, and which parts it starts itself."""

    def start(place=folder / "var", **given):
        given.setdefault("SDWEB_DATA", str(place))
        done = subprocess.run(
            [sys.executable, "-c", PRINT],
            cwd=BASE_DIR,
            env=bare_environment(**given),
            capture_output=True,
            text=True,
            check=True,
        )
        answer = json.loads(done.stdout)
        return answer["environment"], answer["ours"]

    return start


def kept(folder):
    """What stands in portal.env."""
    return dict(line.split("=", 1) for line in shlex.split((folder / "var" / "portal.env").read_text()))


def test_a_second_start_has_the_same_settings(invent):
    first, ours = invent()
    assert invent() == (first, ours)
    assert all(ours.values())
    assert first["SDWEB_SANDBOX"] == "1"


def test_what_is_given_wins_and_is_neither_started_nor_kept(invent, folder):
    invent()
    given = {"STABILITY_BASE_URL": "https://host.example/sd", "STABILITY_API_KEY": "sk-given"}
    settings, ours = invent(**given)
    assert settings.items() >= given.items()
    assert "SDWEB_SANDBOX" not in settings
    assert not ours["STABILITY_BASE_URL"]
    assert ours["REDIS_URL"]
    assert kept(folder).keys().isdisjoint([*given, "SDWEB_SANDBOX"])
    back, ours = invent()
    assert ours["STABILITY_BASE_URL"]
    assert back["STABILITY_API_KEY"] != "sk-given"


@pytest.mark.parametrize("name", ["REDIS_URL", "S3_ENDPOINT_URL", "STABILITY_BASE_URL", "DATABASE_URL"])
def test_each_address_can_be_given(invent, folder, name):
    settings, ours = invent(**{name: "redis://elsewhere:1/0"})
    assert settings[name] == "redis://elsewhere:1/0"
    assert not ours.get(name)
    assert name not in kept(folder)


def test_secrets_that_were_made_up_survive_a_start_with_others(invent):
    first, _ = invent()
    given = {"SECRET_KEY": "given", "ENCRYPTION_KEYS": "given"}
    assert invent(**given)[0].items() >= given.items()
    again, _ = invent()
    assert [again[name] for name in given] == [first[name] for name in given]


def test_a_port_that_was_taken_meanwhile_is_chosen_anew(invent):
    first, _ = invent()
    port = urlsplit(first["REDIS_URL"]).port
    with socket.create_server(("127.0.0.1", port)):
        second, _ = invent()
    assert urlsplit(second["REDIS_URL"]).port != port
    assert urlsplit(second["REDIS_URL"]).password == urlsplit(first["REDIS_URL"]).password


def test_whoever_loaded_portal_env_into_the_shell_still_gets_every_part(invent, folder):
    first, ours = invent()
    assert invent(**kept(folder)) == (first, ours)


def test_a_folder_with_an_odd_name_works(invent, folder):
    place = folder / "a 'b' + 100 % # ?ü"
    settings, _ = invent(place)
    assert environ.Env.db_url_config(settings["DATABASE_URL"])["NAME"] == str(place / "sdweb.sqlite3")
    assert invent(place)[0] == settings


def test_the_secrets_are_for_the_owner_alone(invent, folder):
    invent()
    assert (folder / "var" / "portal.env").stat().st_mode & 0o077 == 0
    assert not (folder / "var" / "portal.env.new").exists()


def test_the_address_that_people_open_follows_host_and_port(invent):
    settings, _ = invent(HOST="0.0.0.0", PORT="8123")
    assert settings["PUBLIC_URL"] == "http://127.0.0.1:8123"
    assert {"localhost", "127.0.0.1", socket.gethostname()} <= set(settings["ALLOWED_HOSTS"].split(","))
    assert invent(HOST="::1")[0]["PUBLIC_URL"] == "http://[::1]:8000"
    assert invent(PUBLIC_URL="https://pictures.example")[0]["PUBLIC_URL"] == "https://pictures.example"
