"""What ended without a picture, as the stream shows it; canceling everything, and undoing that."""

from __future__ import annotations

import re
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from generations.credits import integrity_check
from generations.credits.ledger import InsufficientCredits
from generations.jobs import retries, submission
from generations.jobs.models import Generation, Price
from generations.office.members import service as members_service
from tests.conftest import statuses, work
from tests.markup import compact

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _ledger_is_consistent():
    yield
    assert integrity_check.problems() == []


@pytest.fixture
def press_again(mei, address):
    """Press a button of the stream: press_again(path, **fields)."""
    return lambda path, **fields: mei.post(address(path), fields, headers={"HX-Request": "true"})


def moment_of(answer) -> str:
    """What the form of Undo names."""
    found = re.search(r'name="canceled_at" value="([^"]+)"', compact(answer.content.decode()))
    assert found, "no way to undo"
    return found[1]


def lines(page: str) -> list[str]:
    """The lines below a batch that say what ended without a picture."""
    return re.findall(r'<span class="batch-ended-words">([^<]*)</span>', compact(page))


def test_refused_and_filtered_pictures_of_a_batch_are_a_line_for_each_reason(
    mei, address, submit, upstream, provider
):
    provider.plan("403", "filtered", "403")
    batch = submit(count=4)
    work()
    page = mei.get(address("create/")).content.decode()
    assert lines(page) == [
        "2 refused (content), not charged",
        "1 blurred by the provider&#x27;s filter, not charged",
    ]
    assert page.count("data-folded") == 3
    assert page.count("tile-done") == 1
    assert lines(mei.get(address(f"stream/{batch.pk}/")).content.decode()) == lines(page)


def test_other_failures_of_a_batch_say_why(mei, address, submit, upstream, provider):
    provider.plan("400", "400")
    submit(count=2)
    work()
    page = mei.get(address("create/")).content.decode()
    [line] = lines(page)
    assert line.startswith("2 not charged: ")
    assert "retry/" not in page  # the same request would be refused again


def test_a_picture_asked_for_alone_says_it_in_its_tile(mei, address, submit, upstream, provider):
    provider.plan("403")
    submit()
    work()
    page = mei.get(address("create/")).content.decode()
    assert lines(page) == []
    assert "Edit and try again" in page


def test_what_was_not_refused_can_be_asked_for_again_as_it_was(mei, address, submit, upstream, provider):
    provider.plan("filtered")
    submit()
    work()
    page = mei.get(address("create/")).content.decode()
    retry = f"generation/{Generation.objects.get().pk}/retry/"
    assert "Edit and try again" in page
    assert retry in page
    Generation.objects.update(code="content_moderation")
    assert retry not in mei.get(address("create/")).content.decode()


def test_the_tile_of_one_picture_of_a_batch_says_everything_on_its_own_page(
    mei, address, submit, upstream, provider
):
    provider.plan("403", "403")
    submit(count=2)
    work()
    row = Generation.objects.first()
    page = mei.get(address(f"generation/{row.pk}/")).content.decode()
    assert "data-folded" not in page
    assert "You have the 3 credits back." in page


def test_try_again_repeats_those_of_the_line_and_no_other(press_again, member, submit, upstream, provider):
    provider.plan("403", "filtered", "403")
    batch = submit(count=3)
    work()
    refused = [str(row.pk) for row in Generation.objects.filter(code__contains="content")]
    refused = refused or [str(row.pk) for row in Generation.objects.filter(status="failed")]
    assert len(refused) == 2
    answer = press_again(f"stream/{batch.pk}/retry/", generation=refused)
    page = answer.content.decode()
    assert page.count('data-status="queued"') == 2
    assert lines(page) == ["1 blurred by the provider&#x27;s filter, not charged"]
    again = press_again(f"stream/{batch.pk}/retry/", generation=refused)
    assert again.status_code == 200
    assert Generation.objects.count() == 5  # a second press asks for nothing more
    member.wallet.refresh_from_db()
    assert member.wallet.held == 600


