"""Notices: raised once for those whom a condition concerns, on pages and by mail, cleared when it ends."""

import re
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generations.credits import ledger
from generations.credits.models import Account
from generations.office.members import service as members_service
from generations.office.models import Notice, NoticeKind, NoticeReader
from generations.office.notices import mail as notices_mail
from generations.office.notices import preferences as notices_preferences
from generations.office.notices import service as notices_service
from generations.providers.base import ModelUnavailable
from generations.teams import membership
from generations.teams.models import Membership, Role, Team, User
from generations.upstreams import accounts
from generations.upstreams.models import Upstream
from sdweb.celery import app
from tests.office import mail_server

PUBLIC = "https://pictures.example"


@pytest.fixture(autouse=True)
def _mail(settings):
    settings.EMAIL_URL, settings.PUBLIC_URL = "smtp://somewhere", PUBLIC


@pytest.fixture
def team(db):
    """A team that gets notices about its pool only if a test fills it."""
    team = members_service.create_team("Studio North")
    team.low_pool = 0
    team.save()
    return team


@pytest.fixture
def ana(make_member):
    return make_member("ana", role=Role.OWNER)


@pytest.fixture
def olga(make_member):
    """Who runs the installation, and is a viewer of the team."""
    member = make_member("olga", role=Role.VIEWER)
    User.objects.filter(pk=member.user_id).update(is_staff=True)
    member.user.refresh_from_db()
    return member


@pytest.fixture
def fill(team):
    """Put so much into the pool, whose mark is 500."""

    def issue(amount):
        Team.objects.filter(pk=team.pk).update(low_pool=500_00)
        ledger.issue(team=team, amount=amount * 100, reference=uuid.uuid4())

    return issue


def spend(member, amount):
    """Charge the member so much for one picture; the reference of it."""
    reference = uuid.uuid4()
    ledger.hold(member=member, amount=amount * 100, reference=reference)
    ledger.settle(reference=reference)
    return reference


def shown(member):
    """The texts of the notices that a page shows to the member."""
    return [
        each.message.text
        for each in notices_service.notices_for_page(User.objects.get(pk=member.user_id), member)
    ]


def mailed():
    """Send what is due; who got it, since the last time."""
    before = len(mail.outbox)
    notices_mail.send_due()
    return sorted(message.to[0].partition("@")[0] for message in mail.outbox[before:])


def test_without_a_condition_there_is_no_notice(member, ana, fill):
    fill(600)
    assert notices_service.raise_and_clear() == (0, 0)
    assert shown(member) == []
    assert mailed() == []


def test_a_low_wallet_raises_one_notice_on_pages_and_by_mail(member, ana):
    spend(member, 81)
    assert notices_service.raise_and_clear() == (1, 0)
    assert notices_service.raise_and_clear() == (0, 0)
    assert shown(member) == ["Your credits are running low: 19 left."]
    assert shown(ana) == []
    assert [mailed(), mailed()] == [["mei"], []]


def test_a_low_balance_clears_only_a_fifth_above_its_threshold(member, ana, fill):
    fill(1000)
    spend(member, 81)
    notices_service.raise_and_clear()
    for granted, left, still in ((1, 20, True), (3, 23, True), (1, 24, False)):
        ledger.grant(member=member, amount=granted * 100, reference=uuid.uuid4())
        notices_service.raise_and_clear()
        assert (shown(member) != []) is still, left
    spend(member, 1)  # 23 again: under the clearing mark, over the other
    assert notices_service.raise_and_clear() == (0, 0)
    assert mailed() == []  # what was over before it was mailed is not mailed
    spend(member, 4)
    assert notices_service.raise_and_clear() == (1, 0)
    assert mailed() == ["mei"]


def test_a_notice_shows_the_current_balance(member):
    spend(member, 81)
    notices_service.raise_and_clear()
    spend(member, 10)
    notices_service.raise_and_clear()
    assert shown(member) == ["Your credits are running low: 9 left."]


def test_a_team_chooses_its_thresholds_and_none_means_never(member, team):
    spend(member, 81)
    Team.objects.update(low_wallet=0)
    assert notices_service.raise_and_clear() == (0, 0)
    Team.objects.update(low_wallet=19_00)
    assert notices_service.raise_and_clear() == (0, 0)
    Team.objects.update(low_wallet=19_01)
    assert notices_service.raise_and_clear() == (1, 0)
    Team.objects.update(low_wallet=0)
    assert notices_service.raise_and_clear() == (0, 1)


