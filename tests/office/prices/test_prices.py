"""Prices, which are held as they were shown, and the roles that may use a model."""

import re
import threading
import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connections
from django.utils import timezone

from generations.credits.models import Account, Hold
from generations.jobs import model_access, pricing, retries, submission
from generations.jobs.models import Batch, Generation, ModelRule, Price, Status
from generations.office.audit_log.service import COMMAND
from generations.office.members import service as members_service
from generations.office.models import AuditAction, AuditEntry
from generations.office.prices import service as prices_service
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams import users as teams_users
from generations.teams.models import Role, Team
from tests.markup import compact

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(team, client):
    """Who runs the installation and this team, signed in."""
    user = teams_users.create(email="op@example.org", operator=True)
    owner = members_service.add_member(user=user, team=team, role=Role.OWNER)
    client.force_login(user)
    return owner


def page(team, path=""):
    return f"/t/{team.slug}/team/prices/{path}"


def hold_with_price_shown_at(shown_at, member, model="core"):
    """What one image costs whoever was shown the prices of that moment."""
    submission.submit(
        member=member,
        model=model,
        parameters={"prompt": "a quiet harbour"},
        count=1,
        submission=uuid.uuid4(),
        prices_at=shown_at,
    )
    return Generation.objects.latest("created_at").price


def wait_until_valid(price):
    """Until it holds."""
    while timezone.now() < price.valid_from:
        threading.Event().wait(0.05)


def test_a_price_that_rose_since_it_was_shown_is_confirmed_before_it_is_held(member, upstream):
    shown_at = timezone.now()
    wait_until_valid(prices_service.set_price(model="core", amount=4_00, by=COMMAND))
    with pytest.raises(pricing.PriceRose) as rose:
        hold_with_price_shown_at(shown_at, member)
    assert (rose.value.old, rose.value.new) == (3_00, 4_00)
    assert not Hold.objects.exists()
    assert hold_with_price_shown_at(timezone.now(), member) == 4_00


def test_a_price_that_fell_since_it_was_shown_is_held_at_the_lower_amount(member, upstream):
    shown_at = timezone.now()
    wait_until_valid(prices_service.set_price(model="core", amount=2_00, by=COMMAND))
    assert hold_with_price_shown_at(shown_at, member) == 2_00


def test_a_price_never_begins_in_the_past(team):
    """Else a form that was open would have shown a price that never held."""
    before = timezone.now()
    price = prices_service.set_price(
        model="core", amount=4_00, valid_from=before - timedelta(days=3), by=COMMAND
    )
    assert price.valid_from > before
    assert pricing.price_list(team, before)["core"] == 3_00


def test_a_future_price_is_valid_from_its_time_on(team):
    tomorrow = timezone.now() + timedelta(days=1)
    prices_service.set_price(model="core", amount=4_00, valid_from=tomorrow, by=COMMAND)
    assert pricing.price_list(team)["core"] == 3_00
    assert pricing.price_list(team, tomorrow - timedelta(microseconds=1))["core"] == 3_00
    assert pricing.price_list(team, tomorrow)["core"] == 4_00


def test_a_teams_own_price_takes_precedence(team):
    other = Team.objects.create(name="Other", slug="other")
    wait_until_valid(prices_service.set_price(model="core", amount=2_50, team=team, by=COMMAND))
    wait_until_valid(prices_service.set_price(model="core", amount=9_00, by=COMMAND))
    assert pricing.price_list(team)["core"] == 2_50
    assert pricing.price_list(other)["core"] == 9_00


def test_a_price_is_written_once_and_logged_with_the_one_before(team):
    when = timezone.now() + timedelta(days=2)
    for _ in range(2):
        prices_service.set_price(model="ultra", amount=9_00, valid_from=when, by=COMMAND)
    entry = AuditEntry.objects.get(act=AuditAction.PRICE_SET)
    assert (entry.subject, entry.before["amount"], entry.after["amount"]) == ("ultra", 8_00, 9_00)


@pytest.mark.django_db(transaction=True)
def test_no_hold_is_larger_than_the_price_on_the_page(client, member, upstream):
    """The price rises again and again while a page is read and sent; what it showed is all that is held."""
    client.force_login(member.user)
    here, stopped = f"/t/{member.team.slug}/create/", threading.Event()

    def raise_prices():
        amount = 3_00
        while not stopped.is_set():
            amount += 1
            Price.objects.create(
                model="core", amount=amount, valid_from=timezone.now() + prices_service.PRICE_DELAY
            )
            stopped.wait(0.2)
        connections.close_all()

    rising = threading.Thread(target=raise_prices)
    rising.start()
    outcomes = []
    try:
        threading.Event().wait(1.2)
        while len(outcomes) < 80 and not (outcomes.count("held") > 5 and outcomes.count("asked") > 1):
            outcomes.append(_read_and_send(client, here))
    finally:
        stopped.set()
        rising.join()
    assert set(outcomes) == {"held", "asked"}


