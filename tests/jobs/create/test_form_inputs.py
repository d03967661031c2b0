"""The pictures of a request on the form: whose they may be, what is said about them, what is sent."""

from __future__ import annotations

import io
import re
import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image as Pillow

from generations.credits import ledger
from generations.credits.models import Account
from generations.jobs.models import Batch, Generation
from generations.library.models import Image, Upload
from generations.library.uploads import input_images
from generations.teams.models import Membership
from tests.conftest import work
from tests.jobs.create import any_model
from tests.jobs.create.test_forms import errors_of, nothing_was_created, picture
from tests.markup import compact

pytestmark = pytest.mark.django_db(transaction=True)  # what workers do is committed


def png(width: int = 256, height: int = 256, colour: Any = "teal", mode: str = "RGB") -> SimpleUploadedFile:
    data = io.BytesIO()
    Pillow.new(mode, (width, height), colour).save(data, "PNG")
    return SimpleUploadedFile("picture.png", data.getvalue(), "image/png")


def mask(width: int = 256, height: int = 256) -> SimpleUploadedFile:
    return png(width, height, 255, "L")


def uploaded(member: Membership, width: int = 256, height: int = 256) -> Upload:
    return input_images.save_upload(member=member, file=png(width, height), name="mine.png")


@pytest.fixture
def stored(submit, upstream) -> Image:
    """A picture of the library."""
    submit(prompt="a lighthouse in the fog")
    work()
    return Image.objects.get()


@pytest.fixture
def changed(mei, address, upstream):
    """The form after a change, without scripts."""

    def change(**values: Any) -> str:
        answer = mei.post(address("create/"), {"change": "model"} | values)
        assert answer.status_code == 200
        return compact(answer.content.decode())

    return change


def test_an_image_of_the_library_is_sent_and_remembered_as_the_parent(press, stored):
    answer = press(
        model="inpaint", operation="edit", prompt="a boat", input_image=stored.pk, file_mask=mask(1216, 1216)
    )
    assert answer.status_code == 302
    batch = Batch.objects.order_by("-pk")[0]
    given = batch.inputs.get(role="image")
    assert (batch.parent, given.image) == (stored.pk, stored.pk)
    assert given.upload.owner == batch.member


def test_without_credits_no_image_of_the_library_is_copied(press, stored, member):
    ledger.take_back(
        member=member, amount=Account.objects.get(membership=member).available, reference=uuid.uuid4()
    )
    response = press(model="upscale-fast", operation="upscale", input_image=stored.pk)
    assert any("credits" in sentence for sentence in errors_of(response))
    assert not Upload.objects.exists()


def test_an_image_may_be_named_by_image_too(press, stored):
    assert press(model="upscale-fast", image_image=stored.pk).status_code == 302
    assert Batch.objects.order_by("-pk")[0].inputs.get().image == stored.pk


@pytest.mark.parametrize("name", ["input_image", "image_image"])
def test_a_picture_of_somebody_else_is_not_there(press, make_member, stored, name):
    Image.objects.update(owner=make_member("jonas"), visibility="private")
    for pk in (stored.pk, uploaded(make_member("tom")).pk, uuid.uuid4(), "nonsense"):
        response = press(model="upscale-fast", **{name: pk})
        assert response.status_code == 422
        assert "This picture is not there any more. Choose it again." in errors_of(response)
    assert Batch.objects.count() == 1


def test_a_picture_in_the_trash_or_of_another_kind_is_not_there(press, stored):
    for change in ({"trashed_at": stored.created_at}, {"trashed_at": None, "kind": "svg"}):
        Image.objects.update(**change)
        assert press(model="upscale-fast", input_image=stored.pk).status_code == 422


def test_several_pictures_keep_their_order(press, member, monkeypatch):
    any_model.add(monkeypatch, any_model.ATELIER)
    uploads = [uploaded(member, width) for width in (300, 100, 200)]
    first = uploaded(member)
    sent = {"input_reference": [each.pk for each in uploads], "input_image": first.pk}
    assert press(model="atelier", prompt="a heron", depth="0.5", **sent).status_code == 302
    widths = [each.upload.width for each in Batch.objects.get().inputs.filter(role="reference")]
    assert widths == [300, 100, 200]


