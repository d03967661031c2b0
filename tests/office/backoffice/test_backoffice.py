"""The back office, in which operators manage ledger accounts, teams and users, and look up the rest."""

import re
import uuid
from datetime import date, timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.messages import get_messages
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generations.credits import integrity_check, ledger
from generations.credits.models import Account, Transfer
from generations.jobs.models import Attempt, Batch, Generation, Price, Status
from generations.office.audit_log.service import Actor
from generations.office.invitations.service import Offer, invite_by_link
from generations.office.members import service as members_service
from generations.office.models import Allowance, AuditAction, AuditEntry
from generations.teams import users as teams_users
from generations.teams.models import Membership, Role, Team, User
from generations.upstreams.models import Upstream

KEY = "sk-1234567890abcdef"


@pytest.fixture
def operator(db):
    return members_service.create_first_operator(email="op@example.org", pool=10_00, wallet=20_00)


@pytest.fixture
def office(client, operator):
    """A browser in which the operator is signed in."""
    client.force_login(operator)
    return client


@pytest.fixture
def member(operator):
    return operator.memberships.get()


@pytest.fixture
def generation(member, environment_upstream):
    batch = Batch.objects.create(
        team=member.team, member=member, submission=uuid.uuid4(), model="ultra", count=1
    )
    row = Generation.objects.create(
        batch=batch,
        team=member.team,
        member=member,
        position=0,
        model="ultra",
        parameters={"prompt": "a <b>heron</b>"},
        price=8_00,
        virtual_start=0,
        status=Status.FAILED,
        ended_at=timezone.now(),
        reason="The provider refused it.",
    )
    Attempt.objects.create(
        generation=row, number=1, upstream=environment_upstream, outcome="refused", status_code=403, cost=0
    )
    return row


@pytest.fixture
def environment_upstream(db):
    upstream = Upstream(name="Environment", base_url="https://api.example.org", from_environment=True)
    upstream.set_key(KEY)
    upstream.save()
    return upstream


def hidden_fields(page):
    """The hidden and filled-in fields of a page's form, as a browser would send them."""
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.content.decode())
    return {name: value for name, value in fields if name != "csrfmiddlewaretoken"}


def messages_of(answer):
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def test_every_page_of_the_back_office_opens(office, generation, member):
    ledger.hold(member=member, amount=1, reference=generation.pk, model="ultra")
    Price.objects.create(model="ultra", amount=9_00)
    for model, model_admin in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert office.get(reverse(f"{name}_changelist") + "?q=heron").status_code == 200, model
        first = model._default_manager.first()
        if first:
            assert office.get(reverse(f"{name}_change", args=[first.pk])).status_code == 200, model
        if model_admin.has_add_permission(office.get("/back-office/").wsgi_request):
            assert office.get(reverse(f"{name}_add")).status_code == 200, model


def test_nothing_can_be_deleted(office, operator):
    request = office.get("/back-office/").wsgi_request
    assert [
        model for model, each in admin.site._registry.items() if each.has_delete_permission(request)
    ] == []


def test_members_are_refused_and_anonymous_visitors_are_sent_to_the_sign_in(client, member):
    assert client.get("/back-office/", follow=True).redirect_chain[-1][0].startswith("/accounts/login/")
    client.force_login(teams_users.create(email="mei@example.org"))
    assert client.get("/back-office/", follow=True).status_code == 403


def test_a_failed_generation_is_found_with_its_prompt_and_attempts(office, generation):
    found = office.get(reverse("admin:jobs_generation_changelist") + "?q=heron").content.decode()
    assert str(generation.pk) in found
    page = office.get(reverse("admin:jobs_generation_change", args=[generation.pk])).content.decode()
    assert "a &lt;b&gt;heron&lt;/b&gt;" in page
    assert "403" in page


def test_a_ledger_entry_is_found_by_its_reference(office, member):
    line = Transfer.objects.filter(kind="grant").get()
    page = office.get(reverse("admin:credits_transfer_changelist") + f"?q={line.reference}")
    assert page.context["cl"].result_count == 1


def test_issuing_credits_needs_a_reason_and_happens_once(office, operator):
    pool = Account.objects.get(kind="pool")
    address = reverse("admin:credits_account_issue", args=[pool.pk])
    form = hidden_fields(office.get(address)) | {"amount": "100.50"}
    assert office.post(address, form).status_code == 200
    form["note"] = "The month's budget"
    for _ in range(2):
        assert "Issued 100.5 credits to Studio." in messages_of(office.post(address, form))
    pool.refresh_from_db()
    assert pool.balance == 110_50
    line = Transfer.objects.get(note="The month's budget")
    assert (line.amount, line.actor) == (100_50, operator)
    assert integrity_check.problems() == []


