"""Zips of many pictures: their content, who gets them, and failures while they are sent."""

import asyncio
import hashlib
import io
import os
import re
import shutil
import subprocess
import unicodedata
import uuid
import zipfile
from contextlib import aclosing
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from generations.library.archives import entries as archives_entries
from generations.library.archives import service as archives_service
from generations.library.archives import stream as archives_stream
from generations.library.delivery import zip_stream
from generations.library.images import service as images_service
from generations.library.imaging.convert import OutputFormat
from generations.library.models import Archive, Image, Packing
from generations.library.storage import client as storage_client
from generations.library.storage import keys as storage_keys
from generations.teams.models import Visibility
from tests.library.conftest import FORMATS, decoded
from tests.library.delivery.test_file_names import WORDS
from tests.library.imaging.test_convert import TYPES, parameters_in

STORED = OutputFormat("stored")
UTF8_NAME = 0x800  # APPNOTE.TXT 4.4.4, bit 11


@pytest.fixture
def pictures(make_image):
    """Five, each with bytes of its own."""
    return [make_image(prompt=f"a red fox number {number}", seed=number) for number in range(5)]


def address(name, member, *archive):
    return reverse(f"library:{name}", args=[member.team.slug, *archive])


def ask(client, member, **form):
    """Fill in the form as a script does; the answer and the archive that was made."""
    before = set(Archive.objects.values_list("pk", flat=True))
    answer = client.post(address("archive", member), form, headers={"HX-Request": "true"})
    return answer, Archive.objects.exclude(pk__in=before).first()


def packed(member, images, output=STORED):
    return archives_service.create(member=member, images=[image.pk for image in images], output=output)


def opened(answer):
    data = answer.getvalue()
    assert answer.get("Content-Length", str(len(data))) == str(len(data))
    zipped = zipfile.ZipFile(io.BytesIO(data))
    assert zipped.testzip() is None
    return zipped


