"""What web, workers and sandbox import, imported once before they are forked: docs/decisions/processes.md.

Importing this module takes a second and the memory of Django, and is enough for what prepares a start;
`load` takes as long again. Only `manage.py portal` does either.
"""

import gc
import importlib
import os
from collections.abc import Sequence

import django

gc.disable()  # nearly all that is imported stays
django.setup()

from django.db import DatabaseError  # noqa: E402  these need Django set up
from django.urls import reverse  # noqa: E402
from redis import RedisError  # noqa: E402

from generations.core import redis_client  # noqa: E402
from generations.library.storage import client as storage_client  # noqa: E402
from generations.library.storage.client import StorageUnavailable  # noqa: E402
from generations.office.installation import bootstrap as installation_bootstrap  # noqa: E402
from generations.office.members import service as members_service  # noqa: E402
from sdweb.celery import app  # noqa: E402
from sdweb.db.sqlite import schema  # noqa: E402
from sdweb.process import fork, static_files  # noqa: E402
from sdweb.process.program import StartError  # noqa: E402

# What uvicorn, Celery and its broker import only when they start.
MODULES = [
    "uvicorn.main",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
    "uvicorn.lifespan.on",
    "uvicorn.middleware.proxy_headers",
    "celery.bin.celery",
    "celery.bin.worker",
    "celery.apps.worker",
    "celery.worker.consumer",
    "celery.worker.autoscale",
    "celery.worker.control",
    "celery.worker.strategy",
    "celery.worker.loops",
    "celery.concurrency.thread",
    "celery.events.state",
    "celery.fixups.django",
    "celery.backends.base",
    "kombu.transport.redis",
    "kombu.asynchronous.hub",
    "sdweb.asgi_handler",
    "sdweb.beat_thread",
    "generations.sandbox.server",
]
EXPECTED = (DatabaseError, StorageUnavailable, StartError)  # their sentences say why nothing can start
POOL, WALLET = 10_000_00, 1_000_00


def load() -> None:
    """Import all that would otherwise be imported later, and by each process for itself."""
    reverse("teams:home")
    storage_client.client()
    for module in MODULES:
        importlib.import_module(module)
    app.loader.import_default_modules()
    gc.collect()
    gc.freeze()  # garbage collections pass over it: they would write to its memory, and each fork have a copy
    gc.enable()


def prepare_database() -> str:
    """Migrate the database, and connect the provider that the environment names."""
    gc.enable()  # migrations may take much
    try:
        redis_client.client(5.0).ping()
    except RedisError as problem:
        raise StartError(f"REDIS_URL does not answer: {problem}") from problem
    schema.create_tables()
    installation_bootstrap.prepare_database()
    installation_bootstrap.connect_upstream()
    return ""


def prepare_storage() -> str:
    """Make the bucket unless it exists."""
    installation_bootstrap.prepare_storage()
    return ""


def prepare_pages() -> str:
    """Collect the static files, with hashed names."""
    static_files.collect()
    return ""


def create_first_operator(email: str, password: str) -> str:
    """Create the first operator, and return who it is; "" if there is one already."""
    user = members_service.create_first_operator(email=email, password=password, pool=POOL, wallet=WALLET)
    return user.email if user else ""


def run(words: Sequence[str]) -> None:
    """Be the program `python words` in a fork."""
    if arenas := os.environ.get("MALLOC_ARENA_MAX"):
        fork.limit_arenas(int(arenas))
    fork.run_module(words)
