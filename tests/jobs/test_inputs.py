"""The images of a request as its model takes them, and requests with images from the order to the library."""

from __future__ import annotations

import hashlib
import io
import time
import uuid

import pytest
from django.utils import timezone
from PIL import Image as Pillow
from PIL import ImageChops, ImageDraw

from generations.credits import ledger
from generations.credits.ledger import CapReached, InsufficientCredits
from generations.credits.models import Account
from generations.jobs import inputs as job_inputs
from generations.jobs.engine import poll
from generations.jobs.inputs import NewInput
from generations.jobs.models import Attempt, Batch, BatchInput, Generation
from generations.library.models import Image, Upload
from generations.library.storage import client as storage_client
from generations.library.uploads import input_images
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.registry import InvalidParameters
from generations.teams.models import Membership
from tests.concurrency import run_concurrently
from tests.conftest import statuses, work
from tests.library.conftest import encoded, pixels
from tests.providers.smallest_requests import SMALLEST, smallest

pytestmark = pytest.mark.django_db(transaction=True)
STABILITY = catalogue_registry.names_of_system("stability")
MASK_NEEDED = "Paint a mask, or choose an image whose transparent parts shall change."


@pytest.fixture
def image(member, bucket):
    """Store an image for a role: image((320, 200), role="image")."""

    def image(size=(320, 200), *, role="image", mode="RGB", encoding="PNG"):
        file = io.BytesIO(encoded(pixels(size, mode), encoding))
        return NewInput(role, input_images.save_upload(member=member, file=file, name="photo"))

    return image


@pytest.fixture
def mask(member, bucket):
    """Store a mask: the box is white."""

    def mask(size=(320, 200), box=(0, 0, 100, 100)):
        picture = Pillow.new("L", size, 0)
        ImageDraw.Draw(picture).rectangle(box, fill=255)
        file = io.BytesIO(encoded(picture))
        return NewInput("mask", input_images.save_mask(member=member, file=file, name="mask.png"))

    return mask


def prepare(member, model, *given):
    return job_inputs.prepare(member, catalogue_registry.get(model), given)


def errors(member, model, *given):
    with pytest.raises(InvalidParameters) as caught:
        prepare(member, model, *given)
    return caught.value.errors


def sent(new_input):
    picture = Pillow.open(io.BytesIO(storage_client.read(new_input.upload.key)))
    picture.load()
    return picture


@pytest.mark.parametrize("model", ["erase", "inpaint"])
def test_what_to_change_is_said_by_a_mask_or_by_transparency(member, image, mask, model):
    assert errors(member, model, image()) == {"mask": MASK_NEEDED}
    assert len(prepare(member, model, image(), mask())) == 2
    [transparent] = prepare(member, model, image(mode="RGBA"))
    assert sent(transparent).mode == "RGBA"


def test_a_model_with_an_optional_mask_takes_none(member, image):
    assert len(prepare(member, "sdxl", image())) == 1


