"""A picture of Flux from the form to the library: order, poll, address, storage, ledger."""

from __future__ import annotations

import io
import time

import pytest

from generations.credits import integrity_check
from generations.jobs.inputs import NewInput
from generations.jobs.models import Attempt, Generation
from generations.library.models import Image
from generations.library.uploads import input_images
from generations.upstreams import accounts
from generations.upstreams.models import Upstream
from tests import sandboxes
from tests.conftest import open_limiter, statuses, work
from tests.jobs.engine.test_tasks import charged, poll_due
from tests.providers.fake_provider import make_image

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def flux(upstream, provider) -> Upstream:
    """An account at the sandbox's Flux, whose results are at a private address as all of it is."""
    row = Upstream(name="flux", kind="bfl", base_url=provider.url, private_results=True)
    row.limit_calls, row.limit_window = 1_000, 1
    row.set_key(sandboxes.KEY)
    row.save()
    open_limiter(row)
    open_limiter(Upstream(pace_account=f"{row.pace_key}:polls", limit_calls=1_000, limit_window=1))
    accounts._provider.cache_clear()
    return row


def come(batch) -> list[str]:
    """Call, poll and fetch until nothing is left to do; the states then."""
    work()
    limit = time.monotonic() + 60
    while poll_due():  # the sandbox draws meanwhile
        assert time.monotonic() < limit
        time.sleep(0.02)
    assert integrity_check.problems() == []
    return statuses(batch)


def test_a_picture_is_ordered_once_polled_fetched_without_a_key_stored_and_charged(flux, submit, provider):
    batch = submit(model="flux-pro-1.1", aspect_ratio="3:2", output_format="png")
    assert come(batch) == ["succeeded"]
    image, attempt = Image.objects.get(), Attempt.objects.get()
    assert (image.width, image.height, image.media_type) == (1248, 832, "image/png")
    assert (attempt.upstream, attempt.cost, charged()) == (flux, 400, [400])
    assert image.seed
    assert provider.orders() == 1
    assert provider.state()["keys_at_results"] == 0
    assert provider.state()["most_fetches"] == 1


@pytest.mark.parametrize(
    ("outcome", "status", "words"),
    [
        ("task-moderated", "failed", "refused this prompt (content): Safety Filter"),
        ("filtered", "filtered", "filter"),
        ("task-failed:422", "failed", "could not draw the picture"),
        ("402", "queued", "no credits left"),
    ],
)
def test_what_was_refused_moderated_or_unpaid_says_so_and_costs_nothing(
    flux, submit, provider, outcome, status, words
):
    provider.plan(outcome)
    assert come(submit(model="flux-pro-1.1")) == [status]
    flux.refresh_from_db()
    assert words in Generation.objects.get().reason + flux.paused_reason
    assert charged() == []


def test_a_model_without_a_seed_is_not_said_to_have_one(flux, submit, provider):
    provider.plan("filtered")
    assert come(submit(model="flux-3-image")) == ["filtered"]
    assert Generation.objects.get().reason.endswith("so it was not kept. Try other words.")


def test_a_result_whose_address_has_expired_is_lost_and_not_charged(flux, submit, provider):
    provider.state(result_lifetime=0)
    assert come(submit(model="flux-pro-1.1")) == ["failed"]
    assert "has expired" in Generation.objects.get().reason
    assert (charged(), Attempt.objects.get().cost) == ([], 400)


def test_a_model_has_its_own_limit_at_an_account_and_leaves_the_others_alone(flux, submit, provider):
    provider.plan("task-failed", {"outcome": "slow:600", "times": 8})
    batch = submit(model="flux-kontext-max", count=8)
    other = submit(model="flux-pro-1.1")
    assert work() == 7
    assert statuses(batch).count("submitted") == 6
    assert statuses(batch).count("queued") == 2
    assert statuses(other) == ["submitted"]
    poll_due()
    assert work() == 1, "one task has ended"


def test_megapixels_and_images_raise_the_price_as_the_maker_counts_them(flux, submit, member):
    file = io.BytesIO(make_image("jpeg", (1500, 1000)))
    image = NewInput("image", input_images.save_upload(member=member, file=file, name="harbour.jpg"))
    batch = submit(model="flux-2-pro", megapixels="2", inputs=[image])
    assert Generation.objects.get().price == 300 + 150 + 150
    assert come(batch) == ["succeeded"]
    image = Image.objects.get()
    assert image.width / image.height == pytest.approx(1.5, abs=0.05)
    assert 1.8 < image.width * image.height / 1024**2 <= 2
    assert (charged(), Attempt.objects.get().cost) == ([600], 600)
