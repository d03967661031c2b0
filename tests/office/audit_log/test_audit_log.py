"""Who changed what: written once, never rewritten, read by those who run the team, and kept as a table."""

import csv
import io
import itertools
import re
from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import async_to_sync
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from generations.office.audit_log import sentences as audit_log_sentences
from generations.office.audit_log import service as audit_log_service
from generations.office.audit_log import value_labels
from generations.office.audit_log.query import EXPORT_CHUNK
from generations.office.audit_log.service import Actor
from generations.office.members import service as members_service
from generations.office.models import AuditAction, AuditEntry
from generations.teams.models import Role, User
from tests import guards
from tests.markup import compact

ANA_S = "203.0.113.7"


@pytest.fixture
def ana(make_member):
    return make_member("ana", role=Role.OWNER)


@pytest.fixture
def visit(client):
    """The text of a page as one member sees it, with its spaces made single."""

    def ask(member, path, status=200):
        client.force_login(member.user)
        answer = client.get(path)
        assert answer.status_code == status
        return "" if answer.streaming else compact(answer.content.decode())

    return ask


def page_of(team, query=""):
    return f"/t/{team.slug}/team/changes/{query}"


def write(who, act=AuditAction.GRANTED, *, at=None, **about):
    """One entry, at a time that a test chooses."""
    by = Actor(getattr(who, "user", who), ANA_S if who else None)
    entry = audit_log_service.record(by, act, **about)
    if at:
        rewrite(entry, at=at)
    return entry


def rewrite(entry, **fields):
    """Change an entry as nobody can: with the guard lifted."""
    with guards.lifted():
        AuditEntry.objects.filter(pk=entry.pk).update(**fields)
    entry.refresh_from_db()


def refused():
    return pytest.raises(DatabaseError, match="written down, never rewritten")


def test_an_entry_cannot_be_changed(ana, member):
    write(ana, member=member)
    with refused(), transaction.atomic():
        AuditEntry.objects.update(note="another one")


def test_an_entry_cannot_be_deleted(ana, member):
    write(ana, member=member)
    with refused(), transaction.atomic():
        AuditEntry.objects.all()._raw_delete("default")


@pytest.mark.django_db(transaction=True)
def test_the_log_cannot_be_emptied_at_once(ana, member):
    write(ana, member=member)
    empty = {"postgresql": "TRUNCATE office_auditentry CASCADE", "sqlite": "DELETE FROM office_auditentry"}
    with refused(), connection.cursor() as cursor:
        cursor.execute(empty[connection.vendor])


@pytest.mark.django_db(transaction=True)
def test_an_entry_cannot_be_changed_after_a_test_that_flushed(ana, member):
    write(ana, member=member)
    with refused(), transaction.atomic():
        AuditEntry.objects.update(note="another one")


def test_a_failed_change_leaves_no_entry(ana, member):
    before = AuditEntry.objects.count()
    with transaction.atomic():
        write(ana, member=member)
        transaction.set_rollback(True)
    assert AuditEntry.objects.count() == before


