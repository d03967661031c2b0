"""Invitations: links that are returned once per key, mails, and revoking."""

from __future__ import annotations

import threading
import uuid
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
from tests.api.client import ApiClient, error

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _reset_rate_limits():
    cache.clear()


@pytest.fixture
def administrator(make_member):
    return ApiClient(make_member("kim", role=Role.ADMINISTRATOR))


@pytest.fixture
def mail(settings):
    settings.EMAIL_URL = "smtp://host"


def token_in(made):
    return made["link"].rstrip("/").rpartition("/")[2]


def test_an_invitation_link_grants_its_role_and_credits_to_the_people_who_accept(owner_api, team):
    response = owner_api.post("/team/invitations", {"role": "viewer", "credits": 2.5, "days": 30, "uses": 2})
    made = response.json()
    assert (response.status_code, response["Cache-Control"]) == (201, "no-store")
    assert (made["role"], made["credits"], made["uses"], made["email"]) == ("viewer", 2.5, 2, None)
    row = Invitation.objects.get()
    assert timedelta(days=29) < row.expires_at - timezone.now() <= timedelta(days=30)
    tom = User.objects.create_user("tom@studio.example")
    came = invitations_service.accept(token=token_in(made), user=tom, by=Actor(tom))
    assert (came.team, came.role) == (team, Role.VIEWER)
    [listed] = owner_api.get("/team/invitations").json()["items"]
    assert (listed["id"], listed["used"], listed["made_by"]) == (row.pk, 1, "Ana")
    assert "link" not in listed
    entry = AuditEntry.objects.get(act="invited")
    assert (entry.actor.name, entry.address, entry.after["uses"]) == ("Ana", "127.0.0.1", 2)


def test_the_same_key_returns_the_same_link_and_it_is_not_stored(owner_api):
    responses = []

    def send():
        responses.append(owner_api.post("/team/invitations", {"uses": 3}, Idempotency_Key="i"))
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {response.status_code for response in responses} == {201}
    assert len({response.json()["link"] for response in responses}) == Invitation.objects.count() == 1
    again = owner_api.post("/team/invitations", {"uses": 3}, Idempotency_Key="i")
    assert again["Idempotent-Replayed"] == "true"
    token = token_in(again.json())
    assert token not in str(
        [list(kind.objects.values()) for kind in (IdempotentCall, Invitation, AuditEntry)]
    )
    assert error(owner_api.post("/team/invitations", {"uses": 4}, Idempotency_Key="i")) == (
        409, "idempotency_key_reused",
    )  # fmt: skip
    assert owner_api.post("/team/invitations", {"uses": 3}).json()["link"] != again.json()["link"]


def test_a_revoked_link_is_invalid_and_is_not_returned_again(owner_api):
    made = owner_api.post("/team/invitations", {}, Idempotency_Key="i").json()
    url = made["links"]["self"].removeprefix("/api/v1")
    assert owner_api.request("delete", url).status_code == owner_api.request("delete", url).status_code == 204
    with pytest.raises(invitation_links.InvitationRevoked):
        invitation_links.find(token_in(made))
    assert owner_api.get("/team/invitations").json()["items"] == []
    assert error(owner_api.post("/team/invitations", {}, Idempotency_Key="i")) == (409, "invitation_over")
    assert AuditEntry.objects.filter(act="invitation_revoked").count() == 1


def test_no_token_invites_owners_and_only_those_of_owners_revoke_such_invitations(
    owner, owner_api, administrator
):
    assert error(administrator.post("/team/invitations", {"role": "owner"})) == (403, "not_yours")
    assert error(owner_api.post("/team/invitations", {"role": "owner"})) == (403, "forbidden")
    offer = invitations_service.Offer(Role.OWNER, 0, timedelta(days=1))
    link = invitations_service.invite_by_link(
        inviter=owner, form_id=uuid.uuid4(), offer=offer, uses=1, by=Actor(owner.user)
    )
    url = f"/team/invitations/{Invitation.objects.get().pk}"
    assert error(administrator.request("delete", url)) == (403, "forbidden")
    assert invitation_links.find(token_in({"link": link})).role == Role.OWNER
    assert owner_api.request("delete", url).status_code == 204
    assert administrator.post("/team/invitations", {"role": "administrator"}).status_code == 201


