"""Pictures out of answers in OpenAI's format, and what they cost."""

from __future__ import annotations

import base64

import pytest

from generations.providers.base import Refused, Unavailable, Unknown
from generations.sandbox import image_encoding
from tests.providers.fake_provider import error, make_image, response
from tests.providers.openai.conftest import PICTURE, TEXT, answer

USAGE = {
    "input_tokens": 1_074,
    "input_tokens_details": {"text_tokens": 50, "image_tokens": 1_024},
    "output_tokens": 1_756,
    "total_tokens": 2_830,
}
LINK = "https://cdn.example/a.png"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><rect width="9" height="9"/></svg>'


def test_a_picture_has_its_bytes_type_size_and_request_id(draw):
    done = draw()
    [output] = done.outputs
    assert (output.data, output.media_type, output.width, output.height) == (PICTURE, "image/png", 64, 48)
    assert (done.request_id, done.cost, output.seed) == ("r-1", None, None)


def test_the_cost_is_counted_from_the_tokens_at_the_prices_of_the_maker(draw):
    assert draw(answered=answer(usage=USAGE)).cost == 612  # 50 x 5, 1,024 x 8, 1,756 x 30 USD for a million
    assert draw(answered=answer(usage={"input_tokens": 9, "output_tokens": 196})).cost == 60


def test_a_gateway_has_prices_of_its_own(draw, gateway):
    assert draw(answered=answer(usage=USAGE), by=gateway).cost is None


@pytest.mark.parametrize(
    "usage",
    [
        None,
        [],
        {},
        {"output_tokens": "1756", "input_tokens": 1},
        {"output_tokens": -1, "input_tokens": 1},
        {"output_tokens": 10**12, "input_tokens": 1},
        {"output_tokens": True, "input_tokens": 1},
    ],
)
def test_tokens_that_cannot_be_counted_tell_no_cost(draw, usage):
    assert draw(answered=answer(usage=usage)).cost is None


def test_several_pictures_come_in_order_and_a_broken_one_costs_no_other(draw):
    jpeg = base64.b64encode(make_image("jpeg")).decode()
    done = draw(answered=answer({"b64_json": TEXT}, {"b64_json": TEXT[:100]}, {"b64_json": jpeg}))
    assert [output.media_type for output in done.outputs] == ["image/png", "image/jpeg"]
    assert done.broken == 1


@pytest.mark.parametrize(
    "text", [f"data:image/png;base64,{TEXT}", TEXT.rstrip("="), "\n".join([TEXT[:76], TEXT[76:]])]
)
def test_base64_is_read_however_it_is_wrapped(draw, text):
    assert draw(answered=answer({"b64_json": text})).outputs[0].data == PICTURE
    assert draw(answered=answer({"url": f"data:image/png;base64,{TEXT}"})).outputs[0].data == PICTURE


@pytest.mark.parametrize(
    "entry",
    [{"url": LINK}, {"url": LINK, "b64_json": None}, {"url": LINK, "b64_json": "", "revised_prompt": "a"}],
)
def test_a_gateways_address_is_fetched_later(draw, gateway, entry):
    [output] = draw(answered=answer(entry), by=gateway).outputs
    assert (output.url, output.data) == (LINK, b"")


@pytest.mark.parametrize("entry", [{"b64_json": TEXT, "url": ""}, {"b64_json": TEXT, "url": LINK}])
def test_of_both_keys_the_bytes_are_taken(draw, gateway, entry):
    [output] = draw(answered=answer(entry), by=gateway).outputs
    assert (output.url, output.data) == ("", PICTURE)


def test_an_svg_that_comes_as_base64_is_one(draw):
    [output] = draw(answered=answer({"b64_json": base64.b64encode(SVG).decode()})).outputs
    assert (output.kind, output.media_type, output.width) == ("svg", "image/svg+xml", 20)


def test_a_picture_of_many_megabytes_arrives(draw):
    comment = image_encoding.chunk(b"tEXt", b"Comment\0" + b"x" * 20_000_000)
    large = PICTURE[:33] + comment + PICTURE[33:]
    [output] = draw(answered=answer({"b64_json": base64.b64encode(large).decode()})).outputs
    assert output.data == large


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"{",
        b"<html>busy</html>",
        b'{"data": null}',
        b'{"data": []}',
        b'{"data": {"b64_json": "x"}}',
        b'{"data": ["x", 1, null]}',
        b'{"data": [{"b64_json": null, "url": ""}]}',
        b'{"data": [{"b64_json": "bm8gaW1hZ2U="}]}',
        b'{"data": [{"b64_json": 5, "url": ["x"]}]}',
        b"[" * 60_000,
    ],
)
def test_an_answer_without_a_picture_may_have_been_paid_for(draw, body):
    with pytest.raises(Unknown) as caught:
        draw(answered=response(200, body))
    assert caught.value.reason.endswith(".")


def test_an_error_with_status_200_is_what_it_says(draw, gateway):
    def said(code):
        return error(200, {"error": {"message": "told", "type": "new_api_error", "code": code}})

    with pytest.raises(Unavailable):
        draw(answered=said("insufficient_user_quota"), by=gateway)
    with pytest.raises(Refused) as caught:
        draw(answered=said("moderation_blocked"), by=gateway)
    assert caught.value.code == "moderation_blocked"
