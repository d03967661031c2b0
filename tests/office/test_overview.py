"""The administrator's overview: who sees it, what it says, and that it adds up to the ledger."""

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

from generations.credits import daily_totals, integrity_check, ledger, periods
from generations.credits import totals as credits_totals
from generations.credits.models import Transfer
from generations.credits.periods import Month
from generations.office.audit_log.service import By
from generations.office.credits import grants
from generations.office.members import service as members_service
from generations.office.reports import charts as reports_charts
from generations.office.reports import members_table
from generations.office.reports import overview as reports_overview
from generations.office.reports import spending as reports_spending
from generations.teams.models import Membership, Role, User
from tests import past
from tests.pages.test_pages import breaches

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
PAGES = ("", "ledger/", "ledger/export.csv", "ledger/export.json")


def visitor(member: Membership) -> Client:
    client = Client()
    client.force_login(member.user, BACKEND)
    return client


@pytest.fixture
def owner(make_member):
    return make_member("ana", role=Role.OWNER, granted=1_000)


@pytest.fixture
def seen(owner):
    """The page's text for the owner: seen("?by=member")."""
    client = visitor(owner)

    def read(query="", status=200, **headers):
        answer = client.get(f"/t/{owner.team.slug}/team/{query}", headers=headers)
        assert answer.status_code == status, query
        return re.sub(r"\s+", " ", answer.content.decode())

    return read


def midday(days_ago: int = 0):
    return timezone.now().replace(hour=12, minute=0) - timedelta(days=days_ago)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("administrator", 200), ("member", 403), ("viewer", 403)]
)
def test_owners_and_administrators_see_the_teams_money(make_member, path, role, status):
    member = make_member("jonas", role=Role(role))
    assert visitor(member).get(f"/t/{member.team.slug}/team/{path}").status_code == status


@pytest.mark.parametrize("path", PAGES)
def test_for_strangers_the_team_is_not_there(team, make_member, client, path):
    address = f"/t/{team.slug}/team/{path}"
    assert client.get(address)["Location"].startswith("/accounts/login/")
    stranger = make_member("eve", team=members_service.open_team("Elsewhere"), role=Role.OWNER)
    assert visitor(stranger).get(address).status_code == 404
    stranger.user.is_staff = True
    stranger.user.save()
    assert visitor(stranger).get(address).status_code == 404
    left = make_member("tom", role=Role.ADMINISTRATOR)
    members_service.dismiss(member=left, by=By())
    assert visitor(left).get(address).status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_nothing_there_takes_a_form(owner, path):
    assert visitor(owner).post(f"/t/{owner.team.slug}/team/{path}").status_code == 405


def test_members_find_no_way_there_and_administrators_do(owner, member):
    assert f"/t/{owner.team.slug}/team/" in visitor(owner).get("/", follow=True).content.decode()
    assert f"/t/{member.team.slug}/team/" not in visitor(member).get("/", follow=True).content.decode()


@pytest.fixture
def busy(team, owner, member, make_member):
    """Two months of several members, one of whom left, and a refund."""
    tom = make_member("tom")
    for number in range(90):
        model = ("core", "core", "ultra", "sd3.5-large", "sd3.5-medium", "sd3.5-flash", "erase")[number % 7]
        who = (owner, owner, member, tom)[number % 4]
        past.charge(who, midday(number % 45), 50 + number, model)
    past.charge(member, midday(3), 500, refunded=midday(1))
    members_service.dismiss(member=tom, by=By())
    return team


