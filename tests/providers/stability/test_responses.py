"""Responses: images in either format, or errors that may have been charged."""

from __future__ import annotations

import base64
import gzip
import io
import json
import time

import pytest
from PIL import Image

from generations.providers.base import Busy, ImageRequest, Unavailable, Unknown
from tests.providers.fake_provider import assert_readable, error, make_image, response
from tests.providers.specification import FORMATS

PNG = make_image()
TEXT = base64.b64encode(PNG).decode()


def answer(data: object, **headers: str) -> bytes:
    return response(200, json.dumps(data).encode(), **headers)


@pytest.mark.parametrize("kind", FORMATS)
def test_the_type_of_an_image_is_that_of_its_bytes_not_of_the_header(fake_provider, draw, kind):
    fake_provider.plan = [
        response(200, make_image(kind, (80, 96)), content_type="text/html", seed="77", x_request_id="r-9")
    ]
    done = draw()
    [image] = done.outputs
    assert (image.media_type, image.width, image.height, image.seed) == (f"image/{kind}", 80, 96, 77)
    assert (done.filtered, done.finish_reason, done.request_id, done.status) == (False, "SUCCESS", "r-9", 200)


@pytest.mark.parametrize(
    ("data", "seed"),
    [
        ({"image": TEXT, "finish_reason": "SUCCESS", "seed": 343940597}, 343940597),
        ({"image": TEXT, "finish_reason": "SUCCESS"}, None),
        ({"image": TEXT, "seed": "343"}, 343),
        ({"image": TEXT, "seed": ["x"], "finish_reason": 3}, None),
        ({"image": TEXT, "seed": -1}, None),
        ({"image": TEXT, "seed": True}, None),
        ({"result": TEXT, "seed": 5.0}, 5),
        ({"artifacts": [{"base64": TEXT, "finishReason": "SUCCESS", "seed": 1050625087}]}, 1050625087),
        ({"artifacts": [{"base64": TEXT}]}, None),
    ],
)
def test_images_in_json_are_accepted(fake_provider, draw, data, seed):
    for model in ("core", "sdxl"):
        fake_provider.plan = [answer(data, content_type="application/json; type=image/png")]
        [image] = draw(model).outputs
        assert (image.data, image.seed) == (PNG, seed)


PADDED = next(
    text
    for size in range(40, 60)
    if (text := base64.b64encode(make_image(size=(size, 9))).decode())[-1] == "="
)
WRAPPINGS = {
    "data URL": lambda text: f"data:image/png;base64,{text}",
    "data URL with parameters": lambda text: f"Data:image/png;name=a.png;charset=utf-8;base64, {text}",
    "lines of 76": lambda text: "\n".join(text[at : at + 76] for at in range(0, len(text), 76)),
    "lines of 64 with CRLF": lambda text: "\r\n".join(text[at : at + 64] for at in range(0, len(text), 64)),
    "line ends escaped twice": lambda text: "\\n".join(text[at : at + 76] for at in range(0, len(text), 76)),
    "URL-safe": lambda text: text.replace("+", "-").replace("/", "_"),
    "URL-safe without padding": lambda text: text.replace("+", "-").replace("/", "_").rstrip("="),
    "without padding": lambda text: text.rstrip("="),
    "too much padding": lambda text: text.rstrip("=") + "====",
    "quoted": lambda text: f'"{text}"',
    "percent-encoded": lambda text: text.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"),
    "spaces around": lambda text: f"\t {text}\n",
}


@pytest.mark.parametrize("wrap", WRAPPINGS.values(), ids=WRAPPINGS.keys())
def test_a_paid_image_is_not_lost_over_the_wrapping_of_its_base64(fake_provider, draw, wrap):
    for text in (TEXT, PADDED):
        wrapped, image = wrap(text), base64.b64decode(text)
        for model, data in (
            ("core", {"image": wrapped}),
            ("sdxl", {"artifacts": [{"base64": wrapped}]}),
            ("core", {"data": [{"b64_json": wrapped, "url": None}]}),
            ("core", {"images": [wrapped]}),
        ):
            fake_provider.plan = [answer(data)]
            assert draw(model).outputs[0].data == image


