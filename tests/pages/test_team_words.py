"""The pages on which teams and the installation are run, in a language of marks."""

from __future__ import annotations

import uuid
from datetime import timedelta
from zoneinfo import available_timezones

import pytest
from django.test import Client
from django.utils import timezone

from generations.jobs.models import Generation, Price
from generations.office.audit_log.service import By
from generations.office.credits import adjustments as credits_adjustments
from generations.office.credits import allowances, caps
from generations.office.members import roles as members_roles
from generations.office.members import service as members_service
from generations.office.models import AllowanceKind
from generations.office.notices import service as notices_service
from generations.office.prices import service as prices_service
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Membership, Role, User
from tests.conftest import work
from tests.pages.marks import said

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("language_of_marks"),
]

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
# Proper names; and the sample of a file, which is read as it stands.
DATA = available_timezones() | {"email,credits,note", ',100,"spring campaign, week 1"', "storyboard,500,API"}
OFFICE = [
    *("team/", "team/?by=member", "team/?view=table", "team/people/", "team/people/invite/"),
    *("team/people/invite/?by=link", "team/people/program/", "team/settings/", "team/changes/"),
    *("tokens/", "tokens/new/"),
    *("team/ledger/", "team/prices/", "team/grant/", "team/take-back/", "team/grant-csv/", "credits/"),
]
OWN = ["/accounts/sessions/", "/accounts/notices/", "/accounts/teams/", "/accounts/library/"]
INSTALLATION = ["/installation/", "/installation/changes/", "/installation/difference/", "/teams/new/"]


@pytest.fixture
def busy_team(mei, member, make_member, submit, upstream) -> Generation:
    """A team of which everything was done once; Mei owns it, and runs the installation."""
    member.role = Role.OWNER
    member.save()
    by, other = By(member.user, "127.0.0.1"), make_member("jonas")
    members_service.issue(team=member.team, amount=100_000, reference=uuid.uuid4(), by=by)
    members_roles.make_program(team=member.team, name="Mei", by=by)
    for kind in AllowanceKind:
        allowances.set_allowance(member=other, kind=kind, amount=2_000, now=True, by=by)
    caps.set_caps(member=other, per_day=100, per_month=200, by=by)
    credits_adjustments.adjust_wallet(member=other, amount=-100, reference=uuid.uuid4(), by=by, note="")
    prices_service.set_price(
        model="ultra", amount=900, team=member.team, valid_from=timezone.now() + timedelta(days=1), by=by
    )
    prices_service.set_rule(team=member.team, model="sdxl", roles=["owner"], by=by)
    for days in (None, 1, -1):
        expires_at = timezone.now() + timedelta(days=days) if days else None
        teams_api_tokens.issue(
            membership=other, name="Mei", scopes=["read", "generate"], expires_at=expires_at, cap=days and 500
        )
    submit()
    work()
    row = Generation.objects.get()
    credits_adjustments.refund(team=member.team, generation=row.pk, by=by, note="")
    submit()
    work()
    notices_service.compare()
    member.user.is_staff = member.user.is_superuser = True
    member.user.save()
    return row


def members_pages() -> list[str]:
    every = Membership.objects.values_list("pk", flat=True)
    return [path for pk in every for path in (f"team/people/{pk}/", f"team/members/{pk}/")]


def test_the_pages_of_who_runs_a_team(mei, address, busy_team):
    made = Generation.objects.exclude(pk=busy_team.pk).get()
    pictures = [f"team/refund/{row}/" for row in (busy_team.pk, made.pk)]
    for path in [*OFFICE, *members_pages(), *pictures]:
        answer = mei.get(address(path))
        assert answer.status_code == 200, path
        assert set(said(answer)) <= DATA, path
    for path in [*OWN, *INSTALLATION]:
        assert set(said(mei.get(path))) <= DATA, path
    assert Price.objects.exists()


def test_what_is_wrong_with_a_form_of_the_office(mei, address, busy_team):
    for path in (
        "grant/",
        "take-back/",
        "grant-csv/",
        "settings/",
        "prices/set/",
        "people/invite/",
        "people/program/",
    ):
        answer = mei.post(address(f"team/{path}"), {})
        assert answer.status_code in (200, 422), (path, answer.status_code)
        assert set(said(answer)) <= DATA, path


def test_a_new_token(mei, address, busy_team):
    mine = Membership.objects.get(user__email="mei@studio.example").pk
    form = {"reference": uuid.uuid4(), "of": mine, "name": "Mei", "days": "7", "cap": "5", "scopes": ["read"]}
    for asked in (form, form | {"days": "0", "cap": ""}):
        answer = mei.post(address("tokens/new/"), asked)
        assert "sdw_" in answer.content.decode()
        assert said(answer) == []
    teams_api_tokens.revoke_of(Membership.objects.get(pk=mine))
    for wrong in (form, {"name": ""}):  # a form whose token is over, and one that says nothing
        answer = mei.post(address("tokens/new/"), wrong)
        assert (answer.status_code, said(answer)) == (422, [])


def test_who_follows_an_invitation(mei, address, busy_team):
    answer = mei.post(
        address("team/people/invite/?by=link"),
        {"reference": uuid.uuid4(), "role": "member", "credits": "5", "days": "7", "uses": "1"},
    )
    assert said(answer) == []
    link = answer.context["link"]
    path = link[link.index("/join/") :]
    assert said(Client().get(path)) == []
    stranger = Client()
    stranger.force_login(User.objects.create_user("ana@studio.example"), backend=BACKEND)
    assert said(stranger.get(path)) == []
    assert said(Client().get(f"{path}account/")) == []
    assert said(Client().post(f"{path}account/", {})) == []
    assert said(Client().get("/join/no-such-invitation/")) == []
