"""What people see of results: texts, several of one call, next steps, inputs, tasks under way."""

from __future__ import annotations

import io
import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image as Pillow

from generations.jobs import follow_ups
from generations.jobs.inputs import NewInput
from generations.jobs.live import feed
from generations.jobs.live import render as live_render
from generations.jobs.models import Attempt, Batch, Generation, ModelRule
from generations.library.models import Image
from generations.library.uploads import input_images
from generations.providers.base import Accepted, Action, Done, Output, OutputKind, Task, Unknown
from generations.providers.transport.media_check import output_of
from generations.teams.models import Role
from generations.upstreams.models import Upstream
from tests.conftest import work
from tests.jobs.engine.test_tasks import Script, picture, poll_due, script
from tests.markup import compact

__all__ = ["script"]
pytestmark = pytest.mark.django_db(transaction=True)

STEPS = (Action("u1", "U1", {"custom": 1}), Action("v1", "V1 <b>", {"custom": 2}))
TEXT = "Two boats in a quiet harbour.\nA gull on the mole."


def content(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return compact(response.content.decode())


def sign_in(member: Any) -> Client:
    client = Client()
    client.force_login(member.user, "allauth.account.auth_backends.AuthenticationBackend")
    return client


def stored(submit: Any, script: Script, *outputs: Output, **asked: Any) -> list[Image]:
    """The images of a request whose call brings these outputs."""
    script.answers = [Done(outputs)]
    batch = submit(**asked)
    work()
    return list(Image.objects.filter(batch=batch.pk).order_by("position"))


# Texts and what moves --------------------------------------------------------------------


def test_a_text_is_on_its_tile_and_whole_on_its_page_and_is_found_by_its_words(mei, address, submit, script):
    [image] = stored(submit, script, Output(kind=OutputKind.TEXT, text=TEXT + "\0"))
    assert image.text == TEXT + "\ufffd"  # PostgreSQL takes no NUL
    tile = content(mei, address("create/"))
    assert "Two boats in a quiet harbour." in tile
    assert f'create/?image={image.pk}&amp;use=text"' in tile
    assert 'data-copy="Two boats' in tile
    page = content(mei, address(f"picture/{image.pk}/"))
    assert "A gull on the mole." in page
    assert "data-zoom" not in page
    assert str(image.pk) in content(mei, address("library/?q=gull"))
    assert str(image.pk) not in content(mei, address("library/?q=dog"))


def test_a_text_becomes_the_prompt_of_the_form(mei, address, submit, script):
    [image] = stored(submit, script, Output(kind=OutputKind.TEXT, text=TEXT))
    assert "Two boats in a quiet harbour.\nA gull on the mole.</textarea>" in (
        mei.get(address(f"create/?image={image.pk}&use=text")).content.decode()
    )
    [drawn] = stored(submit, script, picture())
    assert mei.get(address(f"create/?image={drawn.pk}&use=text")).status_code == 404
    assert mei.get(address(f"create/?image={uuid.uuid4()}&use=text")).status_code == 404


def test_the_words_in_a_drawing_are_found_and_its_page_says_that_they_may_move(mei, address, submit, script):
    frame = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">%s</svg>'
    kinds = {"media_type": "image/svg+xml", "width": 9, "height": 9, "kind": OutputKind.SVG}
    [lettered] = stored(submit, script, Output(frame % b"<text>Har<tspan>bour</tspan></text>", **kinds))
    [plain] = stored(submit, script, Output(frame % b"<rect/>", **kinds))
    assert (lettered.text, plain.text) == ("Harbour", "")
    said = ["it may move" in content(mei, address(f"picture/{each.pk}/")) for each in (lettered, plain)]
    assert said == [True, False]
    found = content(mei, address("library/?q=harbour -dawn")) + content(mei, address("library/?q=harbour"))
    assert str(lettered.pk) in found


@pytest.mark.parametrize("encoding", ["GIF", "WEBP", "PNG"])
def test_a_picture_that_moves_is_marked_and_offered_as_it_is(mei, address, submit, script, encoding):
    frames, file = [Pillow.new("RGB", (32, 32), each) for each in ("red", "blue")], io.BytesIO()
    frames[0].save(file, encoding, save_all=True, append_images=frames[1:], duration=100)
    [moving] = stored(submit, script, output_of(file.getvalue()))
    [still] = stored(submit, script, picture())
    assert (moving.is_animated, still.is_animated) == (True, False)
    pages = [content(mei, address(f"picture/{each.pk}/")) for each in (moving, still)]
    assert ["It moves" in page for page in pages] == [True, False]
    assert ["format=jpeg" in page for page in pages] == [False, True]


# Several outputs -------------------------------------------------------------------------


def test_several_outputs_of_one_call_are_one_tile_and_all_on_its_page(mei, address, submit, script, member):
    first, second, third = stored(submit, script, picture("red"), picture("teal"), picture("plum"))
    tile = content(mei, address("create/"))
    assert f"picture/{first.pk}/" in tile
    assert ">+2<" in tile
    assert "and 2 more" in tile
    row = Generation.objects.get()
    assert ">+2<" in content(mei, address(f"generation/{row.pk}/tile/"))
    assert live_render.Rows.load([str(row.pk)]).images[row.pk] == [first, second, third]
    page = content(mei, address(f"generation/{row.pk}/"))
    library = content(mei, address("library/"))
    for image in (first, second, third):
        assert f"picture/{image.pk}/" in page
        assert str(image.pk) in library
    [single] = stored(submit, script, picture())
    assert ">+0<" not in content(mei, address(f"generation/{single.generation}/tile/"))


def test_a_removed_first_output_leaves_the_others_on_the_tile(mei, address, submit, script):
    first, second, _third = stored(submit, script, picture("red"), picture("teal"), picture("plum"))
    Image.objects.filter(pk=first.pk).update(trashed_at=timezone.now())
    tile = content(mei, address("create/"))
    assert f"picture/{second.pk}/" in tile
    assert ">+1<" in tile


def test_the_feed_takes_as_many_queries_for_many_results_as_for_few(submit, script, member):
    counted = []
    for _ in range(2):
        for _ in range(2):
            stored(submit, script, picture("red", actions=STEPS), picture("teal", actions=STEPS))
        with CaptureQueriesContext(connection) as queries:
            entries = feed.page(member).shown
        counted.append(len(queries))
        assert all(tile["more"] == 1 and tile["follow_ups"] for entry in entries for tile in entry.tiles)
    assert counted[0] == counted[1]


# Next steps ------------------------------------------------------------------------------


@pytest.fixture
def offering(submit: Any, script: Script) -> Image:
    """An image that offers U1 and V1."""
    [image] = stored(submit, script, picture(actions=STEPS))
    return image


def form_of(page: str, action: str) -> dict[str, str]:
    """The hidden fields of a step's form."""
    for form in re.findall(r"<form.*?</form>", page, re.DOTALL):
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
        if fields.get("action") == action:
            return fields
    raise AssertionError(f"no form for {action}")


def test_a_step_is_a_button_with_its_price_and_orders_once(mei, address, offering, script, member):
    for path in ("create/", f"picture/{offering.pk}/"):
        page = content(mei, address(path))
        assert ">U1</button>" in page
        assert "V1 &lt;b&gt;</button>" in page
        assert "Each 3 credits" in page
    fields = form_of(mei.get(address(f"picture/{offering.pk}/")).content.decode(), "v1")
    script.answers = [Done((picture("plum"),))]
    for _ in range(2):  # pressed twice
        response = mei.post(address(f"picture/{offering.pk}/next/"), fields)
        assert response["Location"] == address("create/")
    assert Batch.objects.exclude(action={}).count() == 1
    work()
    assert script.submitted[-1].action == STEPS[1]
    made = Image.objects.exclude(pk=offering.pk).get()
    assert made.parent == offering
    assert 'class="chain"' in content(mei, address(f"picture/{made.pk}/"))


def test_only_who_may_generate_is_offered_a_step(make_member, address, offering):
    viewer = sign_in(make_member("vera", role=Role.VIEWER))
    page = viewer.get(address(f"picture/{offering.pk}/"))
    assert page.status_code == 200
    assert "follow-ups" not in page.content.decode()
    assert viewer.post(address(f"picture/{offering.pk}/next/"), {"action": "u1"}).status_code == 403
    teammate = sign_in(make_member("lin"))
    assert ">U1</button>" in content(teammate, address(f"picture/{offering.pk}/"))


def test_an_image_that_may_not_be_seen_is_no_parent(make_member, address, offering, mei):
    fields = form_of(mei.get(address(f"picture/{offering.pk}/")).content.decode(), "u1")
    Image.objects.update(visibility="private")
    response = sign_in(make_member("lin")).post(address(f"picture/{offering.pk}/next/"), fields)
    assert response.status_code == 404
    assert Batch.objects.count() == 1


@pytest.mark.parametrize("gone", ["disabled", "model", "role"])
def test_a_step_that_cannot_be_had_says_why(mei, address, offering, member, gone):
    fields = form_of(mei.get(address(f"picture/{offering.pk}/")).content.decode(), "u1")
    if gone == "disabled":
        Upstream.objects.update(enabled=False)
    elif gone == "model":
        Upstream.objects.update(models_served=["ultra"])
    else:
        ModelRule.objects.create(team=member.team, model="core", roles=[Role.OWNER])
    page = content(mei, address(f"picture/{offering.pk}/"))
    assert ">U1</button>" not in page
    said = "may not use Core" if gone == "role" else "The provider account that made this is not in use"
    assert said in page
    response = mei.post(address(f"picture/{offering.pk}/next/"), fields, follow=True)
    assert "toast-error" in response.content.decode()
    assert Batch.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"action": "u9"}, 302),
        ({"action": ""}, 404),
        ({"submission": "x"}, 404),
        ({"prices_at": "2026-99-99T00:00:00+00:00"}, 404),
        ({"prices_at": "2026-01-01T00:00:00"}, 404),
    ],
)
def test_a_form_that_was_tampered_with_orders_nothing(mei, address, offering, changed, status):
    fields = form_of(mei.get(address(f"picture/{offering.pk}/")).content.decode(), "u1") | changed
    assert mei.post(address(f"picture/{offering.pk}/next/"), fields).status_code == status
    assert Batch.objects.count() == 1


