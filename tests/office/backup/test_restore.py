"""`manage.py restore`: a portal from its backup, in another place, with ledger and library proved."""

from __future__ import annotations

import base64
import json
import uuid
from datetime import timedelta

import pytest
from django.conf import settings as configured
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.utils import timezone

from generations.core import redis_client
from generations.credits.models import Transfer
from generations.jobs.engine import heartbeats
from generations.jobs.models import Attempt, Generation, Status
from generations.library.models import Image
from generations.library.sharing import service as sharing_service
from generations.library.storage import client as storage_client
from generations.office.audit_log.service import Actor
from generations.office.invitations.service import Offer, invite_by_link
from generations.office.models import AuditEntry
from generations.office.tokens import service as tokens_service
from generations.teams.models import Invitation, Membership, Role, Token, User
from generations.upstreams.models import Upstream
from tests import sandboxes
from tests.library.share_links import PERSON
from tests.upgrades.test_upgrade import OLD, load

ADDRESS = "/api/v1/images/{}/original"


@pytest.fixture
def let_in(make_member, filled, settings):
    """A link, an invitation and a token, as addresses and a secret."""
    owner = make_member("ana", role=Role.OWNER)
    share = sharing_service.share_image(member=owner, image=filled[1].pk)
    offer = Offer(Role.MEMBER, 0, timedelta(days=7))
    invitation = invite_by_link(
        inviter=owner, form_id=uuid.uuid4(), offer=offer, uses=1, by=Actor(owner.user)
    )
    _token, secret = tokens_service.issue(member=owner, name="laptop", scopes=["read"])
    return {
        "link": f"/s/{sharing_service.token(share.pk)}/",
        "invitation": "/" + invitation.split("/", 3)[3],
        "token": secret,
    }


def opens(let_in):
    """What still lets somebody in."""
    visitor = Client(headers=PERSON)
    program = Client(headers={"Authorization": f"Bearer {let_in['token']}"})
    return {
        "link": visitor.get(let_in["link"]).status_code == 200,
        "invitation": "Studio North" in visitor.get(let_in["invitation"]).text,
        "token": program.get("/api/v1/me").status_code == 200,
    }


def lines():
    return list(Transfer.objects.order_by("pk").values_list("pk", "kind", "amount", "reference"))


def test_a_portal_is_restored_elsewhere_and_proved(filled, folder, run, elsewhere, let_in):
    run("backup", folder)
    ledger, data = lines(), {image.key: storage_client.read(image.key) for image in filled}
    with elsewhere():
        said = run("restore", folder)
        assert f"Ledger: exact, {len(ledger)} entries." in said
        assert "Objects: 4; 4 stored, 0 there before." in said
        assert "Keys of providers: 1 of 1 can be read." in said
        assert lines() == ledger
        assert {image.key: storage_client.read(image.key) for image in Image.objects.all()} == data
        assert Upstream.objects.get().key == sandboxes.KEY
        program = Client(headers={"Authorization": f"Bearer {let_in['token']}"})
        shown = program.get(ADDRESS.format(filled[1].pk))
        assert shown.status_code == 200
        assert shown["Content-Type"] == "image/png"
        assert opens(let_in) == {"link": True, "invitation": True, "token": True}
        assert run("audit_ledger")
        run("check_library")


def test_who_was_signed_in_signs_in_again(filled, folder, run, elsewhere, member):
    browser = Client(headers=PERSON)
    browser.force_login(member.user, configured.AUTHENTICATION_BACKENDS[0])
    run("backup", folder)
    with elsewhere():
        run("restore", folder)
        assert browser.get("/t/studio-north/library/").status_code == 302
        user = User.objects.get(email=member.user.email)
        assert user.check_password("a long enough passphrase")


def test_on_request_nothing_lets_anybody_in(filled, folder, run, elsewhere, let_in):
    run("backup", folder)
    with elsewhere():
        said = run("restore", folder, "--revoke")
        assert "Revoked: 1 tokens, 1 links, 1 invitations." in said
        assert opens(let_in) == {"link": False, "invitation": False, "token": False}
        acts = list(AuditEntry.objects.order_by("pk").values_list("act", "actor"))
        assert ("token_revoked", None) in acts
        assert ("invitation_revoked", None) in acts
    assert not Token.objects.filter(revoked_at__isnull=False).exists()  # in the portal that goes on
    assert not Invitation.objects.filter(revoked_at__isnull=False).exists()


