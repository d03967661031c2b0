"""What an API token is, whom it lets in, and what it may spend."""

from __future__ import annotations

import io
import re
import string
import threading
import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from generations.credits import integrity_check as books
from generations.jobs import model_access, retries, submission
from generations.jobs.models import Batch, Generation
from generations.office.audit_log import sentences as audit_log_sentences
from generations.office.audit_log.service import Actor
from generations.office.members import service as members_service
from generations.office.models import AuditEntry
from generations.office.tokens import service as tokens_service
from generations.teams import api_tokens as teams_api_tokens
from generations.teams import membership
from generations.teams.models import Role, Scope, Team, Token, User
from tests.conftest import work

pytestmark = pytest.mark.django_db(transaction=True)
USUAL = ["generate", "read"]


@pytest.fixture
def issue(member):
    def make(whose=member, **more):
        return teams_api_tokens.issue(membership=whose, **({"name": "laptop", "scopes": USUAL} | more))

    return make


def refusal(secret):
    with pytest.raises(teams_api_tokens.TokenInvalid) as refused:
        teams_api_tokens.authenticate(secret)
    return type(refused.value)


def ask(member, token, model="core", count=1):
    return submission.submit(
        member=member,
        model=model,
        parameters={"prompt": "a boat"},
        count=count,
        submission=uuid.uuid4(),
        prices_at=timezone.now(),
        token=token,
    )


def test_a_secret_lets_its_member_in_and_is_kept_nowhere(issue, member, django_assert_num_queries):
    token, secret = issue()
    assert secret.startswith("sdw_")
    assert set(secret[4:]) <= set(string.ascii_letters + string.digits)
    with django_assert_num_queries(1):
        found = teams_api_tokens.authenticate(secret)
        assert (found.membership, found.membership.team) == (member, member.team)
        assert found.membership.wallet.available == 10_000
    kept = str(Token.objects.values().get())
    assert secret not in kept
    assert secret[4:20] not in kept
    assert token.hint == f"{secret[:8]}…{secret[-4:]}"


def test_what_is_no_secret_of_ours_is_refused_without_asking_the_database(issue, django_assert_num_queries):
    secret = issue()[1]
    odd = ["", "sdw_", secret[:-1], secret + "a", secret[:-1] + ("a" if secret[-1] != "a" else "b"), "\x00"]
    odd += [f" {secret}", f"{secret}\n", "sdw_" + "ä" * 46, "sdw_" + "\ud800" * 46, secret.lower()]
    with django_assert_num_queries(0):
        assert {refusal(each) for each in odd} == {teams_api_tokens.TokenUnknown}
    assert refusal(teams_api_tokens.generate_secret()) is teams_api_tokens.TokenUnknown


def test_expired_and_revoked_tokens_let_nobody_in(issue):
    token, secret = issue(expires_at=timezone.now() + timedelta(hours=1))
    assert teams_api_tokens.authenticate(secret) == token
    Token.objects.update(expires_at=timezone.now())
    assert refusal(secret) is teams_api_tokens.TokenExpired
    token, secret = issue()
    assert teams_api_tokens.revoke(token)
    assert not teams_api_tokens.revoke(token)
    assert refusal(secret) is teams_api_tokens.TokenRevoked


def test_who_is_shut_out_is_shut_out_with_their_tokens(issue, member):
    secret = issue()[1]
    User.objects.update(is_active=False)
    assert refusal(secret) is teams_api_tokens.MembershipInactive
    User.objects.update(is_active=True)
    Team.objects.update(deactivated_at=timezone.now())
    assert refusal(secret) is teams_api_tokens.MembershipInactive
    Team.objects.update(deactivated_at=None)
    assert teams_api_tokens.authenticate(secret)
    members_service.end_membership(member=member)
    assert refusal(secret) is teams_api_tokens.TokenRevoked
    membership.join(member.user, member.team)
    assert refusal(secret) is teams_api_tokens.TokenRevoked  # who comes back makes new ones


def test_a_role_that_may_no_longer_generate_takes_the_scope_from_its_tokens(issue, member):
    token = teams_api_tokens.authenticate(issue()[1])
    assert [scope for scope in Scope if teams_api_tokens.allows(token, scope)] == ["generate", "read"]
    members_service.set_role(member=member, role=Role.VIEWER)
    token.refresh_from_db()
    assert [scope for scope in Scope if teams_api_tokens.allows(token, scope)] == ["read"]


