"""Steps of the first start and of each update: tables, bucket, the upstream from the environment."""

from django.core.management import call_command
from django.db import connection

from generations.jobs.engine import sweeper
from generations.library.storage import client as storage_client
from generations.upstreams import environment as upstreams_environment


def prepare_database() -> None:
    """Apply migrations and create the cache table; does nothing if they are up to date."""
    if connection.vendor == "postgresql":  # a migration takes as long as it takes
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("SET lock_timeout = 0")
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)


def prepare_storage() -> None:
    """Make the bucket unless it exists."""
    storage_client.create_bucket()


def connect_upstream() -> None:
    """Create or update the accounts that follow the environment."""
    upstreams_environment.sync_all()
    sweeper.prepare_rate_limits()
