"""The pages that grant, take back and adjust credits."""

import re
import uuid

import pytest

from generations.credits import ledger
from generations.credits.models import Account, Transfer
from generations.jobs.models import Price
from generations.office.members import service as members_service
from generations.office.models import Allowance, AuditAction, AuditEntry
from generations.teams import users as teams_users
from generations.teams.models import Membership, Role
from tests.markup import compact

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(team):
    """It has 500 credits in its pool."""
    ledger.issue(team=team, amount=500_00, reference=uuid.uuid4())
    return team


@pytest.fixture
def ana(make_member, client):
    """The administrator, signed in."""
    ana = make_member("ana", role=Role.ADMINISTRATOR)
    client.force_login(ana.user)
    return ana


@pytest.fixture
def tom(make_member):
    return make_member("tom", granted=20)


def balance(member):
    return Account.objects.get(membership=member).balance


def pool(team):
    return Account.objects.get(team=team).balance


def page(team, path):
    return f"/t/{team.slug}/team/{path}"


def grant_form(*members, **fields):
    return {
        "members": [member.pk for member in members],
        "reference": uuid.uuid4(),
        "amount": "12.5",
    } | fields


def test_several_members_are_granted_the_same_amount(client, team, ana, member, tom):
    answer = client.post(page(team, "grant/"), grant_form(member, tom, note="spring"), follow=True)
    assert answer.redirect_chain == [(page(team, ""), 302)]
    assert "2 members have 12.5 credits more each." in answer.content.decode()
    assert (balance(member), balance(tom), pool(team)) == (112_50, 32_50, 475_00)
    lines = Transfer.objects.filter(kind="grant", note="spring")
    assert {line.actor for line in lines} == {ana.user}
    entry = AuditEntry.objects.get(act=AuditAction.GRANTED)
    assert (entry.actor, entry.subject, entry.note) == (ana.user, "2 members", "spring")
    assert (entry.before["pool"], entry.after["pool"], entry.after["total"]) == (500_00, 475_00, 25_00)


def test_a_grant_to_one_member_is_logged_with_the_balance_before(client, team, ana, member):
    client.post(page(team, "grant/"), grant_form(member, amount="30"))
    entry = AuditEntry.objects.get(act=AuditAction.GRANTED)
    assert (entry.member, entry.before, entry.address) == (member, {"balance": 100_00}, "127.0.0.1")
    assert entry.after == {"amount": 30_00, "balance": 130_00}


@pytest.mark.parametrize("path", ["grant/", "take-back/"])
def test_a_form_that_is_sent_twice_moves_credits_once(client, team, ana, member, tom, path):
    form = grant_form(member, tom, amount="15")  # Tom has 20, so none of it could be taken back again
    for sentence in ("15 credits", "This form was sent before; nothing more was moved."):
        answer = client.post(page(team, path), form, follow=True)
        assert answer.redirect_chain == [(page(team, ""), 302)]
        assert sentence in answer.content.decode()
    sign = 1 if path == "grant/" else -1
    assert (balance(member), balance(tom)) == (100_00 + sign * 15_00, 20_00 + sign * 15_00)
    assert AuditEntry.objects.filter(act__in=[AuditAction.GRANTED, AuditAction.TAKEN_BACK]).count() == 1


def test_a_grant_that_the_pool_cannot_cover_reaches_nobody(client, team, ana, member, tom):
    answer = client.post(page(team, "grant/"), grant_form(member, tom, amount="300", note="kept"))
    assert answer.status_code == 422
    assert "Not enough credits: 100 more needed, 500 available." in answer.content.decode()
    assert 'value="kept"' in answer.content.decode()
    assert (balance(member), balance(tom)) == (100_00, 20_00)
    assert not AuditEntry.objects.filter(act=AuditAction.GRANTED).exists()


def test_members_with_less_than_is_taken_back_are_named(client, team, ana, member, tom):
    answer = client.post(page(team, "take-back/"), grant_form(member, tom, amount="50"))
    assert "1 member has less than that: Tom (20). Nothing was taken back." in answer.content.decode()
    assert (balance(member), balance(tom)) == (100_00, 20_00)
    client.post(page(team, "take-back/"), grant_form(member, tom, amount="20"))
    assert (balance(member), balance(tom), pool(team)) == (80_00, 0, 540_00)


