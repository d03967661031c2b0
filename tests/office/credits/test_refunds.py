"""A charge is refunded once, with a reason, by those who may."""

import uuid
from functools import partial

import pytest
from django.test import Client

from generations.credits import ledger
from generations.credits.models import Account, Transfer
from generations.library.models import Image
from generations.office.audit_log.service import COMMAND
from generations.office.credits import service as credits_service
from generations.office.members import service as members_service
from generations.office.models import AuditAction, AuditEntry
from generations.teams.models import Role
from tests.concurrency import run_concurrently
from tests.conftest import work

pytestmark = pytest.mark.django_db(transaction=True)  # what workers do is committed


@pytest.fixture
def charged(member, submit, upstream):
    """A picture of Mei's that cost 8 credits; its generation."""
    row = submit(model="ultra").generations.get()
    work()
    return row


@pytest.fixture
def ana(make_member, client):
    ana = make_member("ana", role=Role.ADMINISTRATOR)
    client.force_login(ana.user)
    return ana


def balance(member):
    return Account.objects.get(membership=member).balance


def page(team, generation):
    return f"/t/{team.slug}/team/refund/{generation}/"


def test_a_picture_is_refunded_from_its_own_page(client, team, member, charged, ana):
    picture = f"/t/{team.slug}/generation/{charged.pk}/"
    assert page(team, charged.pk) in client.get(picture).content.decode()
    assert "Refund 8 credits" in client.get(page(team, charged.pk)).content.decode()
    answer = client.post(page(team, charged.pk), {"note": "Six fingers"}, follow=True)
    assert answer.redirect_chain == [(picture, 302)]
    assert "Refunded 8 credits to Mei." in answer.content.decode()
    words = client.get(picture).content.decode()
    assert page(team, charged.pk) not in words
    assert "Refunded" in words
    assert balance(member) == 100_00
    line = Transfer.objects.get(kind="refund")
    assert (line.reference, line.note, line.actor, line.model) == (
        charged.pk,
        "Six fingers",
        ana.user,
        "ultra",
    )
    entry = AuditEntry.objects.get(act=AuditAction.REFUNDED)
    assert (entry.member, entry.note, entry.after["amount"]) == (member, "Six fingers", 8_00)


def test_a_second_press_ends_as_the_first_did_and_changes_nothing(client, team, member, charged, ana):
    for _ in range(2):
        answer = client.post(page(team, charged.pk), {"note": "Six fingers"}, follow=True)
        assert answer.redirect_chain == [(f"/t/{team.slug}/generation/{charged.pk}/", 302)]
        assert "Refunded 8 credits to Mei." in answer.content.decode()
    assert "Refunded on" in client.get(page(team, charged.pk)).content.decode()
    assert balance(member) == 100_00
    assert AuditEntry.objects.filter(act=AuditAction.REFUNDED).count() == 1


@pytest.mark.parametrize("note", ["", "   ", "x" * 401, "\0"])
def test_a_refund_needs_a_reason(client, team, member, charged, ana, note):
    answer = client.post(page(team, charged.pk), {"note": note})
    assert answer.status_code == 422
    assert 'class="error"' in answer.content.decode()
    assert balance(member) == 92_00


def test_an_uncharged_picture_or_one_of_another_team_cannot_be_refunded(
    client, team, member, make_member, submit, upstream, ana
):
    row = submit(model="core").generations.get()
    assert client.get(page(team, row.pk)).status_code == 404  # only held
    assert client.get(page(team, uuid.uuid4())).status_code == 404
    elsewhere = make_member("eve", team=members_service.create_team("Elsewhere"))
    ledger.hold(member=elsewhere, amount=1_00, reference=(reference := uuid.uuid4()))
    ledger.settle(reference=reference)
    assert client.post(page(team, reference), {"note": "x"}).status_code == 404
    with pytest.raises(ledger.NoSuchCharge):
        credits_service.refund(team=team, generation=reference, by=COMMAND, note="x")
    assert balance(elsewhere) == 99_00


@pytest.mark.parametrize(
    ("visitor", "expected"),
    [("owner", 200), ("administrator", 200), ("member", 403), ("viewer", 403), ("foreign", 404), ("", 302)],
)
def test_only_some_roles_may_refund(team, charged, make_member, visitor, expected):
    client = Client()
    if visitor == "foreign":
        client.force_login(make_member("x", team=members_service.create_team("B"), role=Role.OWNER).user)
    elif visitor:
        client.force_login(make_member("x", role=Role(visitor)).user)
    assert client.get(page(team, charged.pk)).status_code == expected
    answer = client.post(page(team, charged.pk), {"note": "x"})
    assert answer.status_code == (302 if expected == 200 else expected)
    assert Transfer.objects.filter(kind="refund").exists() == (expected == 200)


def test_a_member_without_the_permission_is_not_offered_a_refund(client, team, member, charged):
    client.force_login(member.user)
    assert "/refund/" not in client.get(f"/t/{team.slug}/generation/{charged.pk}/").content.decode()


def test_a_private_picture_is_refunded_without_being_shown(client, team, member, charged, ana):
    Image.objects.update(visibility="private")
    words = client.get(page(team, charged.pk)).content.decode()
    assert "A private picture" in words
    assert "quiet harbour" not in words
    answer = client.post(page(team, charged.pk), {"note": "Six fingers"})
    assert answer.headers["Location"] == f"/t/{team.slug}/team/"
    assert balance(member) == 100_00


def test_the_refund_of_a_former_member_goes_to_the_pool(client, team, member, charged, ana):
    members_service.end_membership(member=member)
    before = Account.objects.get(team=team).balance
    assert "the credits go to the team" in client.get(page(team, charged.pk)).content.decode()
    client.post(page(team, charged.pk), {"note": "Six fingers"})
    assert Account.objects.get(team=team).balance == before + 8_00


def test_of_fifty_concurrent_refunds_one_is_written(team, member, charged):
    verb = partial(credits_service.refund, team=team, generation=charged.pk, by=COMMAND, note="x")
    results = run_concurrently(*[verb] * 50, expected=(ledger.LedgerError,))
    assert sum(isinstance(result, Transfer) for result in results) == 1
    assert sum(isinstance(result, ledger.AlreadyRefunded) for result in results) == 49
    assert AuditEntry.objects.filter(act=AuditAction.REFUNDED).count() == 1
    assert balance(member) == 100_00
