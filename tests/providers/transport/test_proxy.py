"""Calls through a proxy: the login goes to the proxy, the key to the provider, and nothing the other way."""

from __future__ import annotations

import ssl

import pytest

from generations.providers import open_provider
from generations.providers.base import Busy, ImageRequest, Unknown
from generations.providers.registry import checked_proxy
from generations.providers.transport import connection as transport_connection
from sdweb.process.ports import free_port
from tests import valkeys
from tests.providers.fake_provider import KEY, FakeProvider, hanging
from tests.providers.http_proxy import HttpProxy

REQUEST = ImageRequest("core", {"prompt": "a harbour"})
LOGIN = "mei:secret-word"


@pytest.fixture
def proxy():
    server = HttpProxy(LOGIN)
    yield server
    server.close()


@pytest.fixture
def secure(tmp_path, monkeypatch):
    """A provider with TLS whose certificate the client trusts."""
    files = valkeys.certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    trusting = ssl.create_default_context(cafile=files[0])
    monkeypatch.setattr(transport_connection, "_ssl_context", lambda: trusting)
    server = FakeProvider(context)
    yield server, server.address.replace("127.0.0.1", "localhost")
    server.close()


def draw(address, proxy, login=LOGIN, timeout=5.0):
    through = f"http://{login}@127.0.0.1:{proxy.port}"
    return open_provider("stability", address, KEY, through).submit(REQUEST, timeout=timeout)


def test_https_goes_through_a_tunnel_that_sees_no_key(secure, proxy):
    server, address = secure
    assert draw(address, proxy).outputs
    assert [line.rpartition(" ")[0] for line in proxy.asked] == [f"CONNECT localhost:{server.port}"]
    assert KEY.encode() not in proxy.heads[0]
    assert "proxy-authorization" not in {name.lower() for name in server.requests[0].headers}


def test_http_is_fetched_by_the_proxy(fake_provider, proxy):
    assert draw(fake_provider.address, proxy).outputs
    assert proxy.asked[0].startswith(f"POST {fake_provider.address}/v2beta/")


def test_without_a_proxy_of_its_own_an_account_uses_none(fake_provider, proxy, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://{LOGIN}@127.0.0.1:{proxy.port}")
    open_provider("stability", fake_provider.address, KEY).submit(REQUEST, timeout=5)
    assert not proxy.asked


def failure(kind, *arguments, **options):
    with pytest.raises(kind) as caught:
        draw(*arguments, **options)
    text = repr(caught.value) + caught.value.reason
    assert KEY not in text
    assert "secret-word" not in text
    assert caught.value.__cause__ is caught.value.__context__ is None
    return caught.value


def test_a_proxy_that_refuses_is_busy_and_named(secure, proxy):
    server, address = secure
    assert "proxy" in failure(Busy, address, proxy, login="mei:wrong-secret-word").reason
    assert not server.requests


def test_a_proxy_that_is_away_is_busy_and_named(secure, proxy):
    proxy.close()
    proxy.port = free_port()
    assert "proxy" in failure(Busy, secure[1], proxy).reason


def test_a_call_cut_in_the_tunnel_after_it_was_sent_is_unknown(secure, proxy):
    server, address = secure
    server.plan = [hanging]
    failure(Unknown, address, proxy, timeout=1.5)


@pytest.mark.parametrize("address", ["", "http://proxy:3128", "https://mei:pw@proxy", "http://[::1]:3128/"])
def test_addresses_of_proxies(address):
    assert checked_proxy(address) == address.rstrip("/")


@pytest.mark.parametrize(
    "address",
    ["proxy:3128", "socks5://proxy:1080", "http://", "http://proxy/path", "http://p:x", "http://p q"],
)
def test_what_is_no_proxy_is_refused(address):
    with pytest.raises(ValueError, match="http://host:port"):
        checked_proxy(address)
