"""A member's own credits page: why not charged, what belongs together, caps and allowance, and the CSV."""

import csv
import io
import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from generations.credits import ledger
from generations.credits import statement as credits_statement
from generations.credits.models import Account, Transfer
from generations.library.models import Image
from generations.office.audit_log.service import COMMAND
from generations.office.credits import allowances
from generations.office.credits import service as credits_service
from generations.office.members import service as members_service
from generations.office.models import AllowanceKind
from generations.teams.models import Role
from tests.conftest import work
from tests.markup import compact
from tests.past import charge, moment


@pytest.fixture
def read(client):
    """The page as its member sees it, on one line: read(member, "?kind=charge")."""

    def ask(member, query=""):
        client.force_login(member.user)
        answer = client.get(f"/t/{member.team.slug}/credits/{query}")
        assert answer.status_code == 200
        return compact(answer.content.decode())

    return ask


def heads(page):
    """The text of each line, without what a folded one opens to."""
    lines = re.search(r"<ol[^>]* data-statement>(.*)</ol>", page)[1]
    lines = re.sub(r"</summary><ol>.*?</ol></details>", "</details>", lines)
    texts = re.findall(
        r'<div class="statement-line">(.*?)</div>\s*<span class="statement-amount[^>]*>(.*?)</span>', lines
    )
    return [(" ".join(re.sub(r"<[^>]+>", " ", text).split()), amount.strip()) for text, amount in texts]


@pytest.mark.django_db(transaction=True)  # what workers do is committed
def test_the_pictures_of_a_batch_are_one_line_that_opens(member, submit, upstream, read):
    batch = submit(count=3)
    assert work() == 3
    page = read(member)
    (text, amount), (grant, granted) = heads(page)
    assert text.startswith("3 pictures a quiet harbour at dawn")
    assert (amount, granted) == ("−9", "+100")
    assert grant.startswith("Granted")
    for row in batch.generations.all():
        assert f"/generation/{row.pk}/" in page  # each is inside
    assert page.count("<img") >= 3
    assert page.count("3 held at") == 3


@pytest.mark.django_db(transaction=True)
def test_a_batch_is_not_cut_between_two_pages(member, submit, upstream, read, monkeypatch):
    for _ in range(3):
        submit(count=2)
    assert work() == 6
    monkeypatch.setattr(credits_statement.page, "__kwdefaults__", {"chosen": None, "before": None, "size": 3})
    page, texts = read(member), []
    while True:
        texts += [text for text, _amount in heads(page)]
        older = re.search(r"[?]before=(\w+)", page)
        if older is None:
            break
        page = read(member, older[0])
    assert [text.split(" a quiet")[0] for text in texts[:3]] == ["2 pictures"] * 3
    assert len(texts) == 4


@pytest.mark.django_db(transaction=True)
def test_a_line_says_why_it_was_not_charged(member, submit, upstream, provider, client, read):
    provider.plan("403")
    submit(prompt="a crowded square")
    work()
    canceled = submit(prompt="a quiet square")
    row = canceled.generations.get()
    client.force_login(member.user)
    client.post(f"/t/{member.team.slug}/generation/{row.pk}/cancel/")
    texts = [text for text, amount in heads(read(member, "?kind=released")) if amount == "0"]
    assert "not charged: canceled" in texts[0]
    assert "not charged: refused (content)" in texts[1]
    assert len(texts) == 2
    assert "not charged" not in " ".join(text for text, _amount in heads(read(member, "?kind=grant")))


def test_what_is_not_known_any_more_is_still_a_line(member, read):
    ledger.hold(member=member, amount=1_00, reference=(reference := uuid.uuid4()), model="core")
    ledger.release(reference=reference)
    assert "not charged" in heads(read(member))[0][0]


@pytest.mark.django_db(transaction=True)
def test_a_picture_that_the_member_may_not_see_any_more_is_not_shown(
    member, make_member, submit, upstream, read
):
    submit()
    work()
    assert "<img" in re.search(r"data-statement.*", read(member))[0]
    tom = make_member("tom")
    Image.objects.update(visibility="private", owner=tom)
    assert "<img" not in re.search(r"data-statement.*", read(member))[0]


def test_caps_and_allowance_are_shown_with_their_dates(team, member, read):
    team.time_zone = "Asia/Kathmandu"
    team.save()
    assert "Cap today" not in read(member)
    credits_service.set_caps(member=member, per_day=10_00, per_month=100_00, by=COMMAND)
    allowances.set_allowance(
        member=member, kind=AllowanceKind.TOP_UP, amount=100_00, from_this_month=False, by=COMMAND
    )
    ledger.hold(member=member, amount=4_00, reference=(reference := uuid.uuid4()))
    ledger.settle(reference=reference)
    ledger.hold(member=member, amount=5_00, reference=uuid.uuid4())
    member.refresh_from_db()
    page = read(member)
    assert "Cap today" in page
    assert "1 of 10 left" in page
    assert "91 of 100 left" in page
    assert page.count("4 spent, 5 held") == 2
    assert page.count("(Asia/Kathmandu)") == 2
    assert "Monthly allowance" in page
    assert "up to 100" in page
    assert re.search(r"next on \w", page)


