"""Repair after workers, storage or Redis were unavailable."""

from __future__ import annotations

import hashlib
import shutil
import threading
import uuid
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from generations.core import memory
from generations.credits import integrity_check
from generations.jobs import tasks
from generations.jobs.engine import claim as engine_claim
from generations.jobs.engine import (
    failures,
    heartbeats,
    outcomes,
    persist,
    pollers,
    spool,
    spool_files,
    sweeper,
    transitions,
)
from generations.jobs.engine import leases as engine_leases
from generations.jobs.engine import run as engine_run
from generations.jobs.models import Attempt, Generation
from generations.jobs.monitoring import alerts
from generations.jobs.monitoring.health import Health
from generations.jobs.templatetags.jobs import is_worth_repeating
from generations.library.models import Image
from generations.library.storage import client as storage_client
from generations.library.storage import keys as storage_keys
from generations.providers.base import Busy, Done, Output, Refused, Unknown
from generations.upstreams import accounts
from generations.upstreams import rate_limit as upstreams_rate_limit
from tests.conftest import open_limiter, statuses, work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _ledger_is_consistent():
    yield
    assert integrity_check.problems() == []


def test_a_sweep_asks_little_while_nothing_is_under_way(
    submit, upstream, provider, django_assert_num_queries
):
    batch = submit()
    assert work() == batch.count
    with django_assert_num_queries(3):  # open accounts, their last calls, and whether anything is under way
        sweeper.sweep()


def test_a_generation_of_a_dead_worker_is_called_once_more(submit, upstream, provider):
    batch = submit()
    engine_claim.claim_next()  # and the worker dies
    _expire_leases()
    sweeper.sweep()
    row = batch.generations.get()
    assert (row.status, row.unknown_calls, row.interrupted_calls) == ("queued", 0, 1)
    assert Attempt.objects.get().outcome == "unknown"
    _make_ready()
    assert work() == 1
    assert statuses(batch) == ["succeeded"]


def test_a_killed_worker_allows_three_further_calls_and_then_costs_nothing(member, submit, upstream):
    batch, calls = submit(), 0
    while statuses(batch) == ["queued"]:
        _make_ready()
        engine_claim.claim_next()
        calls += 1
        _expire_leases()
        sweeper.sweep()
    assert calls == 4
    assert (statuses(batch), batch.generations.get().code) == (["failed"], "interrupted")
    assert is_worth_repeating(batch.generations.get())
    member.wallet.refresh_from_db()
    assert member.wallet.available == 10_000


def test_a_killed_worker_and_a_lost_answer_are_counted_apart(submit, upstream, provider):
    batch = submit()
    provider.plan("drop")
    assert work() == 1  # a lost answer
    for _ in range(3):
        _make_ready()
        engine_claim.claim_next()  # and the worker is killed
        _expire_leases()
        sweeper.sweep()
    _make_ready()
    assert work() == 1
    assert statuses(batch) == ["succeeded"]


def test_a_living_worker_keeps_its_lease(submit, upstream):
    submit()
    claim, _ = engine_claim.claim_next()
    with engine_leases.renewing(claim.generation.pk, claim.generation.attempt):
        Generation.objects.update(lease_until=timezone.now() + timedelta(seconds=1))
        assert engine_leases.renew_all() == 1
    row = Generation.objects.get()
    assert row.lease_until > timezone.now() + timedelta(seconds=15)
    assert engine_leases.renew_all() == 0


def test_a_worker_does_not_renew_the_lease_of_a_later_attempt(submit, upstream):
    submit(count=2)
    stuck, other = (engine_claim.claim_next()[0].generation for _ in range(2))
    with engine_leases.renewing(stuck.pk, 1), engine_leases.renewing(other.pk, 1):
        Generation.objects.filter(pk=stuck.pk).update(attempt=2)
        Generation.objects.update(lease_until=timezone.now())
        assert engine_leases.renew_all() == 1
    renewed = Generation.objects.filter(lease_until__gt=timezone.now() + timedelta(seconds=15))
    assert list(renewed) == [other]


def test_while_storage_is_unavailable_an_image_waits_in_the_spool_and_is_not_bought_again(
    submit, upstream, provider, monkeypatch
):
    batch = submit()
    with monkeypatch.context() as patch:
        _break_storage(patch)
        work()
        assert statuses(batch) == ["storing"]
        _expire_leases()
        assert sweeper.store_spooled() == 0
    _expire_leases()
    assert sweeper.store_spooled() == 1
    assert statuses(batch) == ["succeeded"]
    [call] = provider.calls()
    assert Image.objects.get().sha256 == call["sha256"]


