"""Inviting people by a program: links that are told once for a key, mails, and taking it back."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.core import mail as outbox
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from generations.api.models import IdempotentCall
from generations.office.audit_log.service import Actor
from generations.office.invitations import service as invitations_service
from generations.office.models import AuditEntry
from generations.teams import invitation_links
from generations.teams.models import Invitation, Role, User
from tests.api.asking import Program, code

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nobody_has_invited_before():
    cache.clear()


@pytest.fixture
def administrator(make_member):
    return Program(make_member("kim", role=Role.ADMINISTRATOR))


@pytest.fixture
def mail(settings):
    settings.EMAIL_URL = "smtp://host"


def token_in(made):
    return made["link"].rstrip("/").rpartition("/")[2]


def test_a_link_lets_in_as_many_as_it_says_with_the_role_and_credits_it_says(boss, team):
    answer = boss.post("/team/invitations", {"role": "viewer", "credits": 2.5, "days": 30, "uses": 2})
    made = answer.json()
    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    assert (made["role"], made["credits"], made["uses"], made["email"]) == ("viewer", 2.5, 2, None)
    row = Invitation.objects.get()
    assert timedelta(days=29) < row.expires_at - timezone.now() <= timedelta(days=30)
    tom = User.objects.create_user("tom@studio.example")
    came = invitations_service.accept(token=token_in(made), user=tom, by=Actor(tom))
    assert (came.team, came.role) == (team, Role.VIEWER)
    [listed] = boss.get("/team/invitations").json()["items"]
    assert (listed["id"], listed["used"], listed["made_by"]) == (row.pk, 1, "Ana")
    assert "link" not in listed
    entry = AuditEntry.objects.get(act="invited")
    assert (entry.actor.name, entry.address, entry.after["uses"]) == ("Ana", "127.0.0.1", 2)


def test_the_same_key_tells_the_same_link_and_it_is_kept_nowhere(boss):
    answers = []

    def press():
        answers.append(boss.post("/team/invitations", {"uses": 3}, Idempotency_Key="i"))
        connection.close()

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["link"] for answer in answers}) == Invitation.objects.count() == 1
    again = boss.post("/team/invitations", {"uses": 3}, Idempotency_Key="i")
    assert again["Idempotent-Replayed"] == "true"
    token = token_in(again.json())
    assert token not in str(
        [list(kind.objects.values()) for kind in (IdempotentCall, Invitation, AuditEntry)]
    )
    assert code(boss.post("/team/invitations", {"uses": 4}, Idempotency_Key="i")) == (
        409, "idempotency_key_reused",
    )  # fmt: skip
    assert boss.post("/team/invitations", {"uses": 3}).json()["link"] != again.json()["link"]


def test_a_link_that_was_taken_back_lets_nobody_in_and_is_not_told_again(boss):
    made = boss.post("/team/invitations", {}, Idempotency_Key="i").json()
    here = made["links"]["self"].removeprefix("/api/v1")
    assert boss.ask("delete", here).status_code == boss.ask("delete", here).status_code == 204
    with pytest.raises(invitation_links.InvitationRevoked):
        invitation_links.find(token_in(made))
    assert boss.get("/team/invitations").json()["items"] == []
    assert code(boss.post("/team/invitations", {}, Idempotency_Key="i")) == (409, "invitation_over")
    assert AuditEntry.objects.filter(act="invitation_revoked").count() == 1


def test_only_owners_invite_owners_and_take_that_back(boss, administrator):
    assert code(administrator.post("/team/invitations", {"role": "owner"})) == (403, "not_yours")
    made = boss.post("/team/invitations", {"role": "owner"}).json()
    here = made["links"]["self"].removeprefix("/api/v1")
    assert code(administrator.ask("delete", here)) == (403, "forbidden")
    assert invitation_links.find(token_in(made)).role == Role.OWNER
    assert administrator.post("/team/invitations", {"role": "administrator"}).status_code == 201


def test_mails_go_out_once_for_a_key_and_each_to_its_address(boss, mail):
    wish = {"emails": ["Tom@example.org", "lea@example.org", "tom@example.org"], "credits": 5}
    for _time in range(2):
        answer = boss.post("/team/invitations/mail", wish, Idempotency_Key="m")
        assert (answer.status_code, answer.json()["mailed"]) == (201, ["tom@example.org", "lea@example.org"])
    assert [message.to for message in outbox.outbox] == [["tom@example.org"], ["lea@example.org"]]
    emails = [row["email"] for row in boss.get("/team/invitations").json()["items"]]
    assert sorted(emails) == ["lea@example.org", "tom@example.org"]


def test_a_mail_server_that_is_gone_invites_nobody_and_the_same_key_tries_again(boss, mail, settings):
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    wish = {"emails": ["tom@example.org"]}
    answer = boss.post("/team/invitations/mail", wish, Idempotency_Key="m")
    assert code(answer) == (503, "mail_unavailable")
    assert answer["Retry-After"]
    assert boss.get("/team/invitations").json()["items"] == []
    settings.EMAIL_BACKEND = working
    answer = boss.post("/team/invitations/mail", wish, Idempotency_Key="m")
    assert answer.json() == {"mailed": ["tom@example.org"], "not_mailed": []}


def test_a_portal_without_mail_says_so(boss):
    answer = boss.post("/team/invitations/mail", {"emails": ["tom@example.org"]})
    assert code(answer) == (409, "no_mail")


def test_who_invites_very_fast_is_told_to_wait_on_pages_and_here_alike(boss, settings):
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"invite": "2/h/user"}
    statuses = [boss.post("/team/invitations", {}).status_code for _time in range(3)]
    assert statuses == [201, 201, 429]
    assert boss.post("/team/invitations", {})["Retry-After"] == "3600"
    assert Invitation.objects.count() == 2


@pytest.mark.parametrize(
    "wrong",
    [{"uses": 0}, {"uses": 501}, {"uses": 10**400}, {"days": 2}, {"credits": 0}, {"credits": 1e300},
     {"credits": 0.001}, {"role": "king"}, {"role": "\ud800"}, {"link": "x"}, {"days": "7\0"}],
)  # fmt: skip
def test_what_no_page_would_take_makes_no_link(boss, wrong):
    assert code(boss.post("/team/invitations", wrong)) == (422, "invalid")
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(
    "emails",
    [[], ["x"], ["a\0@example.org"], ["\ud800@example.org"], ["mei@studio.example"], ["a@b.c"] * 51,
     ["a@example.org", "b"], [f"{'a' * 30_000}@example.org"], ["a@example.org\nBcc: b@example.org"], "a@b.c"],
)  # fmt: skip
def test_what_is_no_address_is_not_mailed_to(boss, member, mail, emails):
    assert code(boss.post("/team/invitations/mail", {"emails": emails})) == (422, "invalid")
    assert (Invitation.objects.count(), outbox.outbox) == (0, [])


def test_open_invitations_are_listed_a_page_at_a_time(boss):
    for _number in range(51):
        boss.post("/team/invitations", {})
    first = boss.get("/team/invitations").json()
    second = boss.get(first["next"].removeprefix("/api/v1")).json()
    assert (len(first["items"]), len(second["items"]), second["next"]) == (50, 1, None)
    assert boss.get("/team/invitations?page=3").json() == {"items": [], "next": None}