@pytest.mark.parametrize("amount", ["-5", "0", "1e30", "0.001", "x"])
def test_an_invalid_amount_is_refused_and_the_form_keeps_its_values(office, amount):
    address = reverse("admin:credits_account_issue", args=[Account.objects.get(kind="pool").pk])
    page = office.post(address, hidden_fields(office.get(address)) | {"amount": amount, "note": "kept"})
    assert "errorlist" in page.content.decode()
    assert 'value="kept"' in page.content.decode()
    assert Account.objects.get(kind="pool").balance == 10_00


def test_credits_are_issued_only_to_pools(office):
    wallet = Account.objects.get(kind="wallet")
    assert office.get(reverse("admin:credits_account_issue", args=[wallet.pk])).status_code == 404


def test_a_new_person_gets_a_link(office):
    form = {"email": "New@Example.org", "name": "", "usable_password": "false"}
    answer = office.post(reverse("admin:teams_user_add"), form)
    user = User.objects.get(email="new@example.org")
    assert "/accounts/password/reset/key/" in messages_of(answer)
    assert user.emailaddress_set.filter(verified=True, email="new@example.org").exists()
    assert not user.is_superuser


def test_an_operator_promotes_another_and_cannot_demote_themselves(office, operator):
    other = teams_users.create(email="other@example.org")
    for user, form in ((other, {"is_active": "on", "is_staff": "on"}), (operator, {})):
        address = reverse("admin:teams_user_change", args=[user.pk])
        assert office.post(address, {"email": user.email, "name": "Op"} | form).status_code == 302
        user.refresh_from_db()
        assert (user.is_active, user.is_staff, user.is_superuser) == (True, True, True)


def test_a_changed_email_address_is_confirmed_at_once(office):
    user = teams_users.create(email="old@example.org")
    form = {"email": "new@example.org", "name": "", "is_active": "on"}
    office.post(reverse("admin:teams_user_change", args=[user.pk]), form)
    assert list(user.emailaddress_set.values_list("email", "verified")) == [("new@example.org", True)]


def team_form(team, *lines):
    """The form of a team's page: existing and new members."""
    form = {"name": team.name, "time_zone": "UTC", "memberships-TOTAL_FORMS": str(len(lines))}
    form["memberships-INITIAL_FORMS"] = str(sum("id" in line for line in lines))
    for number, line in enumerate(lines):
        for name, value in ({"team": team.pk, "weight": 1} | line).items():
            form[f"memberships-{number}-{name}"] = str(value)
    return form


def test_members_are_admitted_and_dismissed_with_their_wallets(office, operator, member):
    team, user = member.team, teams_users.create(email="mei@example.org")
    address = reverse("admin:teams_team_change", args=[team.pk])
    me = {"id": member.pk, "user": operator.pk, "role": "owner", "present": "on"}
    answer = office.post(address, team_form(team, me, {"user": user.pk, "role": "viewer", "present": "on"}))
    assert answer.status_code == 302
    new = Membership.objects.get(user=user)
    assert (new.role, new.wallet.balance) == ("viewer", 0)
    ledger.grant(member=new, amount=4_00, reference=uuid.uuid4())
    gone = {"id": new.pk, "user": user.pk, "role": "viewer"}
    assert office.post(address, team_form(team, me, gone)).status_code == 302
    new.refresh_from_db()
    assert new.ended_at
    assert Account.objects.get(membership=new).balance == 0
    assert office.post(address, team_form(team, me, gone | {"present": "on", "weight": 3})).status_code == 302
    new.refresh_from_db()
    assert (new.ended_at, new.weight) == (None, 3)
    assert integrity_check.problems() == []


def test_a_team_with_a_program_is_saved(office, operator, member):
    team, mei = (
        member.team,
        members_service.add_member(user=teams_users.create(email="mei@example.org"), team=member.team),
    )
    members_service.create_program(team=team, name="shop")
    address = reverse("admin:teams_team_change", args=[team.pk])
    page = office.get(address)
    ids = re.findall(r'name="memberships-\d+-id" value="(\d+)"', page.text)
    assert ids == [str(member.pk), str(mei.pk)]
    me = {"id": member.pk, "user": operator.pk, "role": "owner", "present": "on"}
    changed = {"id": mei.pk, "user": mei.user_id, "role": "viewer", "present": "on"}
    assert office.post(address, team_form(team, me, changed) | {"name": "New"}).status_code == 302
    mei.refresh_from_db()
    team.refresh_from_db()
    assert (mei.role, team.name) == ("viewer", "New")