@pytest.mark.parametrize("amount", ["", "0", "-5", "0.001", "1e30", "NaN", "Infinity", "x", "٣"])
def test_an_invalid_amount_is_refused_and_the_form_keeps_its_values(client, team, ana, member, amount):
    answer = client.post(page(team, "grant/"), grant_form(member, amount=amount, note="kept"))
    if amount == "٣":  # a digit like any other
        assert balance(member) == 103_00
        return
    assert answer.status_code == 422
    assert 'class="error"' in answer.content.decode()
    assert f'value="{member.pk}" data-available="10000" checked' in compact(answer.content.decode())
    assert balance(member) == 100_00


@pytest.mark.parametrize("reference", ["", "x", "\0"])
def test_a_form_without_its_reference_is_refused(client, team, ana, member, reference):
    answer = client.post(page(team, "grant/"), grant_form(member, reference=reference))
    assert "This form is incomplete." in answer.content.decode()
    assert balance(member) == 100_00


def test_members_of_another_team_cannot_be_granted_credits(client, team, ana, member, make_member):
    stranger = make_member("eve", team=members_service.create_team("Elsewhere"))
    for wrong in ([stranger.pk], ["x"], [10**30], ["\0"], []):
        answer = client.post(
            page(team, "grant/"), grant_form(amount="5") | {"members": [member.pk, *wrong] if wrong else []}
        )
        assert answer.status_code == 422, wrong
    assert (balance(stranger), balance(member)) == (100_00, 100_00)


def test_a_member_who_has_left_meanwhile_stops_the_grant(client, team, ana, member, tom):
    form = grant_form(member, tom)
    members_service.end_membership(member=tom)
    assert client.post(page(team, "grant/"), form).status_code == 422
    assert balance(member) == 100_00


def test_the_page_preselects_the_members_of_its_query_string(client, team, ana, member, tom):
    answer = client.get(page(team, f"grant/?member={member.pk}&member=x&member=99999999999999999999"))
    words = compact(answer.content.decode())
    assert re.findall(r'name="members" value="(\d+)"[^>]*checked', words) == [str(member.pk)]


@pytest.mark.parametrize("path", ["grant/", "take-back/", "grant-csv/", "prices/"])
def test_the_number_of_queries_does_not_grow_with_the_members(
    client, team, ana, member, path, django_assert_max_num_queries
):
    client.get(page(team, path))
    with django_assert_max_num_queries(40) as few:
        client.get(page(team, path))
    users = [teams_users.create(email=f"{uuid.uuid4()}@example.org") for _ in range(30)]
    Membership.objects.bulk_create([Membership(team=team, user=user) for user in users])
    Price.objects.bulk_create([Price(model="core", amount=1 + number) for number in range(30)])
    with django_assert_max_num_queries(len(few)):
        client.get(page(team, path))


def test_a_cap_is_set_and_removed_on_the_page_of_a_member(client, team, ana, member):
    here = page(team, f"members/{member.pk}/caps/")
    assert client.post(here, {"per_day": "40", "per_month": "0"}).status_code == 302
    member.refresh_from_db()
    assert (member.cap_per_day, member.cap_per_month) == (40_00, 0)
    assert client.post(here, {"per_day": "x", "per_month": "-1"}).status_code == 422
    client.post(here, {"per_day": "40", "per_month": ""})
    client.post(here, {"per_day": "40", "per_month": ""})
    member.refresh_from_db()
    assert (member.cap_per_day, member.cap_per_month) == (40_00, None)
    entries = AuditEntry.objects.filter(act=AuditAction.CAPS_SET, member=member).order_by("pk")
    assert [(entry.before, entry.after) for entry in entries] == [
        ({"cap_per_day": None, "cap_per_month": None}, {"cap_per_day": 40_00, "cap_per_month": 0}),
        ({"cap_per_day": 40_00, "cap_per_month": 0}, {"cap_per_day": 40_00, "cap_per_month": None}),
    ]


def test_an_owner_adjusts_a_wallet_with_a_reason(client, team, ana, member, make_member):
    here, form = (
        page(team, f"members/{member.pk}/adjust/"),
        {"way": "remove", "amount": "30", "note": "Twice"},
    )
    form |= {"reference": uuid.uuid4()}
    assert client.post(here, form).status_code == 403  # an administrator grants and takes back
    client.force_login(make_member("olga", role=Role.OWNER).user)
    assert client.post(here, form | {"note": ""}).status_code == 422
    for _ in range(2):
        assert client.post(here, form).status_code == 302
    assert (balance(member), pool(team)) == (70_00, 530_00)
    assert Transfer.objects.get(kind="adjustment").note == "Twice"
    entry = AuditEntry.objects.get(act=AuditAction.ADJUSTED)
    assert (entry.member, entry.after["amount"]) == (member, -30_00)