def test_every_figure_adds_up_to_the_ledger(busy, seen):
    for _ in ("from the lines", "from days that were summed up"):
        for month in (Month.of(periods.today(busy)), Month.of(periods.today(busy)).previous):
            begin, end = periods.begin(busy, month.first), periods.begin(busy, month.next.first)
            lines = Transfer.objects.filter(team=busy, created_at__gte=begin, created_at__lt=end)
            written = Counter()
            for line in lines:
                written[line.kind] += line.amount
            expected = written["charge"] - written["refund"]
            by_model, by_member = (
                reports_overview.chart(credits_totals.TeamTotals(busy), month, by)
                for by in reports_overview.BY
            )
            table = members_table.read(
                credits_totals.TeamTotals(busy),
                reports_overview.by_member(credits_totals.TeamTotals(busy), month),
            )
            assert by_model.total == by_member.total == table.all_spent == expected
            for chart in (by_model, by_member):
                assert sum(row.total for row in chart.rows) == sum(each.total for each in chart.series)
            assert table.left > 0
        daily_totals.close_days()
    assert integrity_check.problems() == []
    assert "Those who left" in seen()


def test_the_chart_and_its_table_say_the_same(busy, seen):
    chart = re.findall(r"<title>(\d+ \w+): ([\d.,−]+)</title>", seen())
    table = seen("?as=table")
    rows = re.findall(r'<th scope="row">(\d+ \w+)</th>(.*?)</tr>', table)
    shown = [(day, re.findall(r'class="number">([^<]*)<', cells)[-1]) for day, cells in rows]
    assert sorted(chart) == sorted((day, amount) for day, amount in shown if amount != "–")
    total = re.search(r"<tfoot>.*?</tfoot>", table)[0]
    assert re.findall(r'class="number">([^<]*)<', total)[-1] in re.search(r"<tfoot>.*</tfoot>", seen())[0]


def test_a_part_is_sent_alone_to_the_script_that_asks_for_it(busy, seen):
    part = seen("?by=member", **{"HX-Request": "true", "HX-Target": "spend"})
    assert part.strip().startswith("<section")
    assert "Ana" in part
    assert "<html" not in part


def test_a_day_is_counted_where_the_team_is(team, owner):
    team.time_zone = "Asia/Kathmandu"  # a quarter to six ahead
    team.save()
    past.charge(owner, past.moment("2026-03-31T18:20"), 700)
    march, april = (Month(date(2026, number, 1)) for number in (3, 4))
    totals = [
        reports_overview.chart(reports_overview.books(team, month), month, "model").total
        for month in (march, april)
    ]
    assert totals == [0, 700]


def test_months_are_turned_by_their_address(seen, team):
    this = Month.of(periods.today(team))
    before = seen(f"?month={this.previous.name}")
    assert f"Spent in {this.previous.first:%B}" in before
    assert f"month={this.name}" in before
    assert f"month={this.next.name}" not in seen()


@pytest.mark.parametrize("month", ["2026-13", "x", "9999-12", "0001-01", "2026-1-1", "%00", "-1"])
def test_a_month_that_is_none_is_not_found(seen, month):
    seen(f"?month={month}", status=404)


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
def test_hostile_addresses_get_a_page(seen, query):
    page = seen(query)
    assert "<script>" not in page
    assert not breaches(page)


def test_names_and_notes_are_never_markup(owner, member, seen):
    member.user.name = "<script>alert(1)</script>"
    member.user.save()
    past.charge(member, midday(), 100)
    ledger.issue(team=member.team, amount=100, reference=uuid.uuid4())
    gifts = [grants.Gift(member, 100, "<b>x</b>")]
    grants.grant(team=owner.team, gifts=gifts, form=uuid.uuid4(), by=By(owner.user), note="<b>x</b>")
    for query in ("", "?by=member", "?by=member&as=table", "ledger/"):
        page = seen(query)
        assert "<script>alert" not in page
        assert "<b>x" not in page
        assert "&lt;script&gt;" in page


def test_the_table_tells_how_each_member_stands(team, owner, member, seen):
    ledger.hold(member=member, amount=9_00, reference="1" * 32)
    past.charge(member, midday(), 84_00)
    Membership.objects.filter(pk=member.pk).update(cap_per_day=4000)
    program = Membership.objects.create(team=team, kind="program", name="API: storyboard")
    ledger.open_wallet(program)
    page = seen("?q=mei")
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
    assert "Program" in re.search(r"API: storyboard.*?</tr>", seen())[0]
    assert "Nobody here is called" in seen("?q=zebra")


