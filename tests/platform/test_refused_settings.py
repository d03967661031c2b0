"""A setting that makes no sense stops the start with one sentence."""

import pytest

from tests.platform.portal import bare_environment, manage

SANE = {
    "SECRET_KEY": "only-for-this-test-0123456789-0123456789-0123456789",
    "ENCRYPTION_KEYS": "b25seS1mb3ItY2hlY2tzLXRoYXQtc3RhcnQtbm90aGk=",
    "DATABASE_URL": "sqlite://:memory:",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}


@pytest.mark.parametrize("missing", SANE)
def test_what_is_required_and_missing_is_named(missing, tmp_path):
    given = {name: value for name, value in SANE.items() if name != missing}
    done = manage("check", environment=bare_environment(SDWEB_DATA=str(tmp_path), **given))
    assert done.returncode == 1
    assert done.stderr.startswith(f"{missing} is not set")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("value", ["many", "0", "-3", "1.5"])
def test_a_number_of_threads_that_is_none_is_named(value, tmp_path):
    environment = bare_environment(SDWEB_DATA=str(tmp_path), WORKER_THREADS=value, **SANE)
    done = manage("check", environment=environment)
    assert done.returncode == 1
    assert done.stderr.startswith("WORKER_THREADS is")
    assert done.stderr.count("\n") == 1
