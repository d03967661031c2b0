"""Every error response becomes one of five errors, with a readable reason without the key."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from generations.providers.base import Busy, ModelUnavailable, Refused, Unavailable, Unknown
from tests.providers.fake_provider import KEY, assert_readable, error, response
from tests.providers.smallest_requests import smallest


def stability(status: int, name: str, *errors: str, **headers: str) -> bytes:
    return error(status, {"id": "1", "name": name, "errors": errors}, **headers)


def openai(status: int, code: object, message: object = "told", kind: object = "new_api_error") -> bytes:
    return error(status, {"error": {"message": message, "type": kind, "param": "", "code": code}})


V1_401 = error(401, {"id": "1", "name": "unauthorized", "message": f"Incorrect API key provided: {KEY}."})
MASKED = error(401, {"id": "1", "name": "unauthorized", "message": f"Incorrect key: {KEY[:5]}***{KEY[-4:]}."})
FAULTS = [
    (stability(400, "bad_request", "seed: must be a number"), Refused, "seed: must be a number"),
    (
        error(400, {"id": "1", "name": "bad_request", "message": "height must be 64"}),
        Refused,
        "height must be 64",
    ),
    (
        stability(403, "content_moderation", "Your request was flagged"),
        Refused,
        "refused this prompt (content)",
    ),
    (
        error(
            403,
            {
                "id": "1",
                "name": "permission_denied",  # v1 has no other name for it
                "message": "Your request was flagged by our content moderation system.",
            },
        ),
        Refused,
        "refused this prompt (content)",
    ),
    (stability(413, "payload_too_large", "body: too large"), Refused, "too large"),
    (stability(422, "invalid_language", "English only"), Refused, "takes English only"),
    (stability(422, "public_figure", "likeness"), Refused, "public figure"),
    (openai(400, "content_policy_violation"), Refused, "content"),
    (response(403, b"<html><h1>Forbidden</h1></html>"), Refused, "HTTP 403"),
    (response(415), Refused, "HTTP 415"),
    (response(400, b"\xff\xfe\x00"), Refused, "HTTP 400"),
    (error(400, [[["deep"]]]), Refused, "HTTP 400"),
    (error(400, {"errors": {"a": 1}, "name": 5}), Refused, "HTTP 400"),
    (error(400, {"error": "too many words"}), Refused, "too many words"),
    (response(400, b"[" * 60_000), Refused, "HTTP 400"),
    (stability(400, "bad_request", "prompt: <b>insufficient quota</b> is flagged"), Refused, "flagged"),
    (openai(422, "", "insufficient quota, says the prompt"), Refused, "did not accept"),
    (openai(403, "content_policy_violation", "insufficient balance says the prompt"), Refused, "content"),
    (V1_401, Unavailable, "does not accept the key"),
    (MASKED, Unavailable, "does not accept the key"),
    (response(401), Unavailable, "does not accept the key"),
    (stability(402, "payment_required", "You lack sufficient credits"), Unavailable, "no credits left"),
    (response(404, b"<html>nginx</html>"), ModelUnavailable, "nothing at this address"),
    (stability(404, "not_found", "no such resource"), ModelUnavailable, "nothing at this address"),
    (response(405), ModelUnavailable, "takes no requests"),
    (response(410), ModelUnavailable, "any more"),
    (response(407), ModelUnavailable, "sign-in"),
    (openai(501, "api_not_implemented"), ModelUnavailable, "does not offer this"),
    (openai(404, "model_not_found"), ModelUnavailable, "nothing at this address"),
    (openai(403, "model_not_found", "no access to model core"), ModelUnavailable, "does not have this model"),
    (openai(403, "", "This token has no access to model core"), ModelUnavailable, "does not have"),
    (openai(403, "", "该令牌无权访问模型 core"), ModelUnavailable, "does not have this model"),
    (openai(403, "access_denied"), ModelUnavailable, "does not have this model"),
    (openai(400, "model_not_found"), ModelUnavailable, "does not have this model"),
    (openai(500, "channel:no_available_key"), ModelUnavailable, "does not have this model"),
    (stability(400, "bad_request", "model: must be one of sd3.5-large"), ModelUnavailable, "does not have"),
    (stability(400, "bad_request", "prompt: model: must be shorter"), Refused, "did not accept"),
    (openai(400, "", "model: what the prompt says"), Refused, "did not accept"),
    (openai(403, "invalid_prompt", "no access to the model, says the prompt"), Refused, "did not accept"),
    (openai(500, "sensitive_words_detected"), Refused, "content"),
    (
        error(403, {"id": "1", "name": "permission_denied", "message": "no"}),
        ModelUnavailable,
        "does not have",
    ),
    (openai(403, "insufficient_user_quota"), Unavailable, "cannot be used"),
    (openai(403, "pre_consume_token_quota_failed"), Unavailable, "cannot be used"),
    (openai(429, "insufficient_quota"), Unavailable, "cannot be used"),
    (openai(400, "invalid_api_key"), Unavailable, "cannot be used"),
    (openai(400, "billing_hard_limit_reached"), Unavailable, "cannot be used"),
    (
        openai(503, "model_not_found", "No available channel for model core"),
        ModelUnavailable,
        "No available channel",
    ),
    (
        openai(503, "", "当前分组 default 下对于模型 core 无可用渠道"),
        ModelUnavailable,
        "does not have this model",
    ),
    (openai(403, None, "用户额度不足"), Unavailable, "cannot be used"),
    (
        error(403, {"code": 4, "description": "quota_not_enough", "type": "upstream_error"}),
        Unavailable,
        "cannot be used",
    ),
    (error(200, {"error": {"code": "insufficient_user_quota"}}), Unavailable, "cannot be used"),
    (response(302, location="https://elsewhere.example/"), ModelUnavailable, "redirect"),
    (response(301, b"x" * 100_000, location="http://[bad"), ModelUnavailable, "redirect"),
    (response(304), ModelUnavailable, "redirect"),
    (stability(429, "rate_limit_exceeded", "slow down"), Busy, "pause"),
    (openai(429, "rate_limit_exceeded"), Busy, "pause"),
    (stability(500, "internal_error", "oops"), Busy, "HTTP 500"),
    (error(500, {"id": "1", "name": "server_error", "message": "v1"}), Busy, "HTTP 500"),
    (stability(502, "bad_gateway", "try again"), Busy, "HTTP 502"),
    (stability(503, "service_unavailable", "try again"), Busy, "HTTP 503"),
    (openai(503, "server_overloaded"), Busy, "HTTP 503"),
    (response(425), Busy, "HTTP 425"),
    (response(502, b"<html><center>Bad Gateway</center>"), Unknown, "HTTP 502"),
    (response(503, b"<html>Service Unavailable</html>"), Unknown, "HTTP 503"),
    (response(503, b"upstream connect error or disconnect/reset before headers"), Unknown, "HTTP 503"),
    (error(503, {"message": "Service Unavailable"}), Unknown, "HTTP 503"),  # an API gateway's timeout
    (response(504, b"<html>Gateway Time-out</html>"), Unknown, "HTTP 504"),
    (openai(504, "gateway_timeout"), Unknown, "HTTP 504"),
    (stability(504, "timeout", "The server took too long"), Unknown, "HTTP 504"),
    *(
        (response(status, b"<html>cloudflare</html>"), Unknown, f"HTTP {status}")
        for status in range(520, 525)
    ),
    (openai(500, "do_request_failed", "read: connection reset by peer"), Unknown, "HTTP 500"),
    (openai(502, "bad_response_status_code"), Unknown, "HTTP 502"),
    (response(500), Unknown, "HTTP 500"),
    (response(408), Unknown, "HTTP 408"),
    (response(424), Unknown, "HTTP 424"),
    (response(499), Unknown, "HTTP 499"),
    (response(500, b"x", content_length="99"), Unknown, "HTTP 500"),
    (response(503, gzip.compress(b"0" * 50_000_000), content_encoding="gzip"), Unknown, "HTTP 503"),
]


@pytest.mark.parametrize(
    ("sent", "kind", "words"), FAULTS, ids=[f"{n} {kind.__name__}" for n, (_, kind, _) in enumerate(FAULTS)]
)
def test_every_error_response_has_its_class_and_a_readable_reason(fake_provider, draw, sent, kind, words):
    fake_provider.plan = [sent]
    with pytest.raises(kind) as caught:
        draw()
    problem = caught.value
    assert words in problem.reason
    assert problem.status == int(sent[9:12])
    assert_readable(problem)
    assert len(fake_provider.requests) == 1, "one call, whatever comes back"


def test_the_providers_error_code_and_request_id_are_kept(fake_provider, draw):
    fake_provider.plan = [stability(403, "content_moderation", "no", x_request_id="abc-1")]
    with pytest.raises(Refused) as caught:
        draw()
    assert (caught.value.code, caught.value.request_id) == ("content_moderation", "abc-1")


@pytest.mark.parametrize(
    ("header", "lowest", "highest"),
    [
        ("7", 7, 7),
        ("0", 0, 0),
        ("1.5", 1.5, 1.5),
        ("999999", 3600, 3600),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("", None, None),
        ("-5", None, None),
        ("soon", None, None),
        ("nan", None, None),
        ("9" * 40, None, None),
    ],
)
def test_retry_after_is_followed_up_to_a_maximum(fake_provider, draw, header, lowest, highest):
    fake_provider.plan = [
        error(429, {"id": "rate_limit_exceeded", "name": "rate_limit_exceeded"}, retry_after=header)
    ]
    with pytest.raises(Busy) as caught:
        draw()
    assert caught.value.limited
    after = caught.value.retry_after
    assert after is None if lowest is None else lowest <= after <= highest


def test_retry_after_may_be_a_date(fake_provider, draw):
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    fake_provider.plan = [stability(503, "service_unavailable", "later", retry_after=moment)]
    with pytest.raises(Busy) as caught:
        draw()
    assert 50 < caught.value.retry_after <= 60
    assert not caught.value.limited


@pytest.mark.parametrize("sent", [V1_401, MASKED, response(401, f"Key {KEY[:20]} is wrong".encode())])
def test_no_part_of_the_key_is_in_an_error(fake_provider, draw, sent):
    fake_provider.plan = [sent.replace(b"\r\n", f"\r\nX-Request-Id: {KEY}\r\n".encode(), 1)]
    with pytest.raises(Unavailable) as caught:
        draw()
    said = f"{caught.value!r} {caught.value} {caught.value.__dict__}"
    assert not any(KEY[at : at + 5] in said for at in range(3, len(KEY) - 5))


@pytest.mark.parametrize(
    ("model", "errors", "reason"),
    [
        ("erase", ["image: must be a PNG"], "The provider did not accept “Image”: must be a PNG."),
        ("erase", ["mask: has no white"], "The provider did not accept “Mask”: has no white."),
        (
            "replace-background-and-relight",
            ["subject_image: aspect ratio must be at most 2.5"],
            "The provider did not accept “Image”: aspect ratio must be at most 2.5.",
        ),
        ("style-transfer", ["style_image: too small"], "“Image with the style”: too small."),
        ("sdxl", ["init_image: is too large"], "The provider did not accept “Start image”: is too large."),
        ("erase", ["grow_mask: must be at most 20"], "accept the request: grow_mask: must be at most 20."),
        ("erase", ["image:"], "accept the request: image:."),
        ("core", ["image: not taken"], "accept the request: image: not taken."),
    ],
)
def test_an_error_about_an_image_names_it(fake_provider, provider, model, errors, reason):
    fake_provider.plan = [stability(400, "bad_request", *errors)]
    with pytest.raises(Refused) as caught:
        provider.submit(smallest(model, from_image=True), timeout=5)
    assert reason in caught.value.reason
    assert_readable(caught.value)


def test_a_request_that_is_too_large_names_its_images(fake_provider, provider):
    too_large = stability(413, "payload_too_large", "body: payloads cannot be larger than 10MiB in size")
    fake_provider.plan = [too_large, too_large]
    smaller = r"make these images smaller: Image, Image with the style \(payloads .* 10MiB in size\)\.$"
    with pytest.raises(Refused, match=smaller):
        provider.submit(smallest("style-transfer"), timeout=5)
    with pytest.raises(Refused, match=r"too large for the provider: payloads .* 10MiB in size\.$"):
        provider.submit(smallest("core"), timeout=5)


def test_a_request_that_is_too_large_for_a_server_without_words_says_the_largest_one(fake_provider, provider):
    fake_provider.plan = [stability(413, "payload_too_large", "no")]
    with pytest.raises(Refused, match=r"^The request is too large .*: it takes 10 MB in all\.$"):
        provider.submit(smallest("core"), timeout=5)


def test_a_public_figure_is_in_the_image(fake_provider, provider):
    fake_provider.plan = [stability(422, "public_figure", "likeness")]
    with pytest.raises(Refused, match="this image: it shows a public figure") as caught:
        provider.submit(smallest("upscale-fast"), timeout=5)
    assert caught.value.code == "public_figure"


def test_a_flagged_request_with_images_may_be_flagged_for_them(fake_provider, provider):
    fake_provider.plan = [stability(403, "content_moderation", "Your request was flagged")]
    with pytest.raises(Refused, match="refused the prompt or an image"):
        provider.submit(smallest("remove-background"), timeout=5)