def test_generations_of_a_dead_worker_of_this_machine_are_recovered_at_once(submit, upstream, provider):
    batch = submit()
    claim, _ = engine_claim.claim_next()
    _let_worker_die(claim.generation)
    assert sweeper.recover() == 1
    assert batch.generations.get().interrupted_calls == 1
    assert not list(spool.Path(spool.settings.SPOOL).glob("dead-worker*"))


def test_an_image_that_was_received_before_the_worker_died_is_not_bought_again(submit, upstream, provider):
    batch = submit()
    claim, _ = engine_claim.claim_next()
    row = claim.generation
    _receive_and_die(row, upstream)
    _let_worker_die(row)
    sweeper.recover_and_store()
    assert statuses(batch) == ["succeeded"]
    [attempt] = Attempt.objects.all()
    assert (attempt.outcome, attempt.cost, attempt.status_code) == ("ok", 300, 200)
    assert len(provider.calls()) == 1


def test_an_image_received_after_its_lease_expired_is_used_while_the_generation_waits(
    submit, upstream, provider
):
    batch = submit()
    claim, _ = engine_claim.claim_next()
    _expire_leases()
    sweeper.sweep()  # its worker stalls, and the row is put back into the queue
    engine_run.run(claim)
    assert statuses(batch) == ["succeeded"]
    [attempt] = Attempt.objects.all()
    assert (attempt.outcome, attempt.reason) == ("ok", "")
    _make_ready()
    assert work() == 0
    assert len(provider.calls()) == 1


def test_an_image_received_after_another_was_stored_changes_nothing(submit, upstream, provider, monkeypatch):
    batch = submit()
    late, again = _claim_twice(monkeypatch)
    engine_run.run(again)
    engine_run.run(late)
    assert statuses(batch) == ["succeeded"]
    assert list(Attempt.objects.values_list("outcome", flat=True)) == ["unknown", "ok"]
    assert Image.objects.get().key.split("/")[-1].startswith("2-")
    assert sweeper.delete_unneeded() == 0
    assert sweeper.delete_unneeded(older_than=-1) == 1  # what came late is no longer of use
    assert not spool.read(batch.generations.get().pk, 1)


def test_an_image_received_before_the_next_call_is_sent_spares_that_call(
    submit, upstream, provider, monkeypatch
):
    batch = submit()
    late, again = _claim_twice(monkeypatch)
    engine_run.run(late)
    assert statuses(batch) == ["running"]
    engine_run.run(again)
    assert statuses(batch) == ["succeeded"]
    assert list(Attempt.objects.values_list("number", "outcome")) == [(1, "ok")]
    assert len(provider.calls()) == 1


FRUITLESS = {
    "a worker that was killed": None,
    "a refusal": Refused("not that", 403),
    "a filtered image": Done((Output(filtered=True),)),
    "a second lost answer": Unknown("cut off"),
    "a sixth busy provider": Busy("too much to do", 503),
}


@pytest.mark.parametrize("answer", FRUITLESS.values(), ids=FRUITLESS.keys())
def test_an_image_received_during_the_next_call_is_used_if_that_brings_none(
    submit, upstream, provider, answer, monkeypatch
):
    batch = submit()
    late, again = _claim_twice(monkeypatch)
    engine_run.run(late)
    if answer is None:
        _expire_leases()
        sweeper.sweep()
    else:
        again.generation.unknown_calls, again.generation.busy_calls = 1, 5
        outcomes.record(again.generation, upstream, answer)
    assert statuses(batch) == ["queued"]
    _make_ready()
    assert work() == 1
    assert statuses(batch) == ["succeeded"]
    assert len(provider.calls()) == 1
    assert Attempt.objects.get(number=1).outcome == "ok"
    assert Image.objects.get().key.split("/")[-1].startswith("1-")


@pytest.mark.parametrize("answer", FRUITLESS.values(), ids=FRUITLESS.keys())
def test_an_image_that_came_late_on_another_machine_is_waited_for_and_used_there(
    submit, upstream, provider, answer, monkeypatch, settings, tmp_path
):
    batch = submit()
    late, again = _claim_twice(monkeypatch)
    engine_run.run(late)
    with _elsewhere(settings, tmp_path):
        if answer is None:
            _expire_leases()
            sweeper.sweep()
        else:
            again.generation.unknown_calls, again.generation.busy_calls = 1, 5
            outcomes.record(again.generation, upstream, answer)
        assert statuses(batch) == ["queued"]
        assert engine_claim.claim_next()[0] is None
    sweeper.recover_and_store()
    _expire_leases()
    sweeper.recover_and_store()
    assert statuses(batch) == ["succeeded"]
    assert len(provider.calls()) == 1
    assert Attempt.objects.get(number=1).outcome == "ok"


