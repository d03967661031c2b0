"""Reconciliation: costs at providers compared with charges to members, and with the ledger."""

import json
import uuid
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generations.credits import integrity_check, ledger
from generations.credits.models import Transfer, TransferKind
from generations.jobs.engine import outcomes, persist
from generations.jobs.models import Attempt, Status
from generations.jobs.reconciliation import report as reconciliation_report
from generations.library.storage import client as storage_client
from generations.upstreams import accounts
from generations.upstreams.models import Balance, Upstream
from tests.conftest import work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_delay_between_calls(monkeypatch):
    monkeypatch.setattr(outcomes, "_jitter", lambda seconds: 0.0)


def today():
    """And yesterday, for what is remembered from half an hour ago."""
    today = timezone.localdate()
    return reconciliation_report.reconcile(since=today - timedelta(days=1), until=today)


def ledger_total(kind):
    return Transfer.objects.filter(kind=kind).aggregate(total=Sum("amount"))["total"] or 0


def call_with(provider, submit, *plan, **request):
    provider.plan(*plan)
    batch = submit(**request)
    work()
    return batch.generations.get()


def test_charges_of_calls_equal_the_charges_of_the_ledger(submit, upstream, provider, make_member):
    refunded = call_with(provider, submit, "ok", model="ultra")
    call_with(provider, submit, "500", "ok", by=make_member("ada"))
    call_with(provider, submit, "drop", "ok", model="ultra")
    call_with(provider, submit, "filtered", by=make_member("bo"))
    call_with(provider, submit, "403")
    ledger.refund(reference=refunded.pk)
    report = today()
    [day] = report.days
    assert day.finished == {
        "ok": 3,
        "accepted": 0,
        "filtered": 1,
        "refused": 1,
        "unavailable": 0,
        "busy": 1,
        "unknown": 1,
    }
    assert day.charged == report.ledger_charged == ledger_total(TransferKind.CHARGE) == 800 + 300 + 800
    assert day.refunded == ledger_total(TransferKind.REFUND) == 800
    assert day.bought == Attempt.objects.aggregate(total=Sum("cost"))["total"] == 800 + 300 + 800 + 300
    assert (day.uncharged, day.may_have_cost, day.under_way) == (300, 800, 0)
    assert report.charged_without_call == 0
    assert day.bought - day.uncharged - day.under_way == day.charged  # members pay here what we pay there
    assert integrity_check.problems() == []


def test_uncharged_calls_are_listed_by_member_and_reason(submit, upstream, provider, make_member):
    call_with(provider, submit, "filtered", by=make_member("bo"))
    call_with(provider, submit, "drop", "drop", model="ultra")
    lines = {(line.member, line.reason): line for line in today().uncharged}
    assert set(lines) == {("Bo", "filtered"), ("Mei", "unknown")}
    assert (lines["Bo", "filtered"].calls, lines["Bo", "filtered"].cost) == (1, 300)
    assert (lines["Mei", "unknown"].calls, lines["Mei", "unknown"].may_have_cost) == (2, 1600)


def test_a_picture_that_waits_is_under_way_and_one_that_is_given_up_is_lost_money(
    submit, upstream, provider, monkeypatch
):
    down = storage_client.StorageUnavailable("down")
    with monkeypatch.context() as patch:
        patch.setattr(storage_client, "put", lambda *_, **__: (_ for _ in ()).throw(down))
        row = call_with(provider, submit, "ok")
    assert row.status == Status.STORING
    [day] = today().days
    assert (day.bought, day.under_way, day.uncharged, day.charged) == (300, 300, 0, 0)
    persist.give_up(row.pk)
    report = today()
    assert (report.days[0].under_way, report.days[0].uncharged) == (0, 300)
    assert [line.reason for line in report.uncharged] == ["given_up"]


def test_what_a_call_costs_is_the_upstreams_own_price_where_it_has_one(submit, upstream, provider):
    upstream.costs = {"sdxl": 77}
    upstream.save()
    call_with(provider, submit, "drop", "drop", model="sdxl", steps=50)
    assert today().days[0].may_have_cost == 154
    Upstream.objects.update(costs={})
    assert today().days[0].may_have_cost == 2 * accounts.Upstream().cost("sdxl", {"steps": 50})


