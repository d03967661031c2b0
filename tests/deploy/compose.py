"""Read docker-compose.yml as Docker does: YAML anchors first, then variables."""

import re
import shlex
import sys
from pathlib import Path
from typing import Any

import yaml

from sdweb.process.local_environment import BASE_DIR

VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?::(?P<operator>[-?])(?P<text>[^}]*))?\})")
REQUIRED = {
    "PUBLIC_URL": "https://pictures.example.com",
    "SETUP_OPERATOR_EMAIL": "operator@example.com",
    "SECRET_KEY": "a-key-that-is-long-enough-for-the-check-of-django-0123456789",
    "ENCRYPTION_KEYS": "YS1mZXJuZXQta2V5LWZvci1hLXRlc3Qtb2Ytc2R3ZWI=",
    "POSTGRES_PASSWORD": "letters1",
    "VALKEY_PASSWORD": "letters2",
    "S3_ACCESS_KEY": "letters3",
    "S3_SECRET_KEY": "letters4",
}


class Missing(Exception):
    """A required variable is missing; the text is the message in the file."""


def text() -> str:
    return (BASE_DIR / "docker-compose.yml").read_text()


def interpolate(template: str, variables: dict[str, str]) -> str:
    """Insert the values of variables, as Docker does."""

    def value(match: re.Match[str]) -> str:
        if match["name"] is None:
            return "$"
        given = variables.get(match["name"], "")
        if not given and match["operator"] == "?":
            raise Missing(f"{match['name']}: {match['text']}")
        return given or (match["text"] or "" if match["operator"] == "-" else "")

    return VARIABLE.sub(value, template)


def read(**variables: str) -> dict[str, Any]:
    """Return the file with the required variables and these."""
    return with_variables(yaml.safe_load(text()), REQUIRED | variables)


def with_variables(node: Any, variables: dict[str, str]) -> Any:
    """Return the tree with the variables inserted."""
    if isinstance(node, dict):
        return {name: with_variables(value, variables) for name, value in node.items()}
    if isinstance(node, list):
        return [with_variables(value, variables) for value in node]
    return interpolate(node, variables) if isinstance(node, str) else node


def command(service: dict[str, Any], replaced: dict[str, str]) -> list[str]:
    """Return the command of a service with this Python and replaced words."""
    given = service["command"]
    words = shlex.split(given) if isinstance(given, str) else [str(word) for word in given]
    words = [replaced.get(word, word) for word in words]
    return [str(Path(sys.executable).with_name(words[0])), *words[1:]]