def test_a_body_is_read_whatever_surrounds_its_json_or_base64(fake_provider, draw):
    lines = "\n".join(TEXT[at : at + 76] for at in range(0, len(TEXT), 76))
    fake_provider.plan = [
        response(200, b"\xef\xbb\xbf" + json.dumps({"image": TEXT}).encode()),
        response(200, f'{{"image": "{lines}"}}'.encode()),  # line ends that JSON forbids
        response(200, lines.encode(), content_type="text/plain"),
        response(200, f"data:image/png;base64,{TEXT}".encode(), content_type="image/png"),
        response(200, json.dumps(TEXT).encode(), content_type="application/json"),
    ]
    assert [draw().outputs[0].data for _ in range(5)] == [PNG] * 5


def test_the_requested_seed_is_used_when_the_response_has_none(fake_provider, draw):
    fake_provider.plan = [response(200, PNG), answer({"image": TEXT, "seed": 0})]
    assert [draw(seed=99).outputs[0].seed for _ in range(2)] == [99, 99]


def test_chunked_and_compressed_images_are_decoded(fake_provider, draw):
    pieces = b"".join(
        b"%x\r\n%s\r\n" % (len(PNG[at : at + 50]), PNG[at : at + 50]) for at in range(0, len(PNG), 50)
    )
    fake_provider.plan = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n" + PNG,
        response(200, gzip.compress(PNG), content_encoding="gzip"),
        b"HTTP/1.1 100 Continue\r\n\r\n" + response(200, PNG),
    ]
    assert [draw().outputs[0].data for _ in range(4)] == [PNG] * 4


@pytest.mark.parametrize(
    "sent",
    [
        response(200, PNG, finish_reason="CONTENT_FILTERED"),
        response(200, b"blurred away", finish_reason="content_filtered"),
        answer({"image": TEXT, "finish_reason": "CONTENT_FILTERED"}),
        answer({"artifacts": [{"base64": TEXT, "finishReason": "CONTENT_FILTERED", "seed": 1}]}),
        answer({"artifacts": [{"finishReason": "CONTENT_FILTERED"}]}),
    ],
)
def test_a_filtered_image_is_reported_and_dropped(fake_provider, draw, sent):
    fake_provider.plan = [sent]
    done = draw()
    assert done.filtered
    assert (done.kept, done.outputs[0].data) == ((), b"")
    assert done.finish_reason == "CONTENT_FILTERED"


def test_a_picture_with_an_unknown_finish_reason_is_kept(fake_provider, draw):
    fake_provider.plan = [
        response(200, PNG, finish_reason="SUCCESS_WITH_REMARKS"),
        answer({"image": TEXT, "finish_reason": "TIRED"}),
    ]
    assert [draw().finish_reason for _ in range(2)] == ["SUCCESS_WITH_REMARKS", "TIRED"]


def bomb() -> bytes:
    """A PNG of 66 million pixels in a few kilobytes."""
    file = io.BytesIO()
    Image.new("1", (8_100, 8_100)).save(file, "PNG")
    return file.getvalue()


def gif() -> bytes:
    file = io.BytesIO()
    Image.new("P", (9, 9)).save(file, "GIF")
    return file.getvalue()


def broken(at: int) -> bytes:
    return PNG[:at] + bytes([PNG[at] ^ 0xFF]) + PNG[at + 1 :]


@pytest.mark.parametrize(
    ("data", "kind", "media_type"), [(gif(), "image", "image/gif"), (bomb(), "file", "image/png")]
)
def test_bytes_that_were_paid_for_are_kept_whatever_they_are(fake_provider, draw, data, kind, media_type):
    fake_provider.plan = [response(200, data, content_type="image/png")]
    [output] = draw().outputs
    assert (output.data, output.kind, output.media_type) == (data, kind, media_type)


def test_a_large_image_in_json_is_kept_and_json_of_many_values_is_not_read(fake_provider, draw):
    file = io.BytesIO()
    Image.effect_noise((4_500, 4_500), 90).save(file, "PNG", compress_level=0)
    large = file.getvalue()
    assert len(base64.b64encode(large)) > 24 * 2**20
    fake_provider.plan = [answer({"image": base64.b64encode(large).decode()})]
    assert draw(timeout=30).outputs[0].data == large
    image = json.dumps({"image": TEXT}).encode()
    fake_provider.plan = [response(200, b"[" + image + b",{}" * 9_000_000 + b"]")]
    with pytest.raises(Unknown, match="without an image"):
        draw(timeout=30)


