"""Coming in by a link: whom it lets in, with what, and whom not."""

import re
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth import get_user
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from generations.credits import integrity_check as books
from generations.credits import ledger
from generations.office.members import service as members_service
from generations.office.models import AuditAction, AuditEntry
from generations.teams.models import Invitation, InvitationUse, Membership, Role, User
from sdweb import log_format
from tests.office.invitations.form_data import PASSWORD, account, form, invite_page, link_in

WEEK = timedelta(days=7)


@pytest.fixture(autouse=True)
def _no_attempts_yet(db):
    cache.clear()


@pytest.fixture(autouse=True)
def _exact_books(db):
    yield
    assert books.problems() == []


def test_who_is_signed_in_presses_a_button(make_link, signed_in, tom, team):
    ledger.issue(team=team, amount=50_00, reference=uuid.uuid4())
    link, client = make_link(role=Role.ADMINISTRATOR, start=20_00), signed_in(tom)
    page = client.get(link)
    assert "Join Studio North as Administrator" in page.text
    assert page["Referrer-Policy"] == "same-origin"
    assert "no-store" in page["Cache-Control"]
    assert 'content="noindex"' in page.text
    assert not tom.memberships.exists()
    assert client.post(link).url == "/"
    member = tom.memberships.get()
    assert (member.role, member.wallet.balance) == (Role.ADMINISTRATOR, 20_00)
    assert ledger.open_pool(team).balance == 30_00
    entry = AuditEntry.objects.get(act=AuditAction.MEMBER_ADMITTED, member=member)
    assert (entry.actor, entry.address) == (tom, "127.0.0.1")
    assert entry.after == {"did": "joined", "role": "administrator", "credits": 20_00}
    assert client.post(link).status_code == 410
    assert Client().get(link).status_code == 410


def test_a_pool_that_has_too_little_lets_in_without_credits_and_says_so(make_link, owner, signed_in, tom):
    link = make_link(start=20_00)
    assert signed_in(tom).post(link).url == "/"
    assert tom.memberships.get().wallet.balance == 0
    assert InvitationUse.objects.get().granted == 0
    entry = AuditEntry.objects.get(act=AuditAction.MEMBER_ADMITTED, member__user=tom)
    assert entry.note == "The team had too little for the 20 credits of the invitation."
    page = signed_in(owner.user).get("/t/studio-north/team/people/").text
    assert "1 without the starting credits" in page


def test_a_member_uses_no_invitation(make_link, member, signed_in):
    link = make_link(role=Role.OWNER)
    client = signed_in(member.user)
    assert client.get(link).url == "/t/studio-north/create/"
    assert client.post(link).url == "/t/studio-north/create/"
    assert Invitation.objects.get().used == 0
    assert Membership.objects.get(pk=member.pk).role == Role.MEMBER


def test_who_was_removed_does_not_come_back_by_the_same_link_but_by_another(make_link, signed_in, tom):
    link, client = make_link(uses=5), signed_in(tom)
    client.post(link)
    first = tom.memberships.get()
    members_service.end_membership(member=first)
    assert client.post(link).status_code == 410
    assert Invitation.objects.get().used == 1
    client.post(make_link(role=Role.VIEWER))
    again = tom.memberships.get()
    assert (again.pk, again.role, again.ended_at) == (first.pk, Role.VIEWER, None)
    assert AuditEntry.objects.filter(member=first).last().after["did"] == "came_back"


@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        ({"revoked_at": timezone.now()}, 410, "was revoked"),
        ({"expires_at": timezone.now() - WEEK}, 410, "has expired"),
        ({"used": 1}, 410, "was used before"),
        (None, 404, "no such invitation"),
    ],
)
def test_a_link_that_lets_nobody_in_says_why_in_one_sentence(
    make_link, signed_in, tom, change, status, sentence
):
    link = make_link()
    if change:
        Invitation.objects.update(**change)
    else:
        link = "/join/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/"
    for client in (Client(), signed_in(tom)):
        for answer in (
            client.get(link),
            client.get(f"{link}account/"),
            client.post(f"{link}account/", account()),
        ):
            assert (answer.status_code, sentence in answer.text) == (status, True)
    assert signed_in(tom).post(link).status_code == status
    assert not tom.memberships.exists()
    assert not User.objects.filter(email="kim@example.org").exists()


