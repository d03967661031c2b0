"""The lock: what pyproject.toml asks for is pinned, with hashes and without addresses."""

import re
import tomllib

import pytest

from sdweb.process.local_environment import BASE_DIR

PROJECT = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())
ASKED_FOR = {
    "requirements.txt": PROJECT["project"]["dependencies"],
    "requirements-dev.txt": PROJECT["dependency-groups"]["dev"],
}


def normalized(requirement):
    """A package's name as an index spells it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


@pytest.mark.parametrize("name", ASKED_FOR)
def test_every_package_is_pinned_with_hashes(name):
    lock = (BASE_DIR / name).read_text()
    entries = re.split(r"\n(?=\S)", lock.strip())
    assert {normalized(entry) for entry in entries} >= set(map(normalized, ASKED_FOR[name]))
    for entry in entries:
        assert re.match(r"[\w.-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("name", ASKED_FOR)
def test_the_lock_names_no_address(name):
    assert not re.search(r"://|--index|--find-links| @ ", (BASE_DIR / name).read_text())
