"""`manage.py backup`: a folder with all of a portal, made while it works, and nothing else."""

from __future__ import annotations

import json
import subprocess

import pytest
from django.conf import settings as configured
from django.core.cache import cache
from django.db import connection
from django.test import Client

from generations.jobs.models import Generation, Status
from generations.library.images import service as images_service
from generations.library.models import DiscardedObject, Image
from generations.library.storage import client as storage_client
from generations.library.storage import keys as storage_keys
from generations.library.trash import purge as trash_purge
from generations.office.backup import database
from generations.office.backup.folder import Folder
from generations.office.tokens import service as tokens_service
from tests import sandboxes


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def files(folder):
    """The objects in the folder, by key."""
    paths = [path for path in (folder / "objects").rglob("*") if path.is_file()]
    return {str(path.relative_to(folder / "objects")): path for path in paths}


def delete_for_good(*images):
    """As the trash does after its days."""
    member = images[0].owner
    images_service.trash(member=member, images=[image.pk for image in images])
    trash_purge.purge(member=member, images=[image.pk for image in images])
    trash_purge.remove_discarded()
    assert not DiscardedObject.objects.exists()


def everything_in(folder):
    """All bytes of the backup, of a dump its statements."""
    parts = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return b"".join([*parts, *map(statements, folder.glob("*.dump"))])


def statements(dump):
    return subprocess.run(["pg_restore", "-f", "-", dump], capture_output=True, check=True).stdout


def test_a_backup_has_every_original_and_says_how_many(filled, folder, run):
    said = run("backup", folder)
    assert "Objects: 4," in said
    assert "4 copied" in said
    assert {key: path.read_bytes() for key, path in files(folder).items()} == {
        each.key: storage_client.read(each.key)
        for each in storage_client.list_objects()
        if not each.key.startswith("thumbnails/")
    }
    assert manifest(folder)["rows"]["library_image"] == 3
    assert manifest(folder)["object_count"] == 4


def test_what_is_there_with_the_same_hash_is_not_copied_again(filled, folder, run, submit):
    run("backup", folder)
    before = {key: path.stat().st_mtime_ns for key, path in files(folder).items()}
    assert "0 copied" in (said := run("backup", folder))
    assert "4 there before" in said
    assert {key: path.stat().st_mtime_ns for key, path in files(folder).items()} == before
    damaged = files(folder)[filled[1].key]
    data = damaged.read_bytes()
    damaged.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    assert "0 copied" in run("backup", folder, "--quick")  # the size is the same, and it is not read
    assert "1 copied" in run("backup", folder)
    assert damaged.read_bytes() == data
    damaged.unlink()
    assert "1 copied" in run("backup", folder, "--quick")


def test_what_was_deleted_for_good_leaves_the_folder(filled, folder, run):
    run("backup", folder)
    delete_for_good(filled[1])
    run("backup", folder)
    assert filled[1].key not in files(folder)
    assert len(files(folder)) == 3
    assert len(list(folder.glob("database-*"))) == len(list(folder.glob("objects-*"))) == 1


def test_a_picture_that_is_deleted_meanwhile_is_in_neither_database_nor_folder(
    filled, folder, run, monkeypatch
):
    """The database is copied again, or the copy would name an object that nobody has."""
    taken = []

    def take_and_delete(*arguments, **options):
        snapshot = take(*arguments, **options)
        if not taken:
            delete_for_good(filled[2])
        taken.append(snapshot.rows["library_image"])
        return snapshot

    take = database.take_snapshot
    monkeypatch.setattr(database, "take_snapshot", take_and_delete)
    run("backup", folder)
    assert taken == [3, 2]
    assert manifest(folder)["rows"]["library_image"] == 2
    assert filled[2].key not in files(folder)
    assert manifest(folder)["missing"] == []