@pytest.mark.parametrize("token", ["x", "a" * 5_000, "..", "%00", "%F0%9F%98%80", "-" * 43])
def test_hostile_tokens_are_wrong_ones(db, token):
    assert Client().get(f"/join/{token}/").status_code == 404


def test_a_closed_team_lets_nobody_in(make_link, team):
    link = make_link()
    team.deactivated_at = timezone.now()
    team.save()
    assert Client().get(link).status_code == 404


def test_an_account_is_made_with_a_link_wherever_sign_up_is_closed(make_link, team):
    client, link = Client(), make_link()
    assert "Make an account" in client.get(link).text
    answer = client.post(f"{link}account/", account())
    assert answer.url == "/"
    user = get_user(client)
    assert (user.email, user.name, user.memberships.get().team) == ("kim@example.org", "Kim Park", team)
    assert not user.emailaddress_set.get().verified  # nobody looked into that mailbox
    assert Client().post("/accounts/signup/", account(email="x@y.org")).status_code == 200
    assert not User.objects.filter(email="x@y.org").exists()


@pytest.mark.django_db(transaction=True)
def test_with_mail_the_address_is_confirmed_before_the_person_is_in(make_link, mail, mailoutbox, settings):
    settings.PUBLIC_URL = "http://testserver"
    client, link = Client(), make_link()
    assert client.post(f"{link}account/", account()).url == "/accounts/confirm-email/"
    assert not get_user(client).is_authenticated
    assert Invitation.objects.get().used == 0
    confirm = re.search(r"http://testserver(/accounts/confirm-email/\S+)", mailoutbox[-1].body)[1]
    assert client.post(confirm).url == link
    assert client.post(link).url == "/"
    assert get_user(client).memberships.get().team.slug == "studio-north"


def test_a_mailed_invitation_confirms_the_address_and_is_for_it_alone(
    owner, signed_in, mail, mailoutbox, tom
):
    signed_in(owner.user).post(invite_page(owner, "mail"), form(emails="kim@example.org"))
    link, client = link_in(mailoutbox[-1].body), Client()
    refused = signed_in(tom).get(link)
    assert (refused.status_code, "another address" in refused.text) == (403, True)
    assert signed_in(tom).post(link).status_code == 403
    client.post(f"{link}account/", account(email="evil@example.org"))
    user = get_user(client)
    assert user.email == "kim@example.org"
    assert user.emailaddress_set.get().verified
    assert user.memberships.get().role == Role.MEMBER
    assert len(mailoutbox) == 1
    assert not User.objects.filter(email="evil@example.org").exists()


def test_a_mailed_invitation_to_who_has_an_account_leads_to_the_sign_in(
    owner, signed_in, mail, mailoutbox, tom
):
    signed_in(owner.user).post(invite_page(owner, "mail"), form(emails=tom.email))
    link, client = link_in(mailoutbox[-1].body), Client()
    assert "Sign in and join" in client.get(link).text
    assert client.get(f"{link}account/").url == link
    signed = client.post(f"/accounts/login/?next={link}", {"login": tom.email, "password": PASSWORD})
    assert signed.url == link
    assert client.post(link).url == "/"


@pytest.mark.django_db(transaction=True)
def test_an_address_that_was_never_looked_into_is_confirmed_once_there_is_mail(
    make_link, settings, mailoutbox
):
    Client().post(f"{make_link()}account/", account())
    known = {"login": "kim@example.org", "password": PASSWORD}
    client = Client()
    client.post("/accounts/login/", known)
    assert get_user(client).is_authenticated
    settings.EMAIL_URL, settings.ACCOUNT_EMAIL_VERIFICATION = "smtp://host", "mandatory"
    client = Client()
    assert client.post("/accounts/login/", known).url == "/accounts/confirm-email/"
    assert not get_user(client).is_authenticated
    assert mailoutbox[-1].to == ["kim@example.org"]