@pytest.mark.parametrize(
    ("size", "nearest"),
    [((400, 300), (1152, 896)), ((500, 500), (1024, 1024)), ((300, 900), (640, 1536)), ((1344, 768),) * 2],
)
def test_an_image_for_sdxl_is_cropped_and_scaled_to_the_nearest_of_its_sizes(
    member, image, mask, size, nearest
):
    half = (0, 0, size[0] // 2 - 1, size[1])
    picture, painted = prepare(member, "sdxl", image(size), mask(size, half))
    assert sent(picture).size == sent(painted).size == nearest
    left, _top, right, _bottom = sent(painted).point(lambda value: 255 * (value > 127)).getbbox()
    assert (left, abs(right - nearest[0] // 2) <= 2) == (0, True), "the middle of both is kept"


def test_cropping_takes_the_middle_and_stretches_nothing(member, bucket):
    picture = Pillow.new("RGB", (1200, 600), "black")
    ImageDraw.Draw(picture).rectangle((500, 200, 699, 399), fill="white")
    upload = input_images.save_upload(member=member, file=io.BytesIO(encoded(picture)), name="square.png")
    [cropped] = prepare(member, "sd-1.6", NewInput("image", upload))
    left, top, right, bottom = sent(cropped).convert("L").point(lambda value: 255 * (value > 127)).getbbox()
    assert abs((right - left) - (bottom - top)) <= 2
    assert abs((left + right) - sent(cropped).width) <= 2


def test_a_mask_is_as_large_as_the_image_that_is_sent(member, image, mask):
    picture, painted = prepare(member, "erase", image((4000, 3000), encoding="JPEG"), mask((4000, 3000)))
    assert sent(picture).size == sent(painted).size
    assert picture.upload.width * picture.upload.height <= 9_437_184


def test_images_that_go_together_are_made_smaller_until_they_fit(member, image):
    noise = Pillow.effect_noise((2000, 2000), 120).convert("RGB")
    upload = input_images.save_upload(
        member=member, file=io.BytesIO(encoded(noise, "JPEG")), name="noise.jpg"
    )
    assert upload.bytes > 2.5 * 1024 * 1024
    given = [NewInput(role, upload) for role in ("image", "background_reference", "light_reference")]
    prepared = prepare(member, "replace-background-and-relight", *given)
    assert sum(each.upload.bytes for each in prepared) <= 9 * 1024 * 1024
    assert all(each.upload.width > 1000 for each in prepared)


def test_a_mask_that_is_too_large_a_file_is_refused(member, image, bucket):
    noise = Pillow.effect_noise((2000, 2000), 120)
    upload = input_images.save_mask(member=member, file=io.BytesIO(encoded(noise)), name="noise.png")
    assert set(errors(member, "erase", image((2000, 2000), encoding="JPEG"), NewInput("mask", upload))) == {
        "mask"
    }


@pytest.mark.parametrize("model", ["outpaint", "search-and-replace", "sketch", "upscale-conservative"])
def test_a_picture_longer_than_two_and_a_half_times_its_width_is_refused(member, image, model):
    assert "2.5 times" in errors(member, model, image((260, 100)))["image"]
    assert len(prepare(member, model, image((250, 100)))) == 1


def test_an_image_that_is_gone_says_so_and_its_mask_says_nothing(member, image, mask):
    picture = image()
    storage_client.remove(picture.upload.key)
    assert set(errors(member, "sdxl", picture, mask())) == {"image"}
    assert errors(member, "sdxl", mask()) == {"mask": "A mask needs an image."}


def test_a_request_that_credits_do_not_cover_changes_no_picture_for_it(member, submit, upstream, image, mask):
    given = [image((4000, 3000), encoding="JPEG"), mask((4000, 3000))]
    Membership.objects.filter(pk=member.pk).update(cap_per_day=1_00)
    with pytest.raises(CapReached):
        submit(model="erase", prompt="", inputs=given)
    take_back(member, leaving=4_00)
    with pytest.raises(InsufficientCredits):
        submit(model="erase", prompt="", inputs=given)
    assert set(Upload.objects.all()) == {each.upload for each in given}
    assert not Batch.objects.exists()


def test_a_form_sent_twice_at_once_has_one_batch_though_that_takes_the_last_credits(
    member, submit, upstream, image
):
    take_back(member, leaving=2_00)
    given, submission = [image((4000, 3000), encoding="JPEG")], uuid.uuid4()

    def send():
        return submit(model="upscale-fast", prompt="", inputs=given, submission=submission)

    assert len(set(run_concurrently(*[send] * 4))) == 1
    assert Account.objects.get(membership=member).available == 0
    assert send() == Batch.objects.get()


def take_back(member, *, leaving):
    amount = Account.objects.get(membership=member).available - leaving
    ledger.take_back(member=member, amount=amount, reference=uuid.uuid4())


def order(submit, image, mask, model):
    parameters, sizes = SMALLEST[model]
    size = {"image": (160, 128), "mask": (160, 128), "style": (96, 96)}
    inputs = [mask(size[role]) if role == "mask" else image(size[role], role=role) for role in sizes]
    return submit(model=model, inputs=inputs, **{"prompt": "", **parameters})


def finish(batch):
    """Work, and poll what is due as if it were time, until the batch has ended."""
    work()
    deadline = time.monotonic() + 30
    while "submitted" in statuses(batch) and time.monotonic() < deadline:
        Attempt.objects.filter(poll_at__isnull=False).update(poll_at=timezone.now() - poll.LEASE)
        for attempt in poll.claim_due(10):
            poll.run(attempt)
        time.sleep(0.05)


@pytest.mark.parametrize("model", STABILITY)
def test_every_model_is_ordered_drawn_stored_and_charged(member, submit, upstream, image, mask, model):
    batch = order(submit, image, mask, model)
    finish(batch)
    assert statuses(batch) == ["succeeded"]
    stored = Image.objects.get()
    assert (stored.model, stored.parameters) == (model, dict(smallest(model).parameters) | stored.parameters)
    assert Generation.objects.get().price == catalogue_registry.get(model).cost({})
    assert Attempt.objects.get().cost == catalogue_registry.get(model).cost({})
    roles = list(BatchInput.objects.filter(batch=batch).values_list("role", flat=True))
    assert sorted(roles) == sorted(SMALLEST[model][1])


def test_every_picture_of_a_request_is_sent_in_its_role(submit, upstream, provider, image):
    given = [
        image((160, 128)),
        image((96, 80), role="background_reference"),
        image((80, 96), role="light_reference"),
    ]
    submit(model="replace-background-and-relight", inputs=given, prompt="")
    work()
    [order] = [call for call in provider.calls() if call["method"] == "POST"]
    names = ("subject_image", "background_reference", "light_reference")
    kept = {name: storage_client.read(each.upload.key) for name, each in zip(names, given, strict=True)}
    assert {name: file["sha256"] for name, file in order["files"].items()} == {
        name: hashlib.sha256(data).hexdigest() for name, data in kept.items()
    }


def test_erase_changes_what_is_painted_and_nothing_else(submit, upstream, image, mask):
    picture, painted = image((320, 200)), mask((320, 200), (100, 60, 199, 139))
    batch = submit(model="erase", inputs=[picture, painted], prompt="", grow_mask=0)
    finish(batch)
    assert statuses(batch) == ["succeeded"]
    result = Pillow.open(io.BytesIO(storage_client.read(Image.objects.get().key))).convert("RGB")
    changed = ImageChops.difference(result, sent(picture).convert("RGB")).getbbox()
    assert changed is not None
    assert changed[0] >= 90
    assert changed[2] <= 210


def test_an_operation_without_its_image_holds_nothing(member, submit, upstream):
    for model in STABILITY:
        parameters, sizes = SMALLEST[model]
        if sizes:
            with pytest.raises(InvalidParameters) as caught:
                submit(model=model, **{"prompt": "", **parameters})
            assert "image" in caught.value.errors
    assert not Batch.objects.exists()
