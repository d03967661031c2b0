"""Deleting a picture for good deletes what it was made from: prompts in job rows, and start images."""

from __future__ import annotations

import io
from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from generations.credits import integrity_check
from generations.jobs import retries
from generations.jobs.models import Attempt, Batch, BatchInput, Generation
from generations.library.images import service as images_service
from generations.library.maintenance import cleanup
from generations.library.models import DiscardedObject, Image, Upload
from generations.library.storage import client as storage_client
from generations.library.trash import purge as trash_purge
from generations.library.uploads import imports, input_images
from tests.api.client import ApiClient
from tests.conftest import statuses, work
from tests.library.conftest import encoded, pixels

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "an unannounced teapot"


@pytest.fixture(autouse=True)
def _objects_may_go_at_once(monkeypatch):
    monkeypatch.setattr(trash_purge, "MIN_AGE", timedelta(seconds=-60))


@pytest.fixture
def upload(member, bucket):
    return input_images.save_upload(member=member, file=io.BytesIO(encoded(pixels())), name="sketch.png")


def purge(member, *images):
    pks = [image.pk for image in images]
    images_service.trash(member=member, images=pks)
    assert set(trash_purge.purge(member=member, images=pks)) == set(pks)


def job_rows():
    return str([list(model.objects.values()) for model in (Batch, Generation, Attempt)])


def test_the_prompt_goes_from_all_job_rows_and_the_ledger_stays(member, submit, upstream):
    batch = submit(prompt=SECRET, negative_prompt="rust", seed=7)
    work()
    assert SECRET in job_rows()
    purge(member, Image.objects.get())
    assert SECRET not in job_rows()
    assert "rust" not in job_rows()
    row = batch.generations.get()
    assert (row.parameters, row.status, row.price) == ({}, "succeeded", 300)
    assert integrity_check.problems() == []


def test_also_what_was_too_long_in_the_trash(member, submit, upstream):
    submit(prompt=SECRET)
    work()
    images_service.trash(member=member, images=[Image.objects.get().pk])
    Image.objects.update(trashed_at=timezone.now() - timedelta(days=31))
    cleanup.clean_up()
    assert SECRET not in job_rows()


def test_a_batch_keeps_its_request_until_its_last_picture_is_deleted(member, submit, upstream, provider):
    provider.plan("ok", "400", "ok")
    batch = submit(prompt=SECRET, count=3)
    work()
    assert statuses(batch).count("failed") == 1
    first, second = Image.objects.order_by("pk")
    purge(member, first)
    batch.refresh_from_db()
    assert batch.parameters["prompt"] == SECRET
    assert Generation.objects.get(pk=first.generation).parameters == {}
    assert Generation.objects.get(pk=second.generation).parameters["prompt"] == SECRET
    purge(member, second)
    assert SECRET not in job_rows()
    failed = batch.generations.get(status="failed")
    with pytest.raises(Generation.DoesNotExist):
        retries.retry(member=member, generation=failed.pk)


def test_what_is_still_being_made_keeps_its_request(member, submit, upstream):
    batch = submit(prompt=SECRET, count=2)
    work(most=1)
    purge(member, Image.objects.get())
    batch.refresh_from_db()
    assert batch.parameters["prompt"] == SECRET
    assert work() == 1
    assert statuses(batch) == ["succeeded", "succeeded"]
    purge(member, Image.objects.get())
    assert SECRET not in job_rows()


def test_its_start_image_goes_with_its_object(member, submit, upstream, upload):
    submit(model="ultra", start_image=upload, strength=0.5)
    work()
    purge(member, Image.objects.get())
    assert not Upload.objects.exists()
    trash_purge.remove_discarded()
    assert not storage_client.exists(upload.key)
    assert not DiscardedObject.objects.exists()


def test_a_start_image_stays_while_another_picture_was_made_from_it(member, submit, upstream, upload):
    for _time in range(2):
        submit(model="ultra", start_image=upload, strength=0.5)
    work()
    first, second = Image.objects.all()
    purge(member, first)
    assert Upload.objects.get() == upload
    trash_purge.remove_discarded()
    assert storage_client.exists(upload.key)
    purge(member, second)
    assert not Upload.objects.exists()


