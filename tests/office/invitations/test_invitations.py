"""Links that let people in: who makes them, to whom they are mailed, how they are revoked."""

import contextlib
import uuid
from datetime import timedelta
from functools import partial

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone

from generations.credits import integrity_check as books
from generations.office.audit_log.service import Actor
from generations.office.invitations import query as invitations_query
from generations.office.invitations.service import Offer, invite_by_link
from generations.office.members import forms as members_forms
from generations.office.members import service as members_service
from generations.office.models import AuditAction, AuditEntry
from generations.teams import membership
from generations.teams.models import Invitation, Membership, Role, User
from tests.office import mail_server as mail_server_module
from tests.office.invitations.form_data import form, invite_page, link_in

WEEK = timedelta(days=7)


@pytest.fixture(autouse=True)
def _no_attempts_yet(db):
    cache.clear()


@pytest.fixture(autouse=True)
def _exact_books(db):
    yield
    assert books.problems() == []


def test_a_link_is_shown_once_and_kept_only_as_a_hash(owner, signed_in):
    page = signed_in(owner.user).post(invite_page(owner), form(credits="12.5", uses="3"))
    invitation, link = Invitation.objects.get(), link_in(page.text)
    token = link.split("/")[2]
    assert len(token) == 43  # 256 bits
    assert page["Cache-Control"].startswith("max-age=0")
    assert token not in str(list(Invitation.objects.values()) + list(AuditEntry.objects.values()))
    assert token not in signed_in(owner.user).get(f"/t/{owner.team.slug}/team/people/").text
    assert (invitation.role, invitation.credits, invitation.uses) == (Role.MEMBER, 12_50, 3)
    assert AuditEntry.objects.get(act=AuditAction.INVITED).after["credits"] == 12_50


def test_the_same_form_twice_makes_one_invitation_and_another_form_another(owner, signed_in):
    client, same = signed_in(owner.user), form()
    links = [link_in(client.post(invite_page(owner), same).text) for _ in range(2)]
    assert links[0] == links[1]
    assert Invitation.objects.count() == AuditEntry.objects.filter(act=AuditAction.INVITED).count() == 1
    changed = link_in(client.post(invite_page(owner), same | {"role": "viewer"}).text)
    fresh = link_in(client.post(invite_page(owner), form()).text)
    assert len({links[0], changed, fresh}) == 3
    assert set(Invitation.objects.values_list("role", flat=True)) == {"member", "viewer"}


def test_another_installation_has_other_tokens(owner, settings):
    reference = uuid.uuid4()
    offer = Offer(Role.MEMBER, 0, WEEK)
    first = invite_by_link(inviter=owner, form_id=reference, offer=offer, uses=1, by=Actor(owner.user))
    settings.SECRET_KEY = "another secret of another installation"
    second = invite_by_link(inviter=owner, form_id=reference, offer=offer, uses=1, by=Actor(owner.user))
    assert first != second


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "king"},
        {"days": "36500"},
        {"uses": "0"},
        {"uses": "501"},
        {"credits": "-1"},
        {"credits": "0.001"},
        {"credits": "1e30"},
        {"reference": "x"},
        {"reference": ""},
    ],
)
def test_what_makes_no_sense_is_said_and_makes_nothing(owner, signed_in, wrong):
    assert signed_in(owner.user).post(invite_page(owner), form(**wrong)).status_code == 422
    assert not Invitation.objects.exists()


def test_nobody_offers_more_than_they_have(owner, make_member, signed_in):
    administrator = make_member("jonas", role=Role.ADMINISTRATOR)
    client = signed_in(administrator.user)
    assert 'value="owner"' not in client.get(invite_page(owner)).text
    assert client.post(invite_page(owner), form(role="owner")).status_code == 422
    assert client.post(invite_page(owner), form(role="administrator")).status_code == 200
    for role in (Role.MEMBER, Role.VIEWER):
        other = make_member(role, role=role)
        assert signed_in(other.user).post(invite_page(owner), form()).status_code == 403
    assert list(Invitation.objects.values_list("role", flat=True)) == ["administrator"]


