"""A person exports their data, and deletes their account; old addresses and sessions are forgotten."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from generations.credits import integrity_check
from generations.credits.models import Transfer
from generations.jobs import submission
from generations.jobs.create import saved_prompts
from generations.jobs.models import Batch, Generation, SavedPrompt
from generations.library.models import Collection, Favourite, Image, Share, Upload
from generations.library.organise import service as organise_service
from generations.library.sharing import service as sharing_service
from generations.library.storage import client as storage_client
from generations.library.trash import purge as trash_purge
from generations.library.uploads import input_images
from generations.office import tasks
from generations.office.audit_log import service as audit_log_service
from generations.office.audit_log.service import Actor
from generations.office.invitations import service as invitations_service
from generations.office.members import service as members_service
from generations.office.models import AuditAction, AuditEntry
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Invitation, Role, Token, User, Visibility
from tests import guards
from tests.api.client import ApiClient
from tests.conftest import PASSWORD, work
from tests.library.conftest import encoded, pixels
from tests.office.conftest import WEEK

pytestmark = pytest.mark.django_db(transaction=True)
EXPORT, DELETE = "/accounts/export/", "/accounts/delete/"


@pytest.fixture(autouse=True)
def _nothing_was_counted_before():
    cache.clear()


@pytest.fixture
def sign_in():
    """A browser in which the person is signed in: sign_in(member)."""

    def sign_in(member):
        browser = Client()
        answer = browser.post("/accounts/login/", {"login": member.user.email, "password": PASSWORD})
        assert answer.status_code == 302
        return browser

    return sign_in


@pytest.fixture
def mei(member, owner, make_member, submit, upstream):
    """Mei with pictures, a start image, a collection, a link and a token; and Tom beside her."""
    upload = input_images.save_upload(member=member, file=io.BytesIO(encoded(pixels())), name="sketch.png")
    submit(prompt="a team fox")
    submit(prompt="a private hen", visibility="private", model="ultra", start_image=upload, strength=0.5)
    submit(by=make_member("tom"), prompt="a fox of Tom")
    assert work() == 3
    fox = Image.objects.get(prompt="a team fox")
    organise_service.tag(member=member, images=[fox.pk], name="hero")
    organise_service.like(member=member, images=[fox.pk])
    organise_service.create_collection(member=member, name="Mine", visibility=Visibility.PRIVATE)
    for name, visibility in (("hens", Visibility.PRIVATE), ("foxes", Visibility.TEAM)):
        saved_prompts.save(member=member, name=name, visibility=visibility, values={"prompt": name})
    sharing_service.share_image(member=member, image=fox.pk)
    teams_api_tokens.issue(membership=member, name="laptop of Mei", scopes=["read"])
    body = {"model": "core", "prompt": "a private hen"}
    ApiClient(member).post("/generations", body, Idempotency_Key="k")
    submission.cancel_all(member=member)
    return member


def exported(browser):
    answer = browser.post(EXPORT)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/zip"
    assert "attachment" in answer["Content-Disposition"]
    archive = zipfile.ZipFile(io.BytesIO(answer.getvalue()))
    assert archive.testzip() is None
    return {name.removesuffix(".json"): json.loads(archive.read(name)) for name in archive.namelist()}


def test_the_export_has_everything_of_the_person_and_nothing_of_others(mei, sign_in):
    browser = sign_in(mei)
    assert "Export my data" in browser.get(EXPORT).content.decode()
    data = exported(browser)
    assert data["account"]["email"] == "mei@studio.example"
    assert data["account"]["sessions"][0]["ip"] == "127.0.0.1"
    assert [row["role"] for row in data["teams"]] == ["member"]
    assert {row["prompt"]: row["tags"] for row in data["pictures"]} == {
        "a team fox": ["hero"],
        "a private hen": [],
    }
    assert {row["parameters"]["prompt"] for row in data["requests"]} == {"a team fox", "a private hen"}
    assert [row["name"] for row in data["start-images"]] == ["sketch.png"]
    assert [row["name"] for row in data["collections"]] == ["Mine"]
    assert {row["name"]: row["values"]["prompt"] for row in data["saved-prompts"]} == {
        "hens": "hens",
        "foxes": "foxes",
    }
    assert len(data["favourites"]) == len(data["shared-links"]) == 1
    assert {row["name"] for row in data["api-tokens"]} == {"laptop of Mei", "test"}
    assert {row["kind"]: row["credits"] for row in data["credits"]}["grant"] == 100.0
    assert sum(row["credits"] for row in data["credits"]) == 100 - 3 - 8
    text = json.dumps(data)
    for foreign in ("Tom", "tom@", "Ana", "ana@", "token_hash", "password", mei.user.password):
        assert foreign not in text


def test_an_export_of_somebody_without_anything_is_whole(make_member, sign_in):
    data = exported(sign_in(make_member("kim")))
    assert data["pictures"] == data["requests"] == []


def test_exports_are_limited(make_member, sign_in):
    browser = sign_in(make_member("kim"))
    assert [browser.post(EXPORT).status_code for _ in range(11)] == [200] * 10 + [429]


def delete(browser, **form):
    return browser.post(DELETE, {"password": PASSWORD, "sure": "on"} | form)


@pytest.fixture
def traces(mei, owner):
    """Places in which others left Mei's addresses and name."""
    ana = Actor(owner.user, "203.0.113.7")
    before = {"email": "old@studio.example", "name": "Mei Tan"}
    audit_log_service.record(
        ana,
        AuditAction.PERSON_CHANGED,
        subject="old@studio.example",
        before=before,
        after={"email": mei.user.email, "name": "Mei"},
    )
    audit_log_service.record(
        Actor(mei.user, "203.0.113.9"), AuditAction.TOKEN_MADE, member=mei, subject="laptop of Mei"
    )
    offer = invitations_service.Offer(Role.MEMBER, 0, WEEK)
    invitations_service.invite_by_link(inviter=owner, form_id=uuid.uuid4(), offer=offer, uses=1, by=ana)
    Invitation.objects.update(email=mei.user.email)


