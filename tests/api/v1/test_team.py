"""The team, its members and their credits."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from generations.credits import integrity_check
from generations.credits.models import Transfer
from generations.office.models import AuditEntry
from generations.teams.models import Membership, Role
from tests.api.client import ApiClient, error

pytestmark = pytest.mark.django_db(transaction=True)
HARBOUR = {"model": "core", "prompt": "a quiet harbour at dawn"}


def test_an_owner_administers_members_and_credits_and_is_named_in_the_audit_log(
    owner_api, member, make_member, team
):
    rows = owner_api.get("/team/members").json()["items"]
    assert [(row["name"], row["role"]) for row in rows] == [("Ana", "owner"), ("Mei", "member")]
    url = f"/team/members/{member.pk}"
    boss_pool = owner_api.get("/team").json()["pool"]
    assert error(owner_api.post(f"{url}/grant", {"credits": 1})) == (402, "insufficient_credits")
    assert owner_api.post(f"{url}/take-back", {"credits": 30}, Idempotency_Key="t").json()["balance"] == 70
    assert owner_api.post(f"{url}/take-back", {"credits": 30}, Idempotency_Key="t").json()["balance"] == 70
    assert owner_api.get("/team").json()["pool"] == boss_pool + 30
    assert owner_api.post(f"{url}/grant", {"credits": 12.5, "note": "for July"}).json()["balance"] == 82.5
    assert Transfer.objects.get(note="for July").actor == owner_api.token.membership.user
    assert owner_api.post(f"{url}/grant", {"credits": 0.001}).status_code == 422
    assert owner_api.request("patch", url, {"role": "viewer", "weight": 3}).json()["role"] == "viewer"
    made = owner_api.post("/team/programs", {"name": "Robot"})
    assert (made.status_code, made.json()["kind"]) == (201, "program")
    assert error(owner_api.post("/team/programs", {"name": "robot"})) == (409, "name_taken")
    assert error(owner_api.request("delete", f"/team/members/{owner_api.token.membership_id}")) == (
        409,
        "last_owner",
    )
    assert owner_api.request("delete", url).status_code == 204
    assert owner_api.get(url).status_code == 404
    assert AuditEntry.objects.filter(actor=owner_api.token.membership.user, act="member_removed").exists()
    assert integrity_check.problems() == []


def test_rules_about_owners_and_roles_hold_for_the_api_too(owner_api, make_member, owner):
    administrator = ApiClient(make_member("kim", role=Role.ADMINISTRATOR))
    url = f"/team/members/{owner.pk}"
    assert error(administrator.request("delete", url)) == (403, "forbidden")
    assert error(administrator.request("patch", url, {"role": "member"})) == (403, "forbidden")
    assert error(owner_api.request("patch", url, {"role": "member"})) == (409, "last_owner")
    assert error(owner_api.request("delete", url)) == (409, "last_owner")
    robot = owner_api.post("/team/programs", {"name": "Robot"}).json()["id"]
    assert error(owner_api.request("patch", f"/team/members/{robot}", {"role": "owner"})) == (
        403,
        "forbidden",
    )
    owner_api.request("delete", f"/team/members/{robot}")
    for path in ("caps", "allowance"):
        assert owner_api.get(f"/team/members/{robot}/{path}").status_code == 404


def test_concurrent_requests_with_one_key_create_one_program(owner_api):
    responses = []

    def send():
        responses.append(owner_api.post("/team/programs", {"name": " Night  robot"}, Idempotency_Key="p"))
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {response.status_code for response in responses} == {201}
    assert len({response.content for response in responses}) == 1
    assert Membership.objects.get(kind="program").name == "Night robot"
    assert error(owner_api.post("/team/programs", {"name": "x"}, Idempotency_Key="p")) == (
        409, "idempotency_key_reused",
    )  # fmt: skip
    assert error(owner_api.post("/team/programs", {"name": "night robot"})) == (409, "name_taken")
    assert error(owner_api.post("/team/programs", {"name": " \t "})) == (422, "invalid")
