"""Claims: one statement each, in queue order, never twice; and the workers that are woken."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generations.jobs import tasks
from generations.jobs.engine import callers as engine_callers
from generations.jobs.engine import claim as engine_claim
from generations.jobs.engine import claim_statement, spool
from generations.jobs.models import Attempt, Generation
from generations.providers.base import Busy, ModelUnavailable
from generations.upstreams import accounts, blocks, new_account
from generations.upstreams.models import Upstream
from tests.conftest import open_limiter, statuses, work

pytestmark = pytest.mark.django_db(transaction=True)


def claim_one(upstream):
    with transaction.atomic():
        return engine_claim.claim(upstream=upstream, worker="me", lease=timedelta(seconds=20))


def test_a_claim_is_one_statement_that_returns_the_row(submit, upstream):
    batch = submit()
    with (
        transaction.atomic(),
        CaptureQueriesContext(
            connection,
        ) as queries,
    ):
        row = engine_claim.claim(upstream=upstream, worker="me", lease=timedelta(seconds=20))
    assert [query["sql"].split()[0] for query in queries if "jobs_generation" in query["sql"]] == ["UPDATE"]
    stored = Generation.objects.get(batch=batch)
    for name in ("pk", "status", "attempt", "worker", "upstream_id", "parameters", "price", "lease_until"):
        assert getattr(row, name) == getattr(stored, name)
    assert (stored.status, stored.attempt, stored.worker) == ("running", 1, "me")
    assert stored.first_called_at == stored.claimed_at
    assert timedelta(seconds=15) < stored.lease_until - timezone.now() <= timedelta(seconds=20)


def test_a_thread_that_waited_for_its_slot_knows_what_the_account_said_meanwhile(submit, upstream):
    gateway = Upstream(name="gateway", kind="gateway", base_url=upstream.base_url)
    gateway.systems = new_account.systems_of(["bfl", "kling"])
    gateway.set_key("sk-a-key")
    gateway.save()
    for model in ("flux-2-pro", "kling-v3", "kling-v2-1"):
        submit(model=model)
    waited = Upstream.objects.get(pk=gateway.pk)
    blocks.after_order(gateway, "flux-2-pro", Busy("full", 429, retry_after=30, of_system=True))
    accounts.close_model(gateway, "kling-v3", ModelUnavailable("not here", 404))
    assert [row.model for row in iter(lambda: engine_claim._claim(waited)[0], None)] == ["kling-v2-1"]


def test_twenty_threads_claim_every_generation_once(submit, upstream):
    for _ in range(3):
        submit(count=10)

    def claim_all(_thread):
        own = []
        try:
            while row := claim_one(upstream):
                own.append((row.pk, row.attempt))
        finally:
            connection.close()
        return own

    with ThreadPoolExecutor(20) as threads:
        claimed = [one for own in threads.map(claim_all, range(20)) for one in own]
    # A thread that finds all waiting rows locked by others ends early; what is left is claimed now.
    while row := claim_one(upstream):
        claimed.append((row.pk, row.attempt))
    assert len(claimed) == len(set(claimed)) == 30
    assert {attempt for _pk, attempt in claimed} == {1}


def test_only_models_that_the_account_serves_are_claimed(submit, upstream):
    submit(model="core")
    upstream.models_served = ["ultra"]
    assert claim_one(upstream) is None
    upstream.models_served = ["ultra", "core"]
    assert claim_one(upstream).model == "core"


def test_waits_for_a_blocked_or_paused_account_are_added_to_the_excused_wait(submit, upstream):
    batch = submit()
    for code, waited in (("blocked", 30), ("paused", 12), ("busy", 500)):
        since = timezone.now() - timedelta(seconds=waited)
        Generation.objects.filter(batch=batch).update(status="queued", code=code, changed_at=since)
        row = claim_one(upstream)
        assert row.code == ""
    # SQLite knows milliseconds only.
    assert timedelta(seconds=41.9) <= row.excused_wait < timedelta(seconds=52)


def test_a_claim_wakes_as_many_workers_as_generations_wait_up_to_a_limit(submit, upstream):
    submit(count=3)
    assert [engine_claim.claim_next()[1] for _ in range(3)] == [2, 1, 0]
    for _ in range(2):
        submit(count=10)
    assert engine_claim.claim_next()[1] == engine_claim.MAX_WAITING_THREADS


def test_claims_of_one_moment_read_the_only_account_once(submit, upstream, monkeypatch):
    monkeypatch.setattr(engine_claim, "KNOWN_FOR", 60.0)
    submit(count=3)
    recent = engine_claim.RecentAccount()
    read = []
    for _ in range(3):
        with CaptureQueriesContext(connection) as queries:
            assert engine_claim.claim_next(recent)[0].upstream == upstream
        read.append(sum("next_model" in query["sql"] for query in queries))
    assert read == [1, 0, 0]
    assert recent.get() is None  # nothing more was ready
    submit()
    monkeypatch.setattr(engine_claim, "KNOWN_FOR", 0.0)
    assert engine_claim.claim_next(recent)[0].upstream == upstream


@pytest.mark.parametrize("changes", [{"enabled": False}, {"draining": True}, {"paused_at": timezone.now()}])
def test_nothing_is_claimed_for_an_account_that_was_closed_since_it_was_read(
    submit, upstream, monkeypatch, changes
):
    monkeypatch.setattr(engine_claim, "KNOWN_FOR", 60.0)
    batch = submit(count=3)
    recent = engine_claim.RecentAccount()
    assert engine_claim.claim_next(recent)[1] == 2
    Upstream.objects.update(**changes)
    assert recent.get() == upstream
    assert engine_claim.claim_next(recent) == (None, 0)
    assert recent.get() is None
    assert sorted(statuses(batch)) == ["queued", "queued", "running"]


def test_an_account_is_read_for_each_claim_if_there_are_several_or_it_has_a_limit(submit, upstream):
    submit(count=3)
    recent = engine_claim.RecentAccount()
    Upstream.objects.update(max_in_flight=9)
    assert engine_claim.claim_next(recent)[1] == 2
    assert recent.get() is None
    Upstream.objects.update(max_in_flight=None)
    second = Upstream(name="second", base_url=upstream.base_url, encrypted_key=upstream.encrypted_key)
    second.save()
    assert engine_claim.claim_next(recent)[1] == 1
    assert recent.get() is None


def test_one_wake_up_message_serves_all_that_wait(submit, upstream, monkeypatch):
    woken = []
    batch = submit(count=4)
    monkeypatch.setattr(tasks, "wake_workers", woken.append)
    tasks.wake_worker()
    assert {row.status for row in Generation.objects.filter(batch=batch)} == {"succeeded"}
    assert woken[-1] == 0


def test_a_task_that_ran_for_long_ends_and_wakes_another_worker(submit, upstream, monkeypatch):
    woken = []
    submit()
    monkeypatch.setattr(tasks, "wake_workers", woken.append)
    monkeypatch.setattr(engine_callers, "MAX_SECONDS", -1.0)
    tasks.wake_worker()
    assert woken == [1]
    assert not Attempt.objects.exists()


def test_a_worker_that_shuts_down_claims_nothing_more(submit, upstream):
    submit()
    tasks.stop_claiming()
    try:
        assert engine_claim.claim_next() == (None, 0)
    finally:
        engine_claim.stopping.clear()
    assert engine_claim.claim_next()[0] is not None


def test_the_second_account_is_called_when_the_first_has_no_slot_soon(submit, upstream):
    second = type(upstream)(name="second", base_url=upstream.base_url, order=1)
    second.encrypted_key = upstream.encrypted_key
    second.save()
    for one in (upstream, second):
        one.limit_calls, one.limit_window = 10, 10  # a slot a second
        one.save()
        open_limiter(one)
    submit(count=2)
    claims = [engine_claim.claim_next()[0] for _ in range(2)]
    assert [claim.upstream.name for claim in claims] == ["sandbox", "second"]


def test_each_model_has_its_own_order_of_accounts(submit, upstream):
    second = type(upstream)(name="second", base_url=upstream.base_url, order=1, orders={"ultra": -1})
    second.encrypted_key = upstream.encrypted_key
    second.save()
    open_limiter(second)
    for model, name in (("core", "sandbox"), ("ultra", "second"), ("sdxl", "sandbox")):
        submit(model=model)
        assert engine_claim.claim_next()[0].upstream.name == name


def test_an_account_that_serves_only_a_later_model_is_called_as_well(submit, upstream):
    """What is next waits for its own account; that keeps nobody else's from being called."""
    second = type(upstream)(name="second", base_url=upstream.base_url, order=1, models_served=["sdxl"])
    second.encrypted_key = upstream.encrypted_key
    second.save()
    open_limiter(second)
    upstream.models_served, upstream.limit_calls, upstream.limit_window = ["core"], 1, 60
    upstream.save()
    open_limiter(upstream)
    for model in ("core", "core", "sdxl"):
        submit(model=model)
    claimed = [engine_claim.claim_next()[0] for _ in range(2)]
    assert [(claim.generation.model, claim.upstream.name) for claim in claimed] == [
        ("core", "sandbox"),
        ("sdxl", "second"),
    ]