def test_a_member_who_has_left_meanwhile_is_named(office, operator, member, monkeypatch):
    mei = members_service.add_member(
        user=teams_users.create(email="mei@example.org", name="Mei"), team=member.team
    )
    monkeypatch.setattr(members_service, "set_role", lambda **_about: Membership.objects.get(pk=0))
    me = {"id": member.pk, "user": operator.pk, "role": "owner", "present": "on"}
    changed = {"id": mei.pk, "user": mei.user_id, "role": "viewer", "present": "on"}
    address = reverse("admin:teams_team_change", args=[member.team_id])
    assert "Mei had left the team meanwhile." in messages_of(
        office.post(address, team_form(member.team, me, changed))
    )


def test_deactivating_a_user_ends_their_sessions_and_invitations(office, operator, member):
    user = teams_users.create(email="sofia@example.org", password="correct horse")
    links = []
    for team in (member.team, members_service.create_team("Second")):
        sofia = members_service.add_member(user=user, team=team, role=Role.OWNER)
        offer = Offer(Role.OWNER, 0, timedelta(days=1))
        links.append(invite_by_link(inviter=sofia, form_id=uuid.uuid4(), offer=offer, uses=1, by=Actor(user)))
    theirs = Client()
    theirs.post("/accounts/login/", {"login": user.email, "password": "correct horse"})
    key = theirs.session.session_key
    assert UserSession.objects.filter(user=user, session_key=key).exists()
    address = reverse("admin:teams_user_change", args=[user.pk])
    form = {"email": user.email, "name": ""}
    assert office.post(address, form | {"is_active": "on", "name": "S"}).status_code == 302
    assert [Client().get(link).status_code for link in links] == [200, 200]
    assert office.post(address, form).status_code == 302
    assert [Client().get(link).status_code for link in links] == [410, 410]
    assert not UserSession.objects.filter(user=user).exists()
    assert not Session.objects.filter(pk=key).exists()
    assert office.get(address).status_code == 200
    revoked = entries(AuditAction.INVITATION_REVOKED)
    assert [(entry.actor, entry.team.slug) for entry in revoked] == [
        (operator, "studio"),
        (operator, "second"),
    ]
    with pytest.raises(PermissionDenied):
        invite_by_link(inviter=sofia, form_id=uuid.uuid4(), offer=offer, uses=1, by=Actor(user))


def test_a_reactivated_user_is_granted_no_allowance_for_the_months_between(office, member):
    mei = members_service.add_member(user=teams_users.create(email="mei@example.org"), team=member.team)
    long_ago = date(2026, 1, 1)
    Allowance.objects.create(membership=mei, amount=1_00, first_month=long_ago)
    address = reverse("admin:teams_user_change", args=[mei.user_id])
    form = {"email": mei.user.email, "name": ""}
    for active in ({"is_active": "on"}, {}):
        office.post(address, form | active)
        assert Allowance.objects.get().first_month == long_ago
    office.post(address, form | {"is_active": "on"})
    assert Allowance.objects.get().first_month > long_ago


def test_the_email_address_of_another_user_is_refused(office):
    mei, kim = teams_users.create(email="mei@example.org"), teams_users.create(email="kim@example.org")
    mei.emailaddress_set.create(email="second@example.org", verified=True)
    form = {"email": "Second@example.org", "name": "", "is_active": "on", "usable_password": "false"}
    for address in (reverse("admin:teams_user_change", args=[kim.pk]), reverse("admin:teams_user_add")):
        answer = office.post(address, form)
        assert (answer.status_code, "is an address of another account" in answer.text) == (200, True)
    assert office.post(reverse("admin:teams_user_change", args=[mei.pk]), form).status_code == 302
    assert list(mei.emailaddress_set.values_list("email", "verified")) == [("second@example.org", True)]


def test_a_new_team_has_a_pool(office):
    form = team_form(Team(name="Second")) | {"slug": "second"}
    assert office.post(reverse("admin:teams_team_add"), form).status_code == 302
    assert Account.objects.get(team__slug="second").balance == 0


def test_accounts_are_only_looked_up_here(office, environment_upstream):
    address = reverse("admin:upstreams_upstream_change", args=[environment_upstream.pk])
    page = office.get(address).content.decode()
    assert KEY not in page
    assert environment_upstream.encrypted_key not in page
    assert office.post(address, {"name": "Other"}).status_code == 403
    assert office.get(reverse("admin:upstreams_upstream_add")).status_code == 403


