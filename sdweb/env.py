"""Reading settings from the environment: a value that cannot be meant stops the start with a sentence."""

from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()


def required(name: str, why: str) -> str:
    """The setting's value; stops the start with a sentence if it is missing or empty."""
    value: str = env.str(name, default="").strip()
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: {why} (README.md, Settings).")
    return value


def whole_number(name: str, default: int) -> int:
    """The setting as a positive whole number; stops the start with a sentence if it is none."""
    value: str = env.str(name, default="").strip() or str(default)
    if not value.isdecimal() or int(value) < 1:
        raise ImproperlyConfigured(f"{name} is “{value[:40]}”: it must be a whole number from 1 on.")
    return int(value)


def names(setting: str) -> list[str]:
    """What stands between the commas of a setting."""
    return [name.strip() for name in env.str(setting, default="").split(",") if name.strip()]


def host_of(address: str) -> str:
    """The host of an address as browsers send it, an IPv6 one in brackets."""
    host = urlsplit(address).hostname or "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def one_of(name: str, *choices: str) -> str:
    """The setting, or the first choice; stops the start with a sentence if it is none of them."""
    value: str = env.str(name, default="").strip() or choices[0]
    if value not in choices:
        raise ImproperlyConfigured(f"{name} is “{value[:40]}”: it must be {' or '.join(choices)}.")
    return value