def _read_and_send(client, here):
    """What became of one press: never is more held than the page showed."""
    words = compact(client.get(here).content.decode())
    [shown] = re.findall(r'value="core"[^>]*>.*?class="price">([\d.]+) credits', words, re.DOTALL)
    [moment] = re.findall(r'name="prices_at" value="([^"]+)"', words)
    form = {"prompt": "a harbour", "model": "core", "count": 1, "prices_at": moment}
    answer = client.post(here, form | {"submission": uuid.uuid4(), "aspect_ratio": "1:1"})
    if answer.status_code == 422:
        assert "The price rose" in answer.content.decode()
        return "asked"
    assert Generation.objects.latest("created_at").price <= round(float(shown) * 100)
    return "held"


def test_each_form_of_a_page_carries_the_time_of_its_prices(client, member, upstream):
    """The cards stay on the page after a batch was made, so a price that rose since is still asked about."""
    client.force_login(member.user)
    here, shown_at = f"/t/{member.team.slug}/create/", timezone.now()
    form = {
        "prompt": "x",
        "model": "ultra",
        "count": 1,
        "aspect_ratio": "1:1",
        "prices_at": shown_at.isoformat(),
    }
    wait_until_valid(prices_service.set_price(model="core", amount=4_00, by=COMMAND))
    made = client.post(here, form | {"submission": uuid.uuid4()}, headers={"HX-Request": "true"})
    [moment] = re.findall(r'name="prices_at" value="([^"]+)"', made.content.decode())
    again = form | {"submission": uuid.uuid4(), "model": "core", "prices_at": moment}
    answer = client.post(here, again, headers={"HX-Request": "true"})
    assert "The price rose from 3 to 4 credits meanwhile." in answer.content.decode()


def test_an_operator_sets_prices_for_the_team_and_for_all(client, team, operator):
    Team.objects.filter(pk=team.pk).update(time_zone="Asia/Tokyo")
    form = {"model": "core", "amount": "2.5", "scope": "team", "begins_at": "2030-01-01T09:00"}
    for _ in range(2):
        assert client.post(page(team, "set/"), form).status_code == 302
    price = Price.objects.get()
    assert (price.team, price.amount) == (team, 2_50)
    assert price.valid_from == datetime(2030, 1, 1, 9, tzinfo=ZoneInfo("Asia/Tokyo"))
    client.post(page(team, "set/"), form | {"scope": "all", "begins_at": "", "amount": "7"})
    words = client.get(page(team)).content.decode()
    assert "<b>2.5</b> from 1 Jan 2030, 09:00" in words
    assert "<strong>7</strong>" in words  # what was set now is shown at once
    assert Price.objects.get(team=None).amount == 7_00


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": "no-such"},
        {"amount": "0"},
        {"amount": "-1"},
        {"amount": "x"},
        {"scope": "other"},
        {"begins_at": "tomorrow"},
        {"begins_at": "2030-02-30T09:00"},
        {"begins_at": "99999-01-01T09:00"},
        {"begins_at": "9999-12-31T23:59"},  # PostgreSQL keeps it, and no program reads it there
        {"begins_at": "3000-01-01T00:00"},
        {"begins_at": "1999-12-31T23:59"},
    ],
)
def test_an_invalid_price_is_refused_with_a_message(client, team, operator, wrong):
    form = {"model": "core", "amount": "2.5", "scope": "team", "begins_at": ""} | wrong
    answer = client.post(page(team, "set/"), form)
    assert answer.status_code == 422
    assert 'class="error"' in answer.content.decode()
    assert not Price.objects.exists()


def test_a_future_price_is_withdrawn_but_not_a_valid_one(client, team, operator):
    future_price = prices_service.set_price(
        model="core", amount=4_00, valid_from=timezone.now() + timedelta(days=1), by=COMMAND
    )
    holds = Price.objects.create(model="core", amount=5_00, valid_from=timezone.now() - timedelta(days=1))
    other = Team.objects.create(name="Other", slug="other")
    foreign = prices_service.set_price(
        model="core", amount=4_00, team=other, valid_from=timezone.now() + timedelta(days=1), by=COMMAND
    )
    for price in (future_price, holds):
        assert client.post(page(team, f"{price.pk}/withdraw/")).status_code == 302
    assert client.post(page(team, f"{foreign.pk}/withdraw/")).status_code == 404
    assert set(Price.objects.all()) == {holds, foreign}