def test_the_form_asks_twice(mei, sign_in):
    browser = sign_in(mei)
    assert "Delete my account" in browser.get(DELETE).content.decode()
    answer = delete(browser, sure="")
    assert answer.status_code == 422
    assert "Tick the box if you are sure." in answer.content.decode()
    assert User.objects.get(pk=mei.user_id).is_active


def test_a_deleted_account_is_signed_out_everywhere_for_ever(mei, sign_in):
    browser, phone = sign_in(mei), sign_in(mei)
    answer = delete(browser)
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/")
    for signed_out in (browser, phone):
        assert "/accounts/login/" in signed_out.get(DELETE)["Location"]
    login = Client().post("/accounts/login/", {"login": "mei@studio.example", "password": PASSWORD})
    assert login.status_code == 200
    user = User.objects.get(pk=mei.user_id)
    assert (user.is_active, user.has_usable_password(), user.emailaddress_set.count()) == (False, False, 0)
    assert not UserSession.objects.filter(user=user).exists()
    assert not Token.objects.filter(revoked_at=None).exists()


def test_what_was_private_is_deleted_for_good_and_the_teams_pictures_stay(mei, sign_in, monkeypatch):
    monkeypatch.setattr(trash_purge, "MIN_AGE", timedelta(seconds=-60))
    hen, upload = Image.objects.get(prompt="a private hen"), Upload.objects.get()
    delete(sign_in(mei))
    assert set(Image.objects.values_list("prompt", flat=True)) == {"a team fox", "a fox of Tom"}
    assert not Upload.objects.exists()
    assert not Collection.objects.filter(owner=mei).exists()
    assert [row.name for row in SavedPrompt.objects.filter(owner=mei)] == ["foxes"]  # the team's
    assert not Favourite.objects.exists()
    assert not Share.objects.filter(revoked_at=None).exists()
    for model in (Batch, Generation):
        assert {str(row.parameters) for row in model.objects.filter(member=mei)} == {"{}"}
        assert "a fox of Tom" in str(model.objects.exclude(member=mei).get().parameters)
    trash_purge.remove_discarded()
    assert not storage_client.exists(hen.key)
    assert not storage_client.exists(upload.key)
    assert "a private hen" not in everything()


def test_the_ledger_keeps_its_numbers(mei, sign_in):
    lines = list(Transfer.objects.order_by("pk").values_list("pk", "amount", "kind", "member"))
    delete(sign_in(mei))
    assert list(Transfer.objects.order_by("pk").values_list("pk", "amount", "kind", "member"))[:-1] == lines
    assert integrity_check.problems() == []
    mei.wallet.refresh_from_db()
    assert mei.wallet.available == 0


def test_no_table_and_no_page_names_a_deleted_person(mei, owner, sign_in, traces):
    assert all(trace in everything() for trace in TRACES)
    delete(sign_in(mei))
    assert [trace for trace in TRACES if trace in everything()] == []
    assert Invitation.objects.get().revoked_at  # without its address anybody could accept it
    browser = sign_in(owner)
    for page in ("people/", "changes/", "changes/export.csv", "ledger/", ""):
        answer = browser.get(f"/t/{owner.team.slug}/team/{page}")
        text = answer.getvalue().decode() if answer.streaming else answer.content.decode()
        assert answer.status_code == 200
        assert "Mei" not in text, page
    image = Image.objects.get(prompt="a team fox")
    page = browser.get(f"/t/{owner.team.slug}/picture/{image.pk}/").content.decode()
    assert "a team fox" in page
    assert "Deleted person" in page
    changes = browser.get(f"/t/{owner.team.slug}/team/changes/").content.decode()
    assert "left the team" in changes


