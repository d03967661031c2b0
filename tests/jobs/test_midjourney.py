"""Midjourney from the form to the library: queue, task, next step, text, ledger."""

from __future__ import annotations

import io
import re
import time

import pytest
from PIL import Image as Pillow
from PIL import ImageChops, ImageStat

from generations.credits import integrity_check
from generations.credits.models import Transfer, TransferKind
from generations.jobs import erasure, follow_ups, retries
from generations.jobs.inputs import NewInput
from generations.jobs.models import Attempt, Generation
from generations.library.models import Image, ImageKind
from generations.library.storage import client as storage_client
from generations.library.uploads import input_images
from generations.providers.catalogue.registry import InvalidParameters
from generations.upstreams import accounts
from generations.upstreams.models import Upstream
from tests import sandboxes
from tests.conftest import open_limiter, statuses, work
from tests.jobs.engine.test_tasks import claim_round_is_over, now, poll_due
from tests.library.conftest import encoded, pixels
from tests.markup import compact
from tests.sandbox.conftest import opened

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def midjourney(db, provider, bucket):
    """An account at the sandbox's Midjourney, whose results are on this machine."""
    row = Upstream(
        name="midjourney",
        kind="midjourney",
        base_url=provider.url,
        limit_calls=1_000,
        limit_window=1,
        private_results=True,
    )
    row.set_key(sandboxes.KEY)
    row.save()
    open_limiter(row)
    accounts._provider.cache_clear()
    return row


def ended(batch):
    """What became of a batch, after its tasks were polled."""
    assert work() == 1
    deadline = time.monotonic() + 60
    while statuses(batch) == ["submitted"] and time.monotonic() < deadline:
        open_limiter(Upstream.objects.get())
        poll_due()
    return statuses(batch)


def charged():
    return list(
        Transfer.objects.filter(kind=TransferKind.CHARGE).order_by("pk").values_list("amount", flat=True)
    )


def test_a_grid_and_its_next_step_are_stored_and_charged(midjourney, provider, member, submit):
    assert ended(submit(model="midjourney", prompt="a boat", aspect_ratio="3:2")) == ["succeeded"]
    [grid] = Image.objects.all()
    assert opened(storage_client.read(grid.key)).size == (grid.width, grid.height)
    assert grid.width > grid.height
    offered = follow_ups.of_images(member, [grid])[grid.pk]
    assert [step.title for step in offered.steps[:4]] == ["U1", "U2", "U3", "U4"]
    batch = submit(model="midjourney", prompt="", parent=grid, action="u3")
    assert ended(batch) == ["succeeded"]
    child = Image.objects.get(batch=batch.pk)
    assert (child.parent_id, child.model) == (grid.pk, "midjourney")
    pressed = next(call for call in provider.calls() if call["path"] == "/mj/submit/action")
    assert pressed["fields"]["customId"].startswith("MJ::JOB::upsample::3::")
    assert charged() == [1_000, 500], "to enlarge costs less than to draw"
    assert Attempt.objects.filter(outcome="ok").count() == 2
    assert integrity_check.problems() == []


def test_the_steps_of_a_grid_stand_below_it_and_say_what_their_letters_mean(midjourney, submit, mei, address):
    ended(submit(model="midjourney", prompt="a boat"))
    page = compact(mei.get(address(f"picture/{Image.objects.get().pk}/")).content.decode())
    stage = page[page.index('class="stage"') : page.index('class="about"')]
    assert re.findall(r'data-step="(\w+)"', stage) == [
        *(f"{a}{n}" for a in "uv" for n in range(1, 5)),
        "reroll",
    ]
    assert 'aria-label="U3: Picture 3 at full size, 5 credits" title="Picture 3 at full size"' in stage
    assert 'aria-label="V1: Four variations of picture 1, 10 credits"' in stage


@pytest.fixture
def enlarged(midjourney, submit):
    """A picture of a grid at full size, which can be varied in a region."""
    ended(submit(model="midjourney", prompt="a boat"))
    batch = submit(model="midjourney", prompt="", parent=Image.objects.get(), action="u1")
    assert ended(batch) == ["succeeded"]
    return Image.objects.get(batch=batch.pk)


def test_steps_show_what_each_costs_and_those_that_ask_for_more_lead_to_their_form(enlarged, mei, address):
    page = compact(mei.get(address(f"picture/{enlarged.pk}/")).content.decode())
    assert "Each" not in page[page.index('class="follow-ups"') :].partition("</ul>")[0]
    assert re.search(r'>Upscale \(subtle\) <span class="step-price" title="5 credits">', page)
    assert re.search(r'>Pan left <span class="step-price" title="10 credits">', page)
    tile = compact(mei.get(address("create/")).content.decode())
    before, _, after = tile[tile.index('class="follow-ups"') :].partition("More steps")
    assert (before.count("<li data-step"), after.partition("</details>")[0].count("<li data-step")) == (4, 8)
    link = f"create/?operation=edit&amp;model=midjourney-region&amp;image={enlarged.pk}"
    assert link in page
    form = compact(mei.get(address(link.replace("&amp;", "&"))).content.decode())
    assert 'value="midjourney-region" checked' in form
    assert str(enlarged.pk) in form


