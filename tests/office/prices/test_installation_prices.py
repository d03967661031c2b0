"""The operators' page of models and prices: beside what they cost, for every team and for single ones."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from generations.jobs.models import Price
from generations.office.audit_log.service import COMMAND
from generations.office.models import AuditAction, AuditEntry
from generations.office.prices import installation_table
from generations.office.prices import service as prices_service
from generations.upstreams.models import Upstream
from tests.markup import compact
from tests.pages.csp import csp_violations


@pytest.fixture
def office(client, member):
    member.user.is_staff = True
    member.user.save()
    client.force_login(member.user)
    return client


def row_of(model):
    return next(row for row in installation_table.rows() if row.model.name == model)


def set_price(office, **form):
    form = {"model": "core", "amount": "4", "team": "", "begins_at": ""} | form
    return office.post(reverse("operate:set_price"), form, follow=True)


def test_a_price_stands_beside_what_it_costs(office, upstream):
    Upstream.objects.update(costs={"core": 2_50})
    Upstream.objects.create(
        name="dollars", base_url="http://host", unit="USD", unit_value=10_000, costs={"core": 2_01}
    )
    assert (row_of("core").price, row_of("core").margin, row_of("core").margin_percent) == (3_00, 50, 20)
    page = set_price(office, amount="5").text
    assert "is set to 5 credits" in page
    assert row_of("core").margin == 2_50
    words = compact(page)
    assert "0.0201 USD" in words
    assert [cost.amount for cost in row_of("ultra").costs] == [8_00, 8_00]  # the list price in either unit
    assert "100 %" in words
    assert csp_violations(page) == []


def test_prices_are_proposed_from_costs_with_a_margin_and_set_when_confirmed(office, upstream):
    Upstream.objects.update(costs={"core": 2_51, "ultra": 0})
    page = compact(office.get(reverse("operate:prices"), {"margin": "20"}).text)
    assert 'name="price" value="core=310"' in page  # 3.012, rounded up
    assert not Price.objects.exists()
    ticked = {"price": ["core=310", "sdxl=120"]}
    page = office.post(reverse("operate:set_proposed"), ticked, follow=True).text
    assert "2 prices are set." in page
    assert dict(Price.objects.values_list("model", "amount")) == {"core": 3_10, "sdxl": 1_20}
    page = compact(office.get(reverse("operate:prices"), {"margin": "0"}).text)
    assert 'name="price" value="core=260"' in page


@pytest.mark.parametrize("margin", ["", "-1", "ten", "5000"])
def test_a_margin_that_is_none_proposes_nothing(office, upstream, margin):
    assert 'name="price"' not in office.get(reverse("operate:prices"), {"margin": margin}).text


@pytest.mark.parametrize(
    "price", [[], ["magic=5"], ["core=0"], ["core=-5"], ["core"], ["core=9999999999999"]]
)
def test_a_proposal_that_was_not_made_is_not_set(office, price):
    page = office.post(reverse("operate:set_proposed"), {"price": price}, follow=True).text
    assert "error" in page
    assert not Price.objects.exists()


def test_a_price_for_one_team_leaves_the_others(office, team, upstream):
    set_price(office, team=team.slug)
    row = row_of("core")
    assert row.price == 3_00
    assert [(price.team, price.amount) for price in row.of_teams] == [(team, 4_00)]
    assert AuditEntry.objects.get(act=AuditAction.PRICE_SET).team == team


def test_a_price_of_a_later_time_is_shown_and_withdrawn(office):
    tomorrow = timezone.now() + timedelta(days=1)
    page = set_price(office, begins_at=f"{tomorrow:%Y-%m-%dT%H:%M}").text
    [price] = row_of("core").future
    assert "Withdraw the future price of" in page
    page = office.post(reverse("operate:withdraw_price", args=[price.pk]), follow=True).text
    assert "The future price is withdrawn." in page
    assert not Price.objects.exists()


def test_a_price_in_force_is_not_withdrawn(office):
    price = prices_service.set_price(model="core", amount=4_00, by=COMMAND)
    Price.objects.update(valid_from=timezone.now() - timedelta(days=1))
    page = office.post(reverse("operate:withdraw_price", args=[price.pk]), follow=True).text
    assert "valid already" in page
    assert Price.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [{"amount": "0"}, {"amount": "x"}, {"model": "no-such"}, {"team": "no-such"}, {"begins_at": "soon"}],
)
def test_a_wrong_price_is_refused_and_the_form_kept(office, wrong):
    answer = set_price(office, **({"amount": "7.25"} | wrong))
    assert answer.status_code == 422
    assert "amount" in wrong or 'value="7.25"' in compact(answer.text)
    assert not Price.objects.exists()
