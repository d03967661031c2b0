"""The requirements files pin what pyproject.toml names, with hashes and without URLs."""

import re
import tomllib

import pytest

from sdweb.process.local_environment import BASE_DIR

PROJECT = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())
DEPENDENCIES = {
    "requirements.txt": PROJECT["project"]["dependencies"],
    "requirements-dev.txt": PROJECT["dependency-groups"]["dev"],
}


def normalized(requirement):
    """Return the normalised name of a package."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


@pytest.mark.parametrize("name", DEPENDENCIES)
def test_every_package_is_pinned_with_hashes(name):
    lock = (BASE_DIR / name).read_text()
    entries = re.split(r"\n(?=\S)", lock.strip())
    assert {normalized(entry) for entry in entries} >= set(map(normalized, DEPENDENCIES[name]))
    for entry in entries:
        assert re.match(r"[\w.-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("name", DEPENDENCIES)
def test_no_url_is_in_the_requirements(name):
    assert not re.search(r"://|--index|--find-links| @ ", (BASE_DIR / name).read_text())
