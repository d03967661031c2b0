"""The operators' queue page: permissions, contents and actions."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generations.core import redis_client
from generations.credits import integrity_check
from generations.jobs.engine import claim as engine_claim
from generations.jobs.engine import heartbeats
from generations.jobs.engine import run as engine_run
from generations.jobs.models import Attempt, Generation, Outcome, Status
from generations.jobs.monitoring import health as monitoring_health
from generations.jobs.queue import calls_per_minute, dashboard
from generations.providers.base import Busy, ModelUnavailable, Unavailable
from generations.upstreams import accounts, blocks
from generations.upstreams import environment as upstreams_environment
from generations.upstreams import rate_limit as upstreams_rate_limit
from generations.upstreams.models import Upstream
from tests.conftest import statuses, work
from tests.markup import compact
from tests.pages.csp import csp_violations

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "a secret garden nobody may read about"


@pytest.fixture(autouse=True)
def _clear_caches():
    calls_per_minute.clear_cache()
    redis_client.client().delete(heartbeats.KEY)


@pytest.fixture
def operator(mei, member) -> Client:
    """Mei, who runs the installation too."""
    member.user.is_staff = True
    member.user.save()
    return mei


def page_text(visitor: Client, path: str = "/queue/") -> str:
    """The page's text, with its spaces made single."""
    answer = visitor.get(path)
    assert answer.status_code == 200
    return compact(answer.content.decode())


def click(visitor: Client, path: str, **fields: object) -> str:
    """What the page says after one of its buttons."""
    answer = visitor.post(f"/queue/{path}", fields, follow=True)
    assert answer.status_code == 200, path
    return compact(answer.content.decode())


def call(
    row: Generation, upstream: Upstream, outcome: Outcome, *, ago: float, took: float = 8.0, **facts
) -> None:
    """A call of the past."""
    began = timezone.now() - timedelta(seconds=ago)
    ended = began + timedelta(seconds=took)
    number = row.attempts.count() + 1
    facts = {"started_at": began, "ended_at": ended, "outcome": outcome} | facts
    Attempt.objects.create(generation=row, number=number, upstream=upstream, **facts)


def test_the_page_is_there_for_operators_alone(mei, member, client, address, upstream):
    paths = ["pause/", "resume/", f"upstream/{upstream.pk}/pause/", f"member/{member.pk}/weight/"]
    assert mei.get("/queue/").status_code == 404
    assert [mei.post(f"/queue/{path}").status_code for path in paths] == [404] * 4
    assert "/queue/" not in mei.get(address("create/")).content.decode()
    mei.logout()
    assert mei.get("/queue/")["Location"].startswith("/accounts/login/")
    upstream.refresh_from_db()
    assert upstream.paused_at is None


def test_operators_find_the_queue_in_the_navigation_and_it_obeys_the_content_security_policy(
    operator, address, submit, upstream
):
    submit(count=2)
    work(1)
    assert 'href="/queue/"' in operator.get(address("create/")).content.decode()
    for path in ("/queue/", "/queue/?calls=table"):
        answer = operator.get(path)
        assert not csp_violations(answer.content.decode())
        assert "unsafe" not in answer["Content-Security-Policy"]


def test_an_operator_without_a_team_sees_it_too(operator, member, upstream):
    type(member).objects.update(ended_at=timezone.now())
    page = page_text(operator)
    assert "Nobody waits" in page
    assert 'aria-current="page"' in page


def test_prompts_are_never_shown(operator, submit, upstream):
    submit(prompt=SECRET, count=3)
    work(2)
    unstored(submit(prompt=SECRET).generations.get(), upstream)
    assert SECRET not in operator.get("/queue/").content.decode()


def test_it_says_how_many_wait_and_for_how_long(operator, submit, upstream):
    submit(count=3)
    Generation.objects.update(created_at=timezone.now() - timedelta(seconds=118))
    claim, _more = engine_claim.claim_next()
    page = page_text(operator)
    assert "2 waiting, 1 being drawn, the oldest for 2 min" in page
    assert claim.generation.status == Status.RUNNING


def test_an_upstreams_card_shows_its_state(operator, upstream):
    assert re.search(r"tag-ok.{,200}open", page_text(operator))
    blocks.after_call(upstream, 38)
    assert re.search(r"tag-warn.{,200}blocked for 3[78] s", page_text(operator))
    accounts.pause(upstream, Unavailable("key refused", 401))
    assert "paused: key refused (401)" in page_text(operator)


