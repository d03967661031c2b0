"""What tests of several rooms share: a team with credits, and a provider that draws."""

from __future__ import annotations

import gc
import itertools
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import TransactionTestCase
from django.utils import timezone
from whitenoise import WhiteNoise

from generations.core import redis_client
from generations.jobs import events, submission
from generations.jobs.engine import claim as engine_claim
from generations.jobs.engine import half_done
from generations.jobs.engine import run as engine_run
from generations.jobs.inputs import NewInput
from generations.jobs.models import Attempt, Batch, Generation
from generations.library.storage import client as storage_client
from generations.office.members import service as members_service
from generations.teams.models import Membership, Role, Team, User
from generations.upstreams import accounts
from generations.upstreams import rate_limit as upstreams_rate_limit
from generations.upstreams.models import Upstream
from tests import flush, migrated, sandboxes, services

PASSWORD = "a long enough passphrase"
NUMBERS = itertools.count()


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what stays to the end: a twentieth of the CPU."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """In place of pytest-django's: the database is a copy of one that was migrated before."""
    migrated.new_database(services.DATABASE)


@pytest.fixture(autouse=True, scope="session")
def _what_was_committed_is_flushed_quickly() -> None:
    TransactionTestCase._fixture_teardown = lambda _self: flush.flush()  # type: ignore[method-assign]


@pytest.fixture(autouse=True, scope="session")
def _pages_have_their_styles() -> None:
    migrated.collect_static_files()


@pytest.fixture(autouse=True, scope="session")
def _static_files_are_listed_once() -> None:
    """Every test client starts the middleware anew, which would look at a thousand files each time."""
    update, listed = WhiteNoise.update_files_dictionary, {}

    def update_once(self: WhiteNoise, root: str, prefix: str) -> None:
        if (root, prefix) not in listed:
            update(self, root, prefix)
            listed[root, prefix] = dict(self.files)
        self.files |= listed[root, prefix]

    WhiteNoise.update_files_dictionary = update_once


@pytest.fixture(autouse=True)
def _passwords_are_hashed_quickly(settings: Any) -> None:
    """A million rounds for each of hundreds of people would take most of the tests' time."""
    settings.PASSWORD_HASHERS = ["tests.passwords.QuickHasher"]


@pytest.fixture
def team(db: None) -> Team:
    return members_service.create_team("Studio North")


@pytest.fixture
def make_member(team: Team) -> Callable[..., Membership]:
    """A person with credits: make_member("mei", granted=100, team=..., role=...)."""

    def make(name: str, *, granted: int = 100, team: Team = team, role: Role = Role.MEMBER) -> Membership:
        user = User.objects.create_user(f"{name}@studio.example", PASSWORD, name=name.title())
        user.emailaddress_set.create(email=user.email, verified=True, primary=True)
        return members_service.add_member(user=user, team=team, role=role, granted=granted * 100)

    return make


@pytest.fixture
def member(make_member: Callable[..., Membership]) -> Membership:
    return make_member("mei")


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[sandboxes.Sandbox]:
    with sandboxes.running("--plain", "--latency", "0", "--strict") as sandbox:
        yield sandbox


@pytest.fixture
def provider(running_sandbox: sandboxes.Sandbox) -> sandboxes.Sandbox:
    """A stand-in provider that draws at once, unless it is told otherwise."""
    running_sandbox.reset()
    return running_sandbox


@pytest.fixture
def upstream(db: None, provider: sandboxes.Sandbox, bucket: None) -> Upstream:
    """The provider as an account that we may call fast, its limiter long past its quiet first window."""
    row = Upstream(name="sandbox", base_url=provider.url, limit_calls=1_000, limit_window=1)
    row.set_key(sandboxes.KEY)
    row.save()
    open_limiter(row)
    accounts._provider.cache_clear()
    return row


def open_limiter(upstream: Upstream) -> None:
    """Begin the account's epoch, and let the window pass in which nothing may be sent."""
    redis_client.client().delete(f"pace:{upstream.pace_key}")
    upstreams_rate_limit.prepare(upstream)
    redis_client.client().hset(f"pace:{upstream.pace_key}", "next", 0)


@pytest.fixture(scope="session")
def spools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spools")


@pytest.fixture(autouse=True)
def _every_test_has_its_own_spool(settings: Any, spools: Path) -> None:
    """Most tests have no use for one, and a folder for each makes the next one slower to name."""
    settings.SPOOL = spools / str(next(NUMBERS))


@pytest.fixture(scope="session")
def bucket() -> None:
    storage_client.create_bucket()


@pytest.fixture(autouse=True)
def _no_event_is_under_way_when_a_test_ends() -> Iterator[None]:
    yield
    half_done.flush()
    events.flush()


@pytest.fixture(autouse=True)
def _no_request_of_a_program_was_counted_before() -> None:
    """Tokens of different tests have the same numbers. It is one question, whatever other tests have left."""
    counters = list(redis_client.client().scan_iter("api:*", count=100_000))
    if counters:
        redis_client.client().delete(*counters)


@pytest.fixture
def submit(member: Membership) -> Callable[..., Batch]:
    """Ask for images as the form does: submit(prompt=..., model="core", count=1, by=member)."""

    def ask(*, by: Membership = member, model: str = "core", count: int = 1, **parameters: Any) -> Batch:
        parameters.setdefault("prompt", "a quiet harbour at dawn")
        named = {"submission": parameters.pop("submission", uuid.uuid4())}
        given = ("inputs", "parent", "action", "visibility")
        named |= {name: parameters.pop(name) for name in given if name in parameters}
        if start := parameters.pop("start_image", None):
            named["inputs"] = [NewInput("image", start)]
        batch = submission.submit(
            member=by, model=model, parameters=parameters, count=count, prices_at=timezone.now(), **named
        )
        time.sleep(0.001)  # the clock of SQLite has milliseconds: in this one it is not ready yet
        return batch

    return ask


def work(most: int = 50) -> int:
    """Do what workers do until nothing is ready; how many calls were made."""
    made = 0
    while made < most:
        claim, _more = engine_claim.claim_next()
        if claim is None:
            return made
        engine_run.run(claim)
        row = claim.generation
        made += Attempt.objects.filter(generation=row, number=row.attempt).exists()  # none if it was late
    return made


def statuses(batch: Batch) -> list[str]:
    """The states of a batch's images, in order."""
    return list(Generation.objects.filter(batch=batch).order_by("position").values_list("status", flat=True))