def text(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def hashes(zipped):
    return [hashlib.sha256(zipped.read(name)).hexdigest() for name in zipped.namelist()]


# What is in it -----------------------------------------------------------------------


def test_a_zip_has_every_picture_byte_for_byte_and_a_content_length(sign_in, member, pictures):
    client = sign_in(member)
    answer, archive = ask(client, member, image=[image.pk for image in pictures], format="stored")
    assert answer.status_code == 200
    assert "A zip of 5 pictures" in text(answer)
    answer = client.get(address("archive_file", member, archive.pk))
    assert hashes(opened(answer)) == [image.sha256 for image in pictures]
    assert "Content-Length" in answer
    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"].startswith('attachment; filename="sdweb-5-')
    assert "Accept-Ranges" not in answer
    archive.refresh_from_db()
    assert (archive.state, archive.packed, archive.reason) == (Packing.DONE, 5, "")
    assert "5 pictures downloaded" in text(client.get(address("archive_progress", member, archive.pk)))


@pytest.mark.parametrize("form", [*TYPES, "original"])
@pytest.mark.parametrize("parameters", ["1", "0"])
def test_the_files_of_a_zip_have_the_requested_format(sign_in, member, make_image, form, parameters):
    images = [make_image(media_type=each, prompt=f"a fox as {each}") for each in TYPES.values()]
    client = sign_in(member)
    chosen = {"format": form, "parameters": parameters}
    _answer, archive = ask(client, member, image=[image.pk for image in images], **chosen)
    answer = client.get(address("archive_file", member, archive.pk))
    assert "Content-Length" not in answer
    zipped = opened(answer)
    for image, name in zip(images, zipped.namelist(), strict=True):
        inside = decoded(zipped.read(name))
        media_type = TYPES.get(form, image.media_type)
        assert inside.format == FORMATS[media_type]
        assert name.endswith(storage_keys.EXTENSIONS[media_type])
        if parameters == "1":
            assert parameters_in(inside).startswith(image.prompt)
        else:
            assert b"a fox as" not in zipped.read(name).replace(b"\0", b"")


def test_file_names_are_unique_and_those_of_single_downloads(sign_in, member, make_image):
    prompts = ["A Fox / ..\\", "a fox", "a fox", "狐", "狐", "\x1b", "con", "", "x" * 5_000]
    images = [make_image(prompt=prompt) for prompt in prompts]
    archive = packed(member, images)
    names = opened(sign_in(member).get(address("archive_file", member, archive.pk))).namelist()
    assert len(set(names)) == len(names) == len(images)
    assert all(re.fullmatch(r"[a-z0-9狐][a-z0-9-]{0,80}\.png", name) for name in names)
    assert names[:5] == ["a-fox-7.png", "a-fox-7-2.png", "a-fox-7-3.png", "狐-7.png", "狐-7-2.png"]


@pytest.mark.parametrize("program", ["zipfile", "unzip", "bsdtar", "7z"])
def test_file_names_of_every_script_are_unpacked(sign_in, member, make_image, tmp_path, program):
    texts = [text for text in WORDS if "\0" not in text]  # PostgreSQL takes none
    images = [make_image(prompt=prompt) for prompt in (*texts, "क" * 500, "plain")]
    archive = packed(member, images)
    answer = sign_in(member).get(address("archive_file", member, archive.pk))
    file, folder = tmp_path / "pictures.zip", tmp_path / "unpacked"
    file.write_bytes(data := answer.getvalue())
    assert answer["Content-Length"] == str(len(data))
    with zipfile.ZipFile(file) as zipped:
        names = zipped.namelist()
        for entry in zipped.infolist():
            assert bool(entry.flag_bits & UTF8_NAME) != entry.filename.isascii()
    for text in texts:
        assert f"{unicodedata.normalize('NFC', WORDS[text])}-7.png" in names
    unpack(program, file, folder)
    unpacked = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    assert unpacked == dict(zip(names, [image.sha256 for image in images], strict=True))


def unpack(program, file, folder):
    """Unpack a zip with one of the programs that people have; skip the test on a machine without it."""
    if program == "zipfile":
        with zipfile.ZipFile(file) as zipped:
            zipped.extractall(folder)
        return
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    folder.mkdir()
    arguments = {
        "unzip": ["-q", file, "-d", folder],
        "bsdtar": ["-xf", file, "-C", folder],
        "7z": ["x", file, f"-o{folder}"],
    }[program]
    environment = os.environ | {"LC_ALL": "C.UTF-8"}
    subprocess.run([program, *arguments], env=environment, check=True, capture_output=True)


def test_all_results_of_a_search_are_packed(sign_in, member, make_image):
    wanted = [make_image(prompt="a lighthouse in the fog", seed=seed) for seed in range(3)]
    make_image(prompt="a lighthouse by day")
    client = sign_in(member)
    _answer, archive = ask(client, member, all="1", search="q=lighthouse+fog&order=oldest", format="stored")
    zipped = opened(client.get(address("archive_file", member, archive.pk)))
    assert hashes(zipped) == [image.sha256 for image in wanted]


def test_without_scripts_the_form_redirects_to_a_page_with_a_link(sign_in, member, pictures):
    client = sign_in(member)
    answer = client.post(address("archive", member), {"image": [pictures[0].pk]}, follow=True)
    archive = Archive.objects.get()
    assert answer.redirect_chain[-1][0] == address("archive_progress", member, archive.pk)
    assert address("archive_file", member, archive.pk) in answer.content.decode()
    answer = client.post(address("archive", member), {}, follow=True)
    assert "Choose some pictures first." in text(answer)


def test_a_zip_has_at_most_ten_thousand_pictures(sign_in, member):
    client, many = sign_in(member), [uuid.uuid4() for _each in range(10_001)]
    answer, archive = ask(client, member, image=many[1:])
    assert (answer.status_code, len(archive.images)) == (200, 10_000)
    answer, archive = ask(client, member, image=many)
    assert (answer.status_code, archive) == (422, None)
    assert "At most 10,000 pictures in one zip." in text(answer)


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({}, 422),
        ({"all": "1", "search": "q=nothing-like-it"}, 422),
        ({"image": ["x"]}, 404),
        ({"image": ["\0"]}, 404),
        ({"again": "x"}, 404),
        ({"again": str(uuid.UUID(int=7, version=4))}, 404),
        ({"image": [str(uuid.UUID(int=7, version=4))], "format": "gif"}, 422),
        ({"image": [str(uuid.UUID(int=7, version=4))], "parameters": "\0"}, 422),
        ({"all": "1", "search": "collection=x"}, 404),
        ({"all": "1", "search": "\0&" * 2_000}, 422),
    ],
)
def test_invalid_requests_are_refused(sign_in, member, form, status):
    answer, archive = ask(sign_in(member), member, **form)
    assert (answer.status_code, archive) == (status, None)