def test_mails_go_to_each_address_and_the_link_to_nobody_else(owner, signed_in, mail, mailoutbox, settings):
    settings.PUBLIC_URL = "https://pictures.example.org"
    settings.ALLOWED_HOSTS = ["*"]
    same = form(emails="Kim@Example.org, noor@example.org\nkim@example.org")
    client = signed_in(owner.user)
    for _ in range(2):
        page = client.post(invite_page(owner, "mail"), same, headers={"Host": "evil.example"}, follow=True)
    assert sorted(message.to for message in mailoutbox) == [["kim@example.org"], ["noor@example.org"]]
    link = link_in(mailoutbox[0].body)
    assert "https://pictures.example.org/join/" in mailoutbox[0].body
    assert "evil" not in mailoutbox[0].body
    assert mailoutbox[0].subject == "Ana invites you to Studio North"
    assert link.split("/")[2] not in page.text
    assert Invitation.objects.count() == 2


@pytest.mark.parametrize(
    "emails", ["nobody", "", "a@b.org c", "ana@studio.example", "a@b.org\r\nBcc: x@y.org"]
)
def test_a_wrong_address_mails_nobody(owner, signed_in, mail, mailoutbox, emails):
    assert signed_in(owner.user).post(invite_page(owner, "mail"), form(emails=emails)).status_code == 422
    assert not mailoutbox
    assert not Invitation.objects.exists()


def test_a_name_adds_no_line_to_a_mail(owner, signed_in, mail, mailoutbox):
    User.objects.filter(pk=owner.user_id).update(name="Ana\r\nBcc: all@example.org")
    signed_in(owner.user).post(invite_page(owner, "mail"), form(emails="kim@example.org"))
    assert mailoutbox[0].subject == "Ana Bcc: all@example.org invites you to Studio North"
    assert mailoutbox[0].recipients() == ["kim@example.org"]