def test_an_allowance_for_which_the_team_has_too_little_is_due(member, read):
    allowances.set_allowance(
        member=member, kind=AllowanceKind.ADD, amount=50_00, from_this_month=True, by=COMMAND
    )
    assert "Due now: granted as soon as the team has enough." in read(member)


def test_who_spends_may_ask_for_credits_from_the_page(member, make_member, read):
    assert f"/t/{member.team.slug}/team/ask/" in read(member)
    for role in (Role.OWNER, Role.VIEWER):
        assert "/team/ask/" not in read(make_member(f"a-{role}", role=role))


def test_the_totals_on_the_page_are_those_of_the_ledger(member, read):
    ledger.issue(team=member.team, amount=50_00, reference=uuid.uuid4())
    ledger.grant(member=member, amount=50_00, reference=uuid.uuid4())
    for amount in (8_00, 6_50):
        ledger.hold(member=member, amount=amount, reference=(reference := uuid.uuid4()))
        ledger.settle(reference=reference)
    ledger.refund(reference=reference)
    sums = re.search(r'<dl class="sums".*?</dl>', read(member))[0]
    found = dict(re.findall(r"<dt>([^<]+)</dt><dd[^>]*>([^<]+)</dd>", sums))
    assert found == {"Pictures": "−14.5", "Refunds": "+6.5", "Grants": "+150", "Balance": "142"}
    assert Account.objects.get(membership=member).balance == 142_00


def test_the_totals_of_a_month_lead_from_the_balance_before_it_to_the_one_after(member, read):
    for day, amount in (
        ("2026-02-10", 1_00),
        ("2026-03-01", 8_00),
        ("2026-03-31", 6_50),
        ("2026-04-01", 2_00),
    ):
        charge(member, moment(f"{day}T12:00"), amount)
    sums = re.search(r'<dl class="sums".*?</dl>', read(member, "?month=2026-03"))[0].replace("-1", "−1")
    found = dict(re.findall(r"<dt>([^<]+)</dt><dd[^>]*>([^<]+)</dd>", sums))
    assert found == {"Balance before": "−1", "Pictures": "−14.5", "Balance after": "−15.5"}


@pytest.mark.parametrize(
    "query", ["?kind=robbed", "?month=x", "?month=0001-01", "?month=9999-12", "?kind=%00"]
)
def test_filters_that_mean_nothing_are_ignored(member, client, read, query):
    assert len(heads(read(member, query))) == 1
    assert client.get(f"/t/{member.team.slug}/credits/lines.csv{query}").status_code == 200


def lines_of(client, member, query=""):
    client.force_login(member.user)
    answer = client.get(f"/t/{member.team.slug}/credits/lines.csv{query}")
    assert answer["Content-Type"].startswith("text/csv")
    text = answer.getvalue().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.django_db(transaction=True)
def test_the_csv_has_ones_own_lines_and_adds_up(member, make_member, submit, upstream, provider, client):
    tom = make_member("tom")
    submit(by=tom, prompt="a fox of Tom")
    submit(count=2, prompt="=1+1")
    work()
    provider.plan("403")
    submit(prompt="a crowded square")
    work()
    submit(prompt="still waiting")
    rows = lines_of(client, member)
    assert sum(float(row["credits"]) for row in rows) * 100 == Account.objects.get(membership=member).balance
    assert [row["kind"] for row in rows] == ["held", "released", "charge", "charge", "grant"]
    assert [row["why_not_charged"] for row in rows][:2] == ["", "refused (content)"]
    assert {row["prompt"] for row in rows if row["kind"] == "charge"} == {"'=1+1"}
    assert float(rows[0]["held"]) == 3
    assert "Tom" not in str(rows)
    assert [row["kind"] for row in lines_of(client, member, "?kind=grant")] == ["grant"]


def test_another_members_lines_are_nowhere(member, make_member, read, client):
    tom = make_member("tom", team=members_service.create_team("Elsewhere"))
    ledger.hold(member=tom, amount=1_00, reference=(reference := uuid.uuid4()))
    ledger.settle(reference=reference)
    foreign = Transfer.objects.get(reference=reference)
    client.force_login(member.user)
    assert client.get(f"/t/{tom.team.slug}/credits/lines.csv").status_code == 404
    assert client.get(f"/t/{member.team.slug}/credits/?before=t{foreign.pk}").status_code == 404
    assert str(reference) not in read(member) + str(lines_of(client, member))


@pytest.mark.django_db(transaction=True)
def test_the_number_of_queries_does_not_grow_with_the_lines(member, submit, upstream, client):
    address = f"/t/{member.team.slug}/credits/"
    client.force_login(member.user)

    def count():
        client.get(address)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        return len(asked)

    submit()
    work()
    few = count()
    for _ in range(3):
        submit(count=4)
    work()
    assert count() <= few <= 40
