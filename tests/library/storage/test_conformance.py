"""The embedded S3 server does what the portal, `aws s3 sync` and rclone ask of one."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sdweb.process import ports
from sdweb.process.program import ChildProcess, Program
from sdweb.process.servers import NANIO_SERVER, minimal_environment
from tests.library.storage import conformance
from tests.library.storage.conformance import Server

ACCESS, SECRET = secrets.token_hex(10), secrets.token_hex(20)


@pytest.mark.parametrize("name", conformance.CHECKS)
def test_the_embedded_server(name: str) -> None:
    keys = (os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    conformance.CHECKS[name](Server(os.environ["S3_ENDPOINT_URL"], *keys))


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


def test_a_bucket_that_was_filled_by_nanio_alone_is_read_and_goes_on(tmp_path: Path) -> None:
    """As the first version of the portal ran it; and back, if somebody must return to that."""
    folder, bucket = tmp_path / "s3", "pictures"
    folder.mkdir()
    stored = {"ContentType": "image/png", "Metadata": {"attempt": "1", "seed": "7"}}
    nanio, ours = ("-m", "nanio", "serve"), ("-P", str(NANIO_SERVER))
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
