"""Settings from the environment; an invalid one stops the start with one sentence."""

import json

import pytest

from tests.sdweb.portal import bare_environment, manage

REQUIRED = {
    "SECRET_KEY": "only-for-this-test-0123456789-0123456789-0123456789",
    "ENCRYPTION_KEYS": "b25seS1mb3ItY2hlY2tzLXRoYXQtc3RhcnQtbm90aGk=",
    "DATABASE_URL": "sqlite://:memory:",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}
PRINT_HOSTS = """
import json
from django.conf import settings
print(json.dumps([settings.ALLOWED_HOSTS, settings.CSRF_TRUSTED_ORIGINS]))
"""


def hosts_and_origins(**environment):
    """Start with this environment; return ALLOWED_HOSTS and CSRF_TRUSTED_ORIGINS."""
    shell = manage("shell", "-v0", "-c", PRINT_HOSTS, environment=bare_environment(**REQUIRED, **environment))
    assert shell.returncode == 0, shell.stderr
    return json.loads(shell.stdout.strip().splitlines()[-1])


def error(**environment):
    """Start with this environment, which must fail with one sentence; return that."""
    done = manage("check", environment=bare_environment(**environment))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_further_hosts_are_added_to_that_of_the_public_url():
    hosts, origins = hosts_and_origins(
        PUBLIC_URL="https://pictures.example.com",
        ALLOWED_HOSTS="inside.example.com, 10.0.0.7,",
        CSRF_TRUSTED_ORIGINS="https://inside.example.com",
    )
    assert hosts == ["pictures.example.com", "inside.example.com", "10.0.0.7"]
    assert origins == ["https://pictures.example.com", "https://inside.example.com"]


@pytest.mark.parametrize(
    ("address", "host"),
    [("https://pictures.example.com/", "pictures.example.com"), ("http://[::1]:80", "[::1]")],
)
def test_empty_variables_leave_the_host_of_the_public_url(address, host):
    hosts, origins = hosts_and_origins(PUBLIC_URL=address, ALLOWED_HOSTS="", CSRF_TRUSTED_ORIGINS="")
    assert hosts == [host]
    assert origins == [address.rstrip("/")]


@pytest.mark.parametrize("missing", REQUIRED)
def test_a_missing_required_setting_is_named(missing, tmp_path):
    others = {name: value for name, value in REQUIRED.items() if name != missing}
    assert error(SDWEB_DATA=str(tmp_path), **others).startswith(f"{missing} is not set")


@pytest.mark.parametrize("value", ["many", "0", "-3", "1.5"])
def test_an_invalid_number_of_threads_is_named(value, tmp_path):
    environment = {"SDWEB_DATA": str(tmp_path), "WORKER_THREADS": value, **REQUIRED}
    assert error(**environment).startswith("WORKER_THREADS is")


def test_an_invalid_log_format_is_named(tmp_path):
    environment = {"SDWEB_DATA": str(tmp_path), "LOG_FORMAT": "xml", **REQUIRED}
    assert error(**environment).startswith("LOG_FORMAT is")
