"""A picture of Ideogram's from the form to the library: queue, ledger, storage."""

from __future__ import annotations

import pytest

from generations.credits import integrity_check
from generations.credits.models import Transfer, TransferKind
from generations.jobs.models import Attempt
from generations.library.models import Image
from generations.upstreams.models import Upstream
from tests import sandboxes
from tests.conftest import open_limiter, statuses, work
from tests.jobs.engine.test_tasks import poll_due

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["maker", "gateway"])
def ideogram(request, db, provider, bucket):
    """An account at the maker, or one at a gateway that sells the system."""
    row = Upstream(name="ideogram", kind="ideogram", base_url=provider.url)
    if request.param == "gateway":
        row.kind, row.systems = "gateway", {"ideogram": {"prefix": "/ideogram"}}
    row.private_results, row.limit_calls, row.limit_window = True, 1_000, 1
    row.set_key(sandboxes.KEY)
    row.save()
    open_limiter(row)
    return row


def charged():
    return sum(Transfer.objects.filter(kind=TransferKind.CHARGE).values_list("amount", flat=True))


@pytest.mark.parametrize(
    ("model", "size", "price"),
    [
        ("ideogram-4-5-low", (1_280, 720), 300),
        ("ideogram-v3", (1_312, 736), 600),
        ("ideogram-v2", (1_312, 736), 800),
    ],
)
def test_a_picture_of_each_generation_is_fetched_and_charged(
    ideogram, provider, member, submit, model, size, price
):
    batch = submit(model=model, aspect_ratio="16:9")
    assert work() == 1
    poll_due()
    assert statuses(batch) == ["succeeded"]
    [image] = Image.objects.all()
    assert (image.media_type, (image.width, image.height)) == ("image/png", size)
    assert image.seed
    assert list(Attempt.objects.values_list("outcome", "cost")) == [("ok", price)]
    assert (charged(), provider.orders()) == (price, 1)
    assert provider.state()["keys_at_results"] == 0
    assert integrity_check.problems() == []


def test_a_picture_that_is_not_safe_is_filtered_and_not_charged(ideogram, provider, member, submit):
    provider.plan("filtered")
    batch = submit(model="ideogram-v3")
    work()
    assert (statuses(batch), charged()) == (["filtered"], 0)
    assert not Image.objects.exists()


def test_a_prompt_that_fails_the_safety_check_is_not_charged(ideogram, member, submit):
    batch = submit(model="ideogram-4-5", prompt="a forbidden harbour")
    work()
    row = batch.generations.get()
    assert (statuses(batch), row.code, charged()) == (["failed"], "content_moderation", 0)
