"""A picture of Recraft's from the form to the library: queue, ledger, storage."""

from __future__ import annotations

import io

import pytest

from generations.credits import integrity_check
from generations.credits.models import Transfer, TransferKind
from generations.jobs.inputs import NewInput
from generations.jobs.models import Attempt, Style
from generations.library.models import Image
from generations.library.storage import client as storage_client
from generations.library.uploads import input_images
from generations.upstreams.models import Upstream
from tests import sandboxes
from tests.conftest import open_limiter, statuses, work
from tests.jobs.engine.test_tasks import poll_due
from tests.sandbox.conftest import picture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["maker", "gateway"])
def recraft(request, db, provider, bucket):
    """An account at the maker, or one at a gateway that sells the system."""
    if request.param == "maker":
        row = Upstream(name="recraft", kind="recraft", base_url=f"{provider.url}/recraft")
    else:
        row = Upstream(name="recraft", kind="gateway", base_url=provider.url)
        row.systems = {"recraft": {"prefix": "/recraft"}}
    row.private_results, row.limit_calls, row.limit_window = True, 1_000, 1
    row.set_key(sandboxes.KEY)
    row.save()
    open_limiter(row)
    return row


def charged():
    return sum(Transfer.objects.filter(kind=TransferKind.CHARGE).values_list("amount", flat=True))


def test_a_picture_is_bought_once_fetched_and_charged(recraft, provider, member, submit):
    batch = submit(model="recraftv3", count=2, aspect_ratio="16:9", style="digital_illustration")
    assert work() == 2
    assert poll_due() == 2
    assert statuses(batch) == ["succeeded", "succeeded"]
    images = Image.objects.order_by("position")
    assert {(image.media_type, image.width, image.height) for image in images} == {("image/webp", 1820, 1024)}
    assert storage_client.read(images[0].key).startswith(b"RIFF")
    assert list(Attempt.objects.values_list("outcome", "cost")) == [("ok", 400)] * 2
    assert charged() == 800
    assert provider.orders() == 2
    assert provider.state()["keys_at_results"] == 0
    assert integrity_check.problems() == []


def picture_of(member):
    return input_images.save_upload(member=member, file=io.BytesIO(picture((320, 256))), name="house.png")


def test_a_style_is_made_once_charged_and_drawn_in(recraft, provider, member, submit):
    inputs = [NewInput("reference", picture_of(member))]
    batch = submit(
        model="recraft-style", prompt="", style_name="House", style="realistic_image", inputs=inputs
    )
    work()
    assert statuses(batch) == ["succeeded"]
    style = Style.objects.get()
    assert (style.upstream, style.team_id, style.image.owner) == (recraft, member.team_id, member)
    assert (charged(), Attempt.objects.get().cost) == (400, 400)
    submit(model="recraftv3", style=style.remote_id)
    work()
    poll_due()
    [image] = Image.objects.filter(kind="image")
    assert image.parameters["style"] == style.remote_id
    [call] = [call for call in provider.calls() if call["path"].endswith("/generations")]
    assert call["fields"]["style_id"] == style.remote_id
    assert charged() == 800
    assert integrity_check.problems() == []


def test_a_moderated_prompt_is_not_charged(recraft, member, submit):
    batch = submit(model="recraftv4_1", prompt="a forbidden harbour")
    work()
    assert statuses(batch) == ["failed"]
    row = batch.generations.get()
    assert (row.code, row.reason) == ("content_moderation", "The provider refused this prompt (content).")
    assert (charged(), Attempt.objects.get().cost) == (0, 0)


def test_an_account_without_units_is_paused_and_the_picture_waits(recraft, provider, member, submit):
    provider.plan("402")
    batch = submit(model="recraftv4_1")
    work()
    recraft.refresh_from_db()
    assert statuses(batch) == ["queued"]
    assert recraft.paused_at is not None
    assert charged() == 0