def test_a_pool_or_wallet_that_never_had_credits_is_not_low(make_member, ana):
    make_member("new", granted=0)
    other = members_service.create_team("Other")
    make_member("tom", granted=0, team=other, role=Role.OWNER)
    Notice.objects.all().delete()
    notices_service.raise_and_clear()
    assert not Notice.objects.filter(team=other).exists()
    assert not Notice.objects.filter(kind="wallet_low").exists()


def test_a_low_pool_notifies_owners_and_administrators(member, ana, make_member, olga, fill):
    jo = make_member("jo", role=Role.ADMINISTRATOR)
    stranger = make_member("eve", team=members_service.create_team("Other"), role=Role.OWNER, granted=0)
    fill(400)
    assert notices_service.raise_and_clear() == (1, 0)
    words = ["The team credits of Studio North are running low: 400 credits left."]
    assert [shown(each) for each in (ana, jo, member, olga, stranger)] == [words, words, [], [], []]
    assert mailed() == ["ana", "jo"]
    fill(200)
    assert notices_service.raise_and_clear() == (0, 1)


@pytest.mark.parametrize("ended", ["left", "deactivated", "closed", "viewer"])
def test_a_membership_that_ended_gets_no_notice(member, ended):
    spend(member, 81)
    notices_service.raise_and_clear()
    if ended == "left":
        membership.leave(member)
    elif ended == "deactivated":
        User.objects.update(is_active=False)
    elif ended == "closed":
        Team.objects.update(deactivated_at=timezone.now())
    else:
        Membership.objects.update(role=Role.VIEWER)
    assert mailed() == []
    assert notices_service.raise_and_clear() == (0, 1)


def test_a_used_up_cap_has_a_notice_until_its_next_period(member, team):
    Team.objects.update(time_zone="Europe/Berlin")
    Membership.objects.filter(pk=member.pk).update(cap_per_day=40_00)
    spend(member, 30)
    assert notices_service.raise_and_clear() == (0, 0)
    ledger.hold(member=member, amount=10_00, reference=uuid.uuid4())  # what is held counts
    assert notices_service.raise_and_clear() == (1, 0)
    (words,) = shown(member)
    assert words.startswith("You have reached your cap of 40 credits a day. It renews on ")
    assert "midnight" in words or "0:00" in words
    Account.objects.filter(membership=member).update(held=0)
    assert notices_service.raise_and_clear(timezone.now() + timedelta(days=1)) == (0, 1)


def test_a_monthly_cap_counts_the_month_in_the_time_zone_of_the_team(member, team):
    Team.objects.update(time_zone="Pacific/Apia")
    Membership.objects.filter(pk=member.pk).update(cap_per_month=30_00)
    spend(member, 30)
    there = timezone.now().astimezone(ZoneInfo("Pacific/Apia"))
    begin = there.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    assert notices_service.raise_and_clear() == (1, 0)
    before = begin - timedelta(seconds=1)
    assert notices_service.raise_and_clear(before) in {(1, 1), (0, 1)}  # of the month before: another period
    assert not Notice.objects.filter(cleared_at=None, about__contains=f"{begin:%Y-%m-%d}").exists()


def test_refunds_do_not_count_against_a_cap(member):
    Membership.objects.filter(pk=member.pk).update(cap_per_day=40_00)
    first, _second = spend(member, 20), spend(member, 20)
    assert notices_service.raise_and_clear() == (1, 0)
    ledger.refund(reference=first, actor=None)
    assert notices_service.raise_and_clear() == (0, 1)


def test_a_used_up_cap_raises_a_new_notice_the_next_day(member):
    Membership.objects.filter(pk=member.pk).update(cap_per_day=40_00)
    ledger.hold(member=member, amount=40_00, reference=uuid.uuid4())  # waits over midnight
    now = datetime.now(UTC)
    assert notices_service.raise_and_clear(now) == (1, 0)
    assert mailed() == ["mei"]
    assert notices_service.raise_and_clear(now + timedelta(days=1)) == (1, 1)
    later()
    assert mailed() == ["mei"]


@pytest.fixture
def main(db):
    return Upstream.objects.create(name="Main", base_url="http://127.0.0.1:9", balance=Decimal("420.5"))


def test_operators_get_one_notice_of_a_paused_account_at_once(main, olga, ana, member):
    Upstream.objects.update(paused_at=timezone.now(), paused_reason="The key was refused.", low_balance=0)
    words = ["Main is not called: The key was refused."]
    assert [shown(olga), shown(ana), shown(member)] == [words, [], []]
    assert notices_service.raise_and_clear() == (1, 0)
    assert shown(olga) == words
    assert mailed() == ["olga"]
    Upstream.objects.update(paused_at=None)
    assert shown(olga) == []
    assert notices_service.raise_and_clear() == (0, 1)