def test_an_upstreams_card_names_the_systems_and_models_that_it_is_not_asked_for(operator, upstream):
    upstream.kind, upstream.systems = "gateway", {"stability": {"prefix": "/sd"}, "midjourney": {}}
    upstream.save()
    assert "halts" not in page_text(operator)
    full = Busy("Midjourney's queue is full.", 429, retry_after=38, of_system=True)
    blocks.after_order(upstream, "midjourney", full)
    accounts.close_model(upstream, "ultra", ModelUnavailable("<no such model>", 404))
    page = page_text(operator)
    assert re.search(r"<b>Midjourney</b>.{,200}blocked for 3[78] s.{,60}too many requests \(429\)", page)
    assert re.search(r"<b>Ultra</b>.{,200}left out for .{,60}&lt;no such model&gt; \(404\)", page)
    ended = {"midjourney": timezone.now().isoformat()}
    Upstream.objects.update(systems_blocked=ended, closed_models={})
    assert "halts" not in page_text(operator)


def test_an_upstreams_card_shows_its_rate_and_response_times(operator, submit, upstream):
    Upstream.objects.update(limit_calls=150, limit_window=10, balance="4390.5")
    [row] = submit().generations.all()
    for number in range(20):
        call(row, upstream, Outcome.OK, ago=300 + number, took=1 + number)
    for _ in range(9):
        call(row, upstream, Outcome.OK, ago=2, took=1)
    page = page_text(operator)
    assert "<strong>9</strong><span>of 150 calls in any 10 s</span><b>0.9/s</b>" in page
    assert "<dt>median</dt><dd>6.0 s</dd>" in page
    assert "<dt>slowest 5 %</dt><dd>over 19.0 s</dd>" in page
    assert ">4,390.50</dd>" in page
    assert page.count('class="filled"') == 3


def test_two_upstreams_that_share_a_limit_show_the_calls_of_both(operator, submit, upstream):
    Upstream.objects.update(limit_calls=150, limit_window=10, pace_account="ours")
    twin = Upstream.objects.create(
        name="twin", base_url="http://x", pace_account="ours", limit_calls=150, limit_window=10
    )
    [row] = submit().generations.all()
    call(row, upstream, Outcome.OK, ago=3, took=1)
    call(row, twin, Outcome.OK, ago=3, took=1)
    assert [card.calls for card in dashboard.read().cards] == [2, 2]


def test_calls_of_the_last_hour_are_counted_by_outcome_and_the_table_has_the_same_numbers(
    operator, submit, upstream
):
    [row] = submit().generations.all()
    for outcome, number in (("ok", 4), ("busy", 3), ("filtered", 1), ("refused", 1), ("unknown", 1)):
        for _ in range(number):
            call(row, upstream, Outcome(outcome), ago=1_800)
    call(row, upstream, Outcome.OK, ago=4_000)
    calls = dashboard.read().calls
    assert calls.totals == (4, 3, 2, 1)
    assert len(calls.rows) == 60
    assert {segment.series for bar in calls.bars for segment in bar} == {"ok", "busy", "refused", "unknown"}
    table = page_text(operator, "/queue/?calls=table").split('id="calls-per-minute-table"')[1]
    assert re.search(
        r'<td class="number">4</td>\s*<td class="number">3</td>\s*<td class="number">2</td>', table
    )
    assert dashboard.read().calls.totals == (4, 3, 2, 1)  # from what is remembered


def test_the_newest_minutes_are_counted_again(submit, upstream):
    [row] = submit().generations.all()
    assert dashboard.read().calls.totals == (0, 0, 0, 0)
    call(row, upstream, Outcome.OK, ago=60)
    assert dashboard.read().calls.totals == (1, 0, 0, 0)


def test_the_latest_calls_show_their_outcomes(operator, submit, upstream, provider):
    provider.plan("403")
    submit(model="ultra")
    work()
    submit()
    work()
    page = page_text(operator)
    assert "refused, 403" in page
    assert "ok, 200" in page
    assert ">3.00</td>" in page
    assert "Ultra" in page


def test_the_number_of_queries_is_the_same_for_one_row_and_for_hundreds(
    operator, make_member, submit, upstream
):
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            operator.get("/queue/")
        return len(asked)

    submit(count=2)
    work(1)
    few = min(queries() for _ in range(3))
    for number in range(12):
        submit(by=make_member(f"person{number}"), count=10)
    work(20)
    for _ in range(3):
        Upstream.objects.create(name=f"other {_}", base_url="http://x")
    assert min(queries() for _ in range(3)) == few  # that somebody was here is written down once a minute