def test_images_without_steps_cost_no_query(submit, script, member):
    images = stored(submit, script, picture("red"), picture("teal"))
    with CaptureQueriesContext(connection) as queries:
        assert follow_ups.of_images(member, images) == {}
    assert not queries.captured_queries


# Inputs ----------------------------------------------------------------------------------


def upload(member: Any, colour: str, name: str) -> Any:
    file = io.BytesIO()
    Pillow.new("RGB", (128, 128), colour).save(file, "PNG")
    save = input_images.save_mask if name == "mask.png" else input_images.save_upload
    return save(member=member, file=io.BytesIO(file.getvalue()), name=name)


def test_the_pictures_of_a_request_are_shown_to_the_one_who_sent_them(
    mei, address, submit, script, member, make_member
):
    sent = [upload(member, "green", "photo.png"), upload(member, "white", "mask.png")]
    inputs = [NewInput(role, each) for role, each in zip(("image", "mask"), sent, strict=True)]
    [image] = stored(submit, script, picture(), model="inpaint", inputs=inputs)
    assert image.is_composite
    page = content(mei, address(f"picture/{image.pk}/"))
    assert "Made from" in page
    for each, title in zip(sent, ("Image", "Mask"), strict=True):
        assert f"{each.pk}/?small" in page
        assert f"<span>{title}</span>" in page
    other = sign_in(make_member("lin", role=Role.OWNER))
    page = content(other, address(f"picture/{image.pk}/"))
    assert "Made from" not in page
    for each in sent:
        assert str(each.pk) not in page
        assert "128 × 128" not in page


