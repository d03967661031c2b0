"""The operators' pages of reconciliation: days, and the pictures behind a difference."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from generations.credits import ledger
from generations.jobs.engine import outcomes
from generations.jobs.models import Attempt
from generations.jobs.reconciliation import calls as reconciliation_calls
from generations.jobs.reconciliation import report as reconciliation_report
from generations.upstreams.models import Balance, Upstream
from tests.conftest import work
from tests.markup import compact
from tests.pages.csp import csp_violations

pytestmark = pytest.mark.django_db(transaction=True)
DAYS = reverse("operate:reconcile")


@pytest.fixture(autouse=True)
def _no_delay_between_calls(monkeypatch):
    monkeypatch.setattr(outcomes, "_jitter", lambda seconds: 0.0)


@pytest.fixture
def office(client, make_member):
    olga = make_member("olga").user
    olga.is_staff = olga.is_superuser = True
    olga.save()
    client.force_login(olga)
    return client


def call_with(provider, submit, *plan, **request):
    provider.plan(*plan)
    batch = submit(**request)
    work()
    return batch.generations.get()


def day_page(office, upstream):
    """The pictures behind the day on which the newest call was made."""
    day = timezone.localdate(Attempt.objects.latest("pk").started_at)
    address = reverse("operate:reconcile_day", args=[f"{day:%Y-%m-%d}"])
    answer = office.get(address, {"account": upstream.pk})
    assert answer.status_code == 200
    return answer


def test_a_difference_is_told_apart_from_the_margin(office, submit, upstream, provider):
    Upstream.objects.update(costs={"core": 2_00, "ultra": 6_00})
    call_with(provider, submit, "ok", prompt="a secret garden")
    call_with(provider, submit, "filtered", model="ultra")
    today = timezone.localdate()
    report = reconciliation_report.reconcile(since=today - timedelta(days=1), until=today)
    [day] = report.days
    assert (day.bought, day.charged, day.uncharged) == (8_00, 3_00, 6_00)
    assert (day.difference, day.margin, day.is_as_sold) == (-5_00, 1_00, False)
    page = office.get(DAYS).text
    assert "the calls behind it" in page
    assert "charged to nobody 6.00" in compact(page)
    assert "secret" not in page
    assert csp_violations(page) == []


def test_the_pictures_behind_a_difference_are_named_with_the_reason(office, submit, upstream, provider):
    call_with(provider, submit, "ok", prompt="a secret garden")
    call_with(provider, submit, "filtered", model="ultra")
    refunded = call_with(provider, submit, "ok", model="ultra")
    ledger.refund(reference=refunded.pk)
    call_with(provider, submit, "drop", "403")
    answer = day_page(office, upstream)
    found = [(call.why, call.cost, call.may_have_cost, call.refunded) for call in answer.context["calls"]]
    assert found == [
        ("filtered by the provider", 8_00, 0, 0),
        ("charged, and refunded", 8_00, 0, 8_00),
        ("the answer was lost, so it may have been bought", 0, 3_00, 0),
    ]
    words = compact(answer.text)
    assert "Mei" in words
    assert "perhaps 3.00" in words
    assert "secret" not in words
    assert csp_violations(answer.text) == []


def test_what_was_bought_and_charged_alone_is_no_difference(office, submit, upstream, provider):
    call_with(provider, submit, "ok")
    days = compact(office.get(DAYS).text)
    assert "the calls behind it" not in days
    assert re.search(r'<td data-label="because of"> ?<span class="quiet"> ?nothing else ?</span>', days)
    assert "Everything that was bought on this day was charged" in day_page(office, upstream).text


def test_only_the_chosen_account_is_shown(office, submit, upstream, provider):
    call_with(provider, submit, "filtered")
    other = Upstream.objects.create(name="other", base_url="http://host")
    assert [len(reconciliation_calls.behind(day_of_newest(), each)) for each in (upstream, other)] == [1, 0]


def day_of_newest():
    return timezone.localdate(Attempt.objects.latest("pk").started_at)


def test_balances_of_a_time_are_compared(office, upstream):
    now = timezone.now()
    Balance.objects.create(upstream=upstream, amount=5, asked_at=now - timedelta(minutes=30))
    Balance.objects.create(upstream=upstream, amount=1, asked_at=now)
    page = office.get(DAYS, {"since": f"{now - timedelta(days=1):%Y-%m-%d}"}).text
    assert "not explained" in page


@pytest.mark.parametrize(
    "period",
    [
        {"since": "2026-02-02", "until": "2026-02-01"},
        {"since": "0000"},
        {"since": "0001-01-01", "until": "0001-01-02"},
        {"since": "2020-01-01", "until": "2026-02-01"},
    ],
)
def test_a_period_that_cannot_be_shown_is_refused_in_words(office, period):
    answer = office.get(DAYS, period)
    assert answer.status_code == 422
    assert 'class="error' in answer.text


def test_addresses_of_no_day_or_account_are_not_there(office):
    for day in ("yesterday", "2026-02-30", "0001-01-01"):
        assert office.get(reverse("operate:reconcile_day", args=[day])).status_code == 404
    address = reverse("operate:reconcile_day", args=["2026-02-01"])
    assert office.get(address, {"account": "99999"}).status_code == 404
    assert office.get(address, {"account": "x"}).status_code == 200


def test_the_address_in_the_back_office_leads_here(office):
    answer = office.get(reverse("admin:jobs_reconciliation"), {"since": "2026-02-01"})
    assert answer["Location"] == f"{DAYS}?since=2026-02-01"