def test_a_mail_server_that_is_down_invites_nobody(owner, signed_in, mail, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    sent = form(emails="kim@example.org")
    answer = signed_in(owner.user).post(invite_page(owner, "mail"), sent)
    assert answer.status_code == 503
    assert "could not be sent" in answer.text
    assert str(sent["reference"]) not in answer.text
    assert Invitation.objects.get().revoked_at
    assert AuditEntry.objects.get(act=AuditAction.INVITATION_REVOKED).subject == "kim@example.org"


@pytest.fixture
def mail_server(mail, settings):
    with mail_server_module.running() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


def test_of_several_those_are_invited_whose_mail_was_taken_and_the_others_are_named(
    owner, signed_in, mail_server
):
    mail_server.refuse = {"kim@example.org"}
    sent, client = form(emails="ada@example.org kim@example.org noor@example.org"), signed_in(owner.user)
    for _ in range(2):
        page = client.post(invite_page(owner, "mail"), sent, follow=True).text
        assert "2 invitations were mailed." in page
        assert "could not be sent: kim@example.org" in page
    assert mail_server.recipients() == ["ada@example.org", "noor@example.org"]
    good = Invitation.objects.filter(revoked_at=None).values_list("email", flat=True)
    assert set(good) == {"ada@example.org", "noor@example.org"}
    [entry] = AuditEntry.objects.filter(act=AuditAction.INVITATION_REVOKED)
    assert (entry.actor, entry.subject) == (owner.user, "kim@example.org")


def test_nobody_mails_more_than_some_invitations_a_day(owner, signed_in, mail, mailoutbox, monkeypatch):
    monkeypatch.setattr(members_forms, "MAX_MAILS_PER_DAY", 3)
    client, address = signed_in(owner.user), invite_page(owner, "mail")
    assert client.post(address, form(emails="a@example.org b@example.org")).status_code == 302
    answer = client.post(address, form(emails="c@example.org d@example.org"))
    assert (answer.status_code, "at most 3 invitations a day" in answer.text) == (422, True)
    assert client.post(invite_page(owner), form()).status_code == 200
    assert client.post(address, form(emails="c@example.org")).status_code == 302
    assert len(mailoutbox) == 3
    Invitation.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert client.post(address, form(emails="d@example.org")).status_code == 302


def test_a_link_that_was_taken_back_is_not_shown_as_ready(owner, signed_in):
    client, same = signed_in(owner.user), form()
    client.post(invite_page(owner), same)
    Invitation.objects.update(revoked_at=timezone.now())
    again = client.post(invite_page(owner), same)
    assert (again.status_code, "can no longer be used" in again.text) == (422, True)
    assert "/join/" not in again.text
    assert str(same["reference"]) not in again.text


def test_whose_role_was_taken_just_now_offers_nothing(owner, make_member):
    sofia = make_member("sofia", role=Role.ADMINISTRATOR)
    offer, demoted = (
        Offer(Role.MEMBER, 0, WEEK),
        partial(Membership.objects.filter(pk=sofia.pk).update, role=Role.MEMBER),
    )
    with right_before_the_lock(demoted), pytest.raises(PermissionDenied):
        invite_by_link(inviter=sofia, form_id=uuid.uuid4(), offer=offer, uses=1, by=Actor(sofia.user))
    assert not Invitation.objects.exists()


@contextlib.contextmanager
def right_before_the_lock(meanwhile):
    """Let that happen after all looks at what is not locked, and before the team is."""
    lock = membership.lock_team

    def lock_late(team):
        meanwhile()
        lock(team)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(membership, "lock_team", lock_late)
        yield


def test_links_are_made_so_often_and_no_more(owner, signed_in):
    client = signed_in(owner.user)
    statuses = [client.post(invite_page(owner), form()).status_code for _ in range(62)]
    assert statuses[59:] == [200, 429, 429]


def test_open_invitations_come_a_page_at_a_time(owner, make_link, signed_in, monkeypatch):
    monkeypatch.setattr(invitations_query, "PAGE_SIZE", 2)
    for _ in range(3):
        make_link()
    client, address = signed_in(owner.user), f"/t/{owner.team.slug}/team/people/"
    assert client.get(address).text.count("/revoke/") == 2
    assert "?invitations=2" in client.get(address).text
    assert client.get(f"{address}?invitations=2").text.count("/revoke/") == 1


def test_without_mail_there_are_only_links(owner, signed_in):
    page = signed_in(owner.user).get(invite_page(owner, "mail")).text
    assert "By email" not in page
    assert "sends no mail" in page


def test_taking_back_ends_the_link_and_owners_alone_take_back_owners(
    owner, make_member, make_link, signed_in
):
    jonas = signed_in(make_member("jonas", role=Role.ADMINISTRATOR).user)
    links = {role: make_link(role=role) for role in (Role.MEMBER, Role.OWNER)}
    address = "/t/studio-north/team/people/invitation/{}/revoke/"
    for role, status in ((Role.OWNER, 403), (Role.MEMBER, 302)):
        row = Invitation.objects.get(role=role)
        assert [jonas.post(address.format(row.pk)).status_code for _ in range(2)] == [status] * 2
    assert "was revoked" in Client().get(links[Role.MEMBER]).text
    assert Client().get(links[Role.OWNER]).status_code == 200
    assert AuditEntry.objects.filter(act=AuditAction.INVITATION_REVOKED).count() == 1
    stranger = make_member("eve", team=members_service.create_team("Elsewhere"), role=Role.OWNER)
    foreign = f"/t/elsewhere/team/people/invitation/{Invitation.objects.get(role=Role.OWNER).pk}/revoke/"
    assert signed_in(stranger.user).post(foreign).status_code == 404


def test_who_goes_or_is_demoted_takes_their_invitations_along(owner, make_member, make_link):
    sofia = make_member("sofia", role=Role.OWNER)
    links = {role: make_link(role=role, by=sofia) for role in (Role.OWNER, Role.MEMBER)}
    members_service.set_role(member=sofia, role=Role.ADMINISTRATOR)
    assert Client().get(links[Role.OWNER]).status_code == 410
    assert Client().get(links[Role.MEMBER]).status_code == 200
    members_service.end_membership(member=sofia, by=Actor(owner.user))
    assert Client().get(links[Role.MEMBER]).status_code == 410
    revoked = AuditEntry.objects.filter(act=AuditAction.INVITATION_REVOKED).order_by("pk")
    assert [entry.actor for entry in revoked] == [None, owner.user]
