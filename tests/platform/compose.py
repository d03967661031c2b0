"""docker-compose.yml as Docker would read it: anchors first, then the variables in every text."""

import re
import shlex
import sys
from pathlib import Path
from typing import Any

import yaml

from sdweb.process.local_environment import BASE_DIR

VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?::(?P<how>[-?])(?P<text>[^}]*))?\})")
NEEDED = {
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
    """A variable without which Docker refuses to start; its message."""


def text() -> str:
    return (BASE_DIR / "docker-compose.yml").read_text()


def interpolate(template: str, variables: dict[str, str]) -> str:
    """Put the values of variables in, as Docker does."""

    def value(match: re.Match[str]) -> str:
        if match["name"] is None:
            return "$"
        given = variables.get(match["name"], "")
        if not given and match["how"] == "?":
            raise Missing(f"{match['name']}: {match['text']}")
        return given or (match["text"] or "" if match["how"] == "-" else "")

    return VARIABLE.sub(value, template)


def read(**variables: str) -> dict[str, Any]:
    """The file with the variables that it needs, and these."""
    return complete(yaml.safe_load(text()), NEEDED | variables)


def complete(node: Any, variables: dict[str, str]) -> Any:
    """The same tree with the variables put in."""
    if isinstance(node, dict):
        return {name: complete(value, variables) for name, value in node.items()}
    if isinstance(node, list):
        return [complete(value, variables) for value in node]
    return interpolate(node, variables) if isinstance(node, str) else node


def command(service: dict[str, Any], replaced: dict[str, str]) -> list[str]:
    """What a service of ours runs, with this Python and other addresses."""
    given = service["command"]
    words = shlex.split(given) if isinstance(given, str) else [str(word) for word in given]
    words = [replaced.get(word, word) for word in words]
    return [str(Path(sys.executable).with_name(words[0])), *words[1:]]