# Whose it is ---------------------------------------------------------------------------


def test_a_zip_is_found_only_by_its_maker(sign_in, member, teammate, stranger, viewer, pictures):
    archive = packed(member, pictures)
    for other in (teammate, viewer, stranger):
        client = sign_in(other)
        for name in ("archive_progress", "archive_file"):
            for team in {member.team, other.team}:
                path = reverse(f"library:{name}", args=[team.slug, archive.pk])
                assert client.get(path).status_code == 404
                assert client.head(path).status_code == 404
        assert ask(client, other, again=archive.pk)[0].status_code == 404
    archive.refresh_from_db()
    assert archive.state == Packing.READY


def test_pictures_no_longer_visible_are_left_out_and_counted(
    sign_in, member, teammate, stranger, pictures, make_image
):
    private, foreign = make_image(teammate, visibility="private"), make_image(stranger)
    archive = packed(member, [*pictures, private, foreign])
    images_service.trash(member=member, images=[pictures[1].pk])
    client = sign_in(member)
    zipped = opened(client.get(address("archive_file", member, archive.pk)))
    left = [image.sha256 for image in pictures if image != pictures[1]]
    assert hashes(zipped) == left
    shown = text(client.get(address("archive_progress", member, archive.pk)))
    assert "3 of the chosen pictures are no longer in the library and are left out." in shown
    assert "4 pictures downloaded" in shown


@pytest.mark.django_db(transaction=True)
def test_a_zip_is_planned_without_a_lock(member, pictures):
    """On SQLite nobody could write meanwhile, and with ten thousand pictures that takes seconds."""
    archive = packed(member, pictures)
    images_service.trash(member=member, images=[pictures[0].pk])
    with CaptureQueriesContext(connection) as queries:
        plan = archives_service.start(member=member, archive=archive)
    assert len(plan.entries) == len(pictures) - 1
    said = [query["sql"] for query in queries]
    begun = next(number for number, sql in enumerate(said) if sql.startswith("BEGIN"))
    assert any('"library_image"' in sql for sql in said[:begun])
    assert not any('"library_image"' in sql for sql in said[begun:])
    assert sum(sql.startswith("UPDATE") for sql in said[begun:]) == 1


def test_a_zip_without_visible_pictures_is_not_sent(sign_in, member, pictures):
    archive = packed(member, pictures)
    images_service.trash(member=member, images=[image.pk for image in pictures])
    client = sign_in(member)
    assert client.get(address("archive_file", member, archive.pk)).status_code == 409
    shown = text(client.get(address("archive_progress", member, archive.pk)))
    assert "The download failed None of these pictures is in the library any more." in shown


# Once, and two at a time -----------------------------------------------------------------


def test_a_zip_is_sent_once_and_download_again_creates_another(sign_in, member, pictures):
    client, archive = sign_in(member), packed(member, pictures, OutputFormat("webp", with_parameters=False))
    path = address("archive_file", member, archive.pk)
    first, second = client.get(path), client.get(path)  # two tabs: nothing of the first was read yet
    assert (first.status_code, second.status_code) == (200, 409)
    assert "sent once" in second.content.decode()
    opened(first)
    assert client.get(path).status_code == 409
    assert "Download again" in text(client.get(address("archive_progress", member, archive.pk)))
    answer, again = ask(client, member, again=archive.pk)
    assert answer.status_code == 200
    assert archives_service.output_format(again) == OutputFormat("webp", with_parameters=False)
    assert again.images == archive.images
    opened(client.get(address("archive_file", member, again.pk)))


