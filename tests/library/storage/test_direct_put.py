"""Uploads that go past the S3 client's own layers: they send what it sends, and fall back on it."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from generations.library.storage import client as storage_client
from generations.library.storage import direct_put
from tests.library.storage.test_client import with_storage_options

KEY = "images/0198/1-ab c~d.png"
# What differs by the moment, and what tells servers about the client's retries.
OF_THE_CLIENT = {"amz-sdk-invocation-id", "amz-sdk-request", "expect", "accept-encoding"}
OF_THE_MOMENT = {"authorization", "x-amz-date"}


class _Recorder(BaseHTTPRequestHandler):
    """Keeps what it is sent; answers with the statuses that it is told, and 200 when there are no more."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.puts.append((self.path, headers, body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def recorder(settings):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Recorder)
    server.daemon_threads = True
    server.puts, server.statuses = [], []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with_storage_options(settings, endpoint_url=f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def put(**metadata):
    storage_client.put(KEY, b"pixels", media_type="image/png", metadata=metadata)


def is_direct(sent):
    """Whether it came without the client's own layers."""
    return "amz-sdk-request" not in sent[1]


@pytest.mark.parametrize("checksum", ["none", "md5", "sha256"])
@pytest.mark.parametrize("style", ["path", "virtual"])
def test_it_sends_what_the_client_sends(recorder, settings, monkeypatch, checksum, style):
    settings.S3_CHECKSUM = checksum
    with_storage_options(
        settings,
        addressing_style=style,
        endpoint_url="http://s3.store.example",
        proxies={"http": f"http://127.0.0.1:{recorder.server_port}"},
    )
    put(seed=7, request_id="ü / 1")
    monkeypatch.setattr(direct_put.DirectPut, "put", lambda *_: False)
    put(seed=7, request_id="ü / 1")
    ours, clients = recorder.puts
    assert (is_direct(ours), is_direct(clients)) == (True, False)
    assert (ours[0], ours[2]) == (clients[0], clients[2])
    assert _comparable(ours) == _comparable(clients)
    assert "x-amz-content-sha256;x-amz-date;x-amz-meta-request-id;x-amz-meta-seed" in _signed(ours)
    assert _signed(ours) == _signed(clients)


def _comparable(sent):
    return {name: value for name, value in sent[1].items() if name not in OF_THE_CLIENT | OF_THE_MOMENT}


def _signed(sent):
    """The names of the headers that are signed, without the client's own."""
    names = sent[1]["authorization"].partition("SignedHeaders=")[2].partition(",")[0]
    return ";".join(name for name in names.split(";") if name not in OF_THE_CLIENT)


@pytest.mark.parametrize("status", [301, 403, 500, 503])
def test_what_is_not_taken_is_sent_again_by_the_client_which_does_all_for_a_minute(
    recorder, monkeypatch, status
):
    recorder.statuses = [status]
    put()
    put()
    assert [is_direct(sent) for sent in recorder.puts] == [True, False, False]
    monkeypatch.setattr(direct_put, "CLIENT_ALONE", 0.0)
    recorder.statuses = [200, status]
    direct = storage_client._direct_put_of(storage_client.client(), storage_client.bucket())
    direct._client_alone_until = 0.0
    for _ in range(3):
        put()
    assert [is_direct(sent) for sent in recorder.puts[3:]] == [True, True, False, True]


def test_what_the_client_cannot_store_either_is_unavailable(recorder):
    recorder.statuses = [500] * 4  # once directly, and three times by the client
    with pytest.raises(storage_client.StorageUnavailable):
        put()
    assert [is_direct(sent) for sent in recorder.puts] == [True, False, False, False]


def test_a_key_without_credentials_is_unavailable(settings, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with_storage_options(settings, access_key=None, secret_key=None)
    with pytest.raises(storage_client.StorageUnavailable):
        put()
