"""How large and how slow bodies of requests may be, and who may send a large one."""

from __future__ import annotations

import http.client
import io
import json
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import numpy
import pytest
import requests
from django.conf import settings as django_settings
from django.test import Client
from django.urls import get_resolver, reverse
from PIL import Image as Pillow

from generations.core import asgi, request_body
from generations.jobs.live import connections
from generations.library.models import Image, Upload
from generations.teams import api_tokens
from generations.teams.models import Scope
from sdweb import asgi_handler, body_limit
from tests.api import servers
from tests.sdweb.portal import eventually

MIB = 1024 * 1024
BROWSER = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def portal(transactional_db, bucket, settings, monkeypatch) -> Iterator[str]:
    """The base URL of a running web process, which waits only briefly for bodies that it refused."""
    monkeypatch.setattr(asgi, "DRAIN_SECONDS", 0.1)
    with servers.web() as address:
        settings.PUBLIC_URL, settings.ALLOWED_HOSTS = address, ["127.0.0.1"]
        yield address


@pytest.fixture
def cookie(member) -> dict[str, str]:
    """The headers of a browser in which the member is signed in."""
    client = Client()
    client.force_login(member.user, "allauth.account.auth_backends.AuthenticationBackend")
    session = client.cookies[django_settings.SESSION_COOKIE_NAME].value
    csrf = "c" * 32
    return {
        "Cookie": f"{django_settings.SESSION_COOKIE_NAME}={session}; csrftoken={csrf}",
        "X-CSRFToken": csrf,
    }


@pytest.fixture
def bearer(member) -> dict[str, str]:
    scopes = (Scope.GENERATE, Scope.READ)
    return {
        "Authorization": f"Bearer {api_tokens.issue(membership=member, name='a program', scopes=scopes)[1]}"
    }


def begin(
    portal: str, path: str, length: int | None, headers=None, sent: bytes = b""
) -> http.client.HTTPConnection:
    """Announce a body of that length (None: in chunks) and send only the first bytes of it."""
    connection = http.client.HTTPConnection(urlsplit(portal).netloc, timeout=60)
    connection.putrequest("POST", path)
    announced = {"Transfer-Encoding": "chunked"} if length is None else {"Content-Length": str(length)}
    for name, value in {"Content-Type": "application/octet-stream", **announced, **(headers or {})}.items():
        connection.putheader(name, value)
    connection.endheaders()
    if sent:
        connection.send(sent)
    return connection


def large_picture(side: int = 1300) -> bytes:
    """A PNG of about five megabytes."""
    noise = numpy.random.default_rng(1).integers(0, 255, (side, side, 3), "uint8")
    target = io.BytesIO()
    Pillow.fromarray(noise).save(target, "PNG", compress_level=0)
    return target.getvalue()


def names() -> set[str]:
    """The names of all addresses."""

    def of(resolver, prefix: str = "") -> Iterator[str]:
        for pattern in resolver.url_patterns:
            if hasattr(pattern, "url_patterns"):
                yield from of(pattern, f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix)
            elif pattern.name:
                yield f"{prefix}{pattern.name}"

    return set(of(get_resolver()))


def test_every_address_with_rules_of_its_own_exists():
    ruled = {*body_limit.UPLOADS, *asgi_handler.FILES, *asgi_handler.WATCH, *asgi_handler.HEALTH}
    assert ruled - names() == set()


# Size ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/accounts/login/", "/no/such/page", "/t/studio-north/library/deeds/"])
def test_a_page_refuses_more_than_a_megabyte_before_it_is_sent(portal, path):
    response = begin(portal, path, MIB + 1).getresponse()
    assert response.status == 413
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/api/v1/generations", "/v1/images/generations", "/v1/generation/x/text-to-image", "/v1/nothing"]
)
def test_programs_are_refused_more_than_a_megabyte_in_json(portal, bearer, path):
    response = begin(portal, path, MIB + 1, bearer).getresponse()
    said = json.loads(response.read())
    if path == "/v1/nothing":
        assert (response.status, said["error"]["code"]) == (404, "not_found")
    else:
        assert response.status == 413
        assert "too_large" in json.dumps(said)


def test_a_body_without_a_length_is_refused_once_it_is_too_large(portal):
    sent = 0

    def endless():
        nonlocal sent
        while sent < 500:
            sent += 1
            yield b"x" * (64 * 1024)

    response = requests.post(f"{portal}/accounts/login/", data=endless(), timeout=60)
    assert response.status_code == 413
    assert request_body.bodies.held == 0


def test_two_lengths_are_no_length(portal):
    """A proxy may believe one of them and we the other."""
    with socket.create_connection(("127.0.0.1", urlsplit(portal).port), timeout=30) as client:
        client.sendall(
            b"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Content-Length: 5\r\nContent-Length: 9\r\n\r\n"
        )
        assert client.recv(100).startswith(b"HTTP/1.1 400")


# Who may send ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/t/studio-north/upload/",
        "/t/studio-north/library/upload/",
        "/t/studio-north/create/",
        "/t/studio-north/team/grant-csv/",
    ],
)
@pytest.mark.parametrize("length", [2_000_000, None])
def test_an_upload_without_a_session_is_refused_before_it_is_sent(portal, team, path, length):
    response = begin(portal, path, length, {"Cookie": "sessionid=forged"}).getresponse()
    assert response.status == 303
    assert response.headers["location"].startswith("/accounts/login/?next=")
    response = begin(portal, path, length, {"HX-Request": "true"}).getresponse()
    assert response.headers["hx-redirect"].startswith("/accounts/login/")