def test_the_back_office_sets_a_price_by_the_same_service(client, operator):
    form = {
        "model": "ultra",
        "team": "",
        "amount": "8.5",
        "valid_from_0": "2020-01-01",
        "valid_from_1": "00:00:00",
    }
    assert client.post("/back-office/jobs/price/add/", form).status_code == 302
    price = Price.objects.get()
    assert price.valid_from > timezone.now() - timedelta(minutes=1)
    assert AuditEntry.objects.get(act=AuditAction.PRICE_SET).actor == operator.user


@pytest.mark.parametrize("day", ["9999-12-31", "3000-01-02", "0001-01-01"])
def test_the_back_office_refuses_a_year_that_cannot_be_stored(client, operator, day):
    form = {"model": "ultra", "team": "", "amount": "8", "valid_from_0": day, "valid_from_1": "12:00:00"}
    answer = client.post("/back-office/jobs/price/add/", form)
    assert "Choose a day between 2000 and 2999." in answer.content.decode()
    assert not Price.objects.exists()


# Which roles may use which model -------------------------------------------------------------


def test_a_model_limited_to_some_roles_is_refused_to_others(member, make_member, submit, upstream):
    prices_service.set_rule(
        team=member.team, model="ultra", roles=[Role.OWNER, Role.ADMINISTRATOR], by=COMMAND
    )
    with pytest.raises(model_access.ModelNotAllowed, match="may not use Ultra"):
        submit(model="ultra")
    assert not Batch.objects.exists()
    assert not Hold.objects.exists()
    assert submit(by=make_member("ana", role=Role.ADMINISTRATOR), model="ultra")
    assert submit(model="core")


def test_a_member_who_may_no_longer_use_a_model_cannot_retry_a_failed_picture(member, submit, upstream):
    row = submit(model="ultra").generations.get()
    submission.cancel(member=member, generation=row.pk)
    prices_service.set_rule(team=member.team, model="ultra", roles=[], by=COMMAND)
    with pytest.raises(model_access.ModelNotAllowed):
        retries.retry(member=member, generation=row.pk)
    assert Account.objects.get(membership=member).held == 0


def test_waiting_pictures_stay_queued_when_their_model_is_closed(member, submit, upstream):
    row = submit(model="ultra").generations.get()
    prices_service.set_rule(team=member.team, model="ultra", roles=[], by=COMMAND)
    row.refresh_from_db()
    assert row.status == Status.QUEUED


def test_create_shows_only_the_models_that_the_role_may_use(client, member, upstream):
    client.force_login(member.user)
    here = f"/t/{member.team.slug}/create/"
    cards = re.compile(r'name="model" value="([^"]+)"( checked)?')
    prices_service.set_rule(team=member.team, model="core", roles=["owner"], by=COMMAND)
    found = dict(cards.findall(compact(client.get(here).content.decode())))
    assert "core" not in found
    assert list(found.values()).count(" checked") == 1  # another one is chosen
    form = {"prompt": "x", "model": "core", "count": 1, "aspect_ratio": "1:1"}
    form |= {"submission": uuid.uuid4(), "prices_at": timezone.now().isoformat()}
    answer = client.post(here, form)
    assert answer.status_code == 422
    assert "Your role may not use Core in this team." in answer.content.decode()
    for model in catalogue_registry.MODELS:
        prices_service.set_rule(team=member.team, model=model, roles=[], by=COMMAND)
    assert "Your role may not use the models of this team" in client.get(here).content.decode()


def test_an_administrator_sets_who_may_use_a_model(client, team, make_member):
    client.force_login(make_member("ana", role=Role.ADMINISTRATOR).user)
    here = page(team, "rule/sd3.5-large/")
    for _ in range(2):
        assert client.post(here, {"roles": ["owner", "administrator"]}).status_code == 302
    assert ModelRule.objects.get().roles == ["owner", "administrator"]
    client.post(here, {"roles": ["viewer"]})
    assert ModelRule.objects.get().roles == ["owner", "administrator"]
    client.post(here, {})
    assert ModelRule.objects.get().roles == []
    client.post(here, {"roles": ["owner", "administrator", "member"]})
    assert not ModelRule.objects.exists()
    assert client.post(page(team, "rule/no-such/"), {}).status_code == 404
    entries = AuditEntry.objects.filter(act=AuditAction.MODEL_RULE_SET).order_by("pk")
    assert [entry.after["roles"] for entry in entries] == [
        ["owner", "administrator"],
        [],
        ["owner", "administrator", "member"],
    ]


def test_the_rules_of_one_team_do_not_apply_to_another(member, make_member, submit, upstream):
    other = members_service.create_team("Elsewhere")
    prices_service.set_rule(team=other, model="core", roles=[], by=COMMAND)
    assert submit(model="core")