def test_an_operator_adjusts_a_pool_in_the_back_office(client, team, member):
    operator = teams_users.create(email="op@example.org", operator=True)
    client.force_login(operator)
    account = Account.objects.get(team=team)
    here = f"/back-office/credits/account/{account.pk}/correct/"
    form = {"way": "remove", "amount": "100", "note": "Issued twice", "reference": uuid.uuid4()}
    for _ in range(2):
        assert client.post(here, form).status_code == 302
    assert pool(team) == 400_00
    entry = AuditEntry.objects.get(act=AuditAction.ADJUSTED)
    assert (entry.actor, entry.after["amount"], entry.note) == (operator, -100_00, "Issued twice")
    outside = Account.objects.get(kind="issued")
    assert client.get(f"/back-office/credits/account/{outside.pk}/correct/").status_code == 404


def test_issuing_in_the_back_office_is_logged(client, team):
    client.force_login(teams_users.create(email="op@example.org", operator=True))
    account = Account.objects.get(team=team)
    form = {"amount": "100", "note": "May", "reference": uuid.uuid4()}
    for _ in range(2):
        client.post(f"/back-office/credits/account/{account.pk}/issue/", form)
    entry = AuditEntry.objects.get(act=AuditAction.ISSUED)
    assert (entry.team, entry.after["amount"], entry.note) == (team, 100_00, "May")


OPEN_TO = {
    "grant/": "administrator owner",
    "take-back/": "administrator owner",
    "grant-csv/": "administrator owner",
    "prices/": "administrator owner",
    "members/{pk}/": "administrator owner",
}
CHANGES = {
    "grant/": "administrator owner",
    "take-back/": "administrator owner",
    "grant-csv/": "administrator owner",
    "members/{pk}/allowance/": "administrator owner",
    "members/{pk}/allowance/end/": "administrator owner",
    "members/{pk}/caps/": "administrator owner",
    "members/{pk}/adjust/": "owner",
    "prices/rule/core/": "administrator owner",
    "prices/set/": "",
    "prices/1/withdraw/": "",
}


@pytest.mark.parametrize(
    "visitor", ["owner", "administrator", "member", "viewer", "foreign", "ended", "nobody"]
)
def test_pages_of_credits_open_to_the_roles_that_may_see_them(client, team, member, make_member, visitor):
    Price.objects.create(pk=1, model="core", amount=9_00)
    if visitor in Role.values:
        client.force_login(make_member("ana", role=Role(visitor)).user)
    elif visitor == "foreign":
        client.force_login(make_member("ana", team=members_service.create_team("B"), role=Role.OWNER).user)
    elif visitor == "ended":
        gone = make_member("ana", role=Role.OWNER)
        make_member("other", role=Role.OWNER)
        members_service.end_membership(member=gone)
        client.force_login(gone.user)
    expected = {"foreign": 404, "ended": 404, "nobody": 302}.get(visitor, 403)
    for path, roles in OPEN_TO.items():
        status = client.get(page(team, path.format(pk=member.pk))).status_code
        assert status == (200 if visitor in roles.split() else expected), path
    for path, roles in CHANGES.items():
        status = client.post(page(team, path.format(pk=member.pk)), {}).status_code
        if visitor in roles.split():
            assert status in {302, 422}, path
        else:
            assert status == expected, path
    assert balance(member) == 100_00
    assert not Allowance.objects.exists()


def test_the_members_of_another_team_are_not_found(client, team, ana, make_member):
    stranger = make_member("eve", team=members_service.create_team("Elsewhere"))
    for path in ("", "allowance/", "caps/"):
        assert client.post(page(team, f"members/{stranger.pk}/{path}"), {}).status_code in {404, 405}
    assert client.get(page(team, f"members/{stranger.pk}/")).status_code == 404
    assert client.get(page(team, "members/999999/")).status_code == 404


def test_names_and_notes_are_escaped(client, team, ana, member):
    member.user.name = "<script>alert(1)</script>"
    member.user.save()
    client.post(page(team, "grant/"), grant_form(member, note="<b>x</b>"))
    for path in ("grant/", f"members/{member.pk}/"):
        words = client.get(page(team, path)).content.decode()
        assert "<script>alert" not in words
        assert "<b>x</b>" not in words
