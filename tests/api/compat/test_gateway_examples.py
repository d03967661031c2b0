"""The curl examples of gateways' documentation, with the portal's address instead of theirs."""

from __future__ import annotations

import io
import shlex
import subprocess

import pytest
from PIL import Image as Pillow

ULTRA = "/v2beta/stable-image/generate/ultra"


@pytest.fixture
def curl(portal, tmp_path):
    """Run curl with options on a path of the portal; return the status, the body and the headers."""

    def run(path, options):
        body, head = tmp_path / "body", tmp_path / "head"
        command = ["curl", "-sS", "-o", str(body), "-D", str(head), "-w", "%{http_code}"]
        done = subprocess.run(
            [*command, *shlex.split(options), portal + path],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return int(done.stdout), body.read_bytes(), head.read_text().lower()

    return run


def test_the_example_of_stability_works(curl, secret):
    status, body, head = curl(
        ULTRA,
        f"-f -H 'authorization: Bearer {secret}' -H 'accept: image/*'"
        " -F 'prompt=Lighthouse on a cliff overlooking the ocean' -F output_format=webp",
    )
    assert status == 200
    assert Pillow.open(io.BytesIO(body)).format == "WEBP"
    assert "finish-reason: success" in head


def test_the_example_of_a_gateway_with_an_urlencoded_form_and_both_types_works(curl, secret):
    status, body, head = curl(
        f"/sd{ULTRA}",
        "--location --request POST --header 'accept: Default: image/*,Enum: application/json image/*'"
        f" --header 'Authorization: Bearer {secret}' --data-urlencode 'prompt=a cat in the rain'",
    )
    assert status == 200, body
    assert "content-type: application/json; type=image/png" in head


def test_the_example_of_a_gateway_with_text_fields_works(curl, secret):
    status, body, _head = curl(
        f"/sd{ULTRA}",
        f"--location --request POST --header 'Authorization: Bearer {secret}'"
        """ --form 'prompt="a cat"' --form 'negative_prompt=""' --form 'aspect_ratio="1:1"'"""
        """ --form 'seed="0"' --form 'output_format="png"'""",
    )
    assert status in {200, 400}, body  # curl's versions differ in whether they remove the quotes
    status, body, _head = curl(
        f"/sd{ULTRA}",
        f"-H 'Authorization: Bearer {secret}' --form 'prompt=a cat' --form negative_prompt="
        " --form aspect_ratio=1:1 --form seed=0 --form output_format=png",
    )
    assert status == 200, body


def test_the_example_of_a_gateway_with_a_key_without_bearer_works(curl, secret):
    status, _body, _head = curl(
        "/sd/v2beta/stable-image/generate/core",
        f"-X POST -H 'authorization: {secret}' -H 'Accept: image/*' -F 'prompt=a cat'",
    )
    assert status == 200


def test_a_file_over_ten_mebibytes_is_refused_although_curl_sends_expect_100_continue(curl, secret, tmp_path):
    large = tmp_path / "large.png"
    large.write_bytes(b"x" * (11 * 1024 * 1024))
    status, body, _head = curl(
        ULTRA, f"-H 'authorization: Bearer {secret}' -F 'prompt=a cat' -F image=@{shlex.quote(str(large))}"
    )
    assert status == 413
    assert b"payload_too_large" in body
