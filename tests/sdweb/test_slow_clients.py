"""Readers that do not read, and storage that hangs: they end, and nobody else waits for them."""

from __future__ import annotations

import hashlib
import io
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import numpy
import pytest
import requests
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from PIL import Image as Pillow

from generations.core import asgi
from generations.jobs import events
from generations.jobs.live import sse
from generations.library.images import service as images_service
from generations.library.images.service import Provenance, StoredFile
from generations.library.sharing import service as sharing_service
from generations.library.storage import client as storage_client
from generations.library.storage import keys as storage_keys
from generations.teams import api_tokens
from generations.teams.models import Scope
from sdweb import asgi_handler
from tests.api import servers
from tests.sdweb.portal import eventually

SIDE = 2_000  # pixels; the file has 12 MB, more than the buffers between two sockets hold


@pytest.fixture
def portal(transactional_db, bucket, settings) -> Iterator[str]:
    with servers.web() as address:
        settings.PUBLIC_URL, settings.ALLOWED_HOSTS = address, ["127.0.0.1"]
        yield address


@pytest.fixture
def cookie(member) -> str:
    client = Client()
    client.force_login(member.user, "allauth.account.auth_backends.AuthenticationBackend")
    return (
        f"{django_settings.SESSION_COOKIE_NAME}={client.cookies[django_settings.SESSION_COOKIE_NAME].value}"
    )


@pytest.fixture
def image(member, bucket):
    """A stored picture whose bytes cannot be compressed."""
    noise = numpy.random.default_rng(1).integers(0, 255, (SIDE, SIDE, 3), "uint8")
    target = io.BytesIO()
    Pillow.fromarray(noise).save(target, "PNG", compress_level=0)
    data, generation = target.getvalue(), uuid.uuid4()
    sha256 = hashlib.sha256(data).hexdigest()
    key = storage_keys.image_key(generation=generation, attempt=1, sha256=sha256, media_type="image/png")
    storage_client.put(key, data, media_type="image/png")
    file = StoredFile(key=key, sha256=sha256, media_type="image/png", width=SIDE, height=SIDE, size=len(data))
    provenance = Provenance(generation=generation, model="ultra", parameters={"prompt": "noise"}, seed=7)
    return images_service.add(member=member, visibility="team", file=file, provenance=provenance)