def test_the_object_stays_while_the_library_shows_it(member, submit, upstream, upload):
    imports.import_upload(member=member, upload=upload)
    submit(model="ultra", start_image=upload, strength=0.5)
    work()
    purge(member, Image.objects.get(origin="generated"))
    assert not Upload.objects.exists()
    trash_purge.remove_discarded()
    assert storage_client.exists(upload.key)


def test_start_images_that_were_never_used_are_deleted_after_a_month(member, submit, upstream, upload):
    used = input_images.save_upload(member=member, file=io.BytesIO(encoded(pixels(seed=9))), name="x.png")
    submit(model="ultra", start_image=used, strength=0.5)
    Upload.objects.update(created_at=timezone.now() - timedelta(days=29))
    assert trash_purge.delete_unused_uploads() == 0
    Upload.objects.update(created_at=timezone.now() - timedelta(days=31))
    cleanup.clean_up()
    assert Upload.objects.get() == used


def test_the_pages_and_the_api_show_an_erased_request_without_its_words(member, client, submit, upstream):
    api = ApiClient(member)
    made = api.post("/generations", {"model": "core", "prompt": SECRET}, Idempotency_Key="k").json()
    work()
    purge(member, Image.objects.get())
    client.force_login(member.user)
    generation = made["generations"][0]["id"]
    for page in ("create/", f"generation/{generation}/", f"create/?from={generation}", "library/"):
        answer = client.get(f"/t/{member.team.slug}/{page}")
        assert answer.status_code == 200, page
        assert SECRET not in answer.content.decode(), page
    assert api.get(f"/generations/{generation}").json()["parameters"] == {}
    assert api.get(made["links"]["self"].removeprefix("/api/v1")).json()["parameters"] == {}
    again = api.post("/generations", {"model": "core", "prompt": SECRET}, Idempotency_Key="k")
    assert again.status_code == 404
    assert SECRET not in again.content.decode()


# Pictures that were deleted while deleting one left its request -----------------------------


@pytest.fixture
def erase_left_over(monkeypatch):
    """The migration, as on a database where the deletions of this test left all requests."""
    monkeypatch.setattr(trash_purge, "_listeners", [])
    migration = import_module("generations.jobs.migrations.0007_requests_of_deleted_images")
    monkeypatch.setattr(migration, "BATCH_SIZE", 2)

    def erase() -> None:
        BatchInput.objects.all().delete()  # a later migration made the first ones
        migration.Migration.operations[0].code(apps, connection.schema_editor())

    return erase


def test_prompts_that_earlier_versions_left_are_erased(
    member, submit, upstream, provider, upload, erase_left_over
):
    provider.plan("ok", "400", "ok", "ok", "ok", "ok", "400")
    whole = submit(prompt=SECRET, count=3)
    part = submit(prompt="half a teapot", count=2)
    drawn = submit(prompt=SECRET, model="ultra", start_image=upload, strength=0.5)
    refused = submit(prompt="a refused kettle")
    work()
    assert statuses(refused) == ["failed"]
    kept, *others = Image.objects.filter(batch=part.pk).order_by("pk")
    purge(member, *others, *Image.objects.exclude(batch=part.pk))
    assert SECRET in job_rows()
    erase_left_over()
    assert SECRET not in job_rows()
    for batch in (whole, drawn):
        batch.refresh_from_db()
        assert (batch.parameters, batch.start_image) == ({}, None)
    assert set(Attempt.objects.filter(generation__batch=whole).values_list("reason", flat=True)) == {""}
    part.refresh_from_db()
    assert part.parameters["prompt"] == "half a teapot"
    assert Generation.objects.get(pk=kept.generation).parameters["prompt"] == "half a teapot"
    assert Generation.objects.get(pk=others[0].generation).parameters == {}
    assert refused.generations.get().parameters["prompt"] == "a refused kettle"
    assert integrity_check.problems() == []
    Upload.objects.update(created_at=timezone.now() - timedelta(days=31))
    cleanup.clean_up()
    assert not Upload.objects.exists()


def test_a_request_whose_pictures_are_still_being_made_is_not_erased_by_that(
    member, submit, upstream, erase_left_over
):
    batch = submit(prompt=SECRET, count=2)
    work(most=1)
    purge(member, Image.objects.get())
    erase_left_over()
    batch.refresh_from_db()
    assert batch.parameters["prompt"] == SECRET
    assert batch.generations.get(status="queued").parameters["prompt"] == SECRET
    assert batch.generations.get(status="succeeded").parameters == {}
    assert work() == 1
