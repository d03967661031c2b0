"""Pictures by OpenAI's formats, from the order to the library, the ledger and the account's costs."""

from __future__ import annotations

import io
import time

import pytest
from django.utils import timezone
from PIL import Image as Pillow

from generations.jobs import pricing
from generations.jobs.engine import poll
from generations.jobs.inputs import NewInput
from generations.jobs.models import Attempt, Generation
from generations.library.models import Image
from generations.library.storage import client as storage_client
from generations.library.uploads import input_images
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Membership
from generations.upstreams import accounts
from generations.upstreams.models import Upstream
from tests import sandboxes
from tests.conftest import open_limiter, statuses, work
from tests.library.conftest import encoded, pixels

pytestmark = pytest.mark.django_db(transaction=True)
MODEL = "gpt-image-2.6-flare"


def account_of(kind, address):
    """An account whose results may be on addresses of this machine."""
    row = Upstream(
        name=kind, kind=kind, base_url=address, limit_calls=1_000, limit_window=1, private_results=True
    )
    row.set_key(sandboxes.KEY)
    row.save()
    open_limiter(row)
    accounts._provider.cache_clear()
    return row


@pytest.fixture
def openai_account(provider, bucket):
    return account_of("openai", provider.url)


@pytest.fixture
def chat_account(provider, bucket):
    return account_of("chat", provider.url)


def finish(batch):
    """Work, and fetch results that were given by address, until the batch has ended."""
    work()
    deadline = time.monotonic() + 30
    while "submitted" in statuses(batch) and time.monotonic() < deadline:
        Attempt.objects.filter(poll_at__isnull=False).update(poll_at=timezone.now() - poll.LEASE)
        for attempt in poll.claim_due(10):
            poll.run(attempt)


def stored_picture():
    return Pillow.open(io.BytesIO(storage_client.read(Image.objects.get().key)))


def test_a_picture_is_drawn_stored_and_charged_and_its_tokens_are_the_cost(member, submit, openai_account):
    left = Membership.objects.get(pk=member.pk).wallet.available
    batch = submit(model=MODEL, prompt="黎明时分的海港", aspect_ratio="16:9", quality="low")
    finish(batch)
    assert statuses(batch) == ["succeeded"]
    assert stored_picture().size == catalogue_registry.get(MODEL).size("16:9")
    assert Image.objects.get().parameters["quality"] == "low"
    assert Membership.objects.get(pk=member.pk).wallet.available == left - 200, "the price of low quality"
    assert 0 < Attempt.objects.get().cost < catalogue_registry.get(MODEL).base_cost, "low has few tokens"


def test_an_edit_sends_the_picture_and_the_mask(submit, openai_account, member, provider):
    picture = input_images.save_upload(member=member, file=io.BytesIO(encoded(pixels((320, 200)))), name="a")
    mask = input_images.save_mask(
        member=member, file=io.BytesIO(encoded(Pillow.new("L", (320, 200), 255))), name="mask.png"
    )
    batch = submit(model=MODEL, inputs=[NewInput("image", picture), NewInput("mask", mask)])
    finish(batch)
    assert statuses(batch) == ["succeeded"]
    call = next(call for call in provider.calls() if call["path"] == "/v1/images/edits")
    assert call["files"].keys() == {"image-1", "mask"}
    assert Image.objects.get().is_composite


def test_a_moderated_prompt_costs_nothing_and_says_so(member, submit, openai_account):
    left = Membership.objects.get(pk=member.pk).wallet.available
    batch = submit(model=MODEL, prompt="a forbidden harbour")
    finish(batch)
    row = Generation.objects.get()
    assert (row.status, row.code) == ("failed", "moderation_blocked")
    assert "content" in row.reason
    assert Membership.objects.get(pk=member.pk).wallet.available == left
    assert Attempt.objects.get().cost == 0


def test_an_account_without_money_is_paused_although_the_status_is_429(submit, openai_account, provider):
    provider.state(credits=0)
    batch = submit(model=MODEL)
    work()
    openai_account.refresh_from_db()
    assert openai_account.paused_at is not None
    assert statuses(batch) == ["queued"]


def test_a_picture_that_a_gateway_gives_by_address_is_fetched(submit, openai_account, provider):
    openai_account.base_url = f"{provider.url}/openai"
    openai_account.save()
    batch = submit(model=MODEL)
    finish(batch)
    assert statuses(batch) == ["succeeded"]
    assert stored_picture().size == (1024, 1024)
    assert provider.state()["keys_at_results"] == 0


@pytest.mark.parametrize(("quality", "price"), [("low", 200), ("auto", 527), (None, 527), ("max", 2_107)])
def test_the_price_is_by_quality(team, quality, price):
    assert pricing.price(MODEL, {"prompt": "a", "quality": quality}, team) == price
    model = catalogue_registry.get(MODEL)
    assert pricing.of_model(model, {"quality": quality}, 1_000) == -(-1_000 * price // 527), "a price of ours"


def test_a_picture_of_a_chat_is_fetched_without_a_key_and_stored_once(member, submit, chat_account, provider):
    picture = input_images.save_upload(member=member, file=io.BytesIO(encoded(pixels((320, 200)))), name="a")
    batch = submit(model="gpt-4o-image", aspect_ratio="16:9", inputs=[NewInput("image", picture)])
    finish(batch)
    assert statuses(batch) == ["succeeded"]
    assert stored_picture().width > stored_picture().height
    state = provider.state()
    assert (state["keys_at_results"], state["most_fetches"]) == (0, 1)
    assert next(call for call in provider.calls() if call["path"] == "/v1/chat/completions")["files"]


def test_words_in_place_of_a_picture_are_its_reason_and_cost_nothing(member, submit, chat_account):
    left = Membership.objects.get(pk=member.pk).wallet.available
    batch = submit(model="gpt-4o-image", prompt="a forbidden harbour")
    finish(batch)
    row = Generation.objects.get()
    assert (row.status, row.code) == ("failed", "no_picture")
    assert "Shall I try another scene?" in row.reason
    assert Membership.objects.get(pk=member.pk).wallet.available == left


def test_a_picture_at_a_host_that_the_account_does_not_allow_is_not_fetched(submit, chat_account, provider):
    chat_account.result_hosts = ["cdn.example.com"]
    chat_account.save()
    batch = submit(model="gpt-4o-image")
    finish(batch)
    assert statuses(batch) == ["failed"]
    assert provider.state()["most_fetches"] == 0
    assert not Image.objects.exists()
