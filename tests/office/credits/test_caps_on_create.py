"""Spending caps on the create page."""

import uuid

import pytest
from django.utils import timezone

from generations.credits.models import Hold
from generations.jobs.models import Batch, Generation
from generations.office.audit_log.service import COMMAND
from generations.office.credits import service as credits_service
from tests.markup import compact

pytestmark = pytest.mark.django_db


@pytest.fixture
def press(client, member, upstream):
    client.force_login(member.user)

    def send(count, **headers):
        form = {"prompt": "a harbour", "model": "core", "count": count, "aspect_ratio": "1:1"}
        form |= {"submission": uuid.uuid4(), "prices_at": timezone.now().isoformat()}
        return client.post(f"/t/{member.team.slug}/create/", form, headers=headers)

    return send


def test_a_request_that_exceeds_the_cap_is_refused_and_leaves_no_row(client, member, press):
    credits_service.set_caps(member=member, per_day=10_00, per_month=None, by=COMMAND)
    answer = press(4)  # 12 credits
    assert answer.status_code == 422
    assert "Your cap of 10 credits a day leaves 10." in answer.content.decode()
    assert [table.objects.count() for table in (Batch, Generation, Hold)] == [0, 0, 0]
    assert press(3).status_code == 302


def test_the_create_page_shows_what_the_cap_leaves(client, member, press):
    here = f"/t/{member.team.slug}/create/"
    assert "Your cap leaves" not in client.get(here).content.decode()
    credits_service.set_caps(member=member, per_day=10_00, per_month=100_00, by=COMMAND)
    assert "Your cap leaves 10 of 10 credits today." in client.get(here).content.decode()
    made = compact(press(2, **{"HX-Request": "true"}).content.decode())
    assert "Your cap leaves 4 of 10 credits today." in made
    assert 'id="cap-remaining" hx-swap-oob="true"' in made


def test_a_failed_picture_is_not_retried_beyond_the_cap(client, member, press):
    press(1)
    row = Generation.objects.get()
    client.post(f"/t/{member.team.slug}/generation/{row.pk}/cancel/")
    credits_service.set_caps(member=member, per_day=None, per_month=2_00, by=COMMAND)
    answer = client.post(f"/t/{member.team.slug}/generation/{row.pk}/retry/", follow=True)
    assert "Your cap of 2 credits a month" in answer.content.decode()
    assert Generation.objects.count() == 1
