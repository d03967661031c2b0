"""A picture of Kling's from the form to the library: queue, polls, ledger, storage."""

from __future__ import annotations

import time

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
def kling(request, db, provider, bucket):
    """An account at the maker, or one at a gateway that sells the system."""
    if request.param == "maker":
        row = Upstream(name="kling", kind="kling", base_url=f"{provider.url}/kling")
    else:
        row = Upstream(name="kling", kind="gateway", base_url=provider.url)
        row.systems = {"kling": {"prefix": "/kling"}}
    row.private_results, row.limit_calls, row.limit_window = True, 1_000, 1
    row.set_key(sandboxes.KEY)
    row.save()
    open_limiter(row)
    return row


def charged():
    return sum(Transfer.objects.filter(kind=TransferKind.CHARGE).values_list("amount", flat=True))


def finish(batch):
    """Poll until nothing is under way any more, which takes as long as the sandbox draws."""
    deadline = time.monotonic() + 60
    while poll_due() and time.monotonic() < deadline:
        time.sleep(0.05)
    return statuses(batch)


def test_a_task_is_bought_once_polled_fetched_and_charged(kling, provider, member, submit):
    batch = submit(model="kling-v3", aspect_ratio="1:1")
    assert work() == 1
    assert statuses(batch) == ["submitted"]
    assert finish(batch) == ["succeeded"]
    [image] = Image.objects.all()
    assert (image.media_type, image.width, image.height) == ("image/png", 1_024, 1_024)
    assert list(Attempt.objects.values_list("outcome", "cost")) == [("ok", 280)]
    assert (charged(), provider.orders()) == (280, 1)
    assert provider.state()["keys_at_results"] == 0
    assert integrity_check.problems() == []


def test_a_series_is_charged_as_one_order_and_kept_as_its_pictures(kling, member, submit):
    batch = submit(model="kling-v3-omni-series", aspect_ratio="1:1", series_amount="3")
    work()
    assert finish(batch) == ["succeeded"]
    images = Image.objects.order_by("position")
    assert [image.position for image in images] == [0, 1, 2]
    assert len({image.sha256 for image in images}) == 3
    assert (charged(), Attempt.objects.get().cost) == (840, 840)
    assert integrity_check.problems() == []


def test_a_task_that_is_moderated_late_is_not_charged(kling, provider, member, submit):
    provider.plan("task-moderated")
    batch = submit(model="kling-v3")
    work()
    assert finish(batch) == ["failed"]
    row = batch.generations.get()
    assert row.code == "content_moderation"
    assert "refused the prompt or an image (content)" in row.reason
    assert (charged(), Attempt.objects.get().cost) == (0, 0)


def test_a_package_that_is_used_up_pauses_the_account(kling, provider, member, submit):
    provider.plan("402")
    batch = submit(model="kling-v3")
    work()
    kling.refresh_from_db()
    assert (statuses(batch), charged()) == (["queued"], 0)
    assert kling.paused_at is not None, "429 with code 1102 means money, not haste"
