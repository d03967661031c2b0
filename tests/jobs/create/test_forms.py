"""The form of Create: what it accepts and refuses, and that input is kept."""

from __future__ import annotations

import io
import re
import struct
import uuid
import zlib
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image as Pillow

from generations.credits.models import Hold
from generations.jobs.models import Batch, BatchInput, Generation, Price
from generations.library.models import Upload
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.operations import Operation
from tests.markup import compact


def picture(width: int = 256, height: int = 256, name: str = "start.png") -> SimpleUploadedFile:
    data = io.BytesIO()
    Pillow.new("RGB", (width, height), "teal").save(data, "PNG")
    return SimpleUploadedFile(name, data.getvalue(), "image/png")


def claimed_size(width: int, height: int) -> SimpleUploadedFile:
    """A PNG of a few bytes that says it is huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64))
    return SimpleUploadedFile("bomb.png", body + chunk(b"IEND", b""), "image/png")


def errors_of(response: Any) -> list[str]:
    """The errors that stand on the page."""
    return re.findall(r'<p class="error"[^>]*>([^<]+)</p>', compact(response.content.decode()))


def nothing_was_created() -> bool:
    return not (Batch.objects.exists() or Generation.objects.exists() or Hold.objects.exists())


def test_generate_makes_a_batch_and_comes_back_to_the_page(press, mei, member):
    response = press(count=3, aspect_ratio="16:9")
    assert response.status_code == 302
    page = mei.get(response["Location"]).content.decode()
    assert page.count('data-status="queued"') == 3
    assert "ratio-16x9" in page
    assert "9 held" in page


def test_with_scripts_the_answer_is_the_batch_the_balance_and_a_new_submission(press):
    name = uuid.uuid4()
    part = compact(press(by_script=True, submission=name).content.decode())
    assert "<html" not in part
    assert part.count('data-status="queued"') == 1
    assert 'id="balance" hx-swap-oob="true"' in part
    assert 'id="submission-fields" hx-swap-oob="true"' in part
    assert f'value="{name}"' not in part


def test_the_same_form_sent_twice_makes_one_batch_and_one_hold(press):
    name = uuid.uuid4()
    press(submission=name)
    press(submission=name, by_script=True)
    assert Batch.objects.count() == Generation.objects.count() == Hold.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"prompt": "  "}, "Write what the picture shows."),
        ({"prompt": "x" * 10_001}, "at most 10,000 characters"),
        ({"prompt": "a\x00b"}, "Null characters"),
        ({"negative_prompt": "x" * 10_001}, "at most 10,000 characters"),
        ({"model": "sd9"}, "Choose one of the models."),
        ({"model": ""}, "Choose one of the models."),
        ({"aspect_ratio": "4:3"}, "Choose one of:"),
        ({"style_preset": "watercolour"}, "Choose one of:"),
        ({"output_format": "gif"}, "Choose one of:"),
        ({"seed": "-2"}, "whole number from 0 to 4294967294"),
        ({"seed": "4294967295"}, "whole number from 0 to 4294967294"),
        ({"seed": "a few"}, "whole number"),
        ({"count": "11"}, "whole number from 1 to 10"),
        ({"count": "0"}, "whole number from 1 to 10"),
        ({"count": "many"}, "whole number from 1 to 10"),
        ({"count": ""}, "whole number from 1 to 10"),
        ({"model": "sd3.5-large", "cfg_scale": "11"}, "number from 1 to 10"),
        ({"model": "sdxl", "steps": "9"}, "whole number from 10 to 50"),
        ({"model": "sdxl", "prompt": "x" * 2_001}, "at most 2,000 characters"),
        ({"submission": "not a name"}, "Load the page again"),
        ({"prices_at": ""}, "Load the page again"),
        ({"model": "ultra", "input_image": uuid.uuid4()}, "Choose it again"),
        ({"model": "ultra", "input_image": "that one"}, "Choose it again"),
        ({"model": "ultra", "image_image": uuid.uuid4()}, "Choose it again"),
    ],
)
def test_an_invalid_request_gets_an_error_and_costs_nothing(press, fields, sentence):
    for by_script in (False, True):
        response = press(by_script=by_script, **fields)
        assert response.status_code == 422
        assert [found for found in errors_of(response) if sentence in found]
    assert nothing_was_created()


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (lambda: SimpleUploadedFile("notes.png", b"no picture at all", "image/png"), "picture"),
        (lambda: SimpleUploadedFile("empty.png", b"", "image/png"), "empty"),
        (lambda: SimpleUploadedFile("big.png", b"\x89PNG" + b"0" * 12_000_000, "image/png"), "10 MB"),
        (lambda: picture(20_000, 100), "20,000"),
        (lambda: claimed_size(60_000, 60_000), "pixels"),
        (lambda: picture(31, 32), "32 pixels"),
    ],
    ids=["no picture", "empty", "12 MB", "20,000 pixels wide", "a bomb", "too small"],
)
def test_a_start_image_that_cannot_be_used_gets_an_error(press, file, sentence):
    response = press(model="ultra", file_image=file(), strength="0.5")
    assert response.status_code == 422
    assert errors_of(response)
    assert nothing_was_created()
    assert not Upload.objects.exists()


def test_a_small_image_is_taken_by_the_models_that_take_it(press):
    response = press(model="ultra", file_image=picture(32, 32), strength="0.5")
    assert response.status_code == 422
    assert [found for found in errors_of(response) if "(32 x 32): each side needs 64" in found]
    assert nothing_was_created()
    assert press(model="upscale-fast", file_image=picture(32, 32)).status_code in {200, 302}
    assert BatchInput.objects.get().upload.size == (32, 32)


def test_a_strength_out_of_range_gets_an_error_and_keeps_the_start_image(press):
    response = press(model="ultra", file_image=picture(), strength="2")
    assert response.status_code == 422
    assert [found for found in errors_of(response) if "number from 0 to 1" in found]
    assert f'name="input_image" value="{Upload.objects.get().pk}"' in response.content.decode()
    assert nothing_was_created()


def test_the_form_is_kept_when_something_is_wrong(press):
    name = uuid.uuid4()
    answer = press(
        prompt="a <b>bold</b> harbour", model="sd3.5-medium", seed="twelve", count=7, submission=name
    )
    page = compact(answer.content.decode())
    assert "a &lt;b&gt;bold&lt;/b&gt; harbour</textarea>" in page
    assert re.search(r'value="sd3.5-medium" checked', page)
    assert 'value="twelve"' in page
    assert f'name="submission" value="{name}"' in page
    assert re.search(r'name="count"[^>]*value="7"', page)


def test_fields_that_the_model_does_not_take_are_ignored(press):
    assert press(model="core", cfg_scale="99", steps="1", strength="5").status_code == 302
    assert set(Generation.objects.get().parameters) <= {"prompt", "aspect_ratio", "output_format"}


def test_a_start_image_is_sent_with_a_model_that_takes_one_and_the_shape_is_its_own(press):
    assert press(model="sd3.5-large", file_image=picture(), strength="0.4").status_code == 302
    batch = Batch.objects.get()
    assert batch.start_image == Upload.objects.get()
    assert batch.parameters["strength"] == 0.4
    assert "aspect_ratio" not in batch.parameters


def test_somebody_elses_start_image_cannot_be_named(press, make_member):
    upload = Upload.objects.create(
        team=make_member("jonas").team,
        owner=make_member("tom"),
        key="k",
        sha256="0" * 64,
        media_type="image/png",
        width=64,
        height=64,
        bytes=1,
    )
    assert press(model="ultra", input_image=upload.pk, strength="0.5").status_code == 422
    assert nothing_was_created()


def test_without_enough_credits_the_page_says_what_is_missing(press, member):
    response = press(model="ultra", count=10)
    assert response.status_code == 302  # 80 of 100
    response = press(model="ultra", count=10)
    assert response.status_code == 422
    assert [found for found in errors_of(response) if "60 more needed" in found]
    assert Batch.objects.count() == 1


def test_a_price_that_rose_asks_again_and_then_takes_it(press, team):
    shown = timezone.now() - timedelta(minutes=5)
    Price.objects.create(
        model="core", team=team, amount=400, valid_from=timezone.now() - timedelta(minutes=1)
    )
    name = uuid.uuid4()
    response = press(prices_at=shown.isoformat(), submission=name)
    assert [found for found in errors_of(response) if "from 3 to 4 credits" in found]
    assert nothing_was_created()
    again = re.search(r'name="prices_at" value="([^"]+)"', response.content.decode())
    assert press(prices_at=again[1].replace("&#x2B;", "+"), submission=name).status_code == 302
    assert Generation.objects.get().price == 400


def test_a_prompt_in_another_language_gets_a_hint_and_is_not_refused(press):
    page = compact(press(prompt="海边的日出", count=99).content.decode())
    hint = re.search(r'<p class="hint" id="language-hint"[^>]*>', page)[0]
    assert "hidden" not in hint
    assert press(prompt="海边的日出").status_code == 302


def test_the_next_form_starts_with_what_was_chosen_last(press, mei, address):
    press(model="sd3.5-flash", aspect_ratio="2:3", count=4, output_format="webp", seed="7")
    page = compact(mei.get(address("create/")).content.decode())
    assert 'value="sd3.5-flash" checked' in page
    assert re.search(r'value="2:3"[^>]* checked', page)
    assert 'value="webp" checked' in page
    assert re.search(r'name="count"[^>]*value="4"', page)
    assert re.search(r'id="id_seed"[^>]*value=""', page)
    assert page.index('value="sd3.5-flash"') < page.index('value="core"')


def test_every_model_that_generates_can_be_chosen_and_no_other(mei, address, upstream):
    page = compact(mei.get(address("create/")).content.decode())
    for model in catalogue_registry.MODELS.values():
        is_shown = f'name="model" value="{model.name}"' in page
        is_served = model.name in catalogue_registry.names_of_system("stability")
        assert is_shown == (is_served and model.operation is Operation.GENERATE)
        assert model.title in page or not is_shown


def test_without_a_provider_the_page_says_so(mei, address):
    page = compact(mei.get(address("create/")).content.decode())
    assert "No provider account is switched on yet" in page
    assert 'id="generate" disabled' in page


def test_an_operator_without_a_provider_is_led_to_the_portals_own_pages(mei, address, member):
    member.user.is_staff = True
    member.user.save()
    page = compact(mei.get(address("create/")).content.decode())
    note = page[page.index("No provider account is switched on yet") :]
    assert 'href="/operate/accounts/"' in note[: note.index("</span>")]
