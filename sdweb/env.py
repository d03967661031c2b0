"""Read settings from the environment; an invalid one raises ImproperlyConfigured with one sentence."""

from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()


def required(name: str, why: str) -> str:
    """Return the setting; ImproperlyConfigured if it is missing or empty."""
    value: str = env.str(name, default="").strip()
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: {why} (README.md, Settings).")
    return value


def positive_integer(name: str, default: int) -> int:
    """Return the setting as an integer from 1 on; ImproperlyConfigured if it is none."""
    value: str = env.str(name, default="").strip() or str(default)
    if not value.isdecimal() or int(value) < 1:
        raise ImproperlyConfigured(f"{name} is “{value[:40]}”: it must be a whole number from 1 on.")
    return int(value)


def comma_separated(name: str) -> list[str]:
    """Return the values of a comma-separated setting, without empty ones."""
    return [value.strip() for value in env.str(name, default="").split(",") if value.strip()]


def host_of(address: str) -> str:
    """Return the host of a URL as in a Host header, IPv6 in brackets."""
    host = urlsplit(address).hostname or "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def one_of(name: str, *choices: str) -> str:
    """Return the setting, by default the first choice; ImproperlyConfigured if it is none of them."""
    value: str = env.str(name, default="").strip() or choices[0]
    if value not in choices:
        raise ImproperlyConfigured(f"{name} is “{value[:40]}”: it must be {' or '.join(choices)}.")
    return value