@pytest.fixture
def squatter(tom):
    """Tom, who says that Kim's address is his."""
    tom.emailaddress_set.create(email="kim@example.org")
    return tom


def test_a_claim_that_nobody_confirmed_keeps_no_invited_person_out(
    owner, signed_in, mail, mailoutbox, squatter
):
    signed_in(owner.user).post(invite_page(owner, "mail"), form(emails="kim@example.org"))
    link, client = link_in(mailoutbox[-1].body), Client()
    assert "Make an account" in client.get(link).text
    assert client.post(f"{link}account/", account()).url == "/"
    kim = get_user(client)
    assert (kim.email, kim.memberships.count()) == ("kim@example.org", 1)
    assert list(squatter.emailaddress_set.values_list("email", flat=True)) == ["tom@example.org"]


def test_a_mailed_invitation_to_a_confirmed_second_address_leads_to_the_sign_in(
    owner, signed_in, mail, mailoutbox, squatter
):
    squatter.emailaddress_set.filter(email="kim@example.org").update(verified=True)
    signed_in(owner.user).post(invite_page(owner, "mail"), form(emails="kim@example.org"))
    link = link_in(mailoutbox[-1].body)
    assert "Sign in and join" in Client().get(link).text
    assert Client().get(f"{link}account/").url == link
    assert signed_in(squatter).post(link).url == "/"


@pytest.mark.django_db(transaction=True)
def test_no_lock_waits_for_a_mail_server(make_link, mail, monkeypatch):
    held = []

    def send(_mail, **_how):
        held.append(connection.in_atomic_block)

    monkeypatch.setattr("django.core.mail.EmailMessage.send", send)
    Client().post(f"{make_link()}account/", account())
    assert held == [False]


@pytest.mark.django_db(transaction=True)
def test_a_link_tells_nobody_who_has_an_account(make_link, mail, mailoutbox, tom):
    answer = Client().post(f"{make_link()}account/", account(email=tom.email))
    assert answer.url == "/accounts/confirm-email/"
    assert "already exists" in mailoutbox[-1].body
    assert "http://testserver" not in mailoutbox[-1].body
    assert User.objects.filter(email=tom.email).count() == 1


def test_without_mail_a_taken_address_is_said_at_the_field(make_link, tom):
    answer = Client().post(f"{make_link()}account/", account(email=tom.email.upper()))
    assert "There is an account with this address" in answer.text
    assert Invitation.objects.get().used == 0


@pytest.mark.parametrize("wrong", [{"name": ""}, {"email": "x"}, {"password1": "1234"}, {"password1": ""}])
def test_a_wrong_account_is_not_made_and_uses_nothing(make_link, wrong):
    assert "errorlist" in Client().post(f"{make_link()}account/", account(**wrong)).text
    assert not User.objects.filter(email="kim@example.org").exists()
    assert Invitation.objects.get().used == 0


def test_signed_out_a_press_leads_to_the_sign_in(make_link):
    link = make_link()
    assert Client().post(link).url.startswith("/accounts/login/")
    assert Invitation.objects.get().used == 0


def test_opening_a_link_without_an_end_is_slowed_down(make_link):
    link = make_link()
    statuses = [Client().get(link).status_code for _ in range(62)]
    assert statuses[:60] == [200] * 60
    assert statuses[60:] == [429, 429]


@pytest.mark.parametrize("token", ["nothing", "0" * 43])
def test_links_that_are_none_are_not_counted(make_link, token):
    assert {Client().get(f"/join/{token}/").status_code for _ in range(62)} == {404}
    assert Client().get(make_link()).status_code == 200


def test_tokens_get_into_no_log(make_link, caplog):
    link = make_link()
    Client(enforce_csrf_checks=True).post(link)
    Client().get("/join/some-wrong-token/")
    said = [log_format.redact(record.getMessage()) for record in caplog.records]
    assert any("/join/" in line for line in said)
    assert not any(link.split("/")[2] in line or "wrong-token" in line for line in said)