def test_operators_get_a_notice_of_a_low_balance_at_a_provider(main, olga, ana):
    assert notices_service.raise_and_clear() == (1, 0)
    assert shown(olga) == ["Main has 420.50 left at the provider."]
    assert shown(ana) == []
    for balance, cleared in ((599, 0), (600, 1)):
        Upstream.objects.update(balance=balance)
        assert notices_service.raise_and_clear() == (0, cleared)


def test_a_notice_is_dismissed_by_each_reader_until_it_is_raised_again(ana, make_member, fill):
    jo = make_member("jo", role=Role.ADMINISTRATOR)
    fill(400)
    notices_service.raise_and_clear()
    notices_service.dismiss(notice=Notice.objects.get(), user=ana.user)
    notices_service.raise_and_clear()
    assert (shown(ana), len(shown(jo))) == ([], 1)
    assert mailed() == ["jo"]
    fill(300)
    notices_service.raise_and_clear()
    ledger.grant(member=jo, amount=600_00, reference=uuid.uuid4())
    notices_service.raise_and_clear()
    assert len(shown(ana)) == len(shown(jo)) == 1
    assert mailed() == ["ana", "jo"]


def test_a_dismissed_notice_of_a_paused_account_stays_dismissed(main, olga):
    Upstream.objects.update(paused_at=timezone.now(), paused_reason="No.", low_balance=0)
    notices_service.raise_and_clear()
    notices_service.dismiss(notice=Notice.objects.get(), user=olga.user)
    assert shown(olga) == []


@pytest.mark.parametrize("way", ["page", "email"])
def test_each_reader_switches_off_each_kind(member, ana, fill, way):
    fill(400)
    spend(member, 81)
    notices_preferences.save(member.user, {way: ["cap_reached"]})
    notices_preferences.save(ana.user, {way: ["wallet_low", "cap_reached", "pool_low"]})
    notices_service.raise_and_clear()
    assert shown(member) == ([] if way == "page" else ["Your credits are running low: 19 left."])
    assert mailed() == (["ana", "mei"] if way == "page" else ["ana"])
    assert len(shown(ana)) == 1


def test_preferences_are_saved(client, member, settings):
    client.force_login(member.user)
    page = client.get("/accounts/notices/").content.decode()
    assert re.findall(r'name="(page|email)" value="(\w+)"( checked)?', page) == [
        ("page", "wallet_low", " checked"), ("email", "wallet_low", " checked"),
        ("page", "cap_reached", " checked"), ("email", "cap_reached", " checked"),
        ("page", "credits_answered", " checked"), ("email", "credits_answered", " checked"),
    ]  # fmt: skip
    member.user.preferences = {"create": {"model": "core"}}
    member.user.save()
    answer = client.post(
        "/accounts/notices/", {"page": ["cap_reached"], "email": ["wallet_low", "odd", "pool_low"]}
    )
    assert answer["Location"] == "/accounts/notices/"
    user = User.objects.get(pk=member.user_id)
    assert user.preferences == {
        "create": {"model": "core"},
        "notices_off": {
            "page": ["credits_answered", "wallet_low"],
            "email": ["cap_reached", "credits_answered"],
        },
    }
    settings.EMAIL_URL = ""
    assert 'name="email"' not in client.get("/accounts/notices/").content.decode()
    client.post("/accounts/notices/", {"page": ["wallet_low", "cap_reached", "credits_answered"]})
    user.refresh_from_db()
    assert user.preferences["notices_off"] == {"page": [], "email": ["cap_reached", "credits_answered"]}


def test_malformed_preferences_are_ignored(client, member):
    client.force_login(member.user)
    User.objects.update(preferences={"notices_off": ["?"]})
    assert client.get("/accounts/notices/").status_code == 200
    assert client.post("/accounts/notices/", {"page": "\0"}).status_code == 302


def test_a_notice_is_dismissed_by_its_button_for_its_reader_only(client, member, ana):
    spend(member, 81)
    notices_service.raise_and_clear()
    number = Notice.objects.get().pk
    address = f"/accounts/notices/{number}/dismiss/"
    create = f"/t/{member.team.slug}/create/"
    assert client.post(address)["Location"].startswith("/accounts/login/")
    client.force_login(ana.user)
    assert client.post(address).status_code == 404
    client.force_login(member.user)
    assert client.get(address).status_code == 405
    assert address in client.get(create).content.decode()
    assert client.post(address, {"next": "https://evil.example/"})["Location"] == "/"
    assert client.post(address, {"next": create})["Location"] == create
    assert client.post(address, headers={"HX-Request": "true"}).content == b""
    assert address not in client.get(create).content.decode()
    assert address not in client.get(f"/t/{member.team.slug}/notices/").content.decode()
    assert NoticeReader.objects.count() == 1


