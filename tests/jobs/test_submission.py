"""What pressing Generate, Cancel and Try again do to the queue and to the wallet."""

from __future__ import annotations

import threading
import uuid
from datetime import datetime, timedelta
from datetime import timezone as tz

import pytest
from django.db import connection
from django.utils import timezone

from generations.credits import integrity_check, ledger
from generations.credits.models import Hold
from generations.jobs import pricing, retries, submission
from generations.jobs.engine import claim as engine_claim
from generations.jobs.engine import outcomes
from generations.jobs.models import Batch, Generation, Price
from generations.providers.catalogue.registry import InvalidParameters
from generations.upstreams.models import Upstream
from tests.conftest import statuses, work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _ledger_is_consistent():
    yield
    assert integrity_check.problems() == []


def test_a_batch_holds_the_price_of_all_its_images(member, submit, upstream):
    batch = submit(model="ultra", count=4)
    assert statuses(batch) == ["queued"] * 4
    member.wallet.refresh_from_db()
    assert (member.wallet.held, member.wallet.available) == (3_200, 6_800)


def test_the_same_submission_makes_one_batch_however_often_it_arrives(member, submit, upstream):
    submission_id, batches = uuid.uuid4(), []

    def press():
        batches.append(submit(submission=submission_id, count=2).pk)
        connection.close()

    _at_once(press, 12)
    assert len(set(batches)) == 1
    assert Generation.objects.count() == Hold.objects.count() == 2


def test_the_same_submission_at_once_gets_its_batch_although_it_took_the_last_credits(
    make_member, submit, upstream
):
    poor, submission_id, batches = make_member("tom", granted=3), uuid.uuid4(), []

    def press():
        batches.append(submit(by=poor, model="core", submission=submission_id).pk)
        connection.close()

    _at_once(press, 12)
    assert (len(batches), len(set(batches))) == (12, 1)


def test_twenty_people_at_once_cannot_spend_more_than_there_is(make_member, submit, upstream):
    poor = make_member("tom", granted=21)
    refused = []

    def press():
        try:
            submit(by=poor, model="core")
        except ledger.InsufficientCredits as problem:
            refused.append(problem.missing)
        connection.close()

    _at_once(press, 20)
    assert Batch.objects.count() == 7
    assert refused == [300] * 13
    assert len(set(Generation.objects.values_list("virtual_start", flat=True))) == 7


def test_seeds_count_up_from_the_one_that_was_given(submit, upstream):
    batch = submit(count=3, seed=4_294_967_293)
    seeds = [row.parameters["seed"] for row in batch.generations.order_by("position")]
    assert seeds == [4_294_967_293, 4_294_967_294, 1]


def test_a_price_that_rose_since_the_form_was_shown_asks_again(member, upstream):
    shown_at = timezone.now() - timedelta(minutes=5)
    Price.objects.create(model="core", amount=500, valid_from=timezone.now() - timedelta(minutes=1))
    ask = {"member": member, "model": "core", "parameters": {"prompt": "a boat"}, "count": 1}
    with pytest.raises(pricing.PriceRose) as problem:
        submission.submit(**ask, submission=uuid.uuid4(), prices_at=shown_at)
    assert (problem.value.old, problem.value.new) == (300, 500)
    assert not Batch.objects.exists()
    batch = submission.submit(**ask, submission=uuid.uuid4(), prices_at=timezone.now())
    assert batch.generations.get().price == 500


@pytest.mark.parametrize("hours", [14, 0, -14])
@pytest.mark.parametrize("year", [1, 9999])
def test_a_form_that_claims_an_impossible_moment_pays_todays_price(member, upstream, year, hours):
    claimed = datetime(year, 1, 1, tzinfo=tz(timedelta(hours=hours)))
    if year == 9999:
        claimed = claimed.replace(month=12, day=31, hour=23)
    assert pricing.agreed_price("core", {}, member.team, claimed) == 300


def test_a_teams_own_price_binds_before_the_portals(member, make_member, upstream):
    Price.objects.create(model="core", amount=400)
    Price.objects.create(model="core", team=member.team, amount=200)
    assert pricing.price("core", {}, member.team) == 200


def test_dearer_options_raise_the_portals_price_in_proportion(member, upstream):
    Price.objects.create(model="sdxl", amount=100)
    assert pricing.price("sdxl", {"steps": 50}, member.team) == 167


def test_choices_and_images_raise_the_portals_price_in_proportion(member, upstream):
    Price.objects.create(model="flux-2-pro", amount=200)
    assert pricing.price("flux-2-pro", {"megapixels": "1"}, member.team) == 200
    assert pricing.price("flux-2-pro", {"megapixels": "2"}, member.team) == 300
    assert pricing.price("flux-2-pro", {"megapixels": "2"}, member.team, images=3) == 600
    assert pricing.agreed_price("flux-2-pro", {}, member.team, None, images=1) == 300


