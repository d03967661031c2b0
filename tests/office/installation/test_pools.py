"""The operators' page of pools: who sees it, its totals, and issuing credits."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generations.credits import daily_totals, ledger
from generations.credits.models import Account, Transfer
from generations.office.installation import pools as installation_pools
from generations.office.members import service as members_service
from generations.office.models import AuditAction, AuditEntry
from generations.teams.models import Role
from generations.upstreams.models import Upstream
from tests import past
from tests.markup import compact
from tests.pages.csp import csp_violations

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def operator(make_member):
    """An operator who is a plain member of a team."""
    member = make_member("olga", granted=0)
    member.user.is_staff = True
    member.user.save()
    client = Client()
    client.force_login(member.user, BACKEND)
    return client


def get_page(client, path=""):
    answer = client.get(f"/installation/{path}")
    assert answer.status_code == 200
    return compact(answer.content.decode())


def test_only_operators_see_the_page(team, make_member, operator, client):
    paths = ["", "difference/", f"issue/{team.slug}/"]
    assert [operator.get(f"/installation/{path}").status_code for path in paths] == [200] * 3
    assert all(client.get(f"/installation/{path}")["Location"].startswith("/accounts/") for path in paths)
    for role in Role:
        visitor = Client()
        visitor.force_login(make_member(role.value, role=role).user, BACKEND)
        for path in paths:
            assert visitor.get(f"/installation/{path}").status_code == 404
            assert visitor.post(f"/installation/{path}").status_code in {404, 405}
        assert ">Operate<" not in compact(visitor.get("/", follow=True).content.decode())
    assert 'href="/installation/"' in get_page(operator)
    assert ">Operate<" in compact(operator.get("/", follow=True).content.decode())


def test_every_team_is_listed_with_its_credits_and_its_months_spending(team, make_member, operator):
    north = make_member("mei")
    apia = members_service.create_team("Apia")
    apia.time_zone = "Pacific/Apia"
    apia.save()
    south = make_member("tavita", team=apia)
    for member, amount in ((north, 7_00), (south, 9_00)):
        past.charge(member, timezone.now(), amount)
        past.charge(member, timezone.now() - timedelta(days=62), 1_00)
    ledger.hold(member=south, amount=2_00, reference=uuid.uuid4())
    ledger.issue(team=apia, amount=50_00, reference=uuid.uuid4())
    for _ in ("from the lines", "from days that were summed up"):
        found = {row.team.name: row for row in installation_pools.pool_page()[0]}
        assert (found["Apia"].pool, found["Apia"].wallets, found["Apia"].held) == (50_00, 90_00, 2_00)
        assert {name: row.spent for name, row in found.items()} == {"Apia": 9_00, team.name: 7_00}
        daily_totals.close_days()
    totals = installation_pools.totals()
    spent = Account.objects.get(kind="spent").balance
    issued = Account.objects.get(kind="issued").balance
    assert totals.outstanding + spent + issued == 0
    page = get_page(operator)
    assert "50.00" in page
    assert "Low" in page
    assert not csp_violations(page)


def test_the_providers_balance_is_compared_with_the_pools(team, make_member, operator):
    make_member("mei", granted=100)
    rows = [Upstream(name=name, base_url="http://127.0.0.1:9", pace_account="one") for name in ("A", "B")]
    for row in rows:
        row.set_key("sk-secret-of-the-provider")
    rows[0].balance, rows[0].balance_at = Decimal("4390.5"), timezone.now()
    Upstream.objects.bulk_create(rows)
    [account] = installation_pools.provider_accounts()
    assert (account.names, account.balance, account.is_low) == ("A, B", Decimal("4390.5"), False)
    page = get_page(operator)
    assert "4,390.50" in page
    assert "covers all team credits" in page
    assert "sk-secret" not in page
    Upstream.objects.update(balance=Decimal("99.99"))
    page = get_page(operator)
    assert "does not cover all team credits" in page
    assert ">low<" in page


def test_the_number_of_queries_does_not_grow_with_the_teams(team, make_member, operator):
    def count():
        with CaptureQueriesContext(connection) as asked:
            get_page(operator)
        return len(asked)

    past.charge(make_member("mei"), timezone.now() - timedelta(days=3), 100)
    daily_totals.close_days()
    get_page(operator)
    few = count()
    for number in range(12):
        member = make_member(f"member{number}", team=members_service.create_team(f"Team {number}"))
        past.charge(member, timezone.now() - timedelta(days=number), 100)
        if number == 6:
            daily_totals.close_days()
    assert count() == few


def test_members_are_counted_by_the_database(team, make_member):
    for name in ("mei", "tom"):
        make_member(name)
    members_service.end_membership(member=make_member("gone"))
    with CaptureQueriesContext(connection) as asked:
        [row], _more = installation_pools.pool_page()
    assert row.members == 2
    [query] = [each["sql"] for each in asked if 'FROM "teams_membership"' in each["sql"]]
    assert "COUNT(" in query


def test_teams_are_shown_a_hundred_at_a_time(team, operator):
    for number in range(105):
        members_service.create_team(f"Team {number:03}")
    first, second = get_page(operator), get_page(operator, "?page=2")
    assert first.count("Issue credits") == 100
    assert second.count("Issue credits") == 6
    assert get_page(operator, "?page=9999999999")


# Issuing ------------------------------------------------------------------------------------------


def issue_form(client, team) -> dict[str, str]:
    page = get_page(client, f"issue/{team.slug}/")
    return {"reference": re.search(r'name="reference" value="([-0-9a-f]+)"', page)[1]}


def test_the_first_credits_are_in_the_audit_log(db):
    user = members_service.create_first_operator(email="op@example.org", pool=100_00)
    entry = AuditEntry.objects.get(act=AuditAction.ISSUED)
    assert (entry.actor, entry.team.pool.balance, entry.after) == (user, 100_00, {"amount": 100_00})


def test_credits_are_issued_once_however_often_the_form_is_sent(team, operator):
    filled = issue_form(operator, team) | {"amount": "250.5", "note": "the invoice of spring"}
    answers = [operator.post(f"/installation/issue/{team.slug}/", filled) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [302] * 3
    [line] = Transfer.objects.filter(kind="issue", team=team, amount=250_50)
    assert (line.note, line.actor.name) == ("the invoice of spring", "Olga")
    [entry] = AuditEntry.objects.filter(act=AuditAction.ISSUED, team=team, note="the invoice of spring")
    assert entry.actor == line.actor
    assert "has 250.5 credits more" in get_page(operator)


def test_the_same_form_with_another_amount_moves_nothing_more(team, operator):
    filled = issue_form(operator, team) | {"amount": "10", "note": "first"}
    operator.post(f"/installation/issue/{team.slug}/", filled)
    again = operator.post(f"/installation/issue/{team.slug}/", filled | {"amount": "20"})
    assert again.status_code == 422
    assert Account.objects.get(team=team).balance == 10_00


@pytest.mark.parametrize(
    "changed",
    [
        {"amount": ""},
        {"amount": "0"},
        {"amount": "-5"},
        {"amount": "1e30"},
        {"amount": "NaN"},
        {"amount": "many"},
        {"amount": "1.001"},
        {"note": ""},
        {"note": "   "},
        {"note": "x" * 401},
        {"reference": ""},
        {"reference": "x"},
    ],
)
def test_an_invalid_form_issues_nothing(team, operator, changed):
    filled = issue_form(operator, team) | {"amount": "10", "note": "why"} | changed
    answer = operator.post(f"/installation/issue/{team.slug}/", filled)
    assert answer.status_code == 422
    assert not csp_violations(answer.content.decode())
    assert not Transfer.objects.filter(kind="issue", team=team).exists()


def test_a_closed_or_unknown_team_is_issued_nothing(team, operator):
    filled = issue_form(operator, team) | {"amount": "10", "note": "why"}
    team.deactivated_at = timezone.now()
    team.save()
    for slug in (team.slug, "nobody"):
        assert operator.post(f"/installation/issue/{slug}/", filled).status_code == 404