SENTENCES = [
    (AuditAction.GRANTED, {"after": {"amount": 100_00}}, "Ana granted 100 to Mei", ""),
    (
        AuditAction.GRANTED,
        {"after": {"amount": 100_00}, "note": "spring"},
        "Ana granted 100 to Mei",
        "spring",
    ),
    (AuditAction.GRANTED, {}, "Ana granted credits to Mei", ""),
    (AuditAction.TAKEN_BACK, {"after": {"amount": 25_50}}, "Ana took back 25.5 from Mei", ""),
    (
        AuditAction.REFUNDED,
        {"after": {"amount": 300, "generation": "01937a5e-0000-7000-8000-000000000001", "model": "ultra"}},
        "Ana refunded 3 to Mei for a picture",
        "model Ultra",
    ),
    (
        AuditAction.CAPS_SET,
        {"before": {"cap_per_day": 40_00}, "after": {"cap_per_day": 60_00}},
        "Ana set the daily cap of Mei to 60",
        "was 40",
    ),
    (
        AuditAction.CAPS_SET,
        {
            "before": {"cap_per_day": 40_00, "cap_per_month": None},
            "after": {"cap_per_day": None, "cap_per_month": None},
        },
        "Ana removed the daily cap of Mei",
        "was 40",
    ),
    (
        AuditAction.CAPS_SET,
        {
            "before": {"cap_per_day": 40_00, "cap_per_month": None},
            "after": {"cap_per_day": 50_00, "cap_per_month": 500_00},
        },
        "Ana set the caps of Mei",
        "daily cap 50, was 40, monthly cap 500, was none",
    ),
    (
        AuditAction.ROLE_CHANGED,
        {"before": {"role": "viewer"}, "after": {"role": "member"}},
        "Ana changed the role of Mei to Member",
        "was Viewer",
    ),
    (
        AuditAction.ALLOWANCE_SET,
        {"after": {"kind": "add", "amount": 200_00, "first_month": "2026-12"}},
        "Ana set the allowance of Mei to 200 a month",
        "from December 2026",
    ),
    (AuditAction.ALLOWANCE_SET, {"before": {"amount": 200_00}}, "Ana ended the allowance of Mei", "was 200"),
    (
        AuditAction.WEIGHT_CHANGED,
        {"before": {"weight": 1}, "after": {"weight": 3}},
        "Ana set the weight of Mei to 3",
        "was 1",
    ),
    (AuditAction.MEMBER_ADMITTED, {"after": {"role": "member"}}, "Ana admitted Mei", "role Member"),
    (AuditAction.MEMBER_REMOVED, {}, "Ana removed Mei", ""),
    (AuditAction.MEMBER_REMOVED, {"before": {"role": "member"}}, "Ana removed Mei", "role was Member"),
    (
        AuditAction.GRANTED,
        {"before": {"balance": 88_00}, "after": {"amount": 100_00, "balance": 188_00}, "note": "spring"},
        "Ana granted 100 to Mei",
        "spring, balance 188, was 88",
    ),
]
PRICES = {"before": {"amount": 850}, "after": {"amount": 800}}
LIMITS = {"before": {"limit_calls": 150}, "after": {"limit_calls": 100}}
OF_NO_MEMBER = [
    (AuditAction.PRICE_SET, {"subject": "ultra"} | PRICES, "Ana set the price of Ultra to 8", "was 8.5"),
    (AuditAction.ISSUED, {"after": {"amount": 5_000_00}}, "Ana issued 5,000 to the team", ""),
    (
        AuditAction.TEAM_CHANGED,
        {"before": {"name": "A"}, "after": {"name": "B"}},
        "Ana renamed the team to B",
        "was A",
    ),
    (AuditAction.INVITED, {"after": {"role": "member"}}, "Ana made an invitation", "role Member"),
    (AuditAction.INVITED, {"subject": "tom@example.org"}, "Ana invited tom@example.org", ""),
    (
        AuditAction.GRANTED,
        {
            "subject": "8 members",
            "before": {"pool": 900_00},
            "after": {"pool": 100_00, "total": 800_00, "members": {f"M{n}": 100_00 for n in range(8)}},
        },
        "Ana granted 800 to 8 members",
        "members: M0 100, M1 100, M2 100, M3 100, M4 100, M5 100, and 2 more",
    ),
    (
        AuditAction.GRANTED,
        {
            "subject": "2 members",
            "after": {"total": 75_50, "count": 2, "members": [[5, "Mei", 25_50], [6, "Tom", 5_000]]},
        },
        "Ana granted 75.5 to 2 members",
        "members: Mei 25.5, Tom 50",
    ),
    (
        AuditAction.PRICE_SET,
        {"subject": "ultra", "before": {"amount": 850}, "after": {"amount": None}},
        "Ana took back a price of Ultra that was to come",
        "was 8.5",
    ),
    (
        AuditAction.TEAM_CHANGED,
        {"before": {"active": True}, "after": {"active": False}},
        "Ana closed the pages of the team",
        "",
    ),
    (
        AuditAction.UPSTREAM_CHANGED,
        {"subject": "A", "after": {"did": "paused"}},
        "Ana paused the provider account A",
        "",
    ),
    (
        AuditAction.UPSTREAM_CHANGED,
        {"subject": "A"} | LIMITS,
        "Ana changed the provider account A",
        "calls 100, was 150",
    ),
]


@pytest.mark.parametrize(("act", "about", "sentence", "detail"), SENTENCES)
def test_a_change_to_a_member_is_a_sentence(ana, member, act, about, sentence, detail):
    entry = write(ana, act, member=member, **about)
    assert (audit_log_sentences.sentence(entry), audit_log_sentences.detail(entry)) == (sentence, detail)


@pytest.mark.parametrize(("act", "about", "sentence", "detail"), OF_NO_MEMBER)
def test_a_change_to_a_team_or_the_installation_is_a_sentence(ana, act, about, sentence, detail):
    entry = write(ana, act, team=ana.team, **about)
    assert (audit_log_sentences.sentence(entry), audit_log_sentences.detail(entry)) == (sentence, detail)