def test_an_image_that_came_after_the_next_call_had_ended_is_used(
    submit, upstream, provider, monkeypatch, settings, tmp_path
):
    batch = submit()
    late, _again = _claim_twice(monkeypatch)
    with _elsewhere(settings, tmp_path):
        _expire_leases()
        sweeper.sweep()
        _make_ready()
    engine_run.run(late)
    assert Attempt.objects.get(number=1).code == transitions.LATE_IMAGE
    with _elsewhere(settings, tmp_path):
        assert engine_claim.claim_next()[0] is None
    sweeper.recover_and_store()
    _expire_leases()
    sweeper.recover_and_store()
    assert statuses(batch) == ["succeeded"]
    assert len(provider.calls()) == 1


def test_a_late_image_on_a_machine_that_is_lost_is_waited_for_and_then_bought_again(
    submit, upstream, provider, monkeypatch, settings, tmp_path
):
    batch = submit()
    late, _again = _claim_twice(monkeypatch)
    engine_run.run(late)
    with _elsewhere(settings, tmp_path):
        _expire_leases()
        sweeper.sweep()
        wait = Generation.objects.get().not_before - timezone.now()
        assert timedelta(seconds=50) < wait <= timedelta(seconds=60)
        _make_ready()
        assert work() == 1
    assert statuses(batch) == ["succeeded"]
    assert len(provider.calls()) == 2


@contextmanager
def _elsewhere(settings, folder):
    """As on another machine, which has a spool of its own."""
    here, settings.SPOOL = settings.SPOOL, str(folder / "elsewhere")
    yield
    settings.SPOOL = here


def test_an_image_whose_spool_returns_before_its_generation_is_claimed_again_is_used(
    submit, upstream, provider
):
    batch = submit()
    claim, _ = engine_claim.claim_next()
    row = claim.generation
    _receive_and_die(row, upstream)
    _expire_leases()
    elsewhere = spool.settings.SPOOL.with_name("elsewhere")
    spool.settings.SPOOL.rename(elsewhere)  # the host is down with its disk
    sweeper.sweep()
    assert statuses(batch) == ["queued"]
    elsewhere.rename(spool.settings.SPOOL)
    _let_worker_die(row)
    sweeper.recover_and_store()
    assert statuses(batch) == ["succeeded"]
    assert Attempt.objects.get().outcome == "ok"
    assert len(provider.calls()) == 1


def test_generations_of_a_living_worker_are_left_alone(submit, upstream):
    submit()
    claim, _ = engine_claim.claim_next()
    assert spool.has_room()  # this worker's folder is there, and locked
    assert sweeper.recover() == 0
    assert Generation.objects.get().status == "running"
    assert claim.generation.worker == spool.WORKER


def test_an_operator_can_give_up_an_image_whose_spool_is_lost(member, submit, upstream, monkeypatch):
    batch = submit()
    _break_storage(monkeypatch)
    work()
    row = batch.generations.get()
    assert persist.give_up(row.pk)
    assert statuses(batch) == ["failed"]
    member.wallet.refresh_from_db()
    assert member.wallet.available == 10_000


def test_spooled_files_go_ten_minutes_after_they_were_stored(submit, upstream):
    batch = submit()
    work()
    row = batch.generations.get()
    assert spool.read(row.pk, row.attempt)
    assert spool.delete_stored() == 0
    assert spool.delete_stored(older_than=-1) == 1
    assert not spool.read(row.pk, row.attempt)


def test_an_image_is_spooled_whole_or_not_at_all(submit, upstream, settings):
    batch = submit()
    work()
    row = batch.generations.get()
    [file] = settings.SPOOL.glob(f"*/{row.pk}-{row.attempt}.stored")
    file.write_bytes(file.read_bytes()[:-1])
    assert spool.read(row.pk, row.attempt) == []