def test_nobody_gives_a_token_more_than_they_may(issue, make_member, team):
    viewer, boss, chief = (
        make_member(role.value, role=role)
        for role in ("viewer", "administrator", "owner")
        for role in [Role(role)]
    )
    for whose, scopes in ((viewer, ["generate"]), (make_member("tom"), ["administer"]), (boss, [])):
        with pytest.raises(teams_api_tokens.ScopeNotAllowed):
            issue(whose, scopes=scopes)
    program = members_service.create_program(team=team, name="Robot")
    for acting, whose in ((viewer, program), (boss, chief), (chief, viewer)):
        with pytest.raises(PermissionDenied):
            tokens_service.issue(
                member=whose, name="x", scopes=["read"], by=Actor(acting.user), requester=acting
            )
    assert tokens_service.issue(member=program, name="x", scopes=USUAL, by=Actor(boss.user), requester=boss)
    with pytest.raises(teams_api_tokens.ScopeNotAllowed):
        tokens_service.issue(
            member=program, name="x", scopes=["administer"], by=Actor(boss.user), requester=boss
        )


def test_use_is_written_down_once_a_minute(issue, django_assert_num_queries):
    secret = issue()[1]
    teams_api_tokens.touch(teams_api_tokens.authenticate(secret))
    used = teams_api_tokens.authenticate(secret)
    assert used.last_used_at
    with django_assert_num_queries(0):
        teams_api_tokens.touch(used)
    Token.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    teams_api_tokens.touch(teams_api_tokens.authenticate(secret))
    assert teams_api_tokens.authenticate(secret).last_used_at > timezone.now() - timedelta(minutes=1)


def test_a_token_made_for_some_models_asks_for_no_others(issue, member, upstream):
    token = issue(models=["core"])[0]
    assert ask(member, token).token == token
    with pytest.raises(model_access.ModelNotForToken):
        ask(member, token, model="ultra")


def test_fifty_calls_at_once_spend_no_more_than_the_tokens_cap(issue, member, upstream):
    token, refused = issue(cap=2_100)[0], []

    def press():
        try:
            ask(member, token)
        except model_access.TokenCapReached as problem:
            refused.append(problem.left)
        connection.close()

    threads = [threading.Thread(target=press) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (Batch.objects.count(), Generation.objects.count()) == (7, 7)
    assert refused == [0] * 43
    assert model_access.spent_by([token]) == {token.pk: 2_100}
    assert books.problems() == []


def test_what_was_not_charged_does_not_count_against_the_cap(issue, member, upstream, provider):
    token = issue(cap=300)[0]
    batch = ask(member, token)
    with pytest.raises(model_access.TokenCapReached):
        ask(member, token)
    submission.cancel(member=member, generation=batch.generations.get().pk)
    provider.plan("403")
    batch = ask(member, token)
    work()
    assert model_access.spent_by([token]) == {}
    other = issue(name="other")[0]
    again = retries.retry(member=member, generation=batch.generations.get().pk, token=other)
    assert model_access.spent_by([token, other]) == {other.pk: 300}
    assert again.batch.token == token
    ask(member, token)  # the retry was another's


def test_the_command_prints_the_token_last_and_alone(member):
    out = io.StringIO()
    call_command(
        "issue_token",
        "MEI@studio.example",
        "--scopes",
        "read",
        "--days",
        "3",
        stdout=out,
        stderr=io.StringIO(),
    )
    token = teams_api_tokens.authenticate(out.getvalue().splitlines()[-1])
    assert (token.membership, token.scopes) == (member, ["read"])
    assert timedelta(days=2) < token.expires_at - timezone.now() < timedelta(days=3)
    with pytest.raises(CommandError):
        call_command("issue_token", "nobody@studio.example")
    with pytest.raises(CommandError):
        call_command("issue_token", "mei@studio.example", "--scopes", "administer")
    with pytest.raises(CommandError):
        call_command("issue_token", "mei@studio.example", "--team", "Elsewhere")


def test_the_log_says_who_made_and_revoked_which(member, make_member, team):
    boss = make_member("ana", role=Role.OWNER)
    program = members_service.create_program(team=team, name="Robot")
    mine, _secret = tokens_service.issue(
        member=member, name="laptop", scopes=USUAL, by=Actor(member.user), requester=member
    )
    tokens_service.issue(
        member=program, name="ci", scopes=USUAL, cap=500, by=Actor(boss.user), requester=boss
    )
    tom = make_member("tom")
    with pytest.raises(PermissionDenied):
        tokens_service.revoke(token=mine, by=Actor(tom.user), requester=tom)
    assert tokens_service.revoke(token=mine, by=Actor(boss.user), requester=boss)
    assert not tokens_service.revoke(token=mine, by=Actor(boss.user), requester=boss)
    entries = AuditEntry.objects.filter(act__startswith="token").order_by("pk")
    assert [audit_log_sentences.sentence(entry) for entry in entries] == [
        "Mei made the API token laptop",
        "Ana made the API token ci of Robot",
        "Ana revoked the API token laptop of Mei",
    ]
    assert {"scopes Generate, Read", "cap 5"} == set(
        re.split(", (?=cap|scopes)", audit_log_sentences.detail(entries[1]))
    )
