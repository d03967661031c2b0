"""`manage.py portal` generates and stores settings that the environment does not have."""

import multiprocessing
import shlex
import socket
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

import environ
import pytest

from sdweb.process import local_environment
from tests.sdweb.portal import bare_environment, manage

FORK = multiprocessing.get_context("fork")  # a folder is locked until the process ends that it is settings of


def generate_and_tell(answer: Connection, settings: dict[str, str]) -> None:
    environment = bare_environment(**settings)
    local_environment.generate(environment)
    names = ("REDIS_URL", "S3_ENDPOINT_URL", "STABILITY_BASE_URL")
    answer.send((environment, {name: local_environment.is_embedded(name, environment) for name in names}))


@pytest.fixture
def generate(folder):
    """Generate the settings; return the environment, and which servers are embedded."""

    def start(data=folder / "var", **settings):
        settings.setdefault("SDWEB_DATA", str(data))
        heard, answer = FORK.Pipe(duplex=False)
        process = FORK.Process(target=generate_and_tell, args=(answer, settings))
        process.start()
        answer.close()
        told = heard.recv()
        process.join()
        return told

    return start


def stored(folder):
    """Return the settings in portal.env."""
    return dict(line.split("=", 1) for line in shlex.split((folder / "var" / "portal.env").read_text()))


def test_a_second_start_has_the_same_settings(generate):
    first, embedded = generate()
    assert generate() == (first, embedded)
    assert all(embedded.values())
    assert first["SDWEB_SANDBOX"] == "1"


def test_configured_settings_win_and_are_neither_started_nor_stored(generate, folder):
    generate()
    given = {"STABILITY_BASE_URL": "https://host.example/sd", "STABILITY_API_KEY": "sk-given"}
    settings, embedded = generate(**given)
    assert settings.items() >= given.items()
    assert "SDWEB_SANDBOX" not in settings
    assert not embedded["STABILITY_BASE_URL"]
    assert embedded["REDIS_URL"]
    assert stored(folder).keys().isdisjoint([*given, "SDWEB_SANDBOX"])
    back, embedded = generate()
    assert embedded["STABILITY_BASE_URL"]
    assert back["STABILITY_API_KEY"] != "sk-given"


def test_the_sandbox_is_a_gateway_too_and_a_gateway_of_ones_own_needs_no_sandbox(generate, folder):
    settings, _embedded = generate()
    assert settings["GATEWAY_BASE_URL"] == settings["STABILITY_BASE_URL"]
    assert "stability" not in settings["GATEWAY_SYSTEMS"].split(",")
    given = {"GATEWAY_BASE_URL": "https://host.example", "GATEWAY_API_KEY": "sk-given"}
    settings, embedded = generate(**given)
    assert settings.items() >= given.items()
    assert {"SDWEB_SANDBOX", "GATEWAY_SYSTEMS"}.isdisjoint(settings)
    assert not embedded["STABILITY_BASE_URL"]


@pytest.mark.parametrize("name", ["REDIS_URL", "S3_ENDPOINT_URL", "STABILITY_BASE_URL", "DATABASE_URL"])
def test_each_address_can_be_configured(generate, folder, name):
    settings, embedded = generate(**{name: "redis://elsewhere:1/0"})
    assert settings[name] == "redis://elsewhere:1/0"
    assert not embedded.get(name)
    assert name not in stored(folder)


def test_generated_secrets_survive_a_start_with_others(generate):
    first, _ = generate()
    given = {"SECRET_KEY": "given", "ENCRYPTION_KEYS": "given"}
    assert generate(**given)[0].items() >= given.items()
    again, _ = generate()
    assert [again[name] for name in given] == [first[name] for name in given]


def test_a_port_in_use_is_replaced(generate):
    first, _ = generate()
    port = urlsplit(first["REDIS_URL"]).port
    with socket.create_server(("127.0.0.1", port)):
        second, _ = generate()
    assert urlsplit(second["REDIS_URL"]).port != port
    assert urlsplit(second["REDIS_URL"]).password == urlsplit(first["REDIS_URL"]).password


def test_no_server_gets_the_port_of_the_portal(generate):
    """It is free until the portal listens on it."""
    first, _ = generate()
    port = urlsplit(first["S3_ENDPOINT_URL"]).port
    second, _ = generate(PORT=str(port))
    assert urlsplit(second["S3_ENDPOINT_URL"]).port != port
    assert second["PUBLIC_URL"] == f"http://127.0.0.1:{port}"


def test_loading_portal_env_into_the_shell_changes_nothing(generate, folder):
    first, embedded = generate()
    assert generate(**stored(folder)) == (first, embedded)


def test_a_folder_name_may_have_special_characters(generate, folder):
    data = folder / "a 'b' + 100 % # ?ü"
    settings, _ = generate(data)
    assert environ.Env.db_url_config(settings["DATABASE_URL"])["NAME"] == str(data / "sdweb.sqlite3")
    assert generate(data)[0] == settings


def test_only_the_owner_can_read_the_secrets(generate, folder):
    generate()
    assert (folder / "var" / "portal.env").stat().st_mode & 0o077 == 0
    assert not (folder / "var" / "portal.env.new").exists()


def test_the_public_url_follows_host_and_port(generate):
    settings, _ = generate(HOST="0.0.0.0", PORT="8123")
    assert settings["PUBLIC_URL"] == "http://127.0.0.1:8123"
    assert {"localhost", "127.0.0.1", socket.gethostname()} <= set(settings["ALLOWED_HOSTS"].split(","))
    assert generate(HOST="::1")[0]["PUBLIC_URL"] == "http://[::1]:8000"
    assert generate(PUBLIC_URL="https://pictures.example")[0]["PUBLIC_URL"] == "https://pictures.example"


def test_commands_find_the_secrets_while_the_database_is_configured(generate, folder, database):
    """As in a second terminal, while `make run DATABASE_URL=...` runs."""
    generate(DATABASE_URL=database)
    shell = {"SDWEB_DATA": str(folder / "var"), "DATABASE_URL": database}
    audit = manage("audit_ledger", environment=bare_environment(**shell))
    assert audit.returncode == 0, audit.stdout + audit.stderr
    assert not (folder / "var" / "sdweb.sqlite3").exists()


def test_a_configured_portal_takes_nothing_from_a_portal_that_ran_here(generate, folder):
    generate()
    configured = {"SECRET_KEY": "x" * 50, "ENCRYPTION_KEYS": "x", "DATABASE_URL": "sqlite://:memory:"}
    done = manage("check", environment=bare_environment(SDWEB_DATA=str(folder / "var"), **configured))
    assert done.returncode == 1
    assert done.stderr.startswith("REDIS_URL is not set")
