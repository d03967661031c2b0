"""Reusing an image, and the visibility of new ones."""

from __future__ import annotations

import io
import re
import uuid
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image as Pillow

from generations.jobs.create.context import set_default_visibility
from generations.jobs.models import Attempt, Batch, Generation
from generations.library.models import Image
from generations.library.search import indexer
from generations.library.uploads import input_images
from generations.office.members import service as members_service
from generations.teams.models import Membership, Role, User, Visibility
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
    row, image = Generation.objects.get(), Image.objects.get()
    tile = mei.get(address(f"generation/{row.pk}/tile/")).content.decode()
    assert f'id="tile-{row.pk}"' in tile
    assert f'data-image="{image.pk}"' in tile
    page = mei.get(address("create/")).content.decode()
    tools = page[page.index('<template id="tile-tools"') :]
    opened = mei.get(address("create/when-opened/")).content.decode()
    menu = opened[opened.index('<template id="tile-menu"') :]
    generation, picture = "ffffffff-ffff-ffff-ffff-ffffffffffff", "00000000-0000-0000-0000-000000000000"
    assert f"create/?from={generation}&amp;use=remix" in tools
    for use in ("all", "remix", "prompt", "seed"):
        assert f"create/?from={generation}&amp;use={use}" in menu
    assert f"image/{picture}/use-as-start" in menu


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
    set_default_visibility(User.objects.get(pk=member.user_id), Visibility.PRIVATE)
    assert User.objects.get(pk=member.user_id).default_visibility == "private"
    assert chosen(mei.get(address("create/")).content.decode()) == "private"
    press()  # a program or an old page that does not say it
    assert Batch.objects.order_by("-pk")[0].visibility == "private"


def test_a_viewer_is_shown_no_tile_of_a_private_picture(mei, address, submit, upstream, member):
    submit(visibility="private")
    work()
    row, image = Generation.objects.get(), Image.objects.get()
    Membership.objects.filter(pk=member.pk).update(role=Role.VIEWER)
    for path in ("stream/", f"generation/{row.pk}/", f"generation/{row.pk}/tile/"):
        assert f"thumbnail/{image.pk}" not in mei.get(address(path)).content.decode(), path


# Vary, and again with another model -------------------------------------------------------------


@pytest.fixture
def harbour(submit, upstream) -> Image:
    """A picture with a seed, by a model that takes no image."""
    submit(prompt="a quiet harbour", model="core", aspect_ratio="3:2", style_preset="cinematic", seed=77)
    work()
    return Image.objects.get()


@pytest.mark.parametrize("name", ["image", "from"])
def test_to_vary_a_picture_is_its_request_with_the_picture_as_start_image(mei, address, harbour, name):
    pk = harbour.pk if name == "image" else harbour.generation
    page = compact(mei.get(address(f"create/?{name}={pk}&use=vary")).content.decode())
    assert "a quiet harbour</textarea>" in page
    assert f'name="input_image" value="{harbour.pk}"' in page[page.index('data-input="image"') :]
    assert 'name="model" value="ultra" checked' in page  # the first that takes one
    assert 'value="cinematic" checked' in page
    assert 'value="77"' not in page
    assert 'value="0.35"' in page  # a low strength: it stays close
    assert 'data-prefilled="*"' in page


def test_to_vary_keeps_a_model_that_takes_an_image(mei, address, submit, upstream):
    submit(prompt="a heron", model="sd3.5-large")
    work()
    pk = Image.objects.get().pk
    page = compact(mei.get(address(f"create/?image={pk}&use=vary")).content.decode())
    assert 'name="model" value="sd3.5-large" checked' in page
    assert f'name="input_image" value="{pk}"' in page[page.index('data-input="image"') :]