@pytest.mark.parametrize("act", list(AuditAction))
def test_every_action_has_a_sentence_for_any_stored_values(ana, member, act):
    stored = (None, {}, {"amount": None, "role": 7, "weight": []}, {"who": "x", "a": {"b": [1]}})
    whats = ({"member": member}, {"team": ana.team}, {"subject": "100 % %(x)s %s"})
    for odd, about in itertools.product(stored, whats):
        entry = write(ana, act, before=odd, after=odd and dict(reversed(odd.items())), **about)
        assert audit_log_sentences.sentence(entry).startswith("Ana ")
        assert "%(who" not in audit_log_sentences.sentence_html(entry)
        audit_log_sentences.detail(entry)
    assert audit_log_sentences.sentence(write(None, act, member=member)).startswith("A command at the server")


def test_names_in_the_log_are_escaped(ana, team, visit):
    User.objects.filter(pk=ana.user_id).update(name="<b>Ana</b>%(whom)s")
    write(ana, AuditAction.UPSTREAM_CHANGED, team=team, subject="<script>", note="<i>", after={"<u>": "<s>"})
    page = visit(ana, page_of(team))
    assert "&lt;b&gt;Ana&lt;/b&gt;%(whom)s</strong> changed the provider account &lt;script&gt;" in page
    assert "&lt;i&gt;, &lt;u&gt; &lt;s&gt;" in page


def test_the_page_shows_actor_time_address_and_old_values(ana, member, team, visit):
    write(
        ana, AuditAction.CAPS_SET, member=member, before={"cap_per_day": 40_00}, after={"cap_per_day": 60_00}
    )
    page = visit(ana, page_of(team))
    assert "<strong>Ana</strong> set the daily cap of Mei to 60" in page
    assert "was 40" in page
    assert ANA_S in page
    assert re.search(r'<time datetime="[^"]+" title="[^"]+" data-ago>just now</time>', page)


def test_owners_and_administrators_see_only_the_log_of_their_team(ana, member, make_member, visit, team):
    other = members_service.create_team("Other")
    stranger = make_member("eve", team=other, role=Role.OWNER)
    write(stranger, AuditAction.TEAM_CHANGED, team=other, note="a secret of the others")
    write(ana, AuditAction.UPSTREAM_CHANGED, subject="of the installation")
    for role, status in ((Role.ADMINISTRATOR, 200), (Role.MEMBER, 403), (Role.VIEWER, 403)):
        someone = make_member(f"a-{role}", role=role)
        visit(someone, page_of(team), status)
        visit(someone, page_of(team) + "export.csv", 403 if status == 403 else 200)
    visit(stranger, page_of(team), 404)
    page = visit(ana, page_of(team))
    assert "a secret of the others" not in page
    assert "of the installation" not in page
    foreign = AuditEntry.objects.filter(team=other).latest("pk")
    visit(ana, page_of(team, f"?before={foreign.pk}"), 404)
    visit(ana, page_of(team, "?before=x"), 404)
    assert stranger.user.email not in page


def test_operators_see_every_team_and_the_installation(ana, visit, team):
    other = members_service.create_team("Other")
    write(ana, AuditAction.TEAM_CHANGED, team=other, note="of the others")
    write(None, AuditAction.UPSTREAM_CHANGED, subject="Main")
    visit(ana, "/installation/changes/", 404)
    visit(ana, "/installation/changes/export.csv", 404)
    User.objects.filter(pk=ana.user_id).update(is_staff=True)
    page = visit(ana, "/installation/changes/")
    assert "of the others" in page
    assert "A command at the server</strong> changed the provider account Main" in page
    assert "of the others" not in visit(ana, f"/installation/changes/?team={team.pk}")
    assert "of the others" in visit(ana, f"/installation/changes/?team={other.pk}")


def test_the_log_is_filtered_by_person_action_and_days(ana, member, team, visit, make_member):
    jo = make_member("jo", role=Role.ADMINISTRATOR)
    write(ana, AuditAction.GRANTED, member=member, note="by Ana")
    write(jo, AuditAction.TAKEN_BACK, member=member, note="by Jo")
    write(None, AuditAction.GRANTED, member=member, note="by nobody")

    def notes(query):
        return re.findall(r'class="change-more">by (\w+)', visit(ana, page_of(team, query)))

    assert notes("") == ["nobody", "Jo", "Ana"]
    assert notes(f"?who={jo.user_id}") == ["Jo"]
    assert notes("?who=server") == ["nobody"]
    assert notes("?what=granted") == ["nobody", "Ana"]
    assert notes(f"?what=granted&who={ana.user_id}") == ["Ana"]
    assert notes("?first=2001-01-01&last=2001-01-02") == []
    assert "Nothing was changed like that." in visit(ana, page_of(team, "?last=2001-01-02"))


@pytest.mark.parametrize(
    "odd", ["who=999999", "who=x", "what=robbed", "first=0001-01-01", "last=9999-12-31", "first=x", "team=1"]
)
def test_malformed_filters_are_ignored(ana, team, visit, odd):
    visit(ana, page_of(team, f"?{odd}"))
    visit(ana, f"{page_of(team)}export.csv?{odd}")