def painted(member, image):
    """An image of the library as an input, with a mask of its size."""
    upload = input_images.from_image(member=member, image=image)
    grey = Pillow.new("L", (image.width, image.height))
    grey.paste(255, (0, 0, image.width // 2, image.height))
    mask = input_images.save_mask(member=member, file=io.BytesIO(encoded(grey)), name="mask.png")
    return [NewInput("image", upload, image.pk), NewInput("mask", mask)]


def test_a_region_is_redrawn_by_the_account_that_made_the_picture(enlarged, provider, member, submit):
    batch = submit(model="midjourney-region", prompt="a gull", inputs=painted(member, enlarged))
    assert ended(batch) == ["succeeded"]
    child = Image.objects.get(batch=batch.pk)
    assert (child.parent_id, child.model, child.prompt) == (enlarged.pk, "midjourney-region", "a gull")
    before, after = (opened(storage_client.read(each.key)).convert("RGB") for each in (enlarged, child))
    right = (before.width * 3 // 4, 0, before.width, before.height)
    assert near(before.crop(right), after.crop(right)) < near(before, after)
    [pressed, answered] = [call for call in provider.calls() if call["method"] == "POST"][-2:]
    assert pressed["fields"]["customId"].startswith("MJ::Inpaint::")
    assert (answered["path"], answered["fields"]["prompt"]) == ("/mj/submit/modal", "a gull")
    assert batch.generations.get().pinned_to == Upstream.objects.get()


def test_a_step_that_asks_for_more_is_not_ordered_without_it(enlarged, submit):
    with pytest.raises(InvalidParameters, match="midjourney-region"):
        submit(model="midjourney", prompt="", parent=enlarged, action="vary-region")
    assert Generation.objects.count() == 2


def near(one, other):
    """How far two pictures are apart: the mean difference of their pixels."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean)


def test_only_a_picture_that_offers_it_is_redrawn(enlarged, member, make_member, submit):
    uploaded = input_images.save_upload(member=member, file=io.BytesIO(encoded(pixels((96, 96)))), name="a")
    grid = enlarged.parent
    for inputs in ([NewInput("image", uploaded), painted(member, enlarged)[1]], painted(member, grid)):
        with pytest.raises(InvalidParameters) as caught:
            submit(model="midjourney-region", prompt="a gull", inputs=inputs)
        assert caught.value.errors.keys() & {"image", "mask"}
    Image.objects.filter(pk=enlarged.pk).update(visibility="private")
    stranger = make_member("lin")
    with pytest.raises(InvalidParameters) as caught:
        submit(model="midjourney-region", prompt="a gull", inputs=painted(stranger, enlarged), by=stranger)
    assert "choose such a one" in caught.value.errors["image"]
    assert Generation.objects.count() == 2


def test_a_shortened_prompt_is_a_text_of_the_library(midjourney, submit):
    assert ended(submit(model="midjourney-shorten", prompt="a very quiet boat")) == ["succeeded"]
    [text] = Image.objects.all()
    assert text.kind == ImageKind.TEXT
    assert "Shortened prompts" in text.text


@pytest.mark.parametrize("prompt", ["a forbidden boat", "gore in a boat"])
def test_a_moderated_prompt_is_said_to_be_that_and_not_charged(midjourney, submit, prompt):
    batch = submit(model="midjourney", prompt=prompt)
    assert ended(batch) == ["failed"]
    row = batch.generations.get()
    assert (row.code, "content" in row.reason) == ("content_moderation", True)
    assert charged() == []


def test_tasks_that_ended_together_are_told_of_by_one_question(midjourney, provider, submit):
    batch = submit(model="midjourney", prompt="a boat", count=2)
    assert work() == 2
    time.sleep(1)  # in which both are drawn
    open_limiter(Upstream.objects.get())
    Attempt.objects.update(poll_at=now())
    claim_round_is_over()
    poll_due()  # their pictures, by address
    assert statuses(batch) == ["succeeded"] * 2
    asked = [call["path"].rpartition("/")[2] for call in provider.calls() if "/task/" in call["path"]]
    assert sorted(asked) == ["image-seed", "image-seed", "list-by-condition"]


@pytest.fixture
def unfetched(midjourney, provider, member, submit):
    """A face swap, which has pictures and no words, whose result's address had expired."""
    provider.state(result_lifetime=0)
    files = {"image": pixels((96, 64)), "face": pixels((64, 64), seed=1)}
    inputs = [
        NewInput(role, input_images.save_upload(member=member, file=io.BytesIO(encoded(file)), name=role))
        for role, file in files.items()
    ]
    batch = submit(model="insight-face-swap", prompt="", inputs=inputs)
    assert ended(batch) == ["failed"]
    provider.state(result_lifetime=600)
    return batch.generations.get()


def test_what_was_lost_at_an_expired_address_costs_nothing_and_can_be_asked_for_again(
    unfetched, member, mei, address
):
    assert (unfetched.code, charged()) == ("result_lost", [])
    tile = compact(mei.get(address(f"generation/{unfetched.pk}/tile/")).content.decode())
    assert "the address has expired" in tile
    assert "Try again" in tile
    again = retries.retry(member=member, generation=unfetched.pk)
    assert work() == 1
    while Generation.objects.get(pk=again.pk).status == "submitted":
        open_limiter(Upstream.objects.get())
        poll_due()
    assert (Generation.objects.get(pk=again.pk).status, charged()) == ("succeeded", [500])


def test_a_request_of_pictures_alone_is_not_repeated_once_they_are_erased(unfetched, member, mei, address):
    erasure.erase_member(member)
    assert "Try again" not in mei.get(address(f"generation/{unfetched.pk}/tile/")).content.decode()
    with pytest.raises(Generation.DoesNotExist):
        retries.retry(member=member, generation=unfetched.pk)
    assert retries.retry_all(member=member, generations=[unfetched.pk]) == []
