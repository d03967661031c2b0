"""The overview of a team's credits: who sees it, and that its figures agree with the ledger."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generations.core import svg_charts
from generations.credits import daily_totals, integrity_check, ledger, periods
from generations.credits import totals as credits_totals
from generations.credits.models import Transfer
from generations.credits.periods import Month
from generations.office.audit_log.service import Actor
from generations.office.credits import service as credits_service
from generations.office.members import service as members_service
from generations.office.reports import charts as reports_charts
from generations.office.reports import holdings as reports_holdings
from generations.office.reports import members_table
from generations.office.reports import overview as reports_overview
from generations.teams.models import Membership, Role, User
from tests import past
from tests.markup import compact
from tests.pages.csp import csp_violations

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
PAGES = ("", "ledger/", "ledger/export.csv", "ledger/export.json")


def signed_in_client(member: Membership) -> Client:
    client = Client()
    client.force_login(member.user, BACKEND)
    return client


@pytest.fixture
def owner(make_member):
    return make_member("ana", role=Role.OWNER, granted=1_000)


@pytest.fixture
def get_page(owner):
    """The page's text for the owner: get_page("?by=member")."""
    client = signed_in_client(owner)

    def read(query="", status=200, **headers):
        answer = client.get(f"/t/{owner.team.slug}/team/{query}", headers=headers)
        assert answer.status_code == status, query
        return compact(answer.content.decode())

    return read


def midday(days_ago: int = 0):
    return timezone.now().replace(hour=12, minute=0) - timedelta(days=days_ago)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("administrator", 200), ("member", 403), ("viewer", 403)]
)
def test_owners_and_administrators_see_the_teams_credits(make_member, path, role, status):
    member = make_member("jonas", role=Role(role))
    assert signed_in_client(member).get(f"/t/{member.team.slug}/team/{path}").status_code == status


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_does_not_find_the_team(team, make_member, client, path):
    address = f"/t/{team.slug}/team/{path}"
    assert client.get(address)["Location"].startswith("/accounts/login/")
    stranger = make_member("eve", team=members_service.create_team("Elsewhere"), role=Role.OWNER)
    assert signed_in_client(stranger).get(address).status_code == 404
    stranger.user.is_staff = True
    stranger.user.save()
    assert signed_in_client(stranger).get(address).status_code == 404
    left = make_member("tom", role=Role.ADMINISTRATOR)
    members_service.end_membership(member=left, by=Actor())
    assert signed_in_client(left).get(address).status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_the_report_pages_accept_no_post(owner, path):
    assert signed_in_client(owner).post(f"/t/{owner.team.slug}/team/{path}").status_code == 405


def test_only_administrators_see_links_to_the_reports(owner, member):
    link = f'href="/t/{owner.team.slug}/team/"'
    assert link in signed_in_client(owner).get("/", follow=True).content.decode()
    page = signed_in_client(member).get("/", follow=True).content.decode()
    assert link not in page


@pytest.fixture
def busy(team, owner, member, make_member):
    """Two months of several members, one of whom left, and a refund."""
    tom = make_member("tom")
    for number in range(90):
        model = ("core", "core", "ultra", "sd3.5-large", "sd3.5-medium", "sd3.5-flash", "erase")[number % 7]
        who = (owner, owner, member, tom)[number % 4]
        past.charge(who, midday(number % 45), 50 + number, model)
    past.charge(member, midday(3), 500, refunded=midday(1))
    past.charge(tom, midday(0), 60, "core")  # in this month, on its first day too
    members_service.end_membership(member=tom, by=Actor())
    return team


def test_every_figure_agrees_with_the_ledger(busy, get_page):
    for _ in ("from the lines", "from days that were summed up"):
        for month in (Month.of(periods.today(busy)), Month.of(periods.today(busy)).previous):
            begin, end = periods.begin(busy, month.first), periods.begin(busy, month.next.first)
            lines = Transfer.objects.filter(team=busy, created_at__gte=begin, created_at__lt=end)
            written = Counter()
            for line in lines:
                written[line.kind] += line.amount
            expected = written["charge"] - written["refund"]
            by_model, by_member = (
                reports_overview.spending_chart(credits_totals.TeamTotals(busy), month, by)
                for by in reports_overview.GROUPINGS
            )
            table = members_table.members_table(
                credits_totals.TeamTotals(busy),
                reports_overview.spending_by_member(credits_totals.TeamTotals(busy), month),
            )
            assert by_model.total == by_member.total == table.total_spent == expected
            for chart in (by_model, by_member):
                assert sum(row.total for row in chart.rows) == sum(each.total for each in chart.series)
            assert table.spent_by_former > 0
        daily_totals.close_days()
    assert integrity_check.problems() == []
    assert "Former members" in get_page()