def test_dismissing_needs_a_csrf_token(member):
    spend(member, 81)
    notices_service.raise_and_clear()
    client = Client(enforce_csrf_checks=True)
    client.force_login(member.user)
    assert client.post(f"/accounts/notices/{Notice.objects.get().pk}/dismiss/").status_code == 403


def test_a_mail_has_the_notice_a_link_and_a_link_to_the_preferences(member):
    spend(member, 81)
    notices_service.raise_and_clear()
    mailed()
    (message,) = mail.outbox
    assert message.subject == "[Studio North] Your credits are running low"
    assert "Hello Mei," in message.body
    assert "Your credits are running low: 19 left." in message.body
    assert f"{PUBLIC}/t/studio-north/credits/" in message.body
    assert f"{PUBLIC}/accounts/notices/" in message.body
    assert message.message().get_content_type() == "text/plain"
    assert message.extra_headers == {"Auto-Submitted": "auto-generated"}


def test_names_cannot_add_mail_headers_or_markup(member):
    Team.objects.update(name="North\r\nBcc: all@evil.example\r\n\r\n<b>&")
    User.objects.update(name="Mei\r\nCc: x@evil.example")
    spend(member, 81)
    notices_service.raise_and_clear()
    assert mailed() == ["mei"]
    (message,) = mail.outbox
    assert message.subject == "[North Bcc: all@evil.example <b>&] Your credits are running low"
    assert {"Bcc", "Cc"} & set(message.message().keys()) == set()
    assert "<b>&." in message.body


def test_without_a_mail_server_mails_are_not_sent_later_either(member, settings):
    settings.EMAIL_URL = ""
    spend(member, 81)
    notices_service.raise_and_clear()
    assert mailed() == []
    settings.EMAIL_URL = "smtp://somewhere"
    notices_service.raise_and_clear()
    assert mailed() == []


@pytest.fixture
def post(settings):
    """A real mail server."""
    with mail_server.running() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_TIMEOUT = 2
        yield server


def later():
    """Let the pause before the next try be over."""
    NoticeReader.objects.filter(mail_due_at__isnull=False).update(mail_due_at=timezone.now())


def test_mails_go_through_a_mail_server(member, post):
    Team.objects.update(name="Studio Köln 日本")
    spend(member, 81)
    notices_service.raise_and_clear()
    assert [notices_mail.send_due(), notices_mail.send_due()] == [1, 0]
    (message,) = post.taken
    assert message["To"] == "mei@studio.example"
    assert message["Subject"].strip() == "[Studio Köln 日本] Your credits are running low"
    assert message.get_content_type() == "text/plain"
    assert "This is about the team Studio Köln 日本." in message.get_content()


def test_a_mail_is_sent_later_if_the_mail_server_is_down(member, post, settings):
    spend(member, 81)
    notices_service.raise_and_clear()
    port, away = post.port, mail_server.MailServer()
    away.server_close()
    settings.EMAIL_PORT = away.server_address[1]
    assert notices_mail.send_due() == 0
    settings.EMAIL_PORT = port
    assert notices_mail.send_due() == 1


def test_a_refused_address_does_not_delay_the_other_mails(ana, make_member, fill, post):
    for name in ("jo", "kim"):
        make_member(name, role=Role.ADMINISTRATOR)
    post.refuse = {"ana@studio.example"}
    fill(400)
    notices_service.raise_and_clear()
    assert notices_mail.send_due() == 2
    assert notices_mail.send_due() == 0  # the refused one waits for its next try
    later()
    post.refuse = set()
    assert notices_mail.send_due() == 1
    assert sorted(post.recipients()) == [f"{name}@studio.example" for name in ("ana", "jo", "kim")]


def test_a_mail_is_sent_again_after_the_mail_server_disconnected(member, post):
    spend(member, 81)
    notices_service.raise_and_clear()
    post.drop = True
    for _ in range(3):
        assert notices_mail.send_due() == 0
        later()
    post.drop = False
    assert notices_mail.send_due() == 1


def test_a_permanently_refused_address_is_not_tried_again(member, post):
    spend(member, 81)
    notices_service.raise_and_clear()
    post.refuse = {"mei@studio.example"}
    for _ in range(notices_mail.MAX_TRIES):
        assert notices_mail.send_due() == 0
        later()
    assert NoticeReader.objects.get().mail_due_at is None