def test_days_are_in_the_time_zone_of_the_team(ana, member, team, visit):
    type(team).objects.update(time_zone="Pacific/Apia")  # 13 hours ahead
    write(ana, member=member, note="in the night", at=datetime(2026, 1, 31, 11, 30, tzinfo=UTC))
    assert "in the night" in visit(ana, page_of(team, "?first=2026-02-01&last=2026-02-01"))
    assert "in the night" not in visit(ana, page_of(team, "?first=2026-01-31&last=2026-01-31"))


def test_every_entry_is_on_exactly_one_page(ana, member, team, visit):
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    entries = [AuditEntry(team=team, actor=ana.user, act=AuditAction.GRANTED, member=member, note=f"#{n}#",
                          at=moment + timedelta(minutes=n // 4)) for n in range(120)]  # fmt: skip
    AuditEntry.objects.bulk_create(entries)
    seen, path = [], page_of(team, "?what=granted&last=2026-01-02")
    while path:
        page = visit(ana, path)
        seen += re.findall(r"#(\d+)#", page)
        older = re.search(r'href="([^"]*before=\d+)"', page)
        path = older and older[1].replace("&amp;", "&")
    assert seen == [str(n) for n in reversed(range(120))]


def test_a_page_takes_a_fixed_number_of_queries(ana, member, make_member, team, client):
    client.force_login(ana.user)
    counts = []
    for size in (1, 40):
        for n in range(size):
            write(make_member(f"p{size}-{n}"), member=make_member(f"m{size}-{n}"))
        client.get(page_of(team))
        with CaptureQueriesContext(connection) as asked:
            client.get(page_of(team))
        counts.append(len(asked))
    assert counts[0] == counts[1]


def table(answer):
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:])))


def test_the_csv_has_every_entry_and_no_formula(ana, member, team, client, monkeypatch):
    monkeypatch.setattr("generations.office.audit_log.query.EXPORT_CHUNK", 3)
    User.objects.filter(pk=ana.user_id).update(name='=HYPERLINK("http://evil")')
    for n in range(8):
        write(ana, member=member, after={"amount": n * 100}, note=f"@{n}", subject="+cmd|' /C calc'!A0")
    client.force_login(ana.user)
    answer = client.get(page_of(team) + "export.csv?what=granted")
    assert re.fullmatch(
        r'attachment; filename="changes-studio-north-[\d-]{10}\.csv"', answer["Content-Disposition"]
    )
    rows = table(answer)
    assert [row["note"] for row in rows] == [f"'@{n}" for n in reversed(range(8))]
    assert rows[0]["address"] == ANA_S
    assert rows[0]["email"] == "ana@studio.example"
    assert datetime.fromisoformat(rows[0]["when"]).tzinfo
    assert [cell for row in rows for cell in row.values() if cell and cell[0] in "=+-@\t\r"] == []


def test_the_csv_is_streamed(ana, member, team, client):
    entries = [
        AuditEntry(team=team, actor=ana.user, act=AuditAction.GRANTED, member=member) for _ in range(2_000)
    ]
    AuditEntry.objects.bulk_create(entries)
    client.force_login(ana.user)
    answer = client.get(page_of(team) + "export.csv?what=granted")
    pieces = iter(answer.streaming_content)
    with CaptureQueriesContext(connection) as asked:
        assert next(pieces)
        assert next(pieces).count(b"\n") == EXPORT_CHUNK
    assert len(asked) == 1


def test_every_action_has_a_title_in_the_filter():
    assert set(value_labels.ACTION_LABELS) == set(AuditAction)


@pytest.mark.parametrize(
    ("remote", "kept"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:DB8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("", None),
        ("unknown", None),
        ("203.0.113.7, 10.0.0.1", None),
    ],
)
def test_a_malformed_address_does_not_prevent_a_change(rf, ana, remote, kept):
    request = rf.get("/", REMOTE_ADDR=remote)
    request.user = ana.user
    assert (
        audit_log_service.record(audit_log_service.actor_of(request), AuditAction.GRANTED, member=ana).address
        == kept
    )


@pytest.mark.filterwarnings("error:StreamingHttpResponse")
def test_an_asgi_server_streams_the_csv(ana, member, team, async_client):
    entries = [
        AuditEntry(team=team, actor=ana.user, act=AuditAction.GRANTED, member=member) for _ in range(1_200)
    ]
    AuditEntry.objects.bulk_create(entries)
    async_client.force_login(ana.user)

    async def pieces():
        answer = await async_client.get(page_of(team) + "export.csv?what=granted")
        return [piece async for piece in answer]

    assert [piece.count(b"\n") for piece in async_to_sync(pieces)()] == [1, EXPORT_CHUNK, EXPORT_CHUNK, 200]
