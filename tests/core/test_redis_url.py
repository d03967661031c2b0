"""REDIS_URL means the same to both libraries, and is verified by both."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

import kombu
import pytest
import redis
import redis.asyncio
from django.core.exceptions import ImproperlyConfigured
from redis.backoff import ExponentialWithJitterBackoff

from generations.core import redis_url
from sdweb.process.ports import LOOPBACK
from tests import valkeys


def by_redis(server: redis_url.RedisServer) -> int:
    """The database in which redis-py finds itself."""
    with redis.Redis(**server.options, socket_timeout=5) as client:
        client.set("by-redis", 1)
        return client.client_info()["db"]


def by_async(server: redis_url.RedisServer) -> int:
    async def ask() -> int:
        async with redis.asyncio.Redis(**server.options, socket_timeout=5) as client:
            return (await client.client_info())["db"]

    return asyncio.run(ask())


def by_celery(server: redis_url.RedisServer) -> int:
    """The database in which Celery finds itself, by a message that comes back."""
    options = {"ack_emulation": False, "socket_timeout": 5, "socket_connect_timeout": 5}
    options |= {"health_check_interval": 10, "socket_keepalive": True}
    options |= {"interval_start": 0, "interval_step": 0, "max_retries": 1}  # once more, and at once
    with kombu.Connection(
        server.broker_url, ssl=server.broker_ssl or False, transport_options=options
    ) as broker:
        with broker.SimpleQueue("there-and-back") as queue:
            queue.put("hello")
            assert queue.get(timeout=5).payload == "hello"
        return broker.default_channel.client.client_info()["db"]


LIBRARIES = [by_redis, by_async, by_celery]


@pytest.fixture(autouse=True)
def _no_pause_before_a_refused_connection_is_tried_again(monkeypatch):
    """Up to six seconds for each library, of its own making (redis-py 8.1)."""
    monkeypatch.setattr(ExponentialWithJitterBackoff, "compute", lambda *_: 0)


@pytest.fixture(scope="module")
def folder():
    """A folder with a short path, since that of a socket is at most 107 bytes."""
    path = Path(tempfile.mkdtemp(prefix="sdweb-vk-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def server(folder):
    with valkeys.running(folder, f"unixsocket {folder}/vk.sock") as valkey:
        valkey.client().execute_command("ACL SETUSER", "mei", "on", ">pa#s@s/?", "~*", "&*", "+@all")
        yield valkey


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    "address",
    [
        "redis://:{password}@{host}:{port}/3",
        "valkey://:{password}@{host}:{port}/3",
        "valkey://default:{password}@{host}:{port}?db=3",
        "redis://mei:pa#s@s/?@{host}:{port}/3",
        "redis://mei:pa%23s%40s%2F%3F@{host}:{port}/3",
        "unix://:{password}@{folder}/vk.sock?db=3",
        "redis+socket://:{password}@{folder}/vk.sock?virtual_host=3",
    ],
)
def test_both_libraries_connect(server, folder, library, address):
    written = address.format(password=valkeys.PASSWORD, host=LOOPBACK, port=server.port, folder=folder)
    assert library(redis_url.read(written)) == 3


@pytest.fixture(scope="module")
def tls(server, folder):
    """The port of TLS in front of it, and its certificate."""
    files = valkeys.certificate(folder)
    with valkeys.tls_in_front_of(server.port, *files) as port:
        yield port, files[0]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("scheme", ["rediss", "valkeys"])
def test_tls_is_verified_by_both_libraries(tls, library, scheme):
    port, certificate = tls
    address = f"{scheme}://:{valkeys.PASSWORD}@localhost:{port}/2"
    with pytest.raises(Exception, match=r"CERTIFICATE_VERIFY_FAILED|certificate verify failed"):
        library(redis_url.read(address))
    assert library(redis_url.read(f"{address}?ssl_ca_certs={certificate}")) == 2


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_name_in_the_certificate_is_verified_by_both_libraries(tls, library):
    port, certificate = tls
    address = f"rediss://:{valkeys.PASSWORD}@{LOOPBACK}:{port}/2?ssl_ca_certs={certificate}"
    with pytest.raises(Exception, match=r"(?i)hostname|IP address mismatch|certificate verify failed"):
        library(redis_url.read(address))


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("said", ["none", "CERT_NONE"])
def test_who_wants_no_verification_says_so_to_both(tls, library, said):
    address = f"rediss://:{valkeys.PASSWORD}@{LOOPBACK}:{tls[0]}/2?ssl_cert_reqs={said}"
    assert library(redis_url.read(address)) == 2


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("sentinel://:secret-word@a:26379;sentinel://b:26379", "sentinels|no address|host and port"),
        ("sentinel://:secret-word@a:26379/0", "address of the primary"),
        ("http://:secret-word@a", "must begin with redis://"),
        ("redis://:secret-word@/0", "must name one host"),
        ("redis://:secret-word@a/zero", "number of a database"),
        ("redis://:secret-word@a/0?max_connections=3", "option max_connections"),
        ("redis://:secret-word@a/0?ssl_ca_certs=/x", "need rediss://"),
        ("rediss://:secret-word@a/0?ssl_cert_reqs=maybe", "ssl_cert_reqs is required"),
        ("unix://:secret-word@", "whole path"),
        ("redis://:secret-word@a,b/0", "must name one host"),
    ],
)
def test_what_one_of_the_libraries_cannot_use_is_refused_with_a_sentence(address, sentence):
    with pytest.raises(ImproperlyConfigured, match=sentence) as problem:
        redis_url.read(address)
    assert "secret-word" not in str(problem.value)