def test_a_paid_picture_of_an_unfinished_generation_is_kept(filled, folder, run, submit):
    """A worker that was killed between storing it and entering it finds it again, after a restore too."""
    submit(count=1)
    row = Generation.objects.get(status=Status.QUEUED)
    Generation.objects.filter(pk=row.pk).update(status=Status.RUNNING, attempt=1)
    key = storage_keys.image_key(generation=row.pk, attempt=1, sha256="0" * 64, media_type="image/png")
    data = storage_client.read(filled[0].key)
    key = key.replace("0" * 64, filled[0].sha256)
    facts = {"attempt": 1, "upstream": 1, "seed": 7, "position": 0, "of": 1}
    storage_client.put(key, data, media_type="image/png", metadata=facts)
    run("backup", folder)
    assert files(folder)[key].read_bytes() == data
    [listed] = [each for each in Folder(folder).listed(manifest(folder)["objects"]) if each.key == key]
    assert listed.metadata == {name: str(value) for name, value in facts.items()}


def test_a_picture_that_storage_lacks_or_changed_is_said(filled, folder, run):
    storage_client.remove(filled[0].key)
    storage_client.put(filled[1].key, b"something else", media_type="image/png")
    said = run("backup", folder, expected=1)
    assert f"missing: {filled[0].key}" in said
    assert f"wrong sha256: {filled[1].key}" in said
    assert sorted(manifest(folder)["missing"]) == sorted([filled[0].key, filled[1].key])
    assert set(files(folder)) == set(manifest_keys(folder))


def manifest_keys(folder):
    return [each.key for each in Folder(folder).listed(manifest(folder)["objects"])]


def test_a_good_copy_outlives_a_picture_that_was_damaged_in_storage(filled, folder, run):
    run("backup", folder)
    good = files(folder)[filled[1].key].read_bytes()
    storage_client.put(filled[1].key, b"something else", media_type="image/png")
    run("backup", folder)
    assert files(folder)[filled[1].key].read_bytes() == good


def test_it_goes_on_where_it_was_interrupted(filled, folder, run, monkeypatch):
    """The folder still holds the backup before, and what was copied is not copied again."""
    delete_for_good(filled[0])
    run("backup", folder)
    before, finish = manifest(folder), Folder.finish
    submitted = Image.objects.get(pk=filled[2].pk)
    (folder / "objects" / submitted.key).unlink()

    def cut(_folder, _manifest):
        raise OSError(28, "No space left on device", str(folder))

    monkeypatch.setattr(Folder, "finish", cut)
    assert "No space left" in run("backup", folder, expected=1)
    assert manifest(folder) == before
    monkeypatch.setattr(Folder, "finish", finish)
    assert "0 copied" in run("backup", folder)


def test_folders_of_others_are_refused(filled, folder, run):
    folder.mkdir(parents=True)
    (folder / "holiday.jpg").write_bytes(b"mine")
    assert "holds no backup" in run("backup", folder, expected=1)
    assert [path.name for path in folder.iterdir()] == ["holiday.jpg"]
    (folder / "holiday.jpg").rename(folder / "manifest.json")
    assert "manifest that this version does not read" in run("backup", folder, expected=1)


def test_the_folder_of_another_portal_is_refused(filled, folder, run):
    run("backup", folder)
    other = manifest(folder) | {"installation": "another"}
    (folder / "manifest.json").write_text(json.dumps(other))
    assert "backup of another portal" in run("backup", folder, expected=1)
    assert manifest(folder) == other


def test_two_backups_to_one_folder_take_turns(filled, folder, run):
    run("backup", folder)
    with Folder(folder).opened_for(database.installation()):
        assert "under way" in run("backup", folder, expected=1)


def test_nothing_secret_is_in_the_folder(filled, folder, run, member, upstream):
    browser = Client()
    browser.force_login(member.user, configured.AUTHENTICATION_BACKENDS[0])
    cache.set("sign-in-attempts", "of mei")
    _token, secret = tokens_service.issue(member=member, name="laptop", scopes=["read"])
    run("backup", folder)
    said = everything_in(folder)
    for word in (
        sandboxes.KEY,
        secret,
        browser.session.session_key,
        configured.SECRET_KEY,
        configured.ENCRYPTION_KEYS[0],
        "sign-in-attempts",
    ):
        assert word.encode() not in said
    assert member.user.email.encode() in said  # so that the search above would find something
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


def test_without_a_program_that_is_new_enough_one_sentence_says_so(filled, folder, run, monkeypatch):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite needs none")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(database, "DEBIAN", folder)
    said = run("backup", folder, expected=1)
    assert "There is no pg_dump of version" in said
    assert "postgresql-client-" in said
