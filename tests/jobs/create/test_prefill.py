"""Reusing an image, and the visibility of new ones."""

from __future__ import annotations

import re
import uuid

import pytest
from django.utils import timezone

from generations.jobs.models import Attempt, Batch, Generation
from generations.library.models import Image
from generations.teams.models import Membership, Role, User
from tests.conftest import work
from tests.markup import compact

pytestmark = pytest.mark.django_db(transaction=True)  # what workers do is committed


@pytest.fixture
def orphan(submit, upstream, mei) -> Image:
    """A picture of Mei's whose generation is gone."""
    submit(prompt="a lighthouse in the fog", model="ultra", aspect_ratio="3:2", style_preset="cinematic")
    work()
    Attempt.objects.all().delete()
    Generation.objects.all().delete()
    Batch.objects.all().delete()
    return Image.objects.get()


def test_a_picture_whose_generation_is_gone_is_used_again(mei, address, orphan):
    page = mei.get(address(f"picture/{orphan.pk}/")).content.decode()
    assert f"create/?image={orphan.pk}&amp;use=remix" in page
    form = lambda use: compact(mei.get(address(f"create/?image={orphan.pk}&use={use}")).content.decode())  # noqa: E731
    everything, remix, prompt, seed = map(form, ("all", "remix", "prompt", "seed"))
    assert "a lighthouse in the fog</textarea>" in everything
    assert 'value="ultra" checked' in everything
    assert 'value="cinematic" checked' in everything
    assert f'value="{orphan.seed}"' in everything
    assert f'value="{orphan.seed}"' not in remix
    assert "a lighthouse in the fog</textarea>" in prompt
    assert 'value="cinematic" checked' not in prompt
    assert "a lighthouse in the fog</textarea>" not in seed
    assert f'value="{orphan.seed}"' in seed


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"style_preset": []},
        {"aspect_ratio": 7, "prompt": ["x"], "seed": "<b>"},
        {"prompt": "a\u202eb", "steps": 10**30, "count": {}},
    ],
)
def test_any_parameters_of_an_uploaded_image_fill_the_form(mei, address, orphan, parameters):
    Image.objects.update(parameters=parameters, prompt="", model="gone-1", generation=None, origin="imported")
    for use in ("all", "remix", "prompt", "seed", "nonsense"):
        assert mei.get(address(f"create/?image={orphan.pk}&use={use}")).status_code == 200
    assert mei.get(address(f"picture/{orphan.pk}/")).status_code == 200


def test_an_image_that_the_member_may_not_see_is_not_reused(mei, address, orphan, make_member, client):
    assert mei.get(address(f"create/?image={uuid.uuid4()}")).status_code == 404
    assert mei.get(address("create/?image=nonsense")).status_code == 404
    Image.objects.update(visibility="private")
    client.force_login(make_member("jonas").user, "allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(address(f"create/?image={orphan.pk}")).status_code == 404
    Image.objects.update(visibility="team")
    assert client.get(address(f"create/?image={orphan.pk}")).status_code == 200
    Image.objects.update(trashed_at=timezone.now())
    assert client.get(address(f"create/?image={orphan.pk}")).status_code == 404


def test_a_tile_offers_every_way_to_reuse_its_image(mei, address, submit, upstream):
    submit()
    work()
    row = Generation.objects.get()
    page = mei.get(address(f"generation/{row.pk}/tile/")).content.decode()
    for use in ("all", "remix", "prompt", "seed"):
        assert f"create/?from={row.pk}&amp;use={use}" in page
    assert f"image/{Image.objects.get().pk}/use-as-start" in page


# Who sees it ---------------------------------------------------------------------------------


def chosen(page: str) -> str:
    """Who is chosen to see it, on a form."""
    return re.search(r'name="visibility" value="(\w+)" checked', compact(page))[1]


def test_the_visibility_of_a_batch_is_saved_for_the_next_form(mei, address, press):
    assert chosen(mei.get(address("create/")).content.decode()) == "team"
    assert press(visibility="private").status_code == 302
    work()
    assert Image.objects.get().visibility == "private"
    page = mei.get(address("create/")).content.decode()
    assert chosen(page) == "private"
    assert 'class="private-mark"' in page
    press(visibility="team")
    work()
    assert set(Image.objects.values_list("visibility", flat=True)) == {"private", "team"}
    assert chosen(mei.get(address("create/")).content.decode()) == "team"


def test_an_invalid_visibility_is_refused(press):
    assert press(visibility="everybody").status_code == 422
    assert not Batch.objects.exists()


def test_the_default_visibility_replaces_the_one_chosen_last(mei, address, press, member):
    press(visibility="team")
    assert mei.post("/accounts/library/", {"visibility": "private"}).status_code == 302
    assert User.objects.get(pk=member.user_id).default_visibility == "private"
    assert chosen(mei.get("/accounts/library/").content.decode()) == "private"
    assert chosen(mei.get(address("create/")).content.decode()) == "private"
    press()  # a program or an old page that does not say it
    assert Batch.objects.order_by("-pk")[0].visibility == "private"
    assert mei.post("/accounts/library/", {"visibility": "x"}).status_code == 422


def test_a_viewer_is_shown_no_tile_of_a_private_picture(mei, address, submit, upstream, member):
    submit(visibility="private")
    work()
    row, image = Generation.objects.get(), Image.objects.get()
    Membership.objects.filter(pk=member.pk).update(role=Role.VIEWER)
    for path in ("stream/", f"generation/{row.pk}/", f"generation/{row.pk}/tile/"):
        assert f"thumbnail/{image.pk}" not in mei.get(address(path)).content.decode(), path
