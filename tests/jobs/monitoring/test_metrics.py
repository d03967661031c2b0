"""/metrics: queue, accounts and credits in Prometheus' format."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from generations.core import redis_client
from generations.jobs.engine import outcomes, spool
from generations.jobs.models import Attempt, Generation, Outcome
from generations.jobs.monitoring import metrics
from generations.jobs.monitoring.counters import FINAL_AFTER, CallTotals
from generations.library.storage import client as storage_client
from generations.upstreams import accounts, blocks
from generations.upstreams.models import Upstream
from sdweb.process.ports import free_port
from tests.conftest import work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _counted_anew(monkeypatch):
    monkeypatch.setattr(metrics, "call_totals", CallTotals())
    monkeypatch.setattr(outcomes, "_jitter", lambda seconds: 0.0)


def scrape(client, **headers):
    answer = client.get("/metrics", **headers)
    assert answer.status_code == 200
    families = list(text_string_to_metric_families(answer.content.decode()))
    assert all(family.name.startswith("sdweb_") and family.documentation for family in families)
    samples = [sample for family in families for sample in family.samples]
    found = {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels)))
        if sample.labels
        else sample.name: sample.value
        for sample in samples
    }
    assert len(found) == len(samples)
    return found


def test_waiting_and_running_generations_are_counted_by_model(client, submit, upstream):
    submit(model="ultra", count=2)
    submit(model="core", count=3)
    Generation.objects.filter(model="core").update(created_at=timezone.now() - timedelta(minutes=3))
    running = Generation.objects.filter(model="ultra").first()
    Generation.objects.filter(pk=running.pk).update(status="running")
    said = scrape(client)
    assert (said["sdweb_waiting", "ultra"], said["sdweb_waiting", "core"]) == (1, 3)
    assert said["sdweb_running", "ultra"] == 1
    assert said["sdweb_oldest_waiting_seconds"] == pytest.approx(180, abs=10)
    assert said["sdweb_credits_held"] == 8 * 2 + 3 * 3


def test_calls_are_counted_by_upstream_and_outcome(client, submit, upstream, provider):
    provider.plan("500", "ok", "filtered", "drop", "ok", "403")
    for _ in range(4):
        submit()
    work()
    said = scrape(client)
    counted = {outcome: said["sdweb_calls_total", outcome, "sandbox"] for outcome in Outcome.values}
    assert counted == {
        "ok": 2,
        "accepted": 0,
        "filtered": 1,
        "refused": 1,
        "unavailable": 0,
        "busy": 1,
        "unknown": 1,
    }
    assert said["sdweb_wasted_calls_total", "sandbox"] == 2
    assert said["sdweb_bought_credits_total", "sandbox"] == 9
    assert said["sdweb_credits_spent"] == 6
    assert said["sdweb_credits_issued"] >= 100
    assert said["sdweb_pace_limit", "sandbox"] == 1_000
    assert said["sdweb_call_seconds", "0.5", "sandbox"] < 5


def test_a_counter_never_falls_and_reads_old_calls_once(submit, upstream, provider):
    counting = CallTotals()
    submit(count=3)
    work()
    assert counting.current()[0][upstream.pk, "ok"] == 3
    Attempt.objects.update(started_at=timezone.now() - 2 * FINAL_AFTER)
    open_one = Attempt.objects.order_by("-pk").first()
    Attempt.objects.filter(pk=open_one.pk).update(outcome="")
    counting.cached = None
    assert counting.current()[0][upstream.pk, "ok"] == 2
    assert counting.through == open_one.pk - 1
    Attempt.objects.filter(pk=open_one.pk).update(outcome="unknown")
    submit()
    work()
    counting.cached = None
    calls, costs = counting.current()
    assert (calls[upstream.pk, "ok"], calls[upstream.pk, "unknown"]) == (3, 1)
    assert counting.through == open_one.pk
    assert costs[upstream.pk, "ok"] == 900
    with CaptureQueriesContext(connection) as asked:
        counting.current()
    assert len(asked) == 0


def test_upstreams_that_share_a_rate_limit_show_the_sum_of_their_calls(client, submit, upstream, provider):
    Upstream.objects.update(pace_account="one", limit_calls=10, limit_window=60)
    other = Upstream.objects.create(
        name="beside", base_url="http://x", pace_account="one", limit_calls=10, limit_window=60
    )
    Upstream.objects.create(name="alone", base_url="http://x", limit_calls=10, limit_window=60)
    submit(count=2)
    row = Generation.objects.first()
    Attempt.objects.create(generation=row, number=90, upstream=other)
    Attempt.objects.create(generation=row, number=91, upstream=upstream)
    old = timezone.now() - timedelta(seconds=61)
    Attempt.objects.create(generation=row, number=92, upstream=other, started_at=old)
    said = scrape(client)
    assert said["sdweb_pace_calls", "beside"] == said["sdweb_pace_calls", "sandbox"] == 2
    assert said["sdweb_pace_used_ratio", "sandbox"] == 0.2
    assert said["sdweb_pace_calls", "alone"] == 0


def test_blocked_and_paused_accounts_are_in_the_metrics(client, upstream, provider):
    provider.state(credits=12.5)
    accounts.update_balances()
    blocks.after_call(upstream, 30)
    Upstream.objects.update(paused_at=timezone.now())
    said = scrape(client)
    assert said["sdweb_upstream_balance_credits", "sandbox"] == 12.5
    assert said["sdweb_upstream_paused", "sandbox"] == 1
    assert 20 < said["sdweb_upstream_blocked_seconds", "sandbox"] <= 30
    assert said["sdweb_redis_up"] == 1


def test_images_waiting_in_the_spool_are_in_the_metrics(client, submit, upstream, provider, monkeypatch):
    def down(*_arguments, **_named):
        raise storage_client.StorageUnavailable("down")

    with monkeypatch.context() as patch:
        patch.setattr(storage_client, "put", down)
        submit()
        work()
    said = scrape(client)
    assert (said["sdweb_spool_waiting"], said["sdweb_storing", "core"]) == (1, 1)
    row = Generation.objects.get()
    spool.mark_stored(row.pk, row.attempt)
    assert scrape(client)["sdweb_spool_waiting"] == 0


def test_without_redis_the_other_metrics_are_still_there(client, submit, upstream, settings):
    submit()
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    redis_client.client.cache_clear()
    try:
        said = scrape(client)
    finally:
        redis_client.client.cache_clear()
    assert (said["sdweb_redis_up"], said["sdweb_waiting", "core"]) == (0, 1)


def test_a_name_with_any_characters_does_not_break_the_format(client, upstream):
    Upstream.objects.update(name='a "b"\\ c\nd')
    assert ("sdweb_upstream_paused", 'a "b"\\ c\nd') in scrape(client)


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("127.9.9.9", {}, 200),
        ("::1", {}, 200),
        ("203.0.113.9", {}, 404),
        ("", {}, 404),
        ("127.0.0.1", {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 404),
        ("203.0.113.9", {"HTTP_AUTHORIZATION": "Bearer right-token"}, 200),
        ("203.0.113.9", {"HTTP_AUTHORIZATION": "Bearer wrong-tökén"}, 404),
        ("203.0.113.9", {"HTTP_AUTHORIZATION": "Bearer "}, 404),
        ("203.0.113.9", {"HTTP_AUTHORIZATION": "Basic right-token"}, 404),
        ("127.0.0.1", {"HTTP_AUTHORIZATION": "Bearer wrong"}, 404),
    ],
)
def test_metrics_are_for_local_requests_and_those_with_the_token(client, settings, address, headers, status):
    settings.METRICS_TOKEN = "right-token"
    assert client.get("/metrics", REMOTE_ADDR=address, **headers).status_code == status


def test_without_a_configured_token_no_token_is_accepted(client, settings):
    settings.METRICS_TOKEN = ""
    asked = {"REMOTE_ADDR": "203.0.113.9", "HTTP_AUTHORIZATION": "Bearer "}
    assert client.get("/metrics", **asked).status_code == 404
    assert client.post("/metrics").status_code == 405