def test_head_starts_nothing_and_a_range_request_gets_the_whole_zip(sign_in, member, pictures):
    client, archive = sign_in(member), packed(member, pictures)
    path = address("archive_file", member, archive.pk)
    head = client.head(path)
    archive.refresh_from_db()
    assert (head.status_code, head.content, archive.state) == (200, b"", Packing.READY)
    answer = client.get(path, headers={"Range": "bytes=100-200"})
    assert answer.status_code == 200
    assert head["Content-Length"] == answer["Content-Length"]
    assert len(opened(answer).namelist()) == 5


def test_a_member_has_at_most_two_zips_sent_at_once(sign_in, member, teammate, pictures):
    client, three = sign_in(member), [packed(member, pictures) for _each in range(3)]
    for archive in three[:2]:
        archives_service.start(member=member, archive=archive)
    answer, none = ask(client, member, image=[pictures[0].pk])
    assert (answer.status_code, none) == (422, None)
    assert "Two of your zips are being sent already." in text(answer)
    assert client.get(address("archive_file", member, three[2].pk)).status_code == 409
    assert "Two of your zips" in text(client.get(address("archive_progress", member, three[2].pk)))
    assert ask(sign_in(teammate), teammate, image=[pictures[0].pk])[1] is not None
    archives_service.finish(three[0].pk, 5)
    assert ask(client, member, image=[pictures[0].pk])[1] is not None


def test_an_abandoned_zip_is_shown_as_failed(sign_in, member, pictures):
    client, lost = sign_in(member), [packed(member, pictures) for _each in range(2)]
    for archive in lost:
        archives_service.start(member=member, archive=archive)
    path = address("archive_progress", member, lost[0].pk)
    assert "every 1s" in client.get(path).content.decode()
    Archive.objects.update(changed_at=timezone.now() - 2 * archives_service.STALE_AFTER, packed=3)
    page = client.get(path)
    assert "The portal was restarted while this zip was sent." in text(page)
    assert "not a whole zip: delete it" in text(page)
    assert "every 1s" not in page.content.decode()
    assert ask(client, member, again=lost[0].pk)[1] is not None


def test_old_zips_are_deleted_unless_they_are_being_sent(member, pictures):
    every = {name: packed(member, pictures) for name in ("old", "lost", "sent", "new")}
    for name in ("lost", "sent"):
        archives_service.start(member=member, archive=every[name])
    Archive.objects.exclude(pk=every["new"].pk).update(created_at=timezone.now() - timedelta(hours=25))
    lost = Archive.objects.filter(pk=every["lost"].pk)
    lost.update(changed_at=timezone.now() - timedelta(hours=24))
    assert archives_service.delete_old() == 2
    assert set(Archive.objects.all()) == {every["sent"], every["new"]}


def test_the_oldest_zips_that_were_never_downloaded_are_deleted(member, pictures):
    made = [packed(member, pictures) for _each in range(archives_service.MAX_READY + 3)]
    assert set(Archive.objects.all()) == set(made[3:])


# What goes wrong -------------------------------------------------------------------------


def start(member, images, output=STORED):
    return archives_service.start(member=member, archive=packed(member, images, output))


def sent(plan, most=None, meanwhile=None):
    """The bytes of so many parts at most, and what went wrong."""

    async def read():
        parts, problem = [], None
        try:
            async with aclosing(archives_stream.ArchiveStream(plan).chunks()) as sending:
                async for part in sending:
                    parts.append(part)
                    if meanwhile:
                        await asyncio.to_thread(meanwhile, len(parts))
                    if len(parts) == most:
                        break
        except Exception as trouble:
            problem = trouble
        return b"".join(parts), problem

    return async_to_sync(read)()


def is_broken(data):
    return not zipfile.is_zipfile(io.BytesIO(data))


def test_a_missing_picture_aborts_the_zip_and_is_named(member, pictures):
    storage_client.client().delete_object(Bucket=storage_client.bucket(), Key=pictures[3].key)
    data, problem = sent(start(member, pictures))
    assert isinstance(problem, archives_entries.EntryFailed)
    assert len(data) > pictures[0].bytes
    assert is_broken(data)
    archive = Archive.objects.get()
    assert (archive.state, archive.packed) == (Packing.FAILED, 3)
    assert archive.reason.startswith("The file of “a-red-fox-number-3-3.png” is missing from the storage.")