def test_try_again_is_all_or_nothing(press_again, make_member, client, address, submit, upstream, provider):
    tom = make_member("tom", granted=6)
    client.force_login(tom.user)
    provider.plan("403", "403")
    batch = submit(by=tom, count=2)
    work()
    submit(by=tom, count=1)
    both = [str(row.pk) for row in batch.generations.all()]
    answer = client.post(
        address(f"stream/{batch.pk}/retry/"), {"generation": both}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 204
    assert "credits" in answer["HX-Trigger"]
    assert batch.generations.count() == 2


def test_nobody_retries_or_reads_the_batch_of_another(client, make_member, address, submit, upstream):
    batch = submit(count=2)
    submission.cancel_all(member=batch.member)
    named = {"generation": [str(row.pk) for row in batch.generations.all()]}
    jonas = make_member("jonas")
    stranger = make_member("tom", team=members_service.create_team("Elsewhere"))
    for who in (jonas, stranger):
        client.force_login(who.user)
        for team in {batch.team.slug, who.team.slug}:
            assert client.get(f"/t/{team}/stream/{batch.pk}/").status_code == 404
            assert client.post(f"/t/{team}/stream/{batch.pk}/retry/", named).status_code == 404
    assert batch.generations.count() == 2


def test_what_was_canceled_while_the_provider_was_busy_can_be_generated_again(
    mei, address, press_again, submit, upstream, provider
):
    provider.plan("429", "429")
    submit(count=2)
    work()
    assert Generation.objects.exclude(code="").exists()
    press_again("cancel-waiting/")
    page = mei.get(address("create/")).content.decode()
    assert lines(page) == ["2 canceled, not charged"]
    assert "Generate again" in page


def test_undoing_a_cancel_queues_everything_again_as_it_was(
    press_again, member, make_member, submit, upstream
):
    first, second = submit(count=3, seed=7), submit(count=2, prompt="another", model="ultra")
    theirs = submit(by=make_member("jonas"), count=1)
    asked = {row.position: row.parameters for row in first.generations.all()}
    moment = moment_of(press_again("cancel-waiting/"))
    answer = press_again("cancel-waiting/undo/", canceled_at=moment)
    assert "5 wait again." in answer.content.decode()
    assert sorted(statuses(first)) == ["canceled"] * 3 + ["queued"] * 3
    assert sorted(statuses(second)) == ["canceled"] * 2 + ["queued"] * 2
    assert statuses(theirs) == ["queued"]
    waiting = first.generations.filter(status="queued")
    assert {row.position: row.parameters for row in waiting} == asked
    member.wallet.refresh_from_db()
    assert member.wallet.held == 3 * 300 + 2 * 800


def test_undoing_a_cancel_twice_at_once_queues_everything_once(member, submit, upstream):
    submit(count=5)
    canceled = submission.cancel_all(member=member)
    found, start = [], threading.Barrier(2)

    def undo() -> None:
        start.wait()
        found.append(retries.undo_cancel(member=member, canceled_at=canceled.at))
        connection.close()

    threads = [threading.Thread(target=undo) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [5, 5]
    assert Generation.objects.filter(status="queued").count() == 5
    member.wallet.refresh_from_db()
    assert member.wallet.held == 1500


def test_undoing_a_cancel_undoes_that_one_alone(member, submit, upstream):
    earlier = submit(count=2)
    submission.cancel_all(member=member)
    later = submit(count=2)
    canceled = submission.cancel_all(member=member)
    assert retries.undo_cancel(member=member, canceled_at=canceled.at) == 2
    assert statuses(earlier) == ["canceled"] * 2
    assert sorted(statuses(later)) == ["canceled", "canceled", "queued", "queued"]


def test_undoing_a_cancel_holds_the_credits_again_or_changes_nothing(make_member, submit, upstream):
    tom = make_member("tom", granted=9)
    batches = [submit(by=tom, count=1), submit(by=tom, count=2)]
    canceled = submission.cancel_all(member=tom)
    spent = submit(by=tom, count=1)
    with pytest.raises(InsufficientCredits):
        retries.undo_cancel(member=tom, canceled_at=canceled.at)
    assert statuses(batches[0]) + statuses(batches[1]) == ["canceled"] * 3
    assert statuses(spent) == ["queued"]
    tom.wallet.refresh_from_db()
    assert tom.wallet.held == 300


def test_a_cancel_cannot_be_undone_at_a_higher_price_nor_later(press_again, member, submit, upstream, team):
    submit(count=2)
    moment = moment_of(press_again("cancel-waiting/"))
    Price.objects.create(team=team, model="core", amount=400)
    answer = press_again("cancel-waiting/undo/", canceled_at=moment)
    assert "costs 4 credits now, not 3" in answer["HX-Trigger"]
    long_ago = timezone.now() - retries.UNDO_WITHIN - timedelta(seconds=1)
    Generation.objects.update(ended_at=long_ago)
    answer = press_again("cancel-waiting/undo/", canceled_at=long_ago.isoformat())
    assert "too late" in answer["HX-Trigger"]
    assert press_again("cancel-waiting/undo/", canceled_at="yesterday").status_code == 404
    assert not Generation.objects.filter(status="queued").exists()