TRACES = ("mei@studio", "Mei", "old@studio", "203.0.113.9", "sketch.png", "laptop of Mei", "a private hen")


def everything():
    """All rows of all tables as text, but for counters and the list of sessions, which have a term."""
    passing = ("django_migrations", "django_session", "library_words", "portal_cache")
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if not table.startswith(passing):
                cursor.execute(f'SELECT * FROM "{table}"')
                found.append(str(cursor.fetchall()))
    return "\n".join(found)


def test_the_last_owner_of_a_team_cannot(owner, member, sign_in):
    answer = delete(sign_in(owner))
    assert answer.status_code == 422
    assert "is the last owner of Studio North" in answer.content.decode()
    owner.refresh_from_db()
    assert owner.user.is_active
    assert owner.is_current
    members_service.set_role(member=member, role=Role.OWNER)
    assert delete(sign_in(owner)).status_code == 302


def test_the_last_operator_cannot(owner, member, sign_in):
    User.objects.filter(pk=member.user_id).update(is_staff=True, is_superuser=True)
    answer = delete(sign_in(member))
    assert answer.status_code == 422
    assert "only operator" in answer.content.decode()
    User.objects.filter(pk=owner.user_id).update(is_staff=True, is_superuser=True)
    assert delete(sign_in(member)).status_code == 302
    assert not User.objects.get(pk=member.user_id).is_staff


def test_nobody_can_whose_picture_is_being_drawn(owner, member, submit, upstream, sign_in):
    row = submit().generations.get()
    Generation.objects.filter(pk=row.pk).update(status="running")
    answer = delete(sign_in(member))
    assert answer.status_code == 422
    assert "1 of your pictures is being drawn" in answer.content.decode()
    member.refresh_from_db()
    assert member.is_current
    Generation.objects.filter(pk=row.pk).update(status="queued")
    assert delete(sign_in(member)).status_code == 302
    assert Generation.objects.get(pk=row.pk).status == "canceled"


def test_only_the_person_themselves_can(owner, member, sign_in):
    """Not who finds their browser open."""
    answer = delete(sign_in(member), password="a guess")
    assert answer.status_code == 422
    assert "This is not your password." in answer.content.decode()
    assert User.objects.get(pk=member.user_id).is_active


def test_a_person_in_no_team_and_one_who_left_can_go(owner, member, submit, upstream, sign_in):
    submit(prompt="left behind", visibility="private")
    work()
    members_service.end_membership(member=member)
    assert delete(sign_in(member)).status_code == 302
    assert not Image.objects.exists()


def test_addresses_in_the_change_log_have_a_term(owner, member, settings):
    settings.AUDIT_ADDRESS_DAYS = 20
    now = timezone.now()
    with guards.lifted():
        for days in (19, 21):
            entry = audit_log_service.record(
                Actor(owner.user, "203.0.113.7"), AuditAction.GRANTED, member=member
            )
            AuditEntry.objects.filter(pk=entry.pk).update(at=now - timedelta(days=days), note=str(days))
    tasks.delete_expired_personal_data()
    assert dict(AuditEntry.objects.exclude(note="").values_list("note", "address")) == {
        "19": "203.0.113.7",
        "21": None,
    }


@pytest.mark.parametrize(
    "change",
    [
        {"note": "x"},
        {"address": "203.0.113.8"},
        {"subject": "y"},
        {"act": "issued"},
        {"member": None},
        {"actor": None},
        {"before": {}},
        {"after": {"email": "x@example.org"}},
        {"after": {"role": "owner", "email": "a@example.org"}},
        {"address": None, "note": "x"},
    ],
)
def test_nothing_else_of_an_entry_can_be_changed(owner, member, change):
    values = {
        "before": {"role": "viewer", "name": "Ü"},
        "after": {"role": "member", "email": "a@example.org"},
    }
    by = Actor(owner.user, "203.0.113.7")
    entry = audit_log_service.record(by, AuditAction.PERSON_CHANGED, member=member, subject="x", **values)
    rows = AuditEntry.objects.filter(pk=entry.pk)
    with pytest.raises(DatabaseError, match="never rewritten"), transaction.atomic():
        rows.update(**change)
    removed = {"address": None, "subject": "", "before": {"role": "viewer"}, "after": {"role": "member"}}
    assert rows.update(**removed) == 1


def test_expired_sessions_are_deleted_with_their_addresses(member, sign_in):
    sign_in(member), sign_in(member)
    gone = Session.objects.order_by("pk")[0]
    Session.objects.filter(pk=gone.pk).update(expire_date=timezone.now() - timedelta(days=1))
    UserSession.objects.update(created_at=timezone.now() - timedelta(days=31))
    tasks.delete_expired_personal_data()
    assert Session.objects.count() == UserSession.objects.count() == 1