def test_without_a_provider_account_nothing_is_accepted(member, submit):
    Upstream.objects.all().delete()
    with pytest.raises(submission.NoUpstream):
        submit()
    assert not Hold.objects.exists()


def test_parameters_that_the_model_does_not_take_are_refused_before_anything_is_written(submit, upstream):
    with pytest.raises(InvalidParameters):
        submit(prompt="x" * 10_001)
    assert not Batch.objects.exists()


def test_a_waiting_image_can_be_canceled_and_costs_nothing(member, submit, upstream):
    batch = submit(count=2)
    first, second = batch.generations.order_by("position")
    assert submission.cancel(member=member, generation=first.pk)
    assert not submission.cancel(member=member, generation=first.pk)
    member.wallet.refresh_from_db()
    assert member.wallet.held == second.price
    work()
    assert statuses(batch) == ["canceled", "succeeded"]
    assert not submission.cancel(member=member, generation=second.pk)


def test_an_image_that_is_being_drawn_is_not_canceled(member, submit, upstream):
    batch = submit()
    claim, _more = engine_claim.claim_next()
    assert not submission.cancel(member=member, generation=claim.generation.pk)
    assert statuses(batch) == ["running"]
    member.wallet.refresh_from_db()
    assert member.wallet.held == claim.generation.price


def test_nobody_cancels_or_retries_what_is_not_theirs(make_member, member, submit, upstream):
    batch = submit()
    stranger = make_member("jonas")
    assert not submission.cancel(member=stranger, generation=batch.generations.get().pk)
    with pytest.raises(Generation.DoesNotExist):
        retries.retry(member=stranger, generation=batch.generations.get().pk)


def test_trying_again_makes_one_new_image_with_a_hold_of_its_own(member, submit, upstream, provider):
    provider.plan("403")
    batch = submit()
    work()
    failed = batch.generations.get()
    again = {retries.retry(member=member, generation=failed.pk).pk for _ in range(3)}
    assert len(again) == 1
    work()
    assert sorted(statuses(batch)) == ["failed", "succeeded"]
    member.wallet.refresh_from_db()
    assert member.wallet.balance == 9_700


def test_a_retry_that_costs_more_by_now_is_refused(member, submit, upstream, provider):
    provider.plan("403")
    batch = submit()
    work()
    failed = batch.generations.get()
    Price.objects.create(model="core", amount=350, valid_from=timezone.now() - timedelta(minutes=1))
    with pytest.raises(pricing.PriceRose, match=r"costs 3\.5 credits now, not 3\."):
        retries.retry(member=member, generation=failed.pk)
    member.wallet.refresh_from_db()
    assert (batch.generations.count(), member.wallet.held) == (1, 0)
    Price.objects.create(model="core", amount=200)
    assert retries.retry(member=member, generation=failed.pk).price == 200


def test_one_image_does_not_wait_behind_another_members_hundred(make_member, submit, upstream):
    busy, newcomer = make_member("busy", granted=1_000), make_member("newcomer")
    submit(by=busy, count=100)
    work(5)
    [mine] = submit(by=newcomer).generations.all()
    order = list(Generation.objects.ready().in_queue_order().values_list("pk", flat=True))
    assert order.index(mine.pk) <= 1


def test_generations_behind_a_canceled_one_move_up(make_member, submit, upstream):
    busy, newcomer = make_member("busy", granted=1_000), make_member("newcomer")
    waiting = list(submit(by=busy, count=8).generations.order_by("position"))
    for row in waiting[:7]:
        submission.cancel(member=busy, generation=row.pk)
    submit(by=newcomer, count=2)
    order = list(Generation.objects.ready().in_queue_order().values_list("pk", flat=True))
    assert order.index(waiting[7].pk) <= 1


def test_a_member_whose_every_call_fails_does_not_take_the_others_slots(
    make_member, submit, upstream, provider, monkeypatch
):
    monkeypatch.setattr(outcomes, "_jitter", lambda seconds: 0.0)
    unlucky, other = make_member("unlucky"), make_member("other")
    provider.plan({"outcome": "500", "match": "cursed", "times": 1_000})
    submit(by=unlucky, count=10, prompt="cursed")
    submit(by=other, count=10, prompt="blessed")
    assert work(20) == 20
    assert Generation.objects.filter(member=other, status="succeeded").count() >= 9


def test_members_are_served_in_proportion_to_their_weights(make_member, submit, upstream):
    heavy, light = make_member("heavy"), make_member("light")
    heavy.weight = 2
    heavy.save()
    submit(by=light, count=10)
    submit(by=heavy, count=10)
    first = Generation.objects.ready().in_queue_order().values_list("member", flat=True)[:9]
    assert list(first).count(heavy.pk) == 6


def _at_once(action, times):
    threads = [threading.Thread(target=action) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
