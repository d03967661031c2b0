"""A member asks for credits; those who may grant answer once, by one press in a notice."""

import uuid
from datetime import timedelta
from functools import partial

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from generations.credits import ledger
from generations.credits.models import Account, Transfer
from generations.office.audit_log import sentences as audit_log_sentences
from generations.office.audit_log.service import Actor
from generations.office.credits import requests as credit_requests
from generations.office.members import service as members_service
from generations.office.models import AuditAction, AuditEntry, CreditRequest
from generations.office.notices import mail as notices_mail
from generations.office.notices import preferences as notices_preferences
from generations.teams import membership
from generations.teams.models import Role, User
from tests.concurrency import run_concurrently
from tests.markup import compact


@pytest.fixture
def ana(make_member, team):
    """An owner; the team has 500 credits to grant."""
    ledger.issue(team=team, amount=500_00, reference=uuid.uuid4())
    return make_member("ana", role=Role.OWNER, granted=0)


@pytest.fixture
def sign_in():
    """A browser in which the member is signed in."""

    def open_for(member):
        browser = Client()
        browser.force_login(member.user, "allauth.account.auth_backends.AuthenticationBackend")
        return browser

    return open_for


def ask_page(member):
    return f"/t/{member.team.slug}/team/ask/"


def answer_url(request):
    return f"{ask_page(request.member)}{request.pk}/answer/"


def ask(member, amount=20_00, note="for the spring campaign"):
    return credit_requests.ask(
        member=member, amount=amount, note=note, reference=uuid.uuid4(), by=Actor(member.user)
    )


def shown(browser, member):
    """The notices on the page Create, which asks for them again every 20 seconds."""
    return compact(browser.get(f"/t/{member.team.slug}/notices/").content.decode())


def available(member):
    return Account.objects.get(membership=member).available


def changes():
    """What the log of changes says of requests and grants, oldest first."""
    acts = [act for act in AuditAction if act.startswith("credits_")] + [AuditAction.GRANTED]
    rows = AuditEntry.objects.filter(act__in=acts).order_by("pk")
    return [(audit_log_sentences.sentence(row), audit_log_sentences.detail(row)) for row in rows]


def test_a_request_is_granted_by_one_press_in_the_notice(member, ana, sign_in):
    mei, owner = sign_in(member), sign_in(ana)
    answer = mei.post(ask_page(member), {"amount": "20", "note": "for the spring campaign"}, follow=True)
    assert "You asked for 20 credits." in answer.content.decode()
    request = CreditRequest.objects.get()
    notice = shown(owner, ana)
    assert "Mei asks for 20 credits: “for the spring campaign”" in notice
    assert answer_url(request) in notice
    assert answer_url(request) not in shown(mei, member)
    htmx = {"headers": {"HX-Request": "true"}}
    granted = owner.post(
        answer_url(request), {"answer": "grant", "amount": "12.5", "word": "to begin"}, **htmx
    )
    assert "Mei has 12.5 credits more." in granted.content.decode()
    assert available(member) == 112_50
    assert answer_url(request) not in shown(owner, ana)
    assert "Ana granted you 12.5 credits. “to begin”" in shown(mei, member)
    assert changes() == [
        ("Mei asked for 20 credits", "for the spring campaign"),
        ("Ana granted 12.5 to Mei", "to begin, balance 112.5, was 100"),
    ]


def test_no_is_told_with_its_word_until_it_is_put_away(member, ana, sign_in):
    request, mei = ask(member), sign_in(member)
    answer = sign_in(ana).post(answer_url(request), {"answer": "decline", "amount": "?", "word": "in May"})
    assert answer["Location"] == f"/t/{member.team.slug}/team/"
    text = "Ana did not grant the 20 credits that you asked for. “in May”"
    assert text in shown(mei, member)
    assert available(member) == 100_00
    assert "not granted" in mei.get(ask_page(member)).content.decode()
    seen = f"{ask_page(member)}{request.pk}/seen/"
    assert seen in shown(mei, member)
    mei.post(seen)
    assert text not in shown(mei, member)
    assert changes()[-1] == ("Ana did not grant the 20 that Mei asked for", "in May")


def test_an_answer_is_news_for_a_week(member, ana, sign_in):
    request = ask(member)
    credit_requests.decline(request=request, word="", by=Actor(ana.user))
    CreditRequest.objects.update(closed_at=timezone.now() - timedelta(days=8))
    assert "did not grant" not in shown(sign_in(member), member)


