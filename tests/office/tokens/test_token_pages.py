"""The page on which people make API tokens and revoke them."""

from __future__ import annotations

import re
import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from generations.office.members import service as members_service
from generations.office.models import AuditEntry
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Role, Token

pytestmark = pytest.mark.django_db
FORM = {"name": "laptop", "days": "90", "cap": "", "scopes": ["generate", "read"]}


@pytest.fixture
def visit(team):
    """A browser of that member, and a way to the pages of tokens."""

    def sign_in(member):
        browser = Client()
        browser.force_login(member.user)

        def ask(method="get", path="", data=None):
            fresh = {"reference": str(uuid.uuid4())} if data else {}
            return getattr(browser, method)(f"/t/{team.slug}/tokens/{path}", data and fresh | data)

        return ask

    return sign_in


def secret_on(answer):
    return re.search(r'value="(sdw_\w+)"', answer.content.decode())[1]


def test_a_secret_is_shown_once_and_works_at_once(visit, member):
    page = visit(member)
    made = page("post", "new/", FORM | {"of": member.pk, "cap": "12.5", "models": ["core", "ultra"]})
    token = teams_api_tokens.authenticate(secret_on(made))
    assert (token.membership, token.made_by, token.cap) == (member, member.user, 1_250)
    assert (token.scopes, token.models) == (["generate", "read"], ["core", "ultra"])
    assert timedelta(days=89) < token.expires_at - timezone.now() <= timedelta(days=90)
    assert made["Cache-Control"].startswith("max-age=0")
    listed = page().content.decode()
    assert "laptop" in listed
    assert token.hint in listed
    assert secret_on(made) not in listed


def test_a_revoked_token_lets_nobody_in_from_that_moment(visit, member):
    token, secret = teams_api_tokens.issue(membership=member, name="old", scopes=["read"])
    visit(member)("post", f"{token.pk}/revoke/")
    with pytest.raises(teams_api_tokens.TokenRevoked):
        teams_api_tokens.authenticate(secret)
    assert AuditEntry.objects.get(act="token_revoked").subject == "old"


def test_who_runs_the_team_sees_all_tokens_and_makes_those_of_programs(visit, make_member, member, team):
    boss, tom = make_member("ana", role=Role.ADMINISTRATOR), make_member("tom")
    program = members_service.create_program(team=team, name="Robot")
    other = teams_api_tokens.issue(membership=tom, name="tom's own", scopes=["read"])[0]
    mine, theirs = visit(member), visit(boss)
    assert "tom&#x27;s own" not in mine().content.decode()
    assert mine("post", f"{other.pk}/revoke/").status_code == 404
    assert "tom&#x27;s own" in theirs().content.decode()
    assert (
        teams_api_tokens.authenticate(secret_on(theirs("post", "new/", FORM | {"of": program.pk}))).membership
        == program
    )
    assert mine("post", "new/", FORM | {"of": program.pk}).status_code == 422
    assert theirs("post", "new/", FORM | {"of": tom.pk}).status_code == 422
    assert theirs("post", "new/", FORM | {"of": program.pk, "scopes": ["administer"]}).status_code == 422
    theirs("post", f"{other.pk}/revoke/")
    assert Token.objects.get(pk=other.pk).revoked_at


def test_nobody_chooses_a_scope_beyond_their_role(visit, make_member, member):
    viewer = make_member("kim", role=Role.VIEWER)
    assert visit(viewer)("post", "new/", FORM | {"of": viewer.pk}).status_code == 422
    assert (
        visit(member)("post", "new/", FORM | {"of": member.pk, "scopes": ["administer"]}).status_code == 422
    )
    assert visit(viewer)("post", "new/", FORM | {"of": viewer.pk, "scopes": ["read"]}).status_code == 200
    assert Token.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": "a\0b"}, {"days": "12"}, {"cap": "-1"}, {"cap": "x"}, {"models": ["dall-e"]},
     {"scopes": []}, {"of": "0"}, {"of": "x" * 5000}],
)  # fmt: skip
def test_what_is_filled_in_wrongly_makes_nothing(visit, member, wrong):
    assert visit(member)("post", "new/", FORM | {"of": member.pk} | wrong).status_code == 422
    assert not Token.objects.exists()


def test_a_member_has_no_more_tokens_than_anybody_could_look_after(visit, member):
    for number in range(50):
        teams_api_tokens.issue(membership=member, name=str(number), scopes=["read"])
    assert visit(member)("post", "new/", FORM | {"of": member.pk}).status_code == 422
    Token.objects.filter(name="1").update(expires_at=timezone.now())
    assert visit(member)("post", "new/", FORM | {"of": member.pk}).status_code == 200


def test_the_page_asks_the_database_as_often_for_forty_tokens_as_for_two(
    visit, member, django_assert_max_num_queries
):
    for number in range(40):
        teams_api_tokens.issue(membership=member, name=str(number), scopes=["read"])
    page = visit(member)
    page()
    with django_assert_max_num_queries(14):
        assert page().content.decode().count("/revoke/") == 40


def test_a_form_that_is_pressed_twice_makes_one_token_and_shows_its_secret_again(visit, member):
    page, form = visit(member), FORM | {"of": member.pk, "reference": str(uuid.uuid4())}
    assert secret_on(page("post", "new/", form)) == secret_on(page("post", "new/", form))
    assert AuditEntry.objects.filter(act="token_made").count() == Token.objects.count() == 1
    other = secret_on(page("post", "new/", form | {"name": "desk"}))
    assert teams_api_tokens.authenticate(other).name == "desk"


def test_the_form_of_a_token_that_was_revoked_makes_another_one_only_when_pressed_again(visit, member):
    page, form = visit(member), FORM | {"of": member.pk, "reference": str(uuid.uuid4()), "models": ["core"]}
    old = secret_on(page("post", "new/", form))
    teams_api_tokens.revoke(Token.objects.get())
    answer = page("post", "new/", form)
    assert answer.status_code == 422
    assert Token.objects.count() == 1
    anew = re.search(r'name="reference" value="([^"]+)"', answer.content.decode())[1]
    chosen = re.findall(r'name="([a-z_]+)"[^>]* checked', answer.content.decode())
    assert chosen == ["scopes", "scopes", "models"]  # what was chosen still is
    assert secret_on(page("post", "new/", form | {"reference": anew})) != old


def test_a_form_without_its_number_makes_nothing(visit, member):
    for wrong in ("", "x", "\0"):
        answer = visit(member)("post", "new/", FORM | {"of": member.pk, "reference": wrong})
        assert answer.status_code == 422
        assert "Load the page again" in answer.content.decode()
    assert not Token.objects.exists()


def test_the_same_form_of_two_people_makes_two_tokens(visit, make_member, member):
    tom, number = make_member("tom"), str(uuid.uuid4())
    for each in (member, tom):
        visit(each)("post", "new/", FORM | {"of": each.pk, "reference": number})
    assert Token.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_the_same_moment_make_one_token(visit, member):
    page, form, secrets = visit(member), FORM | {"of": member.pk, "reference": str(uuid.uuid4())}, []

    def press():
        secrets.append(secret_on(page("post", "new/", form)))
        connection.close()

    threads = [threading.Thread(target=press) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(secrets), len(set(secrets)), Token.objects.count()) == (6, 1, 1)