def test_a_price_is_added_but_never_changed(office):
    form = {"model": "ultra", "team": "", "amount": "8.5"}
    form |= {"valid_from_0": "2026-01-01", "valid_from_1": "00:00:00"}
    assert office.post(reverse("admin:jobs_price_add"), form).status_code == 302
    price = Price.objects.get()
    assert price.amount == 8_50
    assert office.post(reverse("admin:jobs_price_change", args=[price.pk]), form).status_code == 403


def test_a_picture_whose_worker_is_lost_is_failed_and_not_charged(office, generation, member):
    ledger.hold(member=member, amount=8_00, reference=generation.pk, model="ultra")
    Generation.objects.update(status=Status.STORING, ended_at=None)
    chosen = {"action": "give_up", "_selected_action": [str(generation.pk)]}
    office.post(reverse("admin:jobs_generation_changelist"), chosen)
    generation.refresh_from_db()
    assert (generation.status, generation.code) == (Status.FAILED, "given_up")
    assert Account.objects.get(membership=member).held == 0
    assert integrity_check.problems() == []


def entries(act):
    return AuditEntry.objects.filter(act=act).order_by("pk")


def test_roles_and_weights_follow_the_rules_of_the_team_pages(office, operator, member):
    team, user = member.team, teams_users.create(email="mei@example.org")
    mei = members_service.add_member(user=user, team=team)
    address = reverse("admin:teams_team_change", args=[team.pk])
    me = {"id": member.pk, "user": operator.pk, "role": "owner", "present": "on"}
    changed = {"id": mei.pk, "user": user.pk, "role": "administrator", "weight": 3, "present": "on"}
    office.post(address, team_form(team, me, changed))
    mei.refresh_from_db()
    assert (mei.role, mei.weight) == ("administrator", 3)
    [role], [weight] = entries(AuditAction.ROLE_CHANGED), entries(AuditAction.WEIGHT_CHANGED)
    assert (role.actor, role.member, role.after) == (operator, mei, {"role": "administrator"})
    assert (weight.before, weight.after) == ({"weight": 1}, {"weight": 3})
    office.post(address, team_form(team, me, changed | {"weight": 11}))
    mei.refresh_from_db()
    assert mei.weight == 3


@pytest.mark.parametrize("line", [{"role": "member", "present": "on"}, {"role": "owner"}])
def test_the_last_owner_is_neither_demoted_nor_dismissed(office, operator, member, line):
    address = reverse("admin:teams_team_change", args=[member.team_id])
    answer = office.post(address, team_form(member.team, {"id": member.pk, "user": operator.pk} | line))
    member.refresh_from_db()
    assert (member.role, member.ended_at) == ("owner", None)
    assert "is the last owner of Studio" in messages_of(answer)


def test_changes_of_a_team_are_audited(office, operator, member):
    team = member.team
    address = reverse("admin:teams_team_change", args=[team.pk])
    form = team_form(team) | {"name": "Studio South", "time_zone": "Europe/Rome"}
    for _ in range(2):
        office.post(address, form)
    chosen = {"_selected_action": [str(team.pk)]}
    for action in ("deactivate", "activate", "activate"):
        office.post(reverse("admin:teams_team_changelist"), chosen | {"action": action})
    team.refresh_from_db()
    assert (team.name, team.deactivated_at) == ("Studio South", None)
    assert [(entry.before, entry.after) for entry in entries(AuditAction.TEAM_CHANGED)] == [
        ({"name": "Studio", "time_zone": "UTC"}, {"name": "Studio South", "time_zone": "Europe/Rome"}),
        ({"active": True}, {"active": False}),
        ({"active": False}, {"active": True}),
    ]
    assert {entry.actor for entry in entries(AuditAction.TEAM_CHANGED)} == {operator}


def test_changes_of_a_user_are_audited_without_the_password(office, operator):
    form = {"email": "new@example.org", "name": "New", "usable_password": "true"}
    form |= {"password1": "correct horse battery", "password2": "correct horse battery"}
    office.post(reverse("admin:teams_user_add"), form)
    user = User.objects.get(email="new@example.org")
    address = reverse("admin:teams_user_change", args=[user.pk])
    office.post(address, {"email": user.email, "name": "New", "is_staff": "on"})
    made, changed = entries(AuditAction.PERSON_CHANGED)
    assert made.after == {"email": "new@example.org", "name": "New", "is_active": True, "is_staff": False}
    assert (changed.actor, changed.subject, changed.address) == (operator, user.email, "127.0.0.1")
    assert changed.before == {"is_active": True, "is_staff": False}
    assert changed.after == {"is_active": False, "is_staff": True}
    assert "horse" not in str(list(AuditEntry.objects.values()))
