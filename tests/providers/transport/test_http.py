"""Broken connections: Busy where nothing can have been charged, Unknown where something may have been."""

from __future__ import annotations

import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from generations.providers import open_provider
from generations.providers.base import Busy, ImageRequest, Unknown
from generations.providers.transport import connection as transport_connection
from generations.providers.transport import error_text
from generations.providers.transport.http import Reply
from tests.providers.fake_provider import (
    KEY,
    FakeProvider,
    dripping,
    hanging,
    make_image,
    read_request,
    reset,
    response,
    unread,
)

PNG = make_image()
REQUEST = ImageRequest("core", {"prompt": "a harbour"})


def failure(kind, call, *, within=2.0):
    started = time.monotonic()
    with pytest.raises(kind) as caught:
        call()
    assert time.monotonic() - started < within
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert KEY not in repr(caught.value)
    return caught.value


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def at(address):
    return lambda timeout=1.0: open_provider("stability", address, KEY).submit(REQUEST, timeout=timeout)


def test_a_refused_connection_is_busy():
    assert "refuses connections" in failure(Busy, at(f"http://127.0.0.1:{free_port()}")).reason


def test_an_unknown_host_is_busy():
    assert "host name" in failure(Busy, at("http://nobody.invalid"), within=10).reason


def test_a_failed_tls_handshake_is_busy(fake_provider):
    failure(Busy, lambda: at(fake_provider.address.replace("http:", "https:"))(0.3))


def test_a_connect_timeout_is_busy():
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        failure(Busy, lambda: at(f"http://127.0.0.1:{address[1]}")(0.3))
        for one in waiting:
            one.close()


def test_nothing_is_sent_after_the_deadline(fake_provider):
    failure(Busy, lambda: at(fake_provider.address)(0.0))
    failure(Busy, lambda: at(fake_provider.address)(-1.0))
    assert not fake_provider.requests


def test_a_connection_cut_while_sending_is_busy(fake_provider, draw):
    fake_provider.plan = [unread]
    failure(Busy, lambda: draw("ultra", PNG + b"\x00" * 30_000_000, strength=0.5))


def test_a_provider_that_stops_reading_the_request_is_busy(fake_provider, draw):
    def stuck(connection):
        fake_provider.over.wait(5)

    stuck.before_reading = True
    fake_provider.plan = [stuck]
    failure(Busy, lambda: draw("ultra", PNG + b"\x00" * 30_000_000, strength=0.5, timeout=0.4))


def test_sending_a_large_start_image_may_exceed_the_connect_timeout(fake_provider, draw, monkeypatch):
    monkeypatch.setattr("generations.providers.transport.http.CONNECT_TIMEOUT", 0.2)

    def answer(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100_000)
        time.sleep(0.6)
        read_request(connection)
        connection.sendall(response(200, PNG))

    answer.before_reading = True
    fake_provider.plan = [answer]
    assert draw("ultra", PNG + b"\x00" * 9_000_000, strength=0.5).outputs


def test_an_error_sent_before_the_whole_request_is_still_read(fake_provider, draw):
    def early(connection):
        connection.recv(100)
        connection.sendall(response(503, b"full", connection="close"))
        connection.shutdown(socket.SHUT_WR)
        time.sleep(0.2)

    early.before_reading = True
    fake_provider.plan = [early]
    problem = failure(Busy, lambda: draw("ultra", PNG + b"\x00" * 30_000_000, strength=0.5))
    assert problem.status == 503  # nothing can have been charged for a request that was not read


CUTS = {
    "hang": hanging,
    "reset without an answer": reset,
    "closed without an answer": lambda connection: connection.close(),
    "truncated": response(200, PNG[:50], content_length=str(len(PNG))),
    "cut between pieces": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n\x89PNG\r\r\n",
    "cut in a piece": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n\x89PNG",
    "no piece at all": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "dripping body": dripping(response(200, b"", content_length="99999")),
    "dripping pieces": dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "dripping head": dripping(b"HTTP/1.1 200 OK\r\nX-Slow: "),
    "dripping headers": dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "dripping first line": dripping(b"HTTP/1.1 200 "),
    "continue without end": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "not http": b"SSH-2.0-OpenSSH_9.2\r\n",
    "cut in the head": b"HTTP/1.1 200 OK\r\nContent-",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\n12345",
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    "a long header": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("sent", CUTS.values(), ids=CUTS.keys())
def test_a_connection_cut_after_sending_is_unknown(fake_provider, draw, sent):
    fake_provider.plan = [sent]
    problem = failure(Unknown, lambda: draw(timeout=1.5), within=4.0)
    assert problem.reason.endswith(".")
    assert len(fake_provider.requests) == 1


def test_an_endless_error_body_is_cut_and_the_status_counts(fake_provider, draw, monkeypatch):
    monkeypatch.setattr("generations.providers.transport.http.ERROR_BODY_TIMEOUT", 0.2)
    fake_provider.plan = [dripping(response(500, b"", content_length="99999"))]
    assert failure(Unknown, lambda: draw(timeout=30)).status == 500


def test_a_slow_image_within_the_deadline_arrives(fake_provider, draw):
    def slowly(connection):
        connection.sendall(response(200, b"", content_length=str(len(PNG))))
        for at in range(0, len(PNG), 40):
            connection.sendall(PNG[at : at + 40])
            time.sleep(0.01)

    fake_provider.plan = [slowly]
    assert draw(timeout=5).outputs[0].data == PNG


@pytest.fixture
def secure(tmp_path, monkeypatch):
    """A provider with TLS and a certificate that the client trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stand-in")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = FakeProvider(context)
    yield server, pem
    server.close()


def test_tls_works_and_the_deadline_holds(secure, monkeypatch):
    server, pem = secure
    monkeypatch.setattr(transport_connection, "_ssl_context", lambda: ssl.create_default_context(cafile=pem))
    assert at(server.address)().outputs[0].data == PNG
    server.plan = [dripping(response(200, b"", content_length="99999")), hanging, reset]
    for _ in range(3):
        failure(Unknown, lambda: at(server.address)(0.4), within=1.2)


def test_an_untrusted_certificate_is_busy(secure):
    server, _ = secure
    assert "certificate" in failure(Busy, at(server.address)).reason
    assert not server.requests


def test_every_provider_can_read_the_request_id_and_the_pause_of_a_reply():
    reply = Reply(429, {"x-request-id": "r-1", "retry-after": "7"}, b"")
    assert (reply.request_id(KEY), reply.retry_after) == ("r-1", 7.0)
    assert Reply(429, {"x-request-id": f"r-{KEY}"}, b"").request_id(KEY) == "", "never a part of the key"
    assert (Reply(500, {}, b"").request_id(KEY), Reply(500, {}, b"").retry_after) == ("", None)


def test_a_reason_ends_as_a_sentence_and_is_cut():
    assert error_text.as_sentence("no credits left") == "no credits left."
    assert error_text.as_sentence("Why?") == "Why?"
    assert len(error_text.as_sentence("x" * 900)) == error_text.MAX_REASON