@pytest.mark.django_db(transaction=True)
def test_of_many_presses_on_grant_one_moves_credits_and_all_say_so(member, ana):
    request = ask(member)
    grant = partial(credit_requests.grant, request=request, amount=20_00, word="", by=Actor(ana.user))
    results = run_concurrently(*[grant] * 20)
    assert {row.granted for row in results} == {20_00}
    assert available(member) == 120_00
    assert Transfer.objects.filter(kind="grant", amount=20_00).count() == 1
    assert AuditEntry.objects.filter(act=AuditAction.GRANTED, after__amount=20_00).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_grant_and_a_withdrawal_at_once_have_one_outcome(member, ana):
    request = ask(member)
    grant = partial(credit_requests.grant, request=request, amount=20_00, word="", by=Actor(ana.user))
    withdraw = partial(credit_requests.withdraw, member=member, by=Actor(member.user))
    refused = (credit_requests.RequestClosed,)
    _granted, was_withdrawn = run_concurrently(grant, withdraw, expected=refused)
    assert available(member) == (100_00 if was_withdrawn else 120_00)


def test_a_second_answer_says_what_became_of_the_first(member, ana, sign_in):
    request, owner = ask(member), sign_in(ana)
    owner.post(answer_url(request), {"answer": "grant", "amount": "20"})
    late = owner.post(answer_url(request), {"answer": "decline"}, follow=True)
    assert "Mei was granted credits for this before." in late.content.decode()
    again = ask(member)
    credit_requests.withdraw(member=member, by=Actor(member.user))
    late = owner.post(answer_url(again), {"answer": "grant", "amount": "20"}, follow=True)
    assert "Mei has withdrawn this request." in late.content.decode()
    assert available(member) == 120_00


def test_what_the_team_does_not_have_is_not_granted_and_the_request_stays(member, ana, sign_in):
    request, owner = ask(member), sign_in(ana)
    htmx = {"headers": {"HX-Request": "true"}}
    for amount, words in (("501", "Not enough credits"), ("", "required"), ("-3", "greater than")):
        answer = owner.post(answer_url(request), {"answer": "grant", "amount": amount}, **htmx)
        assert words in answer.content.decode()
        assert answer_url(request) in answer.content.decode()
    assert available(member) == 100_00
    assert CreditRequest.objects.get().state == "open"
    assert Account.objects.get(team=member.team).balance == 500_00


def test_a_member_asks_for_one_thing_at_a_time_and_may_withdraw_it(member, ana, sign_in):
    mei = sign_in(member)
    form = {"amount": "20", "reference": str(uuid.uuid4())}
    for _ in range(2):  # a double click
        assert mei.post(ask_page(member), form).status_code == 302
    assert CreditRequest.objects.count() == 1
    other = mei.post(ask_page(member), {"amount": "30"})
    assert other.status_code == 422
    assert "You have asked for 20 credits already." in other.content.decode()
    done = mei.post(f"{ask_page(member)}withdraw/", follow=True).content.decode()
    assert "Your request is withdrawn." in done
    assert 'name="amount"' in done
    assert "asks for" not in shown(sign_in(ana), ana)
    assert [sentence for sentence, _detail in changes()] == [
        "Mei asked for 20 credits",
        "Mei withdrew the request for 20 credits",
    ]


@pytest.mark.django_db(transaction=True)
def test_of_many_requests_at_once_one_is_made(member):
    results = run_concurrently(*[partial(ask, member)] * 10, expected=(credit_requests.AlreadyAsked,))
    assert sum(isinstance(result, CreditRequest) for result in results) == 1


def test_a_member_does_not_ask_without_end(member):
    for _ in range(credit_requests.MAX_REQUESTS):
        ask(member)
        credit_requests.withdraw(member=member, by=Actor(member.user))
    with pytest.raises(credit_requests.AskedTooOften):
        ask(member)
    CreditRequest.objects.update(asked_at=timezone.now() - timedelta(days=1, minutes=1))
    assert ask(member).state == "open"


@pytest.mark.parametrize("amount", ["", "0", "-1", "x", "1e40", "1.001", "\0"])
def test_a_request_needs_an_amount(member, sign_in, amount):
    answer = sign_in(member).post(ask_page(member), {"amount": amount, "note": "x"})
    assert answer.status_code == 422
    assert 'class="error"' in answer.content.decode()
    assert not CreditRequest.objects.exists()