def test_the_table_is_sorted_and_turned(team, owner, make_member):
    people = [make_member(f"member{number:03}", granted=number + 1) for number in range(60)]
    past.charge(people[7], midday(), 77)
    books = credits_totals.TeamTotals(team)
    spent = reports_spending.spent(books, by=("member",), since=date(2020, 1, 1), until=periods.today(team))
    amounts = Counter({key[0]: amount for key, amount in spent.items()})
    by_name = members_table.read(books, amounts)
    assert (by_name.pages, by_name.found, len(by_name.lines)) == (3, 61, 30)
    assert by_name.lines[0].member == owner
    rest, end = (members_table.read(books, amounts, page=number) for number in (2, 3))
    assert len({line.member.pk for line in by_name.lines + rest.lines + end.lines}) == 61
    assert members_table.read(books, amounts, page=99).page == 3
    assert members_table.read(books, amounts, sort="spent").lines[0].member == people[7]
    richest = members_table.read(books, amounts, sort="available")
    assert [line.available for line in richest.lines[:3]] == [1000_00, 60_00, 59_00]
    assert by_name.available == rest.available == 1000_00 + sum(range(1, 61)) * 100 - 77


def test_only_operators_are_told_what_the_provider_has(owner, seen):
    assert "own balance" not in seen()
    assert "Held now" in seen()
    User.objects.filter(pk=owner.user_id).update(is_staff=True)
    page = seen()
    assert "Provider’s own balance" in page
    assert "/installation/difference/" in page


def test_however_many_members_and_lines_there_are_no_more_queries(team, owner, make_member, seen):
    make_member("mei")
    past.charge(owner, midday(), 100)
    paths = ("", "?by=member", "ledger/", "ledger/?kind=charge")
    [seen(path) for path in paths]

    def count():
        found = []
        seen("")  # that somebody was here is written down once a minute
        for path in paths:
            with CaptureQueriesContext(connection) as asked:
                seen(path)
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


def test_bars_stand_on_each_other_and_within_the_grid():
    amounts = Counter({(DAYS[0], "core"): 300, (DAYS[0], "ultra"): 800, (DAYS[5], "sdxl"): 90})
    chart = stacked(amounts, {"ultra": "Ultra", "core": "Core"}, "other")
    assert [(each.title, each.total) for each in chart.series] == [
        ("Ultra", 800),
        ("Core", 300),
        ("other", 90),
    ]
    lower, upper = chart.rows[0].pieces
    assert lower.y + lower.height == pytest.approx(reports_charts.HEIGHT - 1, abs=1.1)
    assert upper.y + upper.height <= lower.y
    assert upper.y >= 0
    assert (chart.grid[0][1], chart.grid[-1][1]) == (0, reports_charts.HEIGHT)
    assert chart.rows[1].pieces == ()


def test_a_day_of_refunds_reaches_below_zero():
    amounts = Counter({(DAYS[0], "core"): 1000, (DAYS[1], "core"): -400})
    chart = stacked(amounts, {"core": "Core"}, "other")
    [above], [below] = chart.rows[0].pieces, chart.rows[1].pieces
    [zero] = [y for line, y in chart.grid if line == 0]
    assert above.y + above.height <= zero + 0.1
    assert below.y >= zero - 0.1
    assert below.y + below.height <= reports_charts.HEIGHT
    assert chart.total == 600


@pytest.mark.parametrize("most", [1, 24, 100, 99_999, 10**11])
def test_the_grid_has_few_round_lines(most):
    chart = stacked(Counter({(DAYS[0], "core"): most}), {"core": "Core"}, "other")
    lines = [line for line, _y in chart.grid]
    assert lines[0] >= most
    assert 2 <= len(lines) <= 6