def test_more_pictures_than_the_model_takes_are_said_before_and_refused_after_sending(changed, press, member):
    uploads = [uploaded(member, width).pk for width in (100, 200)]
    assert "Only one image fits here; these are 2." in changed(
        model="upscale-fast", operation="upscale", input_image=uploads
    )
    response = press(model="upscale-fast", input_image=uploads)
    assert "Only one image fits here; these are 2." in errors_of(response)
    assert nothing_was_created()


def test_what_will_be_made_smaller_is_said_with_the_size(changed, member):
    page = changed(model="upscale-fast", operation="upscale", input_image=uploaded(member, 2_000, 1_000).pk)
    assert re.search(r"Will be made smaller, to 1\d{3} × \d{3}\.", page)
    assert "Will be made smaller" not in changed(
        model="upscale-fast", operation="upscale", input_image=uploaded(member, 800, 600).pk
    )


def test_what_the_model_cannot_take_is_said_under_the_picture(changed, member):
    page = changed(model="outpaint", operation="outpaint", input_image=uploaded(member, 1_000, 200).pk)
    assert "This picture is too long (1000 x 200)" in page
    assert 'id="generate"' in page


def test_transparency_that_is_not_sent_is_said(changed, member):
    clear = input_images.save_upload(
        member=member, file=png(colour=(0, 0, 0, 0), mode="RGBA"), name="clear.png"
    )
    assert "What is transparent becomes white." in changed(model="ultra", input_image=clear.pk)
    assert "What is transparent becomes white." not in changed(
        model="inpaint", operation="edit", input_image=clear.pk
    )


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (lambda: mask(100, 256), "they must be the same"),
        (lambda: SimpleUploadedFile("m.jpg", jpeg(), "image/jpeg"), "A mask must be a PNG"),
        (lambda: SimpleUploadedFile("m.png", b"nothing", "image/png"), "picture"),
    ],
    ids=["another size", "a JPEG", "no picture"],
)
def test_a_mask_that_cannot_be_used_is_an_error_at_its_field(press, member, file, sentence):
    response = press(model="inpaint", prompt="a boat", input_image=uploaded(member).pk, file_mask=file())
    assert response.status_code == 422
    page = compact(response.content.decode())
    assert re.search(rf'id="error-input-mask">[^<]*{sentence}', page), errors_of(response)
    assert nothing_was_created()


def jpeg() -> bytes:
    data = io.BytesIO()
    Pillow.new("RGB", (256, 256)).save(data, "JPEG")
    return data.getvalue()


def test_without_a_mask_and_transparency_the_field_of_the_mask_says_what_is_missing(press, member):
    response = press(model="inpaint", prompt="a boat", input_image=uploaded(member).pk)
    assert 'id="error-input-mask">Paint a mask' in compact(response.content.decode())
    assert nothing_was_created()


def test_an_image_of_the_library_is_no_mask(press, stored, member):
    sent = {"input_image": uploaded(member, 1216, 1216).pk, "input_mask": stored.pk}
    assert press(model="inpaint", prompt="a boat", **sent).status_code == 422
    assert Batch.objects.count() == 1


def test_pictures_stay_when_another_model_is_chosen_and_when_one_that_takes_none_is(changed, member):
    mine = uploaded(member)
    shown = f'name="input_image" value="{mine.pk}"'
    page = changed(model="inpaint", operation="edit", input_image=mine.pk, input_mask="")
    assert shown in page
    assert "mine.png" in page
    page = changed(model="core", operation="generate", input_image=mine.pk)
    kept = page[page.index("data-kept-inputs") :]
    assert f'type="hidden" {shown}' in kept
    assert "mine.png" in kept
    assert "This model takes no image." in kept
    assert "kept, not sent" in kept


