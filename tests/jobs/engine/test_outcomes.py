"""What each result of a call does to the generation, its credits and the account."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.db import OperationalError, connection
from django.utils import timezone

from generations.credits import integrity_check
from generations.credits.models import Hold, Transfer, TransferKind
from generations.jobs.engine import claim as engine_claim
from generations.jobs.engine import outcomes, sweeper
from generations.jobs.engine import run as engine_run
from generations.jobs.models import Attempt, Generation
from generations.jobs.reconciliation import report as reconciliation_report
from generations.jobs.templatetags.jobs import is_worth_repeating
from generations.library.models import Image, Upload
from generations.library.storage import client as storage_client
from generations.library.storage import keys as storage_keys
from generations.providers.stability import client as stability_client
from generations.upstreams import accounts
from generations.upstreams import rate_limit as upstreams_rate_limit
from tests.conftest import open_limiter, statuses, work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_delay_between_calls(monkeypatch):
    monkeypatch.setattr(outcomes, "_jitter", lambda seconds: 0.0)


@pytest.fixture(autouse=True)
def _ledger_is_consistent():
    yield
    assert integrity_check.problems() == []


def test_an_image_that_arrives_is_stored_charged_and_in_the_library(member, submit, upstream, provider):
    batch = submit(model="ultra", prompt="a lighthouse", seed=41)
    assert work() == 1
    assert statuses(batch) == ["succeeded"]
    [image] = Image.objects.all()
    [call] = provider.calls()
    assert (image.sha256, image.seed, image.prompt) == (call["sha256"], 41, "a lighthouse")
    assert storage_client.read(image.key)
    assert storage_client.head(image.key).metadata["attempt"] == "1"
    member.wallet.refresh_from_db()
    assert (member.wallet.balance, member.wallet.held) == (9_200, 0)
    [charge] = Transfer.objects.filter(kind=TransferKind.CHARGE)
    assert (charge.amount, charge.reference, charge.model) == (800, batch.generations.get().pk, "ultra")


@pytest.mark.parametrize(
    ("outcome", "status", "says"),
    [
        ("400", "failed", "planned"),
        ("403", "failed", "content"),
        ("413", "failed", "large"),
        ("422", "failed", "English"),
        ("filtered", "filtered", "so it was not kept. Try a new seed."),
    ],
)
def test_a_refused_image_costs_nothing_and_says_why(
    member, submit, upstream, provider, outcome, status, says
):
    provider.plan(outcome)
    batch = submit()
    work()
    row = batch.generations.get()
    assert row.status == status
    assert says in row.reason
    assert len(provider.calls()) == 1
    _assert_nothing_charged(member)


def test_a_busy_provider_is_asked_again(member, submit, upstream, provider):
    provider.plan("500", "500", "ok")
    batch = submit()
    assert work() == 3
    assert statuses(batch) == ["succeeded"]
    assert list(Attempt.objects.values_list("outcome", flat=True)) == ["busy", "busy", "ok"]


def test_after_six_busy_answers_the_image_fails_and_costs_nothing(member, submit, upstream, provider):
    provider.plan(*["500"] * 7)
    batch = submit()
    assert work() == 6
    assert statuses(batch) == ["failed"]
    _assert_nothing_charged(member)


@pytest.mark.parametrize("outcome", ["drop", "truncate", "not-an-image", "502-html", "504-html", "524-html"])
def test_a_call_whose_answer_was_lost_is_repeated_once(member, submit, upstream, provider, outcome):
    provider.plan(outcome, outcome, "ok")
    batch = submit()
    assert work() == 2
    assert statuses(batch) == ["failed"]
    assert list(Attempt.objects.values_list("outcome", flat=True)) == ["unknown", "unknown"]
    assert len(provider.calls()) == 2
    _assert_nothing_charged(member)


@pytest.mark.parametrize(("outcome", "seconds"), [("429:7", 7), ("429", 60)])
def test_a_429_blocks_the_account_and_is_not_counted_as_busy(
    member, submit, upstream, provider, outcome, seconds
):
    provider.plan(outcome)
    batch = submit(count=2)
    assert work() == 1  # the second one waits too
    assert statuses(batch) == ["queued", "queued"]
    upstream.refresh_from_db()
    rest = (upstream.blocked_until - timezone.now()).total_seconds()
    assert seconds - 3 < rest <= seconds
    assert not Generation.objects.filter(busy_calls__gt=0).exists()
    member.wallet.refresh_from_db()
    assert member.wallet.held == 600


@pytest.mark.parametrize(("outcome", "status"), [("401", 401), ("402", 402)])
def test_an_account_that_cannot_serve_is_paused_and_the_image_waits(
    submit, upstream, provider, outcome, status
):
    provider.plan(outcome)
    batch = submit(count=2)
    assert work() == 1
    assert statuses(batch) == ["queued", "queued"]
    upstream.refresh_from_db()
    assert upstream.paused_status == status
    assert upstream.key not in upstream.paused_reason


LACKING = ["404", "404-model", "403-model"]


@pytest.mark.parametrize("outcome", LACKING)
def test_a_model_that_an_account_lacks_fails_uncharged_and_stops_no_other_model(
    member, submit, upstream, provider, outcome
):
    provider.plan({"outcome": outcome, "match": "ultra", "times": 9})
    lacking, beside = submit(model="ultra", prompt="an ultra boat", count=2), submit(model="core")
    assert work() == 2
    assert sweeper.fail_without_account() == 1  # its second picture needs no call to know it
    assert (statuses(lacking), statuses(beside)) == (["failed", "failed"], ["succeeded"])
    row = lacking.generations.first()
    assert row.code == "model_unavailable"
    assert is_worth_repeating(row)
    upstream.refresh_from_db()
    assert upstream.paused_at is None
    assert not upstream.is_closed("core")
    member.wallet.refresh_from_db()
    assert (member.wallet.balance, member.wallet.held) == (9_700, 0)


def test_a_closed_model_is_asked_for_again_after_ten_minutes_and_opens_when_it_is_drawn(
    submit, upstream, provider
):
    provider.plan("404-model")
    submit()
    assert work() == 1
    upstream.refresh_from_db()
    rest = upstream.closed_until("core") - timezone.now()
    assert timedelta(minutes=9) < rest <= timedelta(minutes=10)
    later = submit()
    assert work() == 0
    upstream.closed_models["core"]["until"] = timezone.now().isoformat()
    upstream.save()
    assert work() == 1
    assert statuses(later) == ["succeeded"]
    upstream.refresh_from_db()
    assert upstream.closed_models == {}


def test_an_image_whose_model_one_account_lacks_goes_to_another(submit, upstream, provider):
    second = type(upstream)(
        name="second", base_url=upstream.base_url, order=1, limit_calls=1_000, limit_window=1
    )
    second.set_key(upstream.key)
    second.save()
    open_limiter(second)
    provider.plan("404-model")
    batch = submit()
    assert work() == 2
    assert statuses(batch) == ["succeeded"]
    used = Attempt.objects.values_list("upstream__name", "outcome", "cost")
    assert list(used) == [("sandbox", "unavailable", 0), ("second", "ok", 300)]
    assert sweeper.fail_without_account() == 0


def test_an_account_that_lacks_each_of_its_models_is_paused(submit, upstream, provider):
    upstream.models_served = ["core", "ultra"]
    upstream.save()
    provider.plan("404", "404")
    submit()
    work()
    upstream.refresh_from_db()
    assert upstream.paused_at is None
    submit(model="ultra")
    work()
    upstream.refresh_from_db()
    assert upstream.paused_status == 404
    accounts.resume(upstream)
    upstream.refresh_from_db()
    assert (upstream.paused_at, upstream.closed_models) == (None, {})


@pytest.mark.parametrize("first", [False, True])
def test_an_image_whose_call_paused_the_account_is_not_the_first_to_try_afterwards(
    submit, upstream, provider, make_member, first
):
    provider.plan({"outcome": "402", "match": "cursed", "times": 9})
    cursed = submit(prompt="cursed", by=make_member("tom"))
    own, others = submit(model="ultra", by=cursed.member), submit()
    if first:
        Generation.objects.filter(batch=cursed).update(priority=1)
    assert work() == 1
    assert statuses(cursed) == ["queued"]
    accounts.resume(upstream)
    assert work() == 3  # the cursed one comes last, and pauses the account again
    assert (statuses(cursed), statuses(own), statuses(others)) == (["queued"], ["succeeded"], ["succeeded"])


def test_what_a_gateway_drew_before_its_timeout_is_named_by_the_reconciliation(submit, upstream, provider):
    provider.plan("504-html", "ok")
    submit()
    assert work() == 2
    [day] = reconciliation_report.reconcile(since=timezone.localdate(), until=timezone.localdate()).days
    assert (day.calls["unknown"], day.may_have_cost, day.bought) == (1, 300, 300)


def test_an_exception_in_a_providers_client_counts_as_a_lost_answer(submit, upstream, provider, monkeypatch):
    def broken(*_arguments, **_options):
        raise KeyError("a fault of ours")

    batch = submit()
    with monkeypatch.context() as patch:
        patch.setattr(stability_client, "parse_response", broken)
        assert work(1) == 1
    assert list(Attempt.objects.values_list("outcome", flat=True)) == ["unknown"]
    assert work() == 1
    assert statuses(batch) == ["succeeded"]


def test_an_account_whose_key_cannot_be_decrypted_is_paused_and_the_image_waits(
    submit, upstream, provider, settings
):
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    accounts._provider.cache_clear()
    batch = submit()
    assert work() == 1
    assert statuses(batch) == ["queued"]
    upstream.refresh_from_db()
    assert "Enter it again" in upstream.paused_reason


def test_an_image_whose_start_image_is_gone_fails_at_once_and_costs_nothing(
    member, submit, upstream, provider
):
    key = storage_keys.upload_key(team=member.team_id, sha256="0" * 64, media_type="image/png")
    gone = Upload.objects.create(
        team=member.team,
        owner=member,
        key=key,
        sha256="0" * 64,
        media_type="image/png",
        width=64,
        height=64,
        bytes=9,
    )
    batch = submit(model="ultra", strength=0.5, start_image=gone)
    work()
    row = batch.generations.get()
    assert (row.status, row.code) == ("failed", "start_image_gone")
    assert not Attempt.objects.exists()
    assert not provider.calls()
    _assert_nothing_charged(member)


def test_time_spent_blocked_does_not_count_towards_the_fifteen_minutes(submit, upstream, provider):
    provider.plan("429", "500", "ok")
    batch = submit()
    work()
    hours_ago = timezone.now() - timedelta(hours=2)
    Generation.objects.update(first_called_at=hours_ago, changed_at=hours_ago)
    _end_block(upstream)
    assert work() == 2
    assert statuses(batch) == ["succeeded"]


def test_an_image_fails_fifteen_minutes_after_its_first_call(member, submit, upstream, provider):
    provider.plan("500", "500")
    batch = submit()
    row = batch.generations.get()
    Generation.objects.filter(pk=row.pk).update(first_called_at=timezone.now() - timedelta(minutes=16))
    assert work() == 1
    row.refresh_from_db()
    assert (row.status, row.code) == ("failed", "patience")
    _assert_nothing_charged(member)


def test_a_paid_image_outlives_a_database_that_is_locked_for_a_while(submit, upstream, provider):
    batch = submit()
    locked = 2

    def refuse(execute, sql, *more):
        nonlocal locked
        if locked and 'UPDATE "jobs_attempt"' in sql:
            locked -= 1
            raise OperationalError("database is locked")
        return execute(sql, *more)

    with connection.execute_wrapper(refuse):
        assert work() == 1
    assert not locked
    assert statuses(batch) == ["succeeded"]
    assert len(provider.calls()) == 1


def test_an_expired_permit_is_replaced_without_undoing_the_claim(submit, upstream, provider):
    batch = submit()
    claim, _more = engine_claim.claim_next()
    time.sleep(2 * upstreams_rate_limit.MARGIN)
    engine_run.run(claim)
    assert statuses(batch) == ["succeeded"]
    assert Attempt.objects.count() == 1


def test_a_worker_whose_generation_was_claimed_again_changes_nothing(submit, upstream, provider):
    submit()
    claim, _ = engine_claim.claim_next()
    Generation.objects.update(attempt=7)  # given to somebody else meanwhile
    engine_run.run(claim)
    row = Generation.objects.get()
    assert (row.status, row.attempt) == ("running", 7)
    assert not Image.objects.exists()


def _end_block(upstream):
    upstream.blocked_until = None
    upstream.save()
    open_limiter(upstream)


def _assert_nothing_charged(member):
    member.wallet.refresh_from_db()
    assert (member.wallet.balance, member.wallet.held) == (10_000, 0)
    assert not Hold.objects.filter(state="open").exists()
    assert not Transfer.objects.filter(kind=TransferKind.CHARGE).exists()