def test_a_broken_image_among_several_costs_none_of_the_others(fake_provider, draw):
    entries = [{"base64": TEXT, "seed": 1}, {"base64": TEXT[:40]}, {"finishReason": "CONTENT_FILTERED"}]
    fake_provider.plan = [answer({"artifacts": entries})]
    done = draw()
    assert [output.data for output in done.kept] == [PNG]
    assert (len(done.outputs), done.broken) == (2, 1)


def test_bytes_of_a_type_that_only_the_provider_knows_are_kept(fake_provider, draw):
    fake_provider.plan = [response(200, b"\0\0\1\0" * 50, content_type="image/x-icon")]
    kept = draw().kept
    assert [(output.kind.value, output.media_type) for output in kept] == [("file", "image/x-icon")]


UNUSABLE = {
    "empty": response(200),
    "no content": response(204),
    "partial content": response(206, PNG[:100]),
    "early hints": response(103),
    "strange status": response(799, PNG),
    "no image": response(200, b"\x00garbage" * 50, content_type="image/png"),
    "page": response(200, b"<html>Welcome</html>"),
    "half a png": response(200, PNG[: len(PNG) // 2]),
    "png without its end": response(200, PNG[:-12]),
    "png with a wrong byte": response(200, broken(len(PNG) // 2)),
    "half a jpeg": response(200, make_image("jpeg")[: len(make_image("jpeg")) // 2]),
    "half a webp": response(200, make_image("webp")[:-40]),
    "wrong base64": answer({"image": TEXT[:-3]}),
    "strange base64": answer({"image": "*" + TEXT}),
    "cut in base64": answer({"image": base64.b64encode(PNG[:99]).decode()}),
    "no image in json": answer({"finish_reason": "SUCCESS", "seed": 5}),
    "null": answer({"image": None}),
    "list": answer([1, 2]),
    "no artifacts": answer({"artifacts": []}),
    "failed artifact": answer({"artifacts": [{"base64": TEXT, "finishReason": "ERROR"}]}),
    "deep": response(200, b'{"image":' * 5000),
    "long number": response(200, b'{"seed":' + b"9" * 10_000 + b"}"),
    "gzip that is none": response(200, PNG, content_encoding="gzip"),
    "gzip cut": response(200, gzip.compress(PNG)[:-9], content_encoding="gzip"),
    "other coding": response(200, PNG, content_encoding="br"),
}


@pytest.mark.parametrize("sent", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_success_without_a_complete_image_is_unknown(fake_provider, draw, sent):
    fake_provider.plan = [sent]
    with pytest.raises(Unknown) as caught:
        draw()
    assert_readable(caught.value)


def test_the_balance_is_none_where_the_provider_has_none(fake_provider, provider):
    told = [
        response(404),
        answer({}),
        response(200, b"<html>"),
        answer({"credits": "9"}),
        answer({"credits": 10**999}),
    ]
    fake_provider.plan = [*told, response(200, b'{"credits": NaN}'), answer({"credits": True}), answer([1])]
    assert [provider.balance(timeout=2) for _ in range(8)] == [None] * 8
    fake_provider.plan = [answer({"credits": -1})]
    assert provider.balance(timeout=2) == -1


def test_the_balance_raises_the_same_errors(fake_provider, provider):
    for sent, kind in (
        (response(401), Unavailable),
        (error(500, {"name": "internal_error", "errors": ["oops"]}), Busy),
        (response(200, b"{", content_length="9"), Unknown),
    ):
        fake_provider.plan = [sent]
        with pytest.raises(kind):
            provider.balance(timeout=2)


def test_a_too_large_response_is_aborted(fake_provider, provider):
    def endless(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(80):
            connection.sendall(b"\x89" * (1 << 20))

    fake_provider.plan = [
        endless,
        response(200, gzip.compress(b"0" * 80_000_000, 1), content_encoding="gzip"),
    ]
    started = time.monotonic()
    for _ in range(2):
        with pytest.raises(Unknown, match="could not be read"):
            provider.submit(ImageRequest("core", {"prompt": "x"}), timeout=9)
    assert time.monotonic() - started < 5
