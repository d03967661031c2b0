"""Strangers who ask for nonsense write nothing to the database, whatever the address."""

from __future__ import annotations

import itertools
import secrets
import uuid
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import requests
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings as django_settings
from django.db import connection
from django.urls import URLResolver, get_resolver
from django.utils.regex_helper import normalize

from generations.api.compat import routes
from generations.teams.models import User
from tests.api import servers

# Wrong values of variable parts; some have the shape of right ones.
NONSENSE = {
    "StringConverter": ["nonsense", "1-1", secrets.token_urlsafe(32)],
    "SlugConverter": [secrets.token_urlsafe(32), "studio-north"],
    "IntConverter": ["1", "999999"],
    "UUIDConverter": [str(uuid.UUID(int=0))],
    "UUIDStrConverter": [str(uuid.UUID(int=0))],
    "PathConverter": ["1", "a/b"],
}
FORGED = {
    "Authorization": f"Bearer sdw_{'0' * 46}",
    "Cookie": f"{django_settings.SESSION_COOKIE_NAME}={'a' * 32}",
    "HX-Request": "true",
}
QUERY = f"?ticket=1.{'0' * 32}&until=99999999999&seal={'0' * 32}&after=x&q=x&next=//elsewhere.example"


@pytest.fixture
def portal(transactional_db, bucket, settings) -> Iterator[str]:
    with servers.web() as address:
        settings.PUBLIC_URL, settings.ALLOWED_HOSTS = address, ["127.0.0.1"]
        yield address


def addresses() -> list[str]:
    """Every address of the portal, with nonsense in its variable parts."""
    compat = [("/", route.path.pattern.removeprefix("/"), {}) for route in routes.ROUTES]
    found = set()
    for prefix, pattern, converters in itertools.chain(patterns(get_resolver()), compat):
        for template, names in normalize(prefix + pattern):
            kinds = [
                NONSENSE[type(converters[name]).__name__] if name in converters else None for name in names
            ]
            values = [kind or [user(), "nonsense"] for kind in kinds]
            for chosen in itertools.product(*values):
                found.add(quote(template % dict(zip(names, chosen, strict=True))))
    return sorted(found)


def patterns(resolver: URLResolver, prefix: str = "/") -> Iterator[tuple[str, str, dict[str, object]]]:
    """What is before the address, its regular expression, and the kinds of its variable parts."""
    for each in resolver.url_patterns:
        own = each.pattern.regex.pattern.removeprefix("^")
        if not isinstance(each, URLResolver):
            yield prefix, own, each.pattern.converters
            continue
        for before, pattern, converters in patterns(each, prefix + own):
            yield before, pattern, {**each.pattern.converters, **converters}


def user() -> str:
    """A person who exists, as links for a new password name them."""
    return str(user_pk_to_url_str(User.objects.first()))


def everything() -> dict[str, list[str]]:
    """All rows of all tables."""
    rows = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows[table] = sorted(map(repr, cursor.fetchall()))
    return rows


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_nonsense_of_strangers_writes_nothing(portal, member, method):
    before, tried = everything(), 0
    assert any(before.values())
    with requests.Session() as stranger:
        for address, headers in itertools.product(addresses(), ({}, FORGED)):
            stranger.cookies.clear()
            response = stranger.request(
                method, portal + address + QUERY, headers=headers, allow_redirects=False, timeout=60
            )
            assert response.status_code < 500 or address == "/readyz", address
            assert method == "GET" or not response.content, address
            tried += 1
    assert tried > 300
    assert everything() == before
