"""A portal with something in it, a folder for its backup, and another place in which that is restored."""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from generations.core import redis_client
from generations.jobs.engine import heartbeats
from generations.jobs.models import Batch
from generations.library.images import service as images_service
from generations.library.models import Image
from generations.library.storage import client as storage_client
from generations.library.uploads import input_images
from generations.teams.models import Membership
from tests import postgresql
from tests.conftest import work
from tests.fresh_database import fresh_database
from tests.library.conftest import encoded, pixels
from tests.library.storage.test_client import with_storage_options

Elsewhere = Callable[..., AbstractContextManager[None]]


@pytest.fixture(autouse=True)
def _programs_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """pg_dump of the version that the tests' server has."""
    if connection.vendor == "postgresql":
        monkeypatch.setenv("PATH", f"{postgresql.binaries()}:{os.environ['PATH']}")


@pytest.fixture(autouse=True)
def _no_workers(transactional_db: None) -> None:
    """What tests before this one left in Redis are no workers of this portal."""
    redis_client.client().delete(heartbeats.KEY)


@pytest.fixture(autouse=True)
def _own_bucket(settings: Any) -> None:
    with_storage_options(settings, bucket_name=f"backup-{uuid.uuid4()}")
    storage_client.create_bucket()


@pytest.fixture
def elsewhere(settings: Any) -> Elsewhere:
    """A new database, empty or with tables, and a bucket that is not there yet; until the block ends."""

    @contextmanager
    def lead(*, with_tables: bool = False) -> Iterator[None]:
        options = settings.STORAGES
        with fresh_database(with_tables=with_tables):
            with_storage_options(settings, bucket_name=f"restored-{uuid.uuid4()}")
            yield
        settings.STORAGES = options

    return lead


@pytest.fixture
def filled(member: Membership, upstream: Any, submit: Callable[..., Batch]) -> list[Image]:
    """Three pictures that were drawn and charged, one of them in the trash, and an uploaded one."""
    submit(count=3)
    assert work() == 3
    input_images.save_upload(member=member, file=io.BytesIO(encoded(pixels())), name="mine.png")
    images = list(Image.objects.order_by("pk"))
    images_service.trash(member=member, images=[images[0].pk])
    return images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups" / "portal"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that must exit as expected; what it said: run("backup", folder, expected=1)."""

    def ended(*words: object, expected: int = 0) -> str:
        capsys.readouterr()
        code, refusal = 0, ""
        try:
            call_command(*map(str, words))
        except SystemExit as end:
            code = int(str(end.code))
        except CommandError as error:
            code, refusal = 1, str(error)
        said = capsys.readouterr()
        text = said.out + said.err + refusal
        assert code == expected, text
        return text

    return ended