def test_an_hour_of_many_calls_is_found_by_its_index(submit, upstream):
    [row] = submit().generations.all()
    long_ago = timezone.now() - timedelta(days=3)
    calls = (
        {"number": number, "started_at": long_ago - timedelta(minutes=number)} for number in range(5_000)
    )
    Attempt.objects.bulk_create(
        Attempt(generation=row, upstream=upstream, outcome=Outcome.OK, **facts) for facts in calls
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with CaptureQueriesContext(connection) as asked:
        dashboard.read()
    counted = [
        query["sql"] for query in asked if "jobs_attempt" in query["sql"] and "GROUP BY" in query["sql"]
    ]
    assert len(counted) == 2
    explain = "EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
    with connection.cursor() as cursor:
        for sql in counted:
            cursor.execute(explain + sql)
            assert "newest_calls_of_an_upstream" in str(cursor.fetchall())


def test_an_operator_pauses_and_resumes_one_upstream(operator, submit, upstream):
    assert "sandbox is paused." in click(operator, f"upstream/{upstream.pk}/pause/")
    assert ">Paused by Mei.<" in page_text(operator)
    batch = submit()
    assert work() == 0
    accounts.update_balances()
    Upstream.objects.update(paused_at=timezone.now() - timedelta(hours=1))
    accounts.update_balances()
    assert work() == 0
    assert "sandbox is called again." in click(operator, f"upstream/{upstream.pk}/resume/")
    assert work() == 1
    assert statuses(batch) == ["succeeded"]


def test_a_drained_upstream_finishes_what_runs_and_starts_nothing(operator, submit, upstream):
    batch = submit(count=2)
    claim, _more = engine_claim.claim_next()
    click(operator, f"upstream/{upstream.pk}/drain/")
    engine_run.run(replace(claim, permit=upstreams_rate_limit.reserve(upstream)))
    assert work() == 0
    assert sorted(statuses(batch)) == ["queued", "succeeded"]
    assert "draining" in page_text(operator)
    click(operator, f"upstream/{upstream.pk}/resume/")
    assert work() == 1


def test_every_account_is_paused_and_resumed_at_once(operator, upstream):
    accounts.pause(upstream, Unavailable("no credits left", 402))
    Upstream.objects.create(name="second", base_url="http://x")
    page = click(operator, "pause/")
    assert "Resume all" in page
    accounts.update_balances([Upstream.objects.get(pk=upstream.pk)])
    assert not Upstream.objects.open().exists()
    assert "Pause all" in click(operator, "resume/")
    assert Upstream.objects.open().count() == 2


def test_everything_can_be_resumed_while_anything_is_paused(operator, upstream):
    Upstream.objects.create(name="second", base_url="http://x")
    page = click(operator, f"upstream/{upstream.pk}/pause/")
    assert "Resume all" in page
    assert "Pause all" in page
    assert "Resume all" not in click(operator, "resume/")
    assert "Resume all" in click(operator, f"upstream/{upstream.pk}/drain/")
    page = click(operator, "pause/")
    assert "Pause all" not in page


def test_a_pause_by_hand_outlives_a_restart_with_the_same_settings(operator, settings, db):
    settings.STABILITY_BASE_URL, settings.STABILITY_API_KEY = "http://127.0.0.1:9", "sk-something"
    mine = upstreams_environment.sync()
    click(operator, f"upstream/{mine.pk}/pause/")
    assert upstreams_environment.sync().paused_at


def test_a_member_is_served_first_without_pushing_newcomers_behind_everybody(
    operator, make_member, submit, upstream
):
    jonas, sara, tom = (make_member(name) for name in ("jonas", "sara", "tom"))
    submit(by=jonas, count=3)
    submit(by=sara, count=6)
    assert "6 of Sara are served first." in click(operator, f"member/{sara.pk}/first/")
    assert (
        list(Generation.objects.ready().in_queue_order().values_list("member", flat=True)[:6])
        == [sara.pk] * 6
    )
    work(6)
    submit(by=tom)
    line = list(Generation.objects.ready().in_queue_order().values_list("member", flat=True))
    assert line.index(tom.pk) <= 1


def test_served_in_turn_again_everybody_has_their_old_queue_position(operator, make_member, submit, upstream):
    jonas, sara = make_member("jonas"), make_member("sara")
    submit(by=jonas, count=2)
    submit(by=sara, count=2)
    before = list(Generation.objects.ready().in_queue_order())
    click(operator, f"member/{sara.pk}/first/")
    assert "2 of Sara are served in turn." in click(operator, f"member/{sara.pk}/in-turn/")
    assert list(Generation.objects.ready().in_queue_order()) == before


def test_a_heavier_member_gets_more_slots_of_what_waits_already(operator, make_member, submit, upstream):
    jonas, sara = make_member("jonas"), make_member("sara")
    submit(by=jonas, count=8)
    submit(by=sara, count=8)
    click(operator, f"member/{sara.pk}/weight/", weight="3")
    first_eight = list(Generation.objects.ready().in_queue_order().values_list("member", flat=True)[:8])
    assert first_eight.count(sara.pk) == 6
    click(operator, f"member/{sara.pk}/weight/", weight="1")
    first_eight = list(Generation.objects.ready().in_queue_order().values_list("member", flat=True)[:8])
    assert first_eight.count(sara.pk) == 4


@pytest.mark.parametrize("weight", ["0", "11", "-1", "", "many", "1.5", "²", "9" * 5_000])
def test_an_invalid_weight_is_refused(operator, member, upstream, weight):
    said = click(operator, f"member/{member.pk}/weight/", weight=weight)
    assert "A weight is a whole number from 1 to 10." in said
    member.refresh_from_db()
    assert member.weight == 1


def unstored(row: Generation, upstream: Upstream, *, silent: float = 90) -> Generation:
    """As a worker leaves it that received an image and was not heard of again."""
    since = timezone.now() - timedelta(seconds=silent)
    Generation.objects.filter(pk=row.pk).update(
        status=Status.STORING,
        attempt=1,
        worker="gone",
        lease_until=since,
        changed_at=since,
        upstream=upstream,
    )
    return row


def test_a_lost_image_is_given_up_and_not_charged(operator, member, submit, upstream):
    row = unstored(submit().generations.get(), upstream)
    assert "Give up, not charged" in page_text(operator)
    assert "Given up, not charged." in click(operator, f"generation/{row.pk}/give-up/")
    member.wallet.refresh_from_db()
    assert (member.wallet.balance, member.wallet.held) == (10_000, 0)
    assert integrity_check.problems() == []


def test_an_image_whose_worker_is_alive_is_not_given_up(operator, submit, upstream):
    row = unstored(submit().generations.get(), upstream, silent=30)
    page = page_text(operator)
    assert "being stored" in page
    assert "Give up" not in page
    assert "it was not given up" in click(operator, f"generation/{row.pk}/give-up/")
    row.refresh_from_db()
    assert row.status == Status.STORING


def test_members_are_told_that_their_pictures_wait_to_be_stored(mei, address, make_member, submit, upstream):
    unstored(submit(by=make_member("jonas")).generations.get(), upstream)
    assert "to be stored" not in mei.get(address("create/")).content.decode()
    unstored(submit().generations.get(), upstream)
    for path in ("create/", "notices/"):
        assert "1 picture waits to be stored" in mei.get(address(path)).content.decode()


def test_operators_are_told_of_a_disk_that_is_nearly_full_and_members_are_not(
    mei, member, address, upstream, settings
):
    heartbeats.send()
    say = {"heard_at": time.time(), "waiting": 3, "free": 300 * 2**20, "has_room": True}
    redis_client.client().hset(heartbeats.KEY, "attic", json.dumps(say))
    assert "attic" not in mei.get(address("create/")).content.decode()
    member.user.is_staff = True
    member.user.save()
    assert (
        "The disk of the spool of attic is nearly full: 300 MB"
        in mei.get(address("create/")).content.decode()
    )
    redis_client.client().hset(heartbeats.KEY, "attic", json.dumps(say | {"has_room": False}))
    assert "attic takes nothing new: 3 pictures wait" in page_text(mei)


def test_workers_are_counted_while_they_send_heartbeats(operator, upstream):
    assert "Workers 0 of 0" in page_text(operator)
    assert "No worker is running" in page_text(operator)
    heartbeats.send()
    silent = {"heard_at": time.time() - 60, "waiting": 0, "free": 2**40, "has_room": True}
    gone = silent | {"heard_at": time.time() - 600}
    redis_client.client().hset(
        heartbeats.KEY, mapping={"silent": json.dumps(silent), "gone": json.dumps(gone)}
    )
    assert "Workers 1 of 2, Redis, storage and database answer" in page_text(operator)
    heartbeats.remove()
    assert [worker.name for worker in heartbeats.known_workers()] == ["silent"]


def test_the_page_is_served_without_redis_and_storage(operator, settings, upstream, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    redis_client.client.cache_clear()
    monkeypatch.setattr(monitoring_health._storage, "cached", None)
    try:
        began = time.monotonic()
        assert "Redis does not answer" in page_text(operator)
        assert time.monotonic() - began < 3
    finally:
        redis_client.client.cache_clear()


def test_htmx_gets_the_part_that_reloads_with_its_chart_or_table(operator, submit, upstream):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/queue/?calls=table"}
    part = operator.get("/queue/", headers=headers).content.decode()
    assert "<html" not in part
    assert 'id="calls-per-minute-table"' in part
    said = operator.post("/queue/pause/", headers=headers)
    assert "Everything is paused" in said["HX-Trigger"]
    assert 'id="calls-per-minute-table"' in said.content.decode()
    assert 'id="now"' in said.content.decode()