def ask_without_reading(portal: str, path: str, **headers: str) -> socket.socket:
    """Send a request, and take nothing of its response."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(60)
    client.connect(("127.0.0.1", urlsplit(portal).port))
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    client.sendall("\r\n".join([*lines, "", ""]).encode())
    return client


def read_to_end(client: socket.socket) -> int:
    """The number of bytes that still come."""
    count = 0
    try:
        while part := client.recv(1 << 20):
            count += len(part)
    except ConnectionResetError:
        pass
    return count


@pytest.mark.parametrize("kind", ["original", "download", "share", "program"])
def test_a_reader_that_does_not_read_is_cut_off(portal, member, image, cookie, monkeypatch, kind):
    monkeypatch.setattr(asgi, "READER_SECONDS", 0.5)
    headers = {"Cookie": cookie}
    if kind == "share":
        share = sharing_service.share_image(member=member, image=image.pk)
        path = reverse("share:original", args=[sharing_service.token(share.pk), image.pk])
    elif kind == "program":
        path = f"/api/v1/images/{image.pk}/original"
        secret = api_tokens.issue(membership=member, name="a program", scopes=(Scope.READ,))[1]
        headers = {"Authorization": f"Bearer {secret}"}
    else:
        path = reverse(f"library:{kind}", args=[member.team.slug, image.pk])
    clients = [ask_without_reading(portal, path, **headers) for _ in range(3)]
    try:
        if kind in {"download", "share"}:
            # Not of all three: on a busy machine the first is cut off before the last is there.
            assert eventually(lambda: asgi_handler.responses.held >= image.bytes)
        assert eventually(lambda: open_connections(portal) == 0)
        assert asgi_handler.responses.held == 0
        assert all(read_to_end(client) < image.bytes for client in clients)
    finally:
        for client in clients:
            client.close()
    response = requests.get(portal + path, headers=headers, timeout=60)
    assert len(response.content) >= image.bytes


def open_connections(portal: str) -> int:
    """How many connections the portal keeps open; the system may still be flushing closed ones."""
    port = f":{urlsplit(portal).port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(port) and row[3] == "01" for row in rows)


def test_whole_pictures_in_memory_are_bounded(portal, member, image, cookie, monkeypatch):
    monkeypatch.setattr(asgi_handler.responses, "limit", int(2.5 * image.bytes))
    path = reverse("library:download", args=[member.team.slug, image.pk])
    with ExitStack() as readers:
        for _ in range(2):
            readers.enter_context(ask_without_reading(portal, path, Cookie=cookie))
        assert eventually(lambda: asgi_handler.responses.held >= 2 * image.bytes)
        refused = requests.get(portal + path, headers={"Cookie": cookie}, timeout=60)
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        streamed = portal + reverse("library:original", args=[member.team.slug, image.pk])
        assert requests.get(streamed, headers={"Cookie": cookie}, timeout=60).status_code == 200
    assert eventually(lambda: asgi_handler.responses.held == 0)
    assert requests.get(portal + path, headers={"Cookie": cookie}, timeout=60).status_code == 200


def test_a_live_page_that_does_not_read_is_cut_off(portal, member, cookie, monkeypatch):
    monkeypatch.setattr(asgi, "READER_SECONDS", 0.5)
    page = ask_without_reading(portal, f"/t/{member.team.slug}/live", Cookie=cookie)
    assert eventually(lambda: open_pages() == 1)

    def is_over() -> bool:
        events._submit(*events._of(member, "places", "x" * 500_000))
        return open_pages() == 0

    assert eventually(is_over)
    assert eventually(lambda: open_connections(portal) == 0)
    page.close()


def open_pages() -> int:
    return sse._hub.count if sse._hub and not sse._hub.closed else 0


# Storage that hangs ------------------------------------------------------------------------


@pytest.fixture
def hanging_storage(settings) -> Iterator[threading.Event]:
    """S3 that begins every object and never ends it, until the event is set."""
    listener, ended = socket.create_server(("127.0.0.1", 0)), threading.Event()
    clients: list[socket.socket] = []

    def serve() -> None:
        while not ended.is_set():
            try:
                client, _address = listener.accept()
            except OSError:
                return
            client.recv(65_536)
            client.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Length: 12000000\r\nContent-Type: image/png\r\n\r\nbegun"
            )
            clients.append(client)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    storages = dict(settings.STORAGES)
    options = storages["images"]["OPTIONS"] | {
        "endpoint_url": f"http://127.0.0.1:{listener.getsockname()[1]}"
    }
    yield_to = {"BACKEND": storages["images"]["BACKEND"], "OPTIONS": options}
    settings.STORAGES = storages | {"images": yield_to}
    yield ended
    ended.set()
    listener.close()
    for client in clients:
        client.close()


def test_storage_that_hangs_stalls_neither_pages_nor_live_pages_nor_health(
    portal, member, image, cookie, hanging_storage
):
    path = reverse("library:original", args=[member.team.slug, image.pk])
    headers = {"Cookie": cookie}
    with ExitStack() as readers:
        for _ in range(60):
            readers.enter_context(ask_without_reading(portal, path, **headers))
        download = reverse("library:download", args=[member.team.slug, image.pk])
        for _ in range(60):  # more than there are threads for files
            readers.enter_context(ask_without_reading(portal, download, **headers))
        assert eventually(lambda: threads_named("file") >= asgi_handler.FILE_THREADS)
        assert requests.get(f"{portal}/healthz", timeout=10).text == "ok\n"
        grid = portal + reverse("library:grid", args=[member.team.slug])
        assert requests.get(grid, headers=headers, timeout=10).status_code == 200
        with requests.get(
            f"{portal}/t/{member.team.slug}/live", headers=headers, stream=True, timeout=10
        ) as live:
            assert live.status_code == 200
            assert next(live.iter_content(100)) == b"retry: 2000\n\n"
        assert requests.get(f"{portal}/v1/models", timeout=10).status_code == 401
        assert not hanging_storage.is_set()


def threads_named(name: str) -> int:
    return sum(thread.name.startswith(f"{name}_") for thread in threading.enumerate())


def test_a_request_that_finds_no_thread_is_refused_for_now(
    portal, member, image, cookie, hanging_storage, monkeypatch
):
    monkeypatch.setattr(asgi_handler, "WAIT_SECONDS", 0.3)
    path = reverse("library:download", args=[member.team.slug, image.pk])
    with ExitStack() as readers:
        for _ in range(asgi_handler.FILE_THREADS):
            readers.enter_context(ask_without_reading(portal, path, Cookie=cookie))
        refused = []

        def is_refused() -> bool:
            response = requests.get(portal + path, headers={"Cookie": cookie}, timeout=60)
            refused.append(response)
            return response.status_code == 503

        assert eventually(is_refused)
        assert int(refused[-1].headers["retry-after"]) > 0
        assert requests.get(f"{portal}/healthz", timeout=10).status_code == 200


def test_readers_that_leave_while_storage_hangs_hold_up_nobody(
    portal, member, image, cookie, hanging_storage
):
    path = reverse("library:original", args=[member.team.slug, image.pk])
    with ExitStack() as readers:
        for _ in range(60):
            readers.enter_context(ask_without_reading(portal, path, Cookie=cookie))
        assert eventually(are_all_stream_threads_busy)
    assert requests.get(f"{portal}/healthz", timeout=8).text == "ok\n"
    assert eventually(lambda: not are_all_stream_threads_busy(), within=8)


def are_all_stream_threads_busy() -> bool:
    return storage_client._stream_threads._pool._work_queue.qsize() > 0


def test_a_stream_that_storage_does_not_go_on_with_ends(
    portal, member, image, cookie, hanging_storage, monkeypatch
):
    monkeypatch.setattr(storage_client, "CHUNK_SECONDS", 0.5)
    path = reverse("library:original", args=[member.team.slug, image.pk])
    with ExitStack() as readers:
        clients = [readers.enter_context(ask_without_reading(portal, path, Cookie=cookie)) for _ in range(60)]
        assert eventually(lambda: open_connections(portal) == 0, within=15)
        assert all(read_to_end(client) < image.bytes for client in clients)
