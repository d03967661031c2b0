"""Addresses of servers are read the same way everywhere, whatever signs a password has."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from generations.core import service_url

PASSWORDS = ["plain", "pa#ss", "p@ss", "a/b", "what?", "a:b", "100%", "pa#s@s/?", "ü+&=;", "a%23b"]


@pytest.mark.parametrize("password", PASSWORDS[:-1])
def test_a_password_may_have_any_sign_as_it_is(password):
    url = service_url.parse(f"postgres://mei:{password}@db.example:5433/name?sslmode=require")
    assert (url.user, url.password) == ("mei", password)
    assert (url.hosts, url.path) == ((("db.example", 5433),), "/name")
    assert url.options == {"sslmode": "require"}


def test_a_password_may_be_quoted():
    assert service_url.parse("redis://:a%23b%40c@host").password == "a#b@c"


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_login_that_is_written_again_is_read_again(password):
    url = service_url.parse(f"redis://mei:{password}@host/0")
    assert service_url.parse(f"redis://{url.login()}host/0") == url


def test_hosts_may_be_several_ipv6_or_a_socket():
    assert service_url.parse("postgres://u@a:1,b:2/n").hosts == (("a", 1), ("b", 2))
    assert service_url.parse("redis://[::1]:6380/0").hosts == (("::1", 6380),)
    assert service_url.parse("postgres://%2FRun%2Fpg/n").hosts == (("/Run/pg", 0),)


def test_an_at_in_an_option_is_quoted_or_refused():
    found = service_url.parse("postgres://u:p@h/n?application_name=a%40b")
    assert (found.password, found.options) == ("p", {"application_name": "a@b"})
    with pytest.raises(ImproperlyConfigured, match="is no address"):
        service_url.parse("postgres://u:p@h/n?application_name=a@b")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "host",
        "redis:/host",
        "redis://host:port/0",
        "redis://host:99999",
        "redis://h/0#1",
        "redis://h h/0",
        "redis://h/0?db=1&db=2",
        "redis://:secret-word@h:x/0",
    ],
)
def test_anything_else_is_refused_without_being_shown(address):
    with pytest.raises(ImproperlyConfigured, match=r"^(is|has|gives) ") as problem:
        service_url.parse(address)
    assert "secret-word" not in str(problem.value)
