import io
import struct
import tracemalloc
import zlib
from dataclasses import replace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image as Pillow
from PIL import ImageCms, PngImagePlugin

from generations.library.models import Upload
from generations.library.storage import client as storage_client
from generations.library.uploads import input_images
from generations.providers.catalogue.inputs import Input
from tests.library.conftest import decoded, encoded, pixels


def save_upload(member, data, name="photo.png"):
    return input_images.save_upload(member=member, file=io.BytesIO(data), name=name)


def stored(upload):
    return decoded(storage_client.read(upload.key))


def png_that_claims(width, height, body=b""):
    """A PNG's header with hardly anything behind it."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


def webp_that_claims(width, height):
    """A lossless WebP whose header says more than there is: 14 bits of width, 14 of height."""
    data = bytearray(encoded(pixels((64, 64)), "WEBP", lossless=True))
    assert data[12:16] == b"VP8L"
    struct.pack_into("<I", data, 21, (width - 1) | (height - 1) << 14)
    return bytes(data)


@pytest.mark.parametrize("encoding", ["PNG", "JPEG", "WEBP"])
def test_an_upload_is_stored_by_its_hash(member, encoding):
    upload = save_upload(member, encoded(pixels(), encoding), "my fox.png")
    assert upload.key.startswith(f"uploads/{member.team_id}/{upload.sha256}.")
    assert storage_client.head(upload.key).media_type == upload.media_type
    assert stored(upload).size == (upload.width, upload.height) == (320, 200)
    assert storage_client.head(upload.key).size == upload.bytes
    assert upload.name == "my fox.png"


def test_a_png_is_lossless(member):
    picture = pixels()
    assert stored(save_upload(member, encoded(picture))).tobytes() == picture.tobytes()


def test_the_same_picture_is_stored_once_for_each_member(member, teammate):
    data = encoded(pixels())
    mine = save_upload(member, data)
    assert save_upload(member, data, "again.png").pk == mine.pk
    assert save_upload(teammate, data).pk != mine.pk
    assert Upload.objects.count() == 2


def test_a_photo_is_turned_upright_and_loses_its_metadata(member):
    exif = Pillow.Exif()
    exif[0x0112], exif[0x010F] = 6, "Secret camera"
    exif.get_ifd(0x8825)[1] = "N"
    data = encoded(pixels((320, 200)), "JPEG", exif=exif, comment=b"Secret place", xmp=b"<secret/>")
    upload = save_upload(member, data)
    assert (upload.width, upload.height) == (200, 320)
    kept = stored(upload)
    assert not kept.getexif()
    assert b"ecret" not in storage_client.read(upload.key)


def test_a_png_loses_its_text(member):
    words = PngImagePlugin.PngInfo()
    words.add_text("parameters", "Secret prompt")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(pixels(), pnginfo=words, icc_profile=profile, dpi=(300, 300))
    assert set(stored(save_upload(member, data)).info) == set()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
def test_every_pixel_format_becomes_rgb_or_keeps_its_transparency(member, mode):
    picture = (
        Pillow.new("I;16", (80, 80), 40_000) if mode == "I;16" else pixels((80, 80), "RGBA").convert(mode)
    )
    upload = save_upload(member, encoded(picture, "JPEG" if mode == "CMYK" else "PNG"))
    kept = stored(upload)
    assert kept.mode == ("RGBA" if upload.has_alpha else "RGB")
    assert upload.has_alpha == picture.has_transparency_data
    if mode == "I;16":
        assert kept.getpixel((0, 0)) == (156, 156, 156)


def test_an_opaque_picture_with_an_alpha_channel_has_no_transparency(member):
    assert not save_upload(member, encoded(Pillow.new("RGBA", (80, 80), (255, 0, 0, 255)))).has_alpha


OPAQUE, CLEAR = Input(role="image", title="Image"), Input(role="image", title="Image", keeps_alpha=True)


def adapted(member, upload, declared):
    size = declared.fit(upload.width, upload.height)
    return input_images.adapted(member=member, upload=upload, declared=declared, size=size)


def test_transparent_parts_are_kept_and_become_white_for_a_model_that_reads_none(member):
    glass = (255, 0, 0, 0)
    upload = save_upload(member, encoded(Pillow.new("RGBA", (80, 80), glass)))
    assert stored(upload).getpixel((5, 5)) == glass
    white = adapted(member, upload, OPAQUE)
    assert (stored(white).getpixel((5, 5)), white.has_alpha) == ((255, 255, 255), False)
    assert adapted(member, upload, CLEAR).pk == upload.pk


def test_an_upload_that_fits_is_sent_as_it_is_and_a_large_one_smaller(member):
    upload = save_upload(member, encoded(pixels((800, 400))))
    assert adapted(member, upload, OPAQUE).pk == upload.pk
    small = adapted(member, upload, replace(OPAQUE, max_pixels=80_000))
    assert stored(small).size == (small.width, small.height) == (400, 200)


def save_mask(member, data, **options):
    return input_images.save_mask(member=member, file=io.BytesIO(data), name="mask.png", **options)


def test_a_mask_is_grey_and_white_where_it_was_painted(member):
    mask = Pillow.new("RGBA", (100, 80), (0, 0, 0, 0))
    mask.paste((255, 255, 255, 255), (10, 10, 40, 40))
    kept = stored(save_mask(member, encoded(mask)))
    assert (kept.mode, kept.getpixel((20, 20)), kept.getpixel((90, 70))) == ("L", 255, 0)
    openai = stored(save_mask(member, encoded(mask), transparent_is_white=True))
    assert (openai.getpixel((20, 20)), openai.getpixel((90, 70))) == (0, 255)


def test_a_mask_of_16_bits_is_rounded_and_what_is_none_is_refused(member):
    assert stored(save_mask(member, encoded(Pillow.new("I;16", (80, 80), 65_535)))).getpixel((0, 0)) == 255
    with pytest.raises(input_images.BadUpload, match="PNG"):
        save_mask(member, encoded(pixels(), "JPEG"))
    with pytest.raises(input_images.BadUpload, match="transparent"):
        save_mask(member, encoded(pixels()), transparent_is_white=True)


def test_of_an_animation_the_first_frame_is_used(member):
    frames = [pixels(seed=1), pixels(seed=2)]
    for encoding in ("PNG", "WEBP"):
        data = encoded(frames[0], encoding, save_all=True, append_images=frames[1:], lossless=True)
        assert decoded(data).n_frames == 2
        kept = stored(save_upload(member, data))
        assert getattr(kept, "n_frames", 1) == 1
        assert kept.size == (320, 200)
        if encoding == "PNG":
            assert kept.tobytes() == frames[0].tobytes()


def test_a_large_photo_fits_into_the_providers_request(member):
    noise = Pillow.effect_noise((3600, 3600), 200).convert("RGB")
    data = encoded(noise, "JPEG", quality=60)
    assert len(data) < input_images.MAX_FILE_SIZE
    upload = save_upload(member, data)
    assert upload.bytes <= input_images.MAX_RESULT_SIZE
    assert stored(upload).size == (upload.width, upload.height)


@pytest.mark.parametrize(
    ("size", "kept"),
    [((6000, 3000), (4096, 2048)), ((16384, 64), (16384, 64)), ((9000, 32), (9000, 32))],
)
def test_a_larger_picture_than_providers_need_is_reduced(member, size, kept):
    upload = save_upload(member, encoded(Pillow.new("RGB", size, "teal"), "JPEG"))
    assert (upload.width, upload.height) == kept


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty"),
        (b"hello", "not a PNG, JPEG or WebP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a PNG, JPEG or WebP"),
        (encoded(pixels(), "GIF"), "not a PNG, JPEG or WebP"),
        (encoded(pixels(), "BMP"), "not a PNG, JPEG or WebP"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (b"\xff\xd8\xff\xe0", "damaged"),
        (b"RIFF\x00\x00\x00\x00WEBP", "damaged"),
        (encoded(pixels())[:-5_000], "damaged"),
        (encoded(pixels(), "JPEG")[:-1_000], "damaged"),
        (encoded(pixels(), "WEBP")[:-500], "damaged"),
        (encoded(pixels((31, 640))), "at least 32 pixels"),
        (encoded(Pillow.new("1", (20_000, 100))), "too many pixels"),
        (encoded(Pillow.new("L", (6_400, 6_400)), "JPEG"), "too many pixels"),
        (png_that_claims(60_000, 60_000), "too many pixels"),
        (png_that_claims(2**31 - 1, 2**31 - 1), "too many pixels"),
        (png_that_claims(1000, 1000, b"\0" * 10), "damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * (10 * 1024 * 1024), "larger than 10 MB"),
        (encoded(pixels(), "JPEG")[:-2] + b"\xff\xda\0\2\0" * 100 + b"\xff\xd9", "too many layers"),
    ],
    ids=lambda value: value if isinstance(value, str) else "file",
)
def test_an_invalid_file_is_refused_with_a_sentence_and_not_stored(member, data, sentence):
    with pytest.raises(input_images.BadUpload, match=sentence):
        save_upload(member, data)
    assert not Upload.objects.exists()


@pytest.mark.parametrize("name", ["png", "jpeg", "webp"])
def test_a_decompression_bomb_is_refused_before_it_takes_memory(member, name):
    bomb = {
        "png": lambda: png_that_claims(16_000, 16_000, b"\0" * 50_000_000),
        "jpeg": lambda: encoded(Pillow.new("L", (6_400, 6_400)), "JPEG"),
        "webp": lambda: webp_that_claims(9_000, 9_000),
    }[name]()
    tracemalloc.start()
    with pytest.raises(input_images.BadUpload, match="too many pixels"):
        save_upload(member, bomb)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 5 * len(bomb) + 5_000_000


def test_a_file_name_loses_unprintable_characters(member):
    assert save_upload(member, encoded(pixels()), "a\x00\n\u202e狐.png" + "x" * 300).name[:6] == "a狐.png"[:6]


# Through the browser --------------------------------------------------------------


def send(client, member, data, **more):
    address = reverse("library:upload", args=[member.team.slug])
    return client.post(address, {"image": SimpleUploadedFile("fox.png", data)}, **more)


def test_the_response_has_the_url_of_the_upload(sign_in, member):
    signed_in = sign_in(member)
    answer = send(signed_in, member, encoded(pixels()))
    told = answer.json()
    assert set(told) == {"id", "src", "width", "height", "has_alpha", "name"}
    assert (told["width"], told["height"], told["name"]) == (320, 200, "fox.png")
    shown = signed_in.get(told["src"])
    assert decoded(shown.getvalue()).size == (320, 200)
    assert shown["Content-Type"] == "image/png"


def test_an_upload_is_seen_by_its_owner_alone(sign_in, member, teammate, stranger):
    src = send(sign_in(member), member, encoded(pixels())).json()["src"]
    assert sign_in(teammate).get(src).status_code == 404
    assert sign_in(stranger).get(src).status_code == 404
    elsewhere = src.replace(f"/t/{member.team.slug}/", f"/t/{stranger.team.slug}/")
    assert sign_in(stranger).get(elsewhere).status_code == 404


def test_the_browser_gets_a_sentence_for_a_bad_file(sign_in, member):
    answer = send(sign_in(member), member, b"\0" * (12 * 1024 * 1024))
    assert answer.status_code == 422
    assert "larger than 10 MB" in answer.json()["error"]
    answer = sign_in(member).post(reverse("library:upload", args=[member.team.slug]))
    assert answer.status_code == 422
    assert answer.json() == {"error": "Choose a picture first."}


def test_a_viewer_cannot_upload(sign_in, viewer):
    assert send(sign_in(viewer), viewer, encoded(pixels())).status_code == 403


def test_a_stranger_cannot_upload_to_the_team(sign_in, member, stranger):
    assert send(sign_in(stranger), member, encoded(pixels())).status_code == 404


def test_without_storage_nothing_is_saved_and_the_response_says_so(sign_in, member, settings):
    images = settings.STORAGES["images"]
    away = images | {"OPTIONS": images["OPTIONS"] | {"endpoint_url": "http://127.0.0.1:9"}}
    settings.STORAGES = settings.STORAGES | {"images": away}
    answer = send(sign_in(member), member, encoded(pixels()))
    assert answer.status_code == 503
    assert "does not answer" in answer.json()["error"]
    assert not Upload.objects.exists()


def test_a_picture_of_the_library_becomes_a_start_image(sign_in, teammate, member, make_image):
    image = make_image(member)
    address = reverse("library:use_as_start", args=[member.team.slug, image.pk])
    answer = sign_in(teammate).post(address)
    assert answer.status_code == 302
    create = reverse("jobs:create", args=[member.team.slug])
    assert answer["Location"] == f"{create}?operation=generate&image={image.pk}"
    assert not Upload.objects.exists()  # it is copied when it is sent, and stays linked


def test_an_invisible_picture_cannot_become_a_start_image(sign_in, teammate, stranger, member, make_image):
    image = make_image(member, visibility="private")
    address = reverse("library:use_as_start", args=[member.team.slug, image.pk])
    assert sign_in(teammate).post(address).status_code == 404
    assert sign_in(stranger).post(address).status_code == 404
    assert sign_in(member).get(address).status_code == 405