def test_a_damaged_picture_aborts_the_zip(member, pictures):
    other = storage_client.read(pictures[0].key)[:-1] + b"x"
    storage_client.put(pictures[4].key, other, media_type="image/png")
    data, _problem = sent(start(member, pictures))
    assert is_broken(data)
    assert "is damaged in the storage" in Archive.objects.get().reason


def test_a_picture_that_cannot_be_converted_is_named(member, pictures):
    rubbish = b"\x89PNG\r\n\x1a\n" + b"rubbish" * 20
    storage_client.put(pictures[2].key, rubbish, media_type="image/png")
    Image.objects.filter(pk=pictures[2].pk).update(
        bytes=len(rubbish), sha256=hashlib.sha256(rubbish).hexdigest()
    )
    data, _problem = sent(start(member, pictures, OutputFormat("jpeg")))
    assert is_broken(data)
    assert "“a-red-fox-number-2-2.jpg” cannot be made into this format." in Archive.objects.get().reason


def test_a_disconnected_client_ends_the_zip(member, pictures):
    _data, problem = sent(start(member, pictures), most=4)
    assert problem is None
    archive = Archive.objects.get()
    assert archive.state == Packing.FAILED
    assert "The connection was lost or the download was stopped" in archive.reason


def test_a_picture_made_private_during_the_download_is_not_sent(member, teammate, make_image, monkeypatch):
    monkeypatch.setattr(zip_stream, "BATCH_SIZE", 1)
    monkeypatch.setattr(zip_stream, "READ_AHEAD", 0)
    theirs = [make_image(teammate, seed=number) for number in range(4)]
    plan = start(member, theirs)
    asked, rows = [], archives_entries.load_images

    def hidden_at_the_third(holder, entries):
        asked.append(entries)
        if len(asked) == 3:
            hidden = [theirs[2].pk]
            images_service.set_visibility(member=teammate, images=hidden, visibility=Visibility.PRIVATE)
        return rows(holder, entries)

    monkeypatch.setattr(archives_entries, "load_images", hidden_at_the_third)
    data, problem = sent(plan)
    assert isinstance(problem, archives_entries.AccessChanged)
    assert is_broken(data)
    assert (Archive.objects.get().packed, Archive.objects.get().state) == (2, Packing.FAILED)


def test_a_slow_client_limits_how_far_pictures_are_read_ahead(member, make_image, monkeypatch):
    """However many pictures a zip has, so many are in memory: those read ahead, and the one that is sent."""
    pictures = [make_image(seed=number) for number in range(20)]
    reads, read = [], storage_client.read
    monkeypatch.setattr(storage_client, "read", lambda key: reads.append(key) or read(key))
    ahead = []

    def look(parts):
        threads = [thread for thread in zip_stream._READERS._threads if thread.is_alive()]
        assert len(threads) <= zip_stream._READERS._max_workers
        ahead.append(len(reads) - parts // 3)  # a file is three parts: header, bytes, sum

    data, problem = sent(start(member, pictures), meanwhile=look)
    assert problem is None
    assert len(zipfile.ZipFile(io.BytesIO(data)).namelist()) == 20
    assert max(ahead) <= zip_stream.READ_AHEAD + 1
    assert len(reads) == 20


def test_the_reason_of_a_failure_also_says_what_was_left_out(member, pictures):
    archive = packed(member, pictures)
    images_service.trash(member=member, images=[pictures[0].pk])
    storage_client.client().delete_object(Bucket=storage_client.bucket(), Key=pictures[1].key)
    sent(archives_service.start(member=member, archive=archive))
    archive.refresh_from_db()
    assert "missing from the storage" in archive.reason
    assert "1 of the chosen pictures is no longer in the library" in archive.reason


@pytest.mark.django_db(transaction=True)
def test_no_connection_to_the_database_is_held_while_a_zip_is_sent(member, pictures):
    held = []
    plan = start(member, pictures)

    async def read():
        held.extend(
            [connection.connection is not None async for _part in archives_stream.ArchiveStream(plan)]
        )

    async_to_sync(read)()
    assert len(held) > 5
    assert not any(held[:-1])