def test_the_form_is_filled_by_the_address(member, sign_in):
    page = sign_in(member).get(f"{ask_page(member)}?amount=9").content.decode()
    assert 'value="9"' in page
    assert "<script>" not in sign_in(member).get(f"{ask_page(member)}?amount=<script>").content.decode()


def test_who_may_grant_is_sent_there_and_a_viewer_or_a_program_does_not_ask(team, ana, make_member, sign_in):
    assert sign_in(ana).get(ask_page(ana))["Location"] == f"/t/{team.slug}/team/grant/?member={ana.pk}"
    viewer = make_member("vi", role=Role.VIEWER)
    assert sign_in(viewer).get(ask_page(viewer)).status_code == 403
    program = membership.create_program(team, "nightly")
    with pytest.raises(ledger.MembershipEnded):
        credit_requests.ask(member=program, amount=1_00, note="", reference=uuid.uuid4(), by=Actor(ana.user))


def test_a_request_of_another_team_is_neither_seen_nor_answered(member, ana, make_member, sign_in):
    request = ask(member)
    elsewhere = make_member("eve", team=members_service.create_team("Elsewhere"), role=Role.OWNER)
    eve = sign_in(elsewhere)
    assert "asks for" not in shown(eve, elsewhere)
    theirs = f"/t/{elsewhere.team.slug}/team/ask/{request.pk}/answer/"
    for address in (theirs, answer_url(request)):
        assert eve.post(address, {"answer": "grant", "amount": "20"}).status_code == 404
    tom = make_member("tom")
    assert sign_in(tom).post(answer_url(request), {"answer": "grant", "amount": "20"}).status_code == 403
    assert sign_in(tom).post(f"{ask_page(tom)}{request.pk}/seen/").status_code == 404
    assert available(member) == 100_00


def test_who_left_asks_no_more(member, ana, sign_in):
    request, owner = ask(member), sign_in(ana)
    members_service.end_membership(member=member)
    assert "asks for" not in shown(owner, ana)
    late = owner.post(answer_url(request), {"answer": "grant", "amount": "20"}, follow=True)
    assert "This membership has ended." in late.content.decode()
    assert Account.objects.get(team=member.team).balance == 600_00


def test_names_and_words_are_escaped(member, ana, sign_in):
    User.objects.filter(pk=member.user_id).update(name="<b>Mei</b>")
    request = ask(member, note="<script>alert(1)</script>")
    assert "<script>alert" not in shown(sign_in(ana), ana)
    credit_requests.decline(request=request, word="<i>no</i>", by=Actor(ana.user))
    page = shown(sign_in(member), member) + sign_in(member).get(ask_page(member)).content.decode()
    assert "<i>no" not in page
    assert "&lt;i&gt;no" in page


@pytest.fixture
def _mail(settings):
    settings.EMAIL_URL, settings.PUBLIC_URL = "smtp://somewhere", "https://pictures.example"


def mailed():
    """Send what is due; to whom, with the subject."""
    before = len(mail.outbox)
    notices_mail.send_due()
    return [(message.to[0].partition("@")[0], message.subject) for message in mail.outbox[before:]]


@pytest.mark.usefixtures("_mail")
def test_those_who_grant_are_mailed_once_and_the_member_about_the_answer(member, ana, make_member):
    olga = make_member("olga", role=Role.ADMINISTRATOR)
    notices_preferences.save(olga.user, {"email": []})
    request = ask(member)
    assert mailed() == [("ana", "[Studio North] Somebody asks for credits")]
    assert "Mei asks for 20 credits" in mail.outbox[0].body
    assert "https://pictures.example/t/studio-north/team/" in mail.outbox[0].body
    assert mailed() == []
    credit_requests.grant(request=request, amount=20_00, word="", by=Actor(ana.user))
    assert mailed() == [("mei", "[Studio North] Your request for credits is answered")]
    assert mailed() == []


@pytest.mark.usefixtures("_mail")
def test_a_request_that_is_withdrawn_before_its_mail_is_not_mailed(member, ana):
    ask(member)
    credit_requests.withdraw(member=member, by=Actor(member.user))
    assert mailed() == []


def test_notices_of_requests_are_switched_off_by_each_person(member, ana, sign_in):
    ask(member)
    notices_preferences.save(ana.user, {"page": ["pool_low"]})
    assert "asks for" not in shown(sign_in(ana), ana)