@pytest.mark.parametrize("name", ["image", "from"])
def test_a_request_is_taken_to_another_model(mei, address, harbour, name):
    pk = harbour.pk if name == "image" else harbour.generation
    page = compact(mei.get(address(f"create/?{name}={pk}&use=all&model=sd3.5-flash")).content.decode())
    assert 'name="model" value="sd3.5-flash" checked' in page
    assert "a quiet harbour</textarea>" in page
    assert 'value="77"' in page
    page = compact(mei.get(address(f"create/?{name}={pk}&use=all&model=nonsense")).content.decode())
    assert 'name="model" value="core" checked' in page


def test_the_page_of_a_picture_leads_to_variations_and_to_other_models(mei, address, harbour):
    page = compact(mei.get(address(f"picture/{harbour.pk}/")).content.decode())
    assert f"create/?image={harbour.pk}&amp;use=vary" in page
    assert "Again with Ultra" in page
    assert "Again with Core" not in page  # it was made with that
    assert "&amp;use=all&amp;model=ultra" in page


def test_a_picture_of_another_team_is_not_varied(client, address, harbour, make_member):
    stranger = make_member("eve", team=members_service.create_team("Elsewhere"))
    client.force_login(stranger.user, "allauth.account.auth_backends.AuthenticationBackend")
    for query in (f"image={harbour.pk}", f"from={harbour.generation}"):
        path = f"/t/{stranger.team.slug}/create/?{query}&use=vary"
        assert client.get(path).status_code == 404


# Start image and result, linked both ways ---------------------------------------------------------


def picture_file() -> io.BytesIO:
    data = io.BytesIO()
    Pillow.new("RGB", (256, 256), "teal").save(data, "PNG")
    data.seek(0)
    return data


def pages(client: Any, address: Any, *images: Image) -> list[str]:
    return [compact(client.get(address(f"picture/{image.pk}/")).content.decode()) for image in images]


def test_a_start_image_from_the_library_and_its_result_name_each_other(
    mei, address, press, harbour, client, make_member
):
    start = mei.post(address(f"image/{harbour.pk}/use-as-start"))
    form = compact(mei.get(start["Location"]).content.decode())
    assert f'name="input_image" value="{harbour.pk}"' in form
    press(model="ultra", prompt="the harbour at night", input_image=harbour.pk, strength="0.6")
    work()
    result = Image.objects.exclude(pk=harbour.pk).get()
    of_result, of_start = pages(mei, address, result, harbour)
    made_with = of_result[of_result.index("Made from") :]
    assert f'href="{address(f"picture/{harbour.pk}/")}"' in made_with[: made_with.index("</section>")]
    assert f"picture/{result.pk}/" in of_start[of_start.index("Used for") :]
    client.force_login(make_member("lin").user, "allauth.account.auth_backends.AuthenticationBackend")
    of_result, of_start = pages(client, address, result, harbour)
    assert f"picture/{harbour.pk}/" in of_result
    assert f"picture/{result.pk}/" in of_start


def test_a_picture_in_another_role_is_linked_too(mei, address, press, harbour, member):
    upload = input_images.save_upload(member=member, file=picture_file(), name="mine.png")
    press(model="style-transfer", operation="style_transfer", input_image=upload.pk, input_style=harbour.pk)
    work()
    result = Image.objects.exclude(pk=harbour.pk).get()
    of_result, of_start = pages(mei, address, result, harbour)
    assert f"picture/{harbour.pk}/" in of_result[of_result.index("Made from") :]
    assert f"picture/{result.pk}/" in of_start[of_start.index("Used for") :]
    assert Batch.objects.order_by("-pk")[0].parent is None  # it is no step of a chain of edits


def test_what_somebody_may_not_see_is_not_linked(mei, address, press, harbour, client, make_member):
    press(model="ultra", prompt="the harbour at night", input_image=harbour.pk, strength="0.6")
    work()
    result = Image.objects.exclude(pk=harbour.pk).get()
    Image.objects.filter(pk=harbour.pk).update(visibility="private")
    indexer.refresh([harbour.pk])
    client.force_login(make_member("lin").user, "allauth.account.auth_backends.AuthenticationBackend")
    [page] = pages(client, address, result)
    assert str(harbour.pk) not in page
    assert "Made from" not in page
