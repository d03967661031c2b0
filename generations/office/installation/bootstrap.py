"""What must be there before the portal opens: tables, a bucket, the upstream that the environment names."""

from django.core.management import call_command

from generations.jobs.engine import sweeper
from generations.library.storage import client as storage_client
from generations.upstreams import accounts


def prepare_database() -> None:
    """Bring the tables up to date; changes nothing if they are."""
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)


def prepare_storage() -> None:
    """Make the bucket unless it exists."""
    storage_client.make_bucket()


def connect_upstream() -> None:
    """Let the upstream of STABILITY_BASE_URL and STABILITY_API_KEY follow the environment."""
    accounts.sync_environment()
    sweeper.prepare_rate_limits()