def test_a_call_belongs_to_the_day_on_which_it_began(submit, upstream, provider, settings):
    settings.TIME_ZONE = "America/Los_Angeles"
    with timezone.override("America/Los_Angeles"):
        row = call_with(provider, submit, "ok")
        late = timezone.datetime(2026, 3, 4, 23, 30, tzinfo=timezone.get_current_timezone())
        Attempt.objects.filter(generation=row).update(started_at=late)
        assert [
            day.day for day in reconciliation_report.reconcile(since=late.date(), until=late.date()).days
        ] == [date(2026, 3, 4)]
        assert reconciliation_report.reconcile(since=date(2026, 3, 5), until=date(2026, 3, 5)).days == []


def test_a_charge_without_a_call_is_reported(submit, upstream, provider, member):
    stray = uuid.uuid4()
    ledger.hold(member=member, amount=250, reference=stray, model="core")
    ledger.settle(reference=stray)
    report = today()
    assert (report.ledger_charged, report.charged_without_call) == (250, 250)


def test_the_drift_of_a_balance_is_explained_by_lost_answers(submit, upstream, provider):
    provider.state(credits=1000)
    accounts.update_balances()
    Balance.objects.update(asked_at=timezone.now() - timedelta(minutes=20))
    call_with(provider, submit, "ok", model="ultra")
    call_with(provider, submit, "drop", "ok")
    provider.state(credits=1000 - 8 - 3 - 3)  # the dropped one was bought
    accounts.update_balances()
    [drift] = today().drifts
    assert (drift.spent, drift.bought, drift.drift) == (Decimal(14), Decimal(11), Decimal(3))
    assert drift.may_have_cost == Decimal(3)
    assert drift.is_explained
    assert drift.topped_up == 0


def test_a_top_up_does_not_hide_what_was_spent_before_it(upstream):
    for minutes, amount in ((4, 100), (3, 60), (2, 500), (1, 490)):
        Balance.objects.create(
            upstream=upstream, amount=amount, asked_at=timezone.now() - timedelta(minutes=minutes)
        )
    [drift] = today().drifts
    assert (drift.spent, drift.topped_up) == (50, 440)
    assert not drift.is_explained


def test_a_balance_is_recorded_every_quarter_of_an_hour(upstream, provider):
    for _ in range(3):
        accounts.update_balances()
    assert Balance.objects.count() == 1
    Balance.objects.update(asked_at=timezone.now() - timedelta(minutes=15, seconds=1))
    provider.state(credits=42.5)
    accounts.update_balances()
    assert list(Balance.objects.order_by("pk").values_list("amount", flat=True))[1:] == [Decimal("42.5")]


def test_the_number_of_queries_does_not_depend_on_the_number_of_calls(
    submit, upstream, provider, make_member
):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            today()
        return len(asked)

    call_with(provider, submit, "filtered")
    few = queries()
    for name in ("ada", "bo", "cy"):
        call_with(provider, submit, "filtered", by=make_member(name))
        call_with(provider, submit, "drop", "ok", by=make_member(f"{name}2"), model="ultra")
    assert queries() == few


def test_the_command_prints_a_table_or_exact_numbers(submit, upstream, provider):
    call_with(provider, submit, "drop", "ok", model="core")
    printed = StringIO()
    call_command("reconcile", stdout=printed)
    assert "ok:1 unknown:1" in printed.getvalue()
    assert "Mei" in printed.getvalue()
    printed = StringIO()
    call_command("reconcile", "--json", stdout=printed)
    report = json.loads(printed.getvalue())
    assert report["days"][0]["charged"] == report["ledger_charged"] == "3"
    assert report["days"][0]["calls"] == {"ok": 1, "unknown": 1}
    assert report["uncharged"][0]["may_have_cost"] == "3"
    with pytest.raises(CommandError, match="after"):
        call_command("reconcile", "--since", "2026-02-02", "--until", "2026-02-01")
