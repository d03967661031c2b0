"""What the environment says, and what the portal makes of it."""

import json

import pytest
from cryptography.fernet import Fernet

from tests.platform.portal import bare_environment, manage

TELL = """
import json
from django.conf import settings
print(json.dumps([settings.ALLOWED_HOSTS, settings.CSRF_TRUSTED_ORIGINS]))
"""


def told(**given):
    """The hosts and origins that the portal answers to."""
    needed = {
        "SECRET_KEY": "only-for-this-test",
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "DATABASE_URL": "sqlite://:memory:",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    shell = manage("shell", "-v0", "-c", TELL, environment=bare_environment(**needed, **given))
    assert shell.returncode == 0, shell.stderr
    return json.loads(shell.stdout.strip().splitlines()[-1])


def test_further_hosts_stand_beside_the_one_of_the_public_address():
    hosts, origins = told(
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
def test_an_empty_line_of_the_environment_file_leaves_the_public_address(address, host):
    hosts, origins = told(PUBLIC_URL=address, ALLOWED_HOSTS="", CSRF_TRUSTED_ORIGINS="")
    assert hosts == [host]
    assert origins == [address.rstrip("/")]
