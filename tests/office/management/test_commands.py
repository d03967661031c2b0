"""The management commands of office."""

import pytest
from django.core.management import CommandError, call_command

from generations.credits import integrity_check
from generations.credits.models import Account
from generations.office.members import service as members_service
from generations.teams import users as teams_users
from generations.teams.models import Membership, Role, Team, User


@pytest.fixture
def run(db, capsys):
    """Run a command and return its output."""

    def run(*words):
        call_command(*words)
        assert integrity_check.problems() == []
        return capsys.readouterr().out

    return run


def test_a_person_is_added_with_credits(run):
    text = run("add_user", "Mei@Example.org", "--password", "correct horse", "--credits", "12.5")
    member = Membership.objects.get(user__email="mei@example.org")
    assert (member.team.name, member.role, member.wallet.balance) == ("Studio", Role.MEMBER, 12_50)
    assert member.user.check_password("correct horse")
    assert member.user.emailaddress_set.filter(verified=True, primary=True, email="mei@example.org").exists()
    assert "mei@example.org is now in Studio" in text
    assert "12.5 credits" in text
    assert "correct horse" not in text


def test_without_a_password_a_link_is_printed(run):
    assert run("add_user", "mei@example.org").rstrip().splitlines()[-1].startswith("http")


def test_the_first_team_is_the_default(run):
    run("add_user", "a@example.org", "--team", "Studio North", "--role", "owner")
    run("add_user", "b@example.org")
    run("add_user", "c@example.org", "--team", "studio-north")
    run("add_user", "d@example.org", "--team", "Studio South")
    teams = {team.slug: team.memberships.count() for team in Team.objects.all()}
    assert teams == {"studio-north": 3, "studio-south": 1}


def test_an_address_that_another_account_confirmed_is_refused(run):
    teams_users.create(email="mei@example.org").emailaddress_set.create(
        email="kim@example.org", verified=True
    )
    with pytest.raises(CommandError, match=r"kim@example.org is an address of another account. Nothing"):
        run("add_user", "kim@example.org")
    assert not Team.objects.exists()


def test_an_operator_reaches_the_back_office(run, client):
    run("add_user", "a@example.org", "--operator", "--password", "x")
    client.force_login(User.objects.get())
    assert client.get("/back-office/").status_code == 200


def test_a_person_joins_a_second_team_with_the_same_password(run):
    run("add_user", "a@example.org", "--password", "first")
    text = run("add_user", "a@example.org", "--password", "second", "--team", "Other", "--credits", "3")
    assert User.objects.get().check_password("first")
    assert "password stays" in text
    assert Membership.objects.count() == 2


def test_adding_a_member_again_changes_nothing(run):
    run("add_user", "a@example.org", "--credits", "3")
    with pytest.raises(CommandError, match="already a member of Studio"):
        run("add_user", "A@example.org", "--credits", "3", "--operator")
    assert Account.objects.get(kind="wallet").balance == 3_00
    assert not User.objects.get().is_staff


@pytest.mark.parametrize(
    "words",
    [
        ("nobody",),
        ("a@example.org", "--credits", "-1"),
        ("a@example.org", "--credits", "0.001"),
        ("a@example.org", "--credits", "many"),
        ("a@example.org", "--credits", "1e30"),
        ("a@example.org", "--credits", "NaN"),
        ("a@example.org", "--role", "king"),
    ],
)
def test_invalid_arguments_are_refused_with_a_message(run, words):
    with pytest.raises(CommandError):
        run("add_user", *words)
    assert not User.objects.exists()


def test_reset_link_prints_a_link_and_nothing_else(run):
    run("add_user", "a@example.org")
    assert run("reset_url", "A@example.org").startswith("http")
    with pytest.raises(CommandError, match="Nobody signs in as"):
        run("reset_url", "b@example.org")


def test_the_first_operator_owns_the_first_team(db):
    user = members_service.create_first_operator(
        email="Op@example.com", password="x", pool=10_000_00, wallet=1_000_00
    )
    member = user.memberships.get()
    assert (user.is_staff, user.is_superuser, member.role, member.team.slug) == (
        True,
        True,
        "owner",
        "studio",
    )
    assert (member.wallet.balance, member.team.pool.balance) == (1_000_00, 10_000_00)
    assert members_service.create_first_operator(email="other@example.com") is None
    assert integrity_check.problems() == []


def test_a_dismissed_member_returns_what_is_not_held(db):
    members_service.create_first_operator(email="op@example.com")
    user = teams_users.create(email="mei@example.com")
    member = members_service.add_member(user=user, team=Team.objects.get(), granted=10_00)
    assert members_service.end_membership(member=member)
    assert Team.objects.get().pool.balance == 10_00
    assert not members_service.end_membership(member=member)