def test_mails_are_sent_once_per_key_and_one_to_each_address(owner_api, mail):
    payload = {"emails": ["Tom@example.org", "lea@example.org", "tom@example.org"], "credits": 5}
    for _time in range(2):
        response = owner_api.post("/team/invitations/mail", payload, Idempotency_Key="m")
        assert (response.status_code, response.json()["mailed"]) == (
            201,
            ["tom@example.org", "lea@example.org"],
        )
    assert [message.to for message in outbox.outbox] == [["tom@example.org"], ["lea@example.org"]]
    emails = [row["email"] for row in owner_api.get("/team/invitations").json()["items"]]
    assert sorted(emails) == ["lea@example.org", "tom@example.org"]


def test_an_unavailable_mail_server_invites_nobody_and_the_same_key_tries_again(owner_api, mail, settings):
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    payload = {"emails": ["tom@example.org"]}
    response = owner_api.post("/team/invitations/mail", payload, Idempotency_Key="m")
    assert error(response) == (503, "mail_unavailable")
    assert response["Retry-After"]
    assert owner_api.get("/team/invitations").json()["items"] == []
    settings.EMAIL_BACKEND = working
    response = owner_api.post("/team/invitations/mail", payload, Idempotency_Key="m")
    assert response.json() == {"mailed": ["tom@example.org"], "not_mailed": []}


def test_a_portal_without_mail_refuses_to_send_invitations(owner_api):
    response = owner_api.post("/team/invitations/mail", {"emails": ["tom@example.org"]})
    assert error(response) == (409, "no_mail")


def test_too_many_invitations_are_rate_limited(owner_api, settings):
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"invite": "2/h/user"}
    statuses = [owner_api.post("/team/invitations", {}).status_code for _time in range(3)]
    assert statuses == [201, 201, 429]
    assert owner_api.post("/team/invitations", {})["Retry-After"] == "3600"
    assert Invitation.objects.count() == 2


@pytest.mark.parametrize(
    "wrong",
    [{"uses": 0}, {"uses": 501}, {"uses": 10**400}, {"days": 2}, {"credits": 0}, {"credits": 1e300},
     {"credits": 0.001}, {"role": "king"}, {"role": "\ud800"}, {"link": "x"}, {"days": "7\0"}],
)  # fmt: skip
def test_an_invalid_value_creates_no_link(owner_api, wrong):
    assert error(owner_api.post("/team/invitations", wrong)) == (422, "invalid")
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(
    "emails",
    [[], ["x"], ["a\0@example.org"], ["\ud800@example.org"], ["mei@studio.example"], ["a@b.c"] * 51,
     ["a@example.org", "b"], [f"{'a' * 30_000}@example.org"], ["a@example.org\nBcc: b@example.org"], "a@b.c"],
)  # fmt: skip
def test_an_invalid_address_gets_no_mail(owner_api, member, mail, emails):
    assert error(owner_api.post("/team/invitations/mail", {"emails": emails})) == (422, "invalid")
    assert (Invitation.objects.count(), outbox.outbox) == (0, [])


def test_open_invitations_are_listed_page_by_page(owner_api):
    for _number in range(51):
        owner_api.post("/team/invitations", {})
    first = owner_api.get("/team/invitations").json()
    second = owner_api.get(first["next"].removeprefix("/api/v1")).json()
    assert (len(first["items"]), len(second["items"]), second["next"]) == (50, 1, None)
    assert owner_api.get("/team/invitations?page=3").json() == {"items": [], "next": None}