# Tasks -----------------------------------------------------------------------------------


def under_way(progress: int | None, message: str) -> Accepted:
    return Accepted(Task("task-1"), 5.0, progress, message)


def test_a_task_says_on_its_tile_what_the_provider_says(mei, address, submit, script):
    script.answers = [under_way(None, "")]
    row = submit().generations.get()
    work()
    paths = ("create/", f"generation/{row.pk}/tile/", f"generation/{row.pk}/")
    for path in paths:
        assert "In progress" in content(mei, address(path))
    script.polls = [under_way(31, "3rd in <the> queue")]
    poll_due()
    for path in paths:
        page = content(mei, address(path))
        assert "3rd in &lt;the&gt; queue" in page, path
        assert '<progress max="100" value="31"' in page, path


def test_the_history_of_a_task_says_how_it_is_and_how_it_ended(mei, address, submit, script):
    script.answers = [under_way(None, "")]
    row = submit().generations.get()
    work()
    script.polls = [under_way(31, "drawing")]
    poll_due()
    page = content(mei, address(f"generation/{row.pk}/"))
    assert "Attempt 1: accepted" in page
    assert "drawing: 31 %" in page
    assert "it is asked again" not in page
    script.polls = [Unknown("The connection broke.")]
    poll_due()
    assert "The provider did not answer the last time; it is asked again." in content(
        mei, address(f"generation/{row.pk}/")
    )
    script.polls = [Done((picture(),))]
    poll_due()
    assert Attempt.objects.get().outcome == "ok"
    assert "Attempt 1: accepted, then drawn" in content(mei, address(f"generation/{row.pk}/"))