def test_a_session_of_another_team_does_not_open_an_upload(portal, member, make_member, cookie):
    from generations.office.members import service as members_service  # noqa: PLC0415

    members_service.create_team("Elsewhere")
    assert begin(portal, "/t/elsewhere/upload/", 2_000_000, cookie).getresponse().status == 303


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer sdw_forged"}])
def test_an_upload_of_a_program_without_a_token_is_refused_before_it_is_sent(portal, headers):
    response = begin(portal, "/api/v1/uploads", 5_000_000, headers).getresponse()
    assert response.status == 401
    assert json.loads(response.read())["error"]["code"] == "unauthorized"
    assert response.headers["www-authenticate"] == "Bearer"


def test_a_member_uploads_five_megabytes(portal, cookie, member):
    picture = large_picture()
    assert len(picture) > 5_000_000
    address = portal + reverse("library:upload", args=[member.team.slug])
    response = requests.post(address, headers=cookie, files={"image": ("a.png", picture)}, timeout=60)
    assert response.status_code == 200, response.text
    assert Upload.objects.get().owner == member
    address = portal + reverse("library:upload_images", args=[member.team.slug])
    response = requests.post(address, headers=cookie, files={"image": ("a.png", picture)}, timeout=60)
    assert response.status_code == 200, response.text
    assert Image.objects.get().owner == member
    assert request_body.bodies.held == 0


def test_a_program_uploads_five_megabytes(portal, bearer):
    response = requests.post(
        f"{portal}/api/v1/uploads", headers=bearer, files={"image": ("a.png", large_picture())}, timeout=60
    )
    assert response.status_code == 201, response.text
    assert request_body.bodies.held == 0


def test_a_program_cannot_upload_more_than_ten_mebibytes(portal, bearer):
    response = begin(portal, "/api/v1/uploads", 10 * MIB + 1, bearer).getresponse()
    assert response.status == 413
    assert json.loads(response.read())["error"]["code"] == "too_large"


# Time and number -------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/accounts/login/", "/api/v1/generations"])
def test_a_body_that_does_not_arrive_is_given_up(portal, monkeypatch, path):
    monkeypatch.setattr(request_body, "SECONDS", 0.3)
    response = begin(portal, path, 1_000, sent=b"x").getresponse()
    assert response.status == 408
    if path.startswith("/api"):
        assert json.loads(response.read())["error"]["code"] == "too_slow"
    assert request_body.bodies.held == 0


def test_a_large_upload_has_more_time(portal, bearer, monkeypatch):
    monkeypatch.setattr(request_body, "SECONDS", 0.0)
    monkeypatch.setattr(request_body, "RATE", MIB)
    response = requests.post(
        f"{portal}/api/v1/uploads", headers=bearer, files={"image": ("a.png", large_picture())}, timeout=60
    )
    assert response.status_code == 201, response.text


@pytest.fixture
def flood(portal, monkeypatch) -> Iterator[list[http.client.HTTPConnection]]:
    """Clients whose unfinished bodies take three quarters of what may be in flight."""
    monkeypatch.setattr(request_body.bodies, "limit", 400_000)
    clients = [begin(portal, "/accounts/login/", 900_000, sent=b"x" * 145_000) for _ in range(2)]
    assert eventually(lambda: request_body.bodies.held == 290_000)
    yield clients
    for client in clients:
        client.close()


@pytest.mark.parametrize(
    "path", ["/accounts/login/", "/api/v1/generations", "/v2beta/stable-image/generate/core"]
)
def test_bodies_that_are_too_many_are_refused_for_now(portal, flood, bearer, path):
    response = begin(portal, path, 900_000, bearer, sent=b"x" * 145_000).getresponse()
    assert response.status == 503
    assert int(response.headers["retry-after"]) > 0
    for client in flood:
        client.close()
    assert eventually(lambda: request_body.bodies.held == 0)
    if path == "/accounts/login/":
        refused = begin(portal, path, 145_000, bearer, sent=b"x" * 145_000).getresponse()
        assert refused.status == 403  # read whole, and not a form of ours


def test_a_form_is_still_read_while_large_bodies_are_refused(portal, flood):
    response = begin(portal, "/accounts/login/", 60_000, sent=b"x" * 60_000).getresponse()
    assert response.status == 403


def test_a_client_that_leaves_frees_what_it_sent(portal):
    client = begin(portal, "/accounts/login/", 900_000, sent=b"x" * 145_000)
    assert eventually(lambda: request_body.bodies.held == 145_000)
    client.close()
    assert eventually(lambda: request_body.bodies.held == 0)


def test_checking_who_sends_takes_few_threads_and_none_of_live_pages(portal, team, monkeypatch):
    """Threads compete with the event loop, so that a flood of uploads would hold up everybody."""
    asked, most, over = threading.Semaphore(0), [0], threading.Event()
    checking = set()

    def slow(_cookies: str, _team: str) -> None:
        checking.add(threading.current_thread())
        most[0] = max(most[0], len(checking))
        asked.release()
        over.wait(30)
        checking.discard(threading.current_thread())

    monkeypatch.setattr(connections, "sign_in", slow)
    clients = [begin(portal, "/t/studio-north/upload/", 2_000_000) for _ in range(12)]
    try:
        assert asked.acquire(timeout=30)
        assert asked.acquire(timeout=30)
        assert requests.get(f"{portal}/t/studio-north/live", timeout=30).status_code == 404  # not 503
    finally:
        over.set()
    assert {client.getresponse().status for client in clients} == {303}
    assert most[0] == 2