def test_the_chart_and_its_table_have_the_same_numbers(busy, get_page):
    chart = re.findall(r"<title>(\d+ \w+): ([\d.,−]+)</title>", get_page())
    table = get_page("?as=table")
    rows = re.findall(r'<th scope="row">(\d+ \w+)</th>(.*?)</tr>', table)
    shown = [(day, re.findall(r'class="number">([^<]*)<', cells)[-1]) for day, cells in rows]
    assert sorted(chart) == sorted((day, amount) for day, amount in shown if amount != "–")
    total = re.search(r"<tfoot>.*?</tfoot>", table)[0]
    assert re.findall(r'class="number">([^<]*)<', total)[-1] in re.search(r"<tfoot>.*</tfoot>", get_page())[0]


def test_what_is_left_lasts_by_the_pace_since_the_first_picture(team, owner, get_page):
    ledger.issue(team=team, amount=50_00, reference=uuid.uuid4())
    past.charge(owner, midday(), 10_00)
    assert "last about 5 days at this pace" in get_page()


def test_the_picture_of_who_holds_which_credits_adds_up(team, owner, make_member, get_page):
    ledger.issue(team=team, amount=50_00, reference=uuid.uuid4())
    members = [make_member(f"member{number}", granted=number) for number in range(1, 13)]
    ledger.hold(member=members[-1], amount=5_00, reference=uuid.uuid4())
    balance = reports_overview.team_balance(team)
    rows = reports_holdings.holdings(team, balance)
    assert sum(row.free + row.held for row in rows) == balance.total
    assert [(row.name, row.free, row.held) for row in rows][:3] == [
        ("Team, free to grant", 50_00, 0),
        ("Ana", 1_000_00, 0),
        ("Member12", 7_00, 5_00),
    ]
    assert (rows[-1].name, rows[-1].free) == ("4 other members", (1 + 2 + 3 + 4) * 100)
    assert rows[1].free_width == "100.00%"
    page = get_page()
    assert "Who holds which credits" in page
    assert "+ 5 held" in page
    assert not csp_violations(page)


def test_htmx_is_sent_the_chart_alone(busy, get_page):
    part = get_page("?by=member", **{"HX-Request": "true", "HX-Target": "spend"})
    assert part.strip().startswith("<section")
    assert "Ana" in part
    assert "<html" not in part


def test_days_are_counted_in_the_teams_time_zone(team, owner):
    team.time_zone = "Asia/Kathmandu"  # a quarter to six ahead
    team.save()
    past.charge(owner, past.moment("2026-03-31T18:20"), 700)
    march, april = (Month(date(2026, number, 1)) for number in (3, 4))
    totals = [
        reports_overview.spending_chart(reports_overview.overview_books(team, month), month, "model").total
        for month in (march, april)
    ]
    assert totals == [0, 700]


def test_the_month_is_chosen_by_the_query_string(get_page, team):
    this = Month.of(periods.today(team))
    before = get_page(f"?month={this.previous.name}")
    assert f"Spent in {this.previous.first:%B}" in before
    assert f"month={this.name}" in before
    assert f"month={this.next.name}" not in get_page()


@pytest.mark.parametrize("month", ["2026-13", "x", "9999-12", "0001-01", "2026-1-1", "%00", "-1"])
def test_an_invalid_month_is_not_found(get_page, month):
    get_page(f"?month={month}", status=404)


@pytest.mark.parametrize(
    "query",
    [
        "?q=%00",
        "?q=" + "x" * 3000,
        "?q=%25_%27%22%3Cscript%3E",
        "?page=99999999999999999999",
        "?page=-1",
        "?sort=password",
        "?by=user__password",
        "?as=%3Cscript%3E",
        "?page=%D9%A3",  # a digit of another script
    ],
)
def test_hostile_query_strings_get_a_page(get_page, query):
    page = get_page(query)
    assert "<script>" not in page
    assert not csp_violations(page)


def test_names_and_notes_are_escaped(owner, member, get_page):
    member.user.name = "<script>alert(1)</script>"
    member.user.save()
    past.charge(member, midday(), 100)
    ledger.issue(team=member.team, amount=100, reference=uuid.uuid4())
    amounts = [credits_service.MemberAmount(member, 100, "<b>x</b>")]
    credits_service.grant(
        team=owner.team, amounts=amounts, reference=uuid.uuid4(), by=Actor(owner.user), note="<b>x</b>"
    )
    for query in ("", "?by=member", "?by=member&as=table", "ledger/"):
        page = get_page(query)
        assert "<script>alert" not in page
        assert "<b>x" not in page
        assert "&lt;script&gt;" in page