@pytest.mark.parametrize("damaged", [False, True])
def test_a_lost_workers_image_is_found_in_storage_if_it_was_uploaded(
    member, submit, upstream, provider, monkeypatch, damaged
):
    """The worker died for good, with its spool, between its upload and the closing transaction."""
    batch = submit(seed=7)
    claim, _ = engine_claim.claim_next()
    with monkeypatch.context() as dying:
        dying.setattr(persist, "_finish", lambda row, stored: False)
        engine_run.run(claim)
    spool_files.path_of(spool.settings.SPOOL / spool.WORKER, (claim.generation.pk, 1)).unlink()
    if damaged:
        [key] = storage_client.list_keys(storage_keys.image_prefix(generation=claim.generation.pk, attempt=1))
        storage_client.put(key, b"half a picture", media_type="image/png")
    sweeper.sweep()
    assert statuses(batch) == ["storing"]  # its worker may only be slow
    Generation.objects.update(lease_until=timezone.now() - timedelta(seconds=70))
    sweeper.sweep()
    assert statuses(batch) == ["storing" if damaged else "succeeded"]
    assert len(provider.calls()) == 1
    member.wallet.refresh_from_db()
    assert (member.wallet.available, member.wallet.held) == ((9_700, 0) if not damaged else (9_700, 300))
    if not damaged:
        image = Image.objects.get(generation=claim.generation.pk)
        assert hashlib.sha256(storage_client.read(image.key)).hexdigest() == image.sha256
        assert (image.seed, image.width, image.height) == (7, 1216, 1216)


def test_generations_of_a_dead_worker_are_recovered_before_their_leases_expire_whatever_their_number(
    submit, upstream, monkeypatch
):
    submit(count=2)
    rows = [engine_claim.claim_next()[0].generation for _ in range(2)]
    _receive_and_die(rows[1], upstream)
    for row in rows:
        _let_worker_die(row)
    _expire_leases()
    order = []
    monkeypatch.setattr(outcomes, "settle_interrupted", lambda row: order.append((row.pk, row.lease_until)))
    sweeper.recover()
    assert [pk for pk, _lease in order] == [rows[1].pk, rows[0].pk]  # what was paid for comes first
    assert all(lease > timezone.now() + timedelta(seconds=60) for _pk, lease in order)


def test_a_worker_that_stalled_does_not_call_for_a_generation_claimed_by_another(submit, upstream, provider):
    submit()
    claim, _ = engine_claim.claim_next()
    _expire_leases()
    sweeper.settle_expired_leases()
    _make_ready()
    again, _ = engine_claim.claim_next()
    slept = replace(claim, permit=replace(claim.permit, slot=claim.permit.slot - 1_000_000))
    engine_run.run(slept)
    assert provider.calls() == []
    row = Generation.objects.get(pk=again.generation.pk)
    assert (row.status, row.attempt) == ("running", 2)
    engine_run.run(again)
    assert len(provider.calls()) == 1


def test_a_generation_unserved_for_a_day_fails_and_costs_nothing(member, submit, upstream):
    batch = submit()
    Generation.objects.update(created_at=timezone.now() - timedelta(hours=25))
    sweeper.sweep()
    assert statuses(batch) == ["failed"]
    member.wallet.refresh_from_db()
    assert member.wallet.available == 10_000
    assert is_worth_repeating(batch.generations.get())


def test_a_row_that_cannot_be_repaired_keeps_no_other_waiting_and_is_reported_the_third_time(
    submit, upstream, client
):
    submit(count=3)
    rows = [engine_claim.claim_next()[0].generation for _ in range(3)]
    unreadable = spool.Path(spool.settings.SPOOL) / "another-worker" / f"{rows[0].pk}-1"
    unreadable.mkdir(parents=True)
    (unreadable / spool_files.OLD_SIDECAR).write_bytes(b"\x00 not what was written")
    for count in range(1, 4):
        _expire_leases()
        sweeper.sweep()
        found = {row.pk: row.status for row in Generation.objects.all()}
        assert found == {rows[0].pk: "running", rows[1].pk: "queued", rows[2].pk: "queued"}
        assert len(failures.reported()) == (count == 3)
    assert str(rows[0].pk) in failures.reported()[0]
    heartbeats.send()
    [worker] = [worker for worker in heartbeats.known_workers() if worker.name == spool.WORKER]
    [alert] = alerts.of_installation(Health(redis=True, storage=True, workers=[worker]))
    assert (alert.level, str(rows[0].pk) in alert.text) == ("bad", True)
    shutil.rmtree(unreadable)
    sweeper.sweep()
    assert Generation.objects.get(pk=rows[0].pk).status == "queued"
    assert failures.reported() == []
    heartbeats.remove()