@pytest.mark.django_db(transaction=True)
def test_concurrent_tasks_raise_and_mail_a_notice_once(ana, make_member, fill, post):
    members = [make_member(f"m{number}") for number in range(8)]
    for each in members:
        spend(each, 81)
    fill(400)
    post.stall = 0.02
    start = threading.Barrier(8)

    def task(_number):
        start.wait()
        try:
            raised = notices_service.raise_and_clear()[0]
            return raised, notices_mail.send_due()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(task, range(8)))
    assert Notice.objects.count() == 9
    later()
    notices_mail.send_due()
    assert sorted(post.recipients()) == sorted(
        f"{who}@studio.example" for who in ("ana", *(f"m{n}" for n in range(8)))
    )
    assert sum(sent for _raised, sent in results) == 9


def test_the_check_takes_a_fixed_number_of_queries(make_member, ana, fill, main):
    fill(400)
    counts = []
    for size in (2, 30):
        for number in range(size):
            team = members_service.create_team(f"T{size}-{number}")
            owner = make_member(f"o{size}-{number}", team=team, role=Role.OWNER)
            Membership.objects.filter(pk=owner.pk).update(cap_per_day=85_00, cap_per_month=85_00)
            spend(owner, 85)
        with CaptureQueriesContext(connection) as asked:
            raised, _cleared = notices_service.raise_and_clear()
        assert raised >= 4 * size
        counts.append(len(asked))
    assert counts[1] - counts[0] <= 1  # keeping up what is open, of which there was nothing at first
    with CaptureQueriesContext(connection) as asked:
        notices_service.raise_and_clear()
    assert len(asked) <= 12


def test_a_page_reads_its_notices_in_two_queries(member, olga, django_assert_num_queries):
    spend(member, 81)
    notices_service.raise_and_clear()
    with django_assert_num_queries(2):
        notices_service.notices_for_page(member.user, member)
    with django_assert_num_queries(3):
        notices_service.notices_for_page(olga.user, olga)


def test_notices_are_shown_on_the_overviews_of_the_team_and_of_the_installation(
    client, ana, olga, main, fill
):
    fill(400)
    notices_service.raise_and_clear()
    for member, path, words in (
        (ana, "/t/studio-north/team/", "The team credits of Studio North are running low"),
        (olga, "/installation/", "Main has 420.50 left at the provider."),
    ):
        client.force_login(member.user)
        assert words in client.get(path).content.decode()


def test_a_notice_of_a_kind_that_only_a_newer_version_knows_disturbs_nothing(member, ana):
    """While one version replaces another, processes of both read the same rows."""
    spend(member, 81)
    notices_service.raise_and_clear()
    newer = Notice.objects.create(kind="of_tomorrow", about="1", team=member.team, member=member)
    NoticeReader.objects.create(notice=newer, user=member.user, mail_due_at=timezone.now())
    assert notices_service.raise_and_clear() == (0, 0)
    assert shown(member) == ["Your credits are running low: 19 left."]
    assert mailed() == ["mei"]
    newer.refresh_from_db()
    assert newer.cleared_at is None


def test_the_task_that_raises_notices_is_scheduled_and_known_to_workers():
    app.loader.import_default_modules()
    entry = app.conf.beat_schedule["notices"]
    assert entry["task"] in app.tasks
    assert app.amqp.router.route({}, entry["task"])["queue"].name == "upkeep"


def test_a_model_that_an_account_lacks_is_one_notice_for_operators_however_often_it_is_tried(main):
    operator, upstream = User.objects.create_user("op@studio.example", is_staff=True), main
    Upstream.objects.update(low_balance=0)
    lacks = ModelUnavailable("The provider has nothing at this address (HTTP 404).", 404)
    for _ in range(3):
        upstream.refresh_from_db()
        accounts.close_model(upstream, "core", lacks)
        notices_service.raise_and_clear()
        upstream.refresh_from_db()
        upstream.closed_models["core"]["until"] = timezone.now().isoformat()  # ten minutes later
        upstream.save()
        notices_service.raise_and_clear()
    notice = Notice.objects.get()
    assert (notice.kind, notice.cleared_at) == (NoticeKind.UPSTREAM_PAUSED, None)
    [shown] = notices_service.notices_for_page(operator, None)
    assert "HTTP 404" in shown.message.text
    assert "Core" in shown.message.text
    accounts.open_model(upstream, "core")
    notices_service.raise_and_clear()
    assert Notice.objects.get().cleared_at
    assert notices_service.notices_for_page(operator, None) == []