def test_the_table_shows_each_members_credits(team, owner, member, get_page):
    ledger.hold(member=member, amount=9_00, reference="1" * 32)
    past.charge(member, midday(), 84_00)
    Membership.objects.filter(pk=member.pk).update(cap_per_day=4000)
    program = Membership.objects.create(team=team, kind="program", name="API: storyboard")
    ledger.open_wallet(program)
    page = get_page("?q=mei")
    row = re.search(r"<tbody>.*Mei.*?</tr>", page)[0]
    for shown in (
        "7.00",
        "9.00",
        ">40<",
        "84.00",
        "Low",
        f"/team/members/{member.pk}/",
        f"?member={member.pk}",
    ):
        assert shown in row, shown
    assert "Program" in re.search(r"API: storyboard.*?</tr>", get_page())[0]
    assert "Nobody here is called" in get_page("?q=zebra")


def test_the_table_is_sorted_and_paginated(team, owner, make_member):
    people = [make_member(f"member{number:03}", granted=number + 1) for number in range(60)]
    past.charge(people[7], midday(), 77)
    books = credits_totals.TeamTotals(team)
    spent = reports_overview.spending(
        books, by=("member",), since=date(2020, 1, 1), until=periods.today(team)
    )
    amounts = Counter({key[0]: amount for key, amount in spent.items()})
    by_name = members_table.members_table(books, amounts)
    assert (by_name.pages, by_name.found, len(by_name.rows)) == (3, 61, 30)
    assert by_name.rows[0].member == owner
    rest, end = (members_table.members_table(books, amounts, page=number) for number in (2, 3))
    assert len({line.member.pk for line in by_name.rows + rest.rows + end.rows}) == 61
    assert members_table.members_table(books, amounts, page=99).page == 3
    assert members_table.members_table(books, amounts, sort="spent").rows[0].member == people[7]
    richest = members_table.members_table(books, amounts, sort="available")
    assert [line.available for line in richest.rows[:3]] == [1000_00, 60_00, 59_00]
    assert by_name.available == rest.available == 1000_00 + sum(range(1, 61)) * 100 - 77


def test_only_operators_see_the_providers_balance(owner, get_page):
    assert "own balance" not in get_page()
    assert "Held now" in get_page()
    User.objects.filter(pk=owner.user_id).update(is_staff=True)
    page = get_page()
    assert "Provider’s own balance" in page
    assert "/installation/difference/" in page


def test_the_number_of_queries_does_not_grow_with_members_and_entries(team, owner, make_member, get_page):
    make_member("mei")
    past.charge(owner, midday(), 100)
    paths = ("", "?by=member", "ledger/", "ledger/?kind=charge")
    [get_page(path) for path in paths]

    def count():
        found = []
        get_page("")  # that somebody was here is written down once a minute
        for path in paths:
            with CaptureQueriesContext(connection) as asked:
                get_page(path)
            found.append(len(asked))
        return found

    few = count()
    for number in range(55):
        someone = make_member(f"member{number}")
        past.charge(someone, midday(number % 40), 100, "ultra")
    # In the afternoon the newest lines are all grants, which ask for no refunds.
    assert all(many <= one for many, one in zip(count(), few, strict=True))
    assert max(few) <= 40


DAYS = [date(2026, 2, number) for number in range(1, 29)]


def stacked(amounts, titles, other):
    whole = Counter()
    for (day, _key), amount in amounts.items():
        whole[day] += amount
    return reports_charts.stacked(amounts, whole, DAYS, titles, other)


def test_bars_are_stacked_within_the_grid():
    amounts = Counter({(DAYS[0], "core"): 300, (DAYS[0], "ultra"): 800, (DAYS[5], "sdxl"): 90})
    chart = stacked(amounts, {"ultra": "Ultra", "core": "Core"}, "other")
    assert [(each.title, each.total) for each in chart.series] == [
        ("Ultra", 800),
        ("Core", 300),
        ("other", 90),
    ]
    lower, upper = chart.rows[0].pieces
    assert lower.y + lower.height == pytest.approx(svg_charts.HEIGHT - 1, abs=1.1)
    assert upper.y + upper.height <= lower.y
    assert upper.y >= 0
    assert (chart.grid[0][1], chart.grid[-1][1]) == (0, svg_charts.HEIGHT)
    assert chart.rows[1].pieces == ()


def test_a_day_with_more_refunds_than_charges_extends_below_zero():
    amounts = Counter({(DAYS[0], "core"): 1000, (DAYS[1], "core"): -400})
    chart = stacked(amounts, {"core": "Core"}, "other")
    [above], [below] = chart.rows[0].pieces, chart.rows[1].pieces
    [zero] = [y for line, y in chart.grid if line == 0]
    assert above.y + above.height <= zero + 0.1
    assert below.y >= zero - 0.1
    assert below.y + below.height <= svg_charts.HEIGHT
    assert chart.total == 600


@pytest.mark.parametrize("most", [1, 24, 100, 99_999, 10**11])
def test_the_grid_has_few_round_lines(most):
    chart = stacked(Counter({(DAYS[0], "core"): most}), {"core": "Core"}, "other")
    lines = [line for line, _y in chart.grid]
    assert lines[0] >= most
    assert 2 <= len(lines) <= 6
