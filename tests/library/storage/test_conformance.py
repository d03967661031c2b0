"""The embedded S3 server does what the portal, `aws s3 sync` and rclone ask of one."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from sdweb.process import ports
from sdweb.process.program import ChildProcess, Program
from sdweb.process.servers import NANIO_SERVER, minimal_environment
from tests.library.storage import conformance
from tests.library.storage.conformance import Server

ROOM = 100_000  # bytes of a file that a disk takes
ACCESS, SECRET = secrets.token_hex(10), secrets.token_hex(20)


@pytest.mark.parametrize("name", conformance.CHECKS)
def test_the_embedded_server(name: str) -> None:
    keys = (os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    conformance.CHECKS[name](Server(os.environ["S3_ENDPOINT_URL"], *keys))


def test_what_is_put_in_an_objects_place_comes_whole_or_not_at_all() -> None:
    """A body of another MD5, and one whose connection breaks: the object is as before, and none is added."""
    server = Server(
        os.environ["S3_ENDPOINT_URL"], os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    )
    bucket = server.bucket("a")
    of_nothing = "1B2M2Y8AsgTpgAmY7PhCfg=="
    with pytest.raises(ClientError, match="BadDigest"):
        server.s3.put_object(Bucket=bucket, Key="a", Body=b"another", ContentMD5=of_nothing)
    address = urlsplit(server.s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "a"}))
    with socket.create_connection((str(address.hostname), address.port or 80)) as half:
        half.sendall(
            f"PUT {address.path}?{address.query} HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Content-Length: 1000000\r\n\r\n{'x' * 300_000}".encode()
        )
    assert server.s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"a"
    assert [each["Key"] for each in server.s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["a"]


@contextmanager
def serving(folder: Path, *command: str) -> Iterator[Server]:
    """An S3 server whose buckets are in the folder, until the end of the block."""
    port = ports.free_port()
    child = ChildProcess(
        Program(
            name="S3",
            command=(
                sys.executable,
                *command,
                f"--host={ports.LOOPBACK}",
                f"--port={port}",
                f"--data-dir={folder}",
            ),
            folder=folder,
            log=folder.with_suffix(".log"),
            environment=minimal_environment() | {"NANIO_ACCESS_KEY": ACCESS, "NANIO_SECRET_KEY": SECRET},
            ready=lambda: ports.answers(port),
        )
    )
    child.start()
    try:
        child.wait_until_ready()
        yield Server(f"http://{ports.LOOPBACK}:{port}", ACCESS, SECRET)
    finally:
        child.stop()


def test_an_object_for_which_the_disk_has_no_room_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    """The disk takes its beginning, and of its last piece a part."""
    folder = tmp_path / "s3"
    folder.mkdir()
    limit = f"import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, ({ROOM}, {ROOM})); "
    ignore = (
        "import signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); sys.path.insert(0, sys.argv[1]); "
    )
    start = "runpy.run_path(sys.argv.pop(1) + '/nanio_server.py', run_name='__main__')"
    with serving(folder, "-c", limit + ignore + start, str(NANIO_SERVER.parent)) as server:
        server.s3.create_bucket(Bucket="pictures")
        server.s3.put_object(Bucket="pictures", Key="a", Body=bytes(ROOM))
        with pytest.raises(ClientError, match="InternalError"):
            server.s3.put_object(Bucket="pictures", Key="b", Body=bytes(ROOM + 1))
        assert [each["Key"] for each in server.s3.list_objects_v2(Bucket="pictures")["Contents"]] == ["a"]
    assert [each.name for each in (folder / "pictures").iterdir() if each.is_file()] == ["a"]


def test_a_bucket_that_was_filled_by_nanio_alone_is_read_and_goes_on(tmp_path: Path) -> None:
    """As the first version of the portal ran it; and back, if somebody must return to that."""
    folder, bucket = tmp_path / "s3", "pictures"
    folder.mkdir()
    stored = {"ContentType": "image/png", "Metadata": {"attempt": "1", "seed": "7"}}
    nanio, ours = ("-m", "nanio", "serve"), (str(NANIO_SERVER),)
    for number, command in enumerate((nanio, ours, nanio)):
        with serving(folder, *command) as server:
            if not number:
                server.s3.create_bucket(Bucket=bucket)
            key = f"images/{number}/1-a.png"
            server.s3.put_object(Bucket=bucket, Key=key, Body=key.encode(), **stored)
            listed = [each["Key"] for each in server.s3.list_objects_v2(Bucket=bucket)["Contents"]]
            assert listed == [f"images/{before}/1-a.png" for before in range(number + 1)]
            for each in listed:
                got = server.s3.get_object(Bucket=bucket, Key=each)
                assert got["Body"].read() == each.encode()
                assert {name: got[name] for name in stored} == stored