def test_a_step_that_fails_ends_no_sweep(submit, upstream, monkeypatch):
    submit()
    engine_claim.claim_next()
    _expire_leases()
    monkeypatch.setattr(sweeper.upstreams_rate_limit, "prepare", lambda *_a, **_o: 1 / 0)
    sweeper.sweep()
    assert Generation.objects.get().status == "queued"


def test_upkeep_goes_on_after_any_exception(monkeypatch):
    rounds, over = [], threading.Event()

    def fails(count):
        rounds.append(count)
        if count == 3:
            over.set()
            threading.Event().wait()  # to the end of this process
        raise (KeyError, MemoryError, SystemExit)[count]("unexpected")

    monkeypatch.setattr(tasks, "UPKEEP_INTERVAL", 0.0)
    monkeypatch.setattr(tasks, "upkeep_round", fails)
    monkeypatch.setattr(pollers, "start", lambda **_: None)  # it would poll in all tests that follow
    tasks.start_upkeep()
    assert over.wait(10)
    assert rounds == [0, 1, 2, 3]


def test_one_part_of_upkeep_that_fails_stops_no_other(monkeypatch):
    done = []
    monkeypatch.setattr(sweeper, "recover_and_store", lambda: 1 / 0)
    monkeypatch.setattr(heartbeats, "send", lambda: done.append("heartbeat"))
    monkeypatch.setattr(sweeper, "clean_spool", lambda: done.append("clean"))
    monkeypatch.setattr(memory, "give_back", lambda: done.append("memory"))
    tasks.upkeep_round(0)
    assert done == ["heartbeat", "clean", "memory"]


def test_leases_of_more_than_a_thousand_rows_are_renewed(submit, upstream):
    submit()
    claim, _ = engine_claim.claim_next()
    Generation.objects.update(lease_until=timezone.now())
    with ExitStack() as held:
        for _ in range(1_200):
            held.enter_context(engine_leases.renewing(uuid.uuid4(), 1))
        held.enter_context(engine_leases.renewing(claim.generation.pk, claim.generation.attempt))
        assert engine_leases.renew_all() == 1
    assert Generation.objects.get().lease_until > timezone.now() + timedelta(seconds=15)


def test_the_sweeper_wakes_one_worker_for_an_idle_account(submit, upstream):
    assert sweeper.wakes_needed() == 0
    submit(count=3)
    assert sweeper.wakes_needed() == 1
    upstream.limit_calls, upstream.limit_window = 10, 10
    upstream.save()
    upstreams_rate_limit.reserve(upstream)
    assert sweeper.wakes_needed() == 1  # the slot that was taken may be the last that anybody waits for
    upstreams_rate_limit.reserve(upstream)
    assert sweeper.wakes_needed() == 0  # somebody waits for a slot, and rings for more
    open_limiter(upstream)
    upstream.draining = True
    upstream.save()
    assert sweeper.wakes_needed() == 0


def _claim_twice(monkeypatch):
    """A generation whose first worker stalls, after it had confirmed its permit, and is given to a second."""
    monkeypatch.setattr(upstreams_rate_limit, "confirm", lambda _permit: True)
    late, _ = engine_claim.claim_next()
    _expire_leases()
    sweeper.sweep()
    _make_ready()
    again, _ = engine_claim.claim_next()
    return late, again


def _expire_leases():
    Generation.objects.filter(lease_until__isnull=False).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )


def _receive_and_die(row, upstream):
    """Its image was received and synced, and nobody wrote so."""
    done = accounts.provider(upstream).submit(engine_run._request(row), timeout=10)
    with pytest.MonkeyPatch.context() as dying:
        dying.setattr(outcomes, "mark_received", lambda row: False)
        outcomes.record(row, upstream, done)


def _let_worker_die(row):
    """What a kill -9 leaves: its folder, which nobody holds."""
    root = spool.Path(spool.settings.SPOOL)
    shutil.copytree(root / spool.WORKER, root / "dead-worker", dirs_exist_ok=True)
    spool_files.path_of(root / spool.WORKER, (row.pk, row.attempt)).unlink(missing_ok=True)
    Generation.objects.filter(pk=row.pk).update(worker="dead-worker")


def _make_ready():
    Generation.objects.filter(status="queued").update(not_before=timezone.now() - timedelta(seconds=1))


def _break_storage(monkeypatch):
    def put(*_arguments, **_options):
        raise storage_client.StorageUnavailable("connection refused")

    monkeypatch.setattr(storage_client, "put", put)
