"""The chain of edits of an image: what its reader may see of it, in a fixed number of queries."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generations.library.images import chain as images_chain
from generations.library.models import Image
from generations.library.search import indexer
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.operations import RESULTS, Operation
from tests.library.conftest import address

pytestmark = pytest.mark.django_db


def made(enter, *models, **values):
    """Images that were made one from the other by these models."""
    images = []
    for model in models:
        [image] = enter(model=model, parent=images[-1] if images else None, **values)
        images.append(image)
    return images


def titles(steps):
    return [step.title for step in steps]


def test_a_chain_says_what_was_done_from_the_first_image_to_this_one(member, enter):
    original, erased, upscaled = made(enter, "core", "erase", "upscale-fast")
    chain = images_chain.of_image(member, upscaled)
    assert titles(chain.steps) == ["Original", "Erased", "Upscaled"]
    assert [step.image for step in chain.steps] == [original, erased, upscaled]
    assert chain.parent == erased
    first = images_chain.of_image(member, original)
    assert (titles(first.steps), titles(first.children)) == (["Original"], ["Erased"])
    assert first.parent is None


def test_an_image_that_has_nothing_to_do_with_another_has_no_chain(member, enter):
    [alone] = enter(model="core")
    assert not images_chain.of_image(member, alone)


def test_what_the_reader_may_not_see_is_left_out_as_if_it_were_not_there(member, teammate, enter):
    original, secret, upscaled = made(enter, "core", "erase", "upscale-fast")
    [child] = enter(model="outpaint", parent=upscaled, visibility="private")
    Image.objects.filter(pk=secret.pk).update(visibility="private")
    chain = images_chain.of_image(teammate, upscaled)
    assert [step.image for step in chain.steps] == [original, upscaled]
    assert (chain.children, chain.parent) == ([], None)
    own = images_chain.of_image(member, upscaled)
    assert [step.image for step in own.steps] == [original, secret, upscaled]
    assert [step.image for step in own.children] == [child]


def test_the_page_does_not_tell_that_there_is_something_hidden(sign_in, teammate, enter):
    secret, result = made(enter, "core", "erase")
    Image.objects.filter(pk=secret.pk).update(visibility="private")
    indexer.refresh([secret.pk])
    page = sign_in(teammate).get(f"/t/{teammate.team.slug}/picture/{result.pk}/").content.decode()
    assert str(secret.pk) not in page
    assert 'class="chain"' not in page


def test_trashed_and_deleted_parents_are_left_out(member, enter):
    original, trashed, upscaled = made(enter, "core", "erase", "upscale-fast")
    Image.objects.filter(pk=trashed.pk).update(trashed_at=timezone.now())
    assert [step.image for step in images_chain.of_image(member, upscaled).steps] == [original, upscaled]
    trashed.delete()
    upscaled.refresh_from_db()
    assert not images_chain.of_image(member, upscaled)


@pytest.mark.parametrize("length", [2, 9])
def test_a_chain_takes_three_queries_whatever_its_length(member, enter, length):
    *_, last = made(enter, "core", *["erase"] * length)
    with CaptureQueriesContext(connection) as queries:
        chain = images_chain.of_image(member, last)
    assert (len(chain.steps), len(queries)) == (length + 1, 3)


def test_a_chain_that_is_too_long_ends(member, enter):
    *_, last = made(enter, *["erase"] * (images_chain.MAX_PARENTS + 5))
    assert len(images_chain.of_image(member, last).steps) == images_chain.MAX_PARENTS + 1


def test_every_operation_of_the_catalogue_has_the_name_of_its_result():
    assert RESULTS.keys() == set(Operation)
    assert {model.operation for model in catalogue_registry.MODELS.values()} <= RESULTS.keys()


def before_and_after(sign_in, member, image):
    path = f"/t/{member.team.slug}/picture/{image.pk}/"
    page, compared = (sign_in(member).get(f"{path}{query}").content.decode() for query in ("", "?compare"))
    return f"{path}?compare" in page, "data-compare" in compared


@pytest.mark.parametrize(
    ("size", "kinds", "offered"),
    [
        ((300, 200), ("image", "image"), True),
        ((1200, 800), ("image", "image"), True),
        ((304, 200), ("image", "image"), True),
        ((400, 200), ("image", "image"), False),
        ((300, 200), ("svg", "image"), False),
        ((300, 200), ("image", "svg"), False),
        ((0, 0), ("image", "text"), False),
    ],
)
def test_pictures_of_nearly_one_ratio_can_be_slid_over_each_other(
    sign_in, member, enter, size, kinds, offered
):
    [parent] = enter(kind=kinds[0])
    [image] = enter(kind=kinds[1], parent=parent, model="erase", width=size[0], height=size[1])
    assert before_and_after(sign_in, member, image) == (offered, offered)


def test_an_image_is_not_slid_over_one_that_the_reader_may_not_see(sign_in, teammate, enter):
    parent, image = made(enter, "core", "erase")
    assert before_and_after(sign_in, teammate, image) == (True, True)
    Image.objects.filter(pk=parent.pk).update(visibility="private")
    assert before_and_after(sign_in, teammate, image) == (False, False)


def test_the_library_is_filtered_by_operation(sign_in, member, enter):
    original, erased, upscaled = made(enter, "core", "erase", "upscale-fast")
    for query, shown in {
        "operation=upscale": {upscaled},
        "operation=erase&operation=generate": {original, erased},
        "operation=nonsense": {original, erased, upscaled},
    }.items():
        response = sign_in(member).get(f"{address('grid', member)}?{query}")
        assert {image for _day, images in response.context["days"] for image in images} == shown, query
    chip = response.context["chips"]["operation"]
    assert chip.title == "Operation"
    done = {operation.value for model in catalogue_registry.MODELS.values() for operation in model.operations}
    assert {choice.value for choice in chip.choices} == done