def test_a_picture_that_the_model_does_not_take_is_one_press_from_a_model_that_does(changed, press, member):
    mine = uploaded(member)
    page = changed(model="core", operation="generate", input_image=mine.pk)
    offers = dict(re.findall(r'name="switch_to" value="([^"]+)" data-switch-to>([^<]+)<', page))
    assert offers["generate ultra"].strip() == "Use it with Ultra"
    [edit] = [title.strip() for value, title in offers.items() if value.startswith("edit ")]
    assert edit.startswith("Edit it with ")
    page = changed(model="core", operation="generate", input_image=mine.pk, switch_to="generate ultra")
    assert 'name="model" value="ultra" checked' in page
    assert f'name="input_image" value="{mine.pk}"' in page[page.index('data-input="image"') :]
    assert press(model="core", input_image=mine.pk).status_code == 302
    assert not Batch.objects.get().inputs.exists()


def test_a_kept_picture_of_somebody_else_is_not_shown(changed, make_member):
    theirs = uploaded(make_member("tom"))
    page = changed(model="core", operation="generate", input_image=theirs.pk, switch_to="nonsense")
    assert str(theirs.pk) not in page


def test_without_scripts_a_file_is_kept_when_the_model_changes_and_can_be_removed(changed, member):
    page = changed(model="inpaint", operation="edit", shown_model="upscale-fast", file_image=picture())
    kept = Upload.objects.get()
    assert f'name="input_image" value="{kept.pk}"' in page
    page = changed(model="inpaint", operation="edit", input_image=kept.pk, remove_input=f"image {kept.pk}")
    assert str(kept.pk) not in page


def test_a_file_that_cannot_be_read_is_said_when_the_model_changes(changed):
    bad = SimpleUploadedFile("notes.png", b"no picture", "image/png")
    page = changed(model="inpaint", operation="edit", shown_model="inpaint", file_image=bad)
    assert re.search(r'id="error-input-image">[^<]*picture', page)


def test_pages_opened_before_an_update_send_their_start_image(press, member):
    assert press(model="ultra", start=uploaded(member).pk, strength="0.5").status_code == 302
    assert press(model="ultra", image=picture(300, 300), strength="0.5").status_code == 302
    assert [batch.inputs.count() for batch in Batch.objects.all()] == [1, 1]


def test_an_upload_says_its_size_and_transparency_and_a_mask_becomes_grey(mei, address, bucket):
    sent = mei.post(address("upload/"), {"image": png(colour=(9, 9, 9, 0), mode="RGBA")}).json()
    assert (sent["width"], sent["height"], sent["has_alpha"]) == (256, 256, True)
    sent = mei.post(address("upload/"), {"image": png(colour="white"), "role": "mask"}).json()
    row = Upload.objects.get(pk=sent["id"])
    data = b"".join(mei.get(address(f"upload/{row.pk}/")).streaming_content)
    assert Pillow.open(io.BytesIO(data)).mode == "L"