def test_a_database_in_use_is_refused_unless_told(filled, folder, run):
    run("backup", folder)
    storage_client.remove(filled[1].key)
    Membership.objects.update(weight=3)
    said = run("restore", folder, expected=1)
    assert "not empty" in said
    assert "--replace" in said
    assert Membership.objects.filter(weight=3).exists()
    assert not storage_client.exists(filled[1].key)
    said = run("restore", folder, "--replace")
    assert "1 stored, 3 there before" in said
    assert not Membership.objects.filter(weight=3).exists()


def test_a_database_of_something_else_is_never_cleared(filled, folder, run, elsewhere):
    run("backup", folder)
    with elsewhere():
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE of_somebody_else (id integer)")
        assert "not of this portal" in run("restore", folder, "--replace", expected=1)


def test_a_database_with_tables_and_nobody_in_it_is_empty(filled, folder, run, elsewhere):
    run("backup", folder)
    with elsewhere(with_tables=True):
        run("restore", folder)


def test_workers_must_be_stopped_first(filled, folder, run, elsewhere):
    run("backup", folder)
    heartbeats.send()
    with elsewhere():
        assert "Workers are running" in run("restore", folder, expected=1)
        assert connection.introspection.table_names() == []
        heartbeats.remove()
        run("restore", folder)
    assert redis_client.client().hlen(heartbeats.KEY) == 0


def test_a_damaged_backup_changes_nothing(filled, folder, run, elsewhere):
    run("backup", folder)
    [copy] = folder.glob("database-*")
    data = copy.read_bytes()
    copy.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with elsewhere():
        assert "damaged" in run("restore", folder, expected=1)
        assert connection.introspection.table_names() == []


def test_a_backup_of_a_newer_version_is_refused(filled, folder, run, elsewhere):
    run("backup", folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["migrations"].append("jobs.9999_from_the_future")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with elsewhere():
        assert "jobs.9999_from_the_future" in run("restore", folder, expected=1)


@pytest.mark.slow
def test_a_backup_of_an_older_version_is_migrated(folder, run, elsewhere, settings):
    settings.SECRET_KEY, settings.ENCRYPTION_KEYS = OLD["secret_key"], [OLD["encryption_key"]]
    with elsewhere():
        executor = MigrationExecutor(connection)
        names = [tuple(name) for name in OLD["migrations"]]
        executor.migrate(names)
        load(executor.loader.project_state(names).apps, OLD["rows"])
        storage_client.create_bucket()
        for key, data in OLD["objects"].items():
            storage_client.put(key, base64.b64decode(data), media_type=f"image/{key.rpartition('.')[2]}")
        run("backup", folder)
    with elsewhere():
        said = run("restore", folder)
        assert "Keys of providers: 1 of 1" in said
        assert len(lines()) == len(OLD["rows"]["credits.Transfer"])
        assert Upstream.objects.get().key == OLD["provider_key"]
        program = Client(headers={"Authorization": f"Bearer {OLD['api_token']}"})
        assert program.get(ADDRESS.format(OLD["image"])).status_code == 200


def test_pictures_that_were_under_way_are_not_bought_again(filled, folder, run, elsewhere, submit, upstream):
    """They reached storage after the copy of the database, and before the end of the backup."""
    statuses = (Status.RUNNING, Status.QUEUED, Status.STORING)
    rows = list(Generation.objects.filter(batch=submit(count=len(statuses))).order_by("position"))
    keys = {row.pk: f"images/{row.pk}/1-{filled[0].sha256}.png" for row in rows}
    for row, status in zip(rows, statuses, strict=True):
        Attempt.objects.create(generation=row, number=1, upstream=upstream)
        Generation.objects.filter(pk=row.pk).update(status=status, attempt=1, lease_until=timezone.now())
        facts = {"attempt": 1, "upstream": upstream.pk, "seed": 7 + row.position, "position": 0, "of": 1}
        picture = storage_client.read(filled[0].key)
        storage_client.put(keys[row.pk], picture, media_type="image/png", metadata=facts)
    run("backup", folder)
    with elsewhere():
        assert "in the backup: 3." in run("restore", folder)
        for row in Generation.objects.filter(pk__in=keys):
            assert Image.objects.filter(key=keys[row.pk], seed=7 + row.position).exists()
            assert row.status == Status.SUCCEEDED
            assert row.attempts.get().outcome == "ok"
        run("audit_ledger")
        run("check_library")
