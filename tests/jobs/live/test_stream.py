"""The stream on Create: what a finished picture offers, and how large pictures are."""

from __future__ import annotations

import re

import pytest

from generations.jobs.live import feed
from generations.jobs.models import Batch, Generation
from generations.library.models import Image
from generations.library.organise import service as organise_service
from generations.office.members import service as members_service
from tests.conftest import work
from tests.markup import compact

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def drawn(submit, upstream) -> Image:
    submit()
    work()
    return Image.objects.get()


@pytest.fixture
def stream(mei, address):
    """The markup of Create."""
    return lambda: compact(mei.get(address("create/")).content.decode())


def test_a_finished_picture_has_a_heart_that_stays(mei, address, stream, drawn):
    any_image = "00000000-0000-0000-0000-000000000000"
    like_url = re.search(r'data-like="([^"]+)" aria-pressed="false" aria-label="Favourite"', stream())[1]
    assert " data-liked" not in stream()
    like_url = like_url.replace(any_image, str(drawn.pk))
    assert mei.post(like_url, {"on": "1"}, headers={"HX-Request": "true"}).status_code == 200
    assert " data-liked" in stream()
    tile = compact(mei.get(address(f"generation/{drawn.generation}/tile/")).content.decode())
    assert " data-liked" in tile


def test_the_heart_is_ones_own(make_member, stream, drawn):
    organise_service.like(member=make_member("jonas"), images=[drawn.pk])
    assert "data-status=" in stream()
    assert " data-liked" not in stream()


def test_a_picture_can_be_trashed_from_the_stream_and_brought_back(mei, address, stream, drawn):
    assert f'data-image="{drawn.pk}"' in stream()
    answer = mei.post(
        address("library/deeds/"), {"act": "trash", "image": drawn.pk}, headers={"HX-Request": "true"}
    )
    undo = re.search(r'hx-post="([^"]+/undo/)"', compact(answer.content.decode()))
    tile = address(f"generation/{drawn.generation}/tile/")
    assert "no longer in the library" in mei.get(tile).content.decode()
    mei.post(undo[1], headers={"HX-Request": "true"})
    assert f'data-image="{drawn.pk}"' in mei.get(tile).content.decode()


def test_the_menu_of_a_picture_has_the_operations_that_an_account_serves(mei, address, upstream, drawn):
    def menu_of_a_picture() -> str:
        opened = compact(mei.get(address("create/when-opened/")).content.decode())
        return re.search(r'<template id="tile-menu".*?</template>', opened)[0]

    menu = menu_of_a_picture()
    assert menu.count("?operation=") == 4
    for title in ("Edit", "Expand", "Upscale", "Remove background"):
        assert f"{title}</a>" in menu, title
    for use in ("all", "remix", "prompt", "seed"):
        assert f"&amp;use={use}" in menu
    upstream.models_served = ["core"]
    upstream.save()
    assert "?operation=" not in menu_of_a_picture()


def test_the_size_of_the_pictures_is_remembered_for_the_person(
    mei, address, stream, make_member, client, drawn
):
    assert 'id="batches" data-size="small"' in stream()
    mei.post(address("stream/size/"), {"size": "large"})
    assert 'id="batches" data-size="large"' in stream()
    assert mei.post(address("stream/size/"), {"size": "huge"}).status_code == 404
    assert 'id="batches" data-size="large"' in stream()
    mei.force_login(make_member("jonas").user)
    assert 'id="batches" data-size="small"' in stream()


def test_nobody_chooses_a_size_in_a_team_of_others(client, make_member, address, drawn):
    client.force_login(make_member("tom", team=members_service.create_team("Elsewhere")).user)
    assert client.post(address("stream/size/"), {"size": "large"}).status_code == 404


def test_a_prompt_is_written_in_its_own_direction(stream, submit, upstream):
    submit(prompt="ميناء هادئ عند الفجر")
    assert re.search(r'<h2 class="batch-prompt" dir="auto"[^>]*>\s*ميناء هادئ', stream())


def test_a_batch_names_the_press_that_it_came_from(press, address, mei, stream):
    press()
    assert f'data-submission="{Batch.objects.get().submission}"' in stream()
    assert Generation.objects.count() == 1


def test_the_stream_can_be_had_around_a_picture_and_read_on_from_there_both_ways(
    mei, address, submit, upstream
):
    for number in range(30):
        submit(prompt=f"number {number:02}", model="sdxl")
    work()
    oldest_first = list(Batch.objects.order_by("pk"))

    def numbers(query: str) -> tuple[list[int], str]:
        page = compact(mei.get(address("stream/") + query).content.decode())
        return [int(found) for found in re.findall(r"number (\d\d)</h2>", page)], page

    image = Image.objects.get(generation__in=oldest_first[10].generations.values("pk"))
    shown, page = numbers(f"?at={image.pk}")
    assert shown == list(range(13, -1, -1))
    assert "before=" not in page
    [newer] = re.findall(r'data-address="[^"]*(\?after=[^"]+)"', page)
    shown, page = numbers(newer)
    assert shown == list(range(25, 13, -1))
    [newer] = re.findall(r'data-address="[^"]*(\?after=[^"]+)"', page)
    shown, page = numbers(newer)
    assert shown == [29, 28, 27, 26]
    assert "after=" not in page
    whole = compact(mei.get(address("create/") + f"?at={image.pk}").content.decode())
    assert [int(found) for found in re.findall(r"number (\d\d)</h2>", whole)] == list(range(13, -1, -1))
    shown, page = numbers(f"?at={oldest_first[29].generations.get().pk}")
    assert shown == list(range(29, 16, -1))
    assert "before=" in page


def test_a_part_of_the_stream_ends_with_the_batch_that_brings_it_to_forty_pictures(member, submit, upstream):
    for number in range(11):
        submit(prompt=f"number {number:02}", model="sdxl", count=10)
    ids = list(Batch.objects.order_by("pk").values_list("pk", flat=True))
    first = feed.page(member)
    assert [entry.batch.pk for entry in first.shown] == ids[:6:-1]
    assert first.older == ids[7]
    second = feed.page(member, before=first.older)
    third = feed.page(member, before=second.older)
    assert [entry.batch.pk for entry in second.shown + third.shown] == ids[6::-1]
    assert third.older is None
    around = feed.page(member, at=ids[5])
    assert [entry.batch.pk for entry in around.shown] == ids[8:0:-1]
    assert (around.newer, around.older) == (ids[8], ids[1])
    assert feed.page(member, after=ids[8]).newer is None


def test_create_begins_with_twenty_pictures(mei, address, submit, upstream):
    for number in range(4):
        submit(prompt=f"number {number:02}", model="sdxl", count=10)
    ids = list(Batch.objects.order_by("pk").values_list("pk", flat=True))
    page = compact(mei.get(address("create/")).content.decode())
    assert page.count(' data-status="') == 20
    assert f"?before={ids[2]}" in page
    assert compact(mei.get(address("stream/")).content.decode()).count(' data-status="') == 40


def test_the_stream_around_a_picture_that_is_not_ones_own_is_the_newest_part(
    mei, address, make_member, submit, upstream
):
    submit(prompt="mine")
    theirs = submit(by=make_member("jonas"), prompt="theirs")
    page = mei.get(address(f"stream/?at={theirs.generations.get().pk}")).content.decode()
    assert "mine" in page
    assert "theirs" not in page
    assert mei.get(address("stream/?at=nonsense")).status_code == 404