def test_a_small_upload_is_a_thumbnail_for_its_owner_alone(mei, address, client, make_member, bucket, member):
    row = uploaded(member, 2_000, 1_000)
    answer = mei.get(address(f"upload/{row.pk}/?small"))
    assert Pillow.open(io.BytesIO(answer.content)).size == (400, 200)
    again = mei.get(address(f"upload/{row.pk}/?small"), headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    client.force_login(make_member("tom").user, "allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(address(f"upload/{row.pk}/?small")).status_code == 404


# Operations ----------------------------------------------------------------------------------


def test_an_address_opens_an_operation_with_a_picture_in_place(mei, address, stored):
    page = compact(mei.get(address(f"create/?operation=upscale&image={stored.pk}")).content.decode())
    assert 'name="operation" value="upscale" checked' in page
    assert re.search(r'name="model" value="upscale-\w+" checked', page)
    assert f'name="input_image" value="{stored.pk}"' in page
    assert 'data-prefilled="operation model input_image"' in page
    assert mei.get(address(f"create/?operation=upscale&image={uuid.uuid4()}")).status_code == 404
    assert mei.get(address("create/?operation=upscale&image=nonsense")).status_code == 404
    assert mei.get(address("create/?operation=nonsense")).status_code == 200


def test_a_start_image_of_an_old_address_is_in_place(mei, address, stored, member):
    mine = uploaded(member)
    page = compact(mei.get(address(f"create/?start={mine.pk}")).content.decode())
    assert f'name="input_image" value="{mine.pk}"' in page
    assert 'name="model" value="ultra" checked' in page


def test_only_operations_that_an_account_serves_are_offered(mei, address, upstream, stored):
    upstream.models_served = ["core", "upscale-fast"]
    upstream.save()
    page = mei.get(address("create/")).content.decode()
    assert re.findall(r'name="operation"\s+value="(\w+)"', page) == ["generate", "upscale"]
    page = mei.get(address(f"picture/{stored.pk}/")).content.decode()
    assert re.findall(r"\?operation=(\w+)&amp;image=", page) == ["upscale"]
    upstream.models_served = ["core"]
    upstream.save()
    page = mei.get(address("create/")).content.decode()
    assert 'type="radio" name="operation"' not in compact(page)


def test_a_model_of_another_operation_than_the_chosen_one_is_not_sent_by_mistake(press, member):
    response = press(model="core", operation="edit")
    assert "This model does something else. Choose one of these." in errors_of(response)
    assert nothing_was_created()


def test_after_an_edit_without_scripts_the_next_form_edits_too(press, mei, member):
    answer = press(model="upscale-fast", operation="upscale", input_image=uploaded(member).pk)
    assert answer["Location"].endswith(f"create/?from={Generation.objects.get().pk}")
    page = compact(mei.get(answer["Location"]).content.decode())
    assert 'name="model" value="upscale-fast" checked' in page


def test_a_batch_shows_its_pictures_and_what_was_done(press, mei, address, member):
    mine = uploaded(member)
    press(model="inpaint", prompt="a boat", input_image=mine.pk, file_mask=mask())
    page = compact(mei.get(address("create/")).content.decode())
    batch = page[page.index("<article") :]
    assert f"upload/{mine.pk}/?small" in batch
    assert re.findall(r'alt="(Image|Mask)"', batch) == ["Image", "Mask"]
    assert "<span>Edit</span>" in batch


def test_an_edit_of_an_image_is_used_again_with_its_pictures(press, mei, address, stored):
    press(model="inpaint", prompt="a boat", input_image=stored.pk, file_mask=mask(1216, 1216))
    row = Generation.objects.order_by("-pk")[0]
    page = compact(mei.get(address(f"create/?from={row.pk}&use=remix")).content.decode())
    assert f'name="input_image" value="{stored.pk}"' in page  # by the library, so that the chain goes on
    assert f'name="input_mask" value="{row.batch.inputs.get(role="mask").upload_id}"' in page


# The picker ----------------------------------------------------------------------------------


def test_the_picker_shows_and_searches_what_the_member_may_see(
    mei, address, stored, submit, client, make_member
):
    submit(prompt="a heron")
    work()
    heron = Image.objects.exclude(pk=stored.pk).get()
    shown = lambda query="": re.findall(  # noqa: E731
        r'data-pick-image="([^"]+)"', mei.get(address(f"library/picker/?role=image{query}")).content.decode()
    )
    assert shown() == [str(heron.pk), str(stored.pk)]
    assert shown("&part&q=lighthouse") == [str(stored.pk)]
    assert shown("&q=nothing") == []
    Image.objects.filter(pk=heron.pk).update(kind="file")
    assert shown() == [str(stored.pk)]
    submit(prompt="a secret heron", visibility="private")
    work()
    assert len(shown("&q=secret")) == 1
    client.force_login(make_member("tom").user, "allauth.account.auth_backends.AuthenticationBackend")
    secret = "library/picker/?role=image&q=secret"
    assert "data-pick-image" not in client.get(address(secret)).content.decode()
    assert "data-pick-image" in client.get(address("library/picker/?role=image")).content.decode()
