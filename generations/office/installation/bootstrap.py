"""Steps of the first start and of each update: tables, bucket, the upstream from the environment."""

from pathlib import Path
from pkgutil import iter_modules

from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from generations.jobs.engine import sweeper
from generations.library.storage import client as storage_client
from generations.upstreams import environment as upstreams_environment


def prepare_database() -> None:
    """Apply migrations and create the cache table; does nothing if they are up to date."""
    if connection.vendor == "postgresql":  # a migration takes as long as it takes
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("SET lock_timeout = 0")
    if not is_migrated():
        call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)


def is_migrated() -> bool:
    """Whether every migration is recorded: each file's name is, without importing any as `migrate` does."""
    folders = {config.label: Path(config.path) / "migrations" for config in apps.get_app_configs()}
    files = {
        (label, each.name)
        for label, folder in folders.items()
        for each in iter_modules([str(folder)])
        if not each.name.startswith("_")
    }
    return files <= MigrationRecorder(connection).applied_migrations().keys()


def prepare_storage() -> None:
    """Make the bucket unless it exists."""
    storage_client.create_bucket()


def connect_upstream() -> None:
    """Create or update the accounts that follow the environment."""
    upstreams_environment.sync_all()
    sweeper.prepare_rate_limits()