def test_commits_while_a_wake_up_message_is_pending_send_no_second_one(monkeypatch):
    woken, busy = [], threading.Event()
    monkeypatch.setattr(tasks, "_send", woken.append)
    tasks._sender.submit(busy.wait)
    for _ in range(50):
        tasks.wake_after_commit()
    busy.set()
    tasks._sender.submit(int).result()
    assert woken == [1]
    tasks.wake_after_commit()
    tasks._sender.submit(int).result()
    assert woken == [1, 1]


def test_a_claim_brings_what_the_call_and_its_end_need(submit, upstream, django_assert_num_queries):
    batch = submit(count=2, prompt="it's 100 %s", seed=7)
    claimed, more = engine_claim.claim_next()
    stored = Generation.objects.select_related("batch__member__team", "batch__start_image").get(
        pk=claimed.generation.pk
    )
    row, attempt = claimed.generation, Attempt.objects.get(generation=stored)
    expected = (0 if connection.vendor == "postgresql" else 1, 1)
    with django_assert_num_queries(expected[0]):
        claim_statement.load_batch(row)
        told = (row.batch, row.member, row.member.team, row.batch.start_image)
    assert told == (batch, stored.batch.member, stored.batch.member.team, None)
    for one, other in ((row, stored), (row.batch, stored.batch), (row.member, stored.batch.member)):
        columns = [each.attname for each in one._meta.concrete_fields]
        assert [getattr(one, name) for name in columns] == [getattr(other, name) for name in columns]
    assert more == expected[1]
    plain = Attempt(generation=row, number=1, upstream=upstream, unit=upstream.unit, worker=spool.WORKER)
    columns = [
        each.attname for each in Attempt._meta.concrete_fields if each.name not in ("id", "started_at")
    ]
    assert [getattr(attempt, name) for name in columns] == [getattr(plain, name) for name in columns]
    assert abs(attempt.started_at - plain.started_at) < timedelta(seconds=10)


def test_how_many_statements_a_picture_takes(submit, upstream):
    """Each costs a worker a tenth of a millisecond and more: docs/decisions/worker-cost.md."""
    submit(count=2)
    work(1)  # what is compiled or opened once
    with CaptureQueriesContext(connection) as queries:
        work(1)
    told = [query["sql"].strip().split()[0] for query in queries]
    assert len(told) == (5 if connection.vendor == "postgresql" else 21), told
