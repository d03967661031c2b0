"""`export_library` writes a team's originals and a manifest, verifies them, and continues if interrupted."""

import hashlib
import io
import json
import os
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from generations.library.images import service as images_service
from generations.library.maintenance import export as maintenance_export
from generations.library.models import Image
from generations.library.organise.service import add_to_collection, create_collection, like, tag
from generations.library.storage import client as storage_client
from generations.teams.models import Visibility


def export(member, folder, *options, expected=0):
    """What the command says; it must exit as expected."""
    said, failed, code = io.StringIO(), io.StringIO(), 0
    try:
        call_command(
            "export_library", "--team", member.team.name, str(folder), *options, stdout=said, stderr=failed
        )
    except SystemExit as end:
        code = end.code
    assert code == expected, failed.getvalue()
    return said.getvalue() + failed.getvalue()


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def test_all_images_of_a_team_are_exported_with_their_data(member, stranger, make_image, tmp_path):
    fox = make_image(prompt="a red fox\x1b 狐", style_preset="anime")
    hen = make_image(media_type="image/jpeg", visibility="private")
    make_image(stranger)
    images_service.set_title(member=member, image=fox.pk, title="Fox")
    spring = create_collection(member=member, name="Spring", visibility=Visibility.TEAM)
    tag(member=member, images=[fox.pk], name="hero")
    tag(member=member, images=[fox.pk], name="animal")
    add_to_collection(member=member, images=[fox.pk], collection=spring.pk)
    like(member=member, images=[fox.pk])
    assert "2 written, 0 there before, 0 failed" in export(member, tmp_path / "out")
    told = manifest(tmp_path / "out")
    assert told["team"]["name"] == "Studio North"
    assert [(each["name"], each["owner"]) for each in told["collections"]] == [
        ("Spring", "mei@studio.example")
    ]
    first, second = told["images"]
    assert first["id"] == str(fox.pk)
    assert first["parameters"] == {"prompt": "a red fox\x1b 狐", "style_preset": "anime"}
    assert (first["title"], first["tags"], first["collections"]) == (
        "Fox",
        ["animal", "hero"],
        [str(spring.pk)],
    )
    assert (first["owner"], first["favourite_of"]) == ("mei@studio.example", ["mei@studio.example"])
    assert (first["sha256"], first["bytes"], first["seed"]) == (fox.sha256, fox.bytes, 7)
    assert (second["visibility"], second["media_type"]) == ("private", "image/jpeg")
    for entry in (first, second):
        data = (tmp_path / "out" / entry["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
    assert first["file"].endswith(f"{fox.pk}.png")
    assert second["file"].endswith(f"{hen.pk}.jpg")


def test_an_interrupted_export_is_continued(member, make_image, tmp_path):
    fox, hen = make_image(), make_image()
    export(member, tmp_path)
    files = {entry["id"]: tmp_path / entry["file"] for entry in manifest(tmp_path)["images"]}
    files[str(fox.pk)].write_bytes(b"half of i")
    os.utime(files[str(hen.pk)], (1, 1))
    assert "1 written, 1 there before" in export(member, tmp_path)
    assert hashlib.sha256(files[str(fox.pk)].read_bytes()).hexdigest() == fox.sha256
    assert files[str(hen.pk)].stat().st_mtime == 1  # it was not touched
    assert not list(tmp_path.rglob("*.part"))


def test_errors_are_reported_and_the_rest_is_exported(member, make_image, tmp_path):
    missing, wrong, fine = make_image(), make_image(), make_image()
    storage_client.remove(missing.key)
    storage_client.put(wrong.key, b"other bytes", media_type="image/png")
    said = export(member, tmp_path, expected=1)
    assert "1 written, 0 there before, 2 failed" in said
    assert f"{missing.pk}: The object is missing." in said
    assert f"{wrong.pk}: The object's bytes are not those that were stored" in said
    entries = {entry["id"]: entry for entry in manifest(tmp_path)["images"]}
    assert entries[str(missing.pk)]["file"] is None
    assert "sha256" in entries[str(wrong.pk)]["error"]
    assert [path.stem for path in tmp_path.rglob("*.png")] == [str(fine.pk)]


def test_an_export_since_a_day_and_with_the_trash(member, make_image, tmp_path):
    type(member.team).objects.update(time_zone="Pacific/Auckland")
    before, after, trashed = make_image(), make_image(), make_image()
    noon = datetime(2026, 3, 1, 11, tzinfo=UTC)  # midnight there
    Image.objects.filter(pk=before.pk).update(created_at=datetime(2026, 3, 1, 10, 59, tzinfo=UTC))
    Image.objects.filter(pk__in=[after.pk, trashed.pk]).update(created_at=noon)
    images_service.trash(member=member, images=[trashed.pk])

    def ids(*options):
        export(member, tmp_path, *options)
        return [entry["id"] for entry in manifest(tmp_path)["images"]]

    assert ids("--since", "2026-03-02") == [str(after.pk)]
    assert ids("--since", "2026-03-02", "--with-trash") == [str(after.pk), str(trashed.pk)]
    assert ids() == [str(before.pk), str(after.pk)]


def test_an_empty_library_has_a_manifest_too(member, tmp_path):
    export(member, tmp_path)
    assert manifest(tmp_path)["images"] == []


def test_more_than_a_batch_is_one_json_document(member, make_image, tmp_path, monkeypatch):
    monkeypatch.setattr("generations.library.maintenance.check.BATCH_SIZE", 2)
    made = [str(make_image().pk) for _ in range(5)]
    export(member, tmp_path)
    assert [entry["id"] for entry in manifest(tmp_path)["images"]] == made


def test_an_incomplete_export_has_no_manifest(member, make_image, tmp_path):
    make_image(), make_image()
    going = maintenance_export.export(team=member.team, folder=tmp_path)
    next(going)
    going.close()
    assert not (tmp_path / "manifest.json").exists()


def test_an_unknown_team_or_an_unwritable_folder_is_an_error(member, make_image, tmp_path):
    make_image()
    with pytest.raises(CommandError, match="no team"):
        call_command("export_library", "--team", "Nobody", str(tmp_path))
    (tmp_path / "file").write_text("x")
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_library", "--team", member.team.slug, str(tmp_path / "file"))
