"""Texts of providers are translated; `tests/translations` checks that all are marked."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from generations.providers import i18n
from generations.providers import registry as providers_registry
from generations.providers.base import Busy, ImageRequest, ProviderError, Refused
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import InvalidValue
from generations.providers.stability import errors as stability_errors
from generations.providers.stability.responses import parse_response
from generations.providers.transport.http import NOTHING_SENT, Reply, exchange
from tests.providers.fake_provider import KEY


def marked(text: str) -> str:
    return f"⟦{text}⟧"


def bare(sentence: str) -> str:
    """Return the parts of a sentence that were not translated."""
    while (shorter := re.sub("⟦[^⟦⟧]*⟧", "", sentence)) != sentence:
        sentence = shorter
    return sentence


@pytest.fixture(autouse=True)
def _translate_to_marked_text() -> Iterator[None]:
    before = i18n.translate_with(marked)
    yield
    i18n.translate_with(before)


def test_without_a_translation_the_text_is_itself():
    i18n.translate_with(str)
    assert i18n.gettext("Fill in this field.") == "Fill in this field."


def test_gettext_noop_does_not_translate():
    assert i18n.gettext_noop("Cinematic") == "Cinematic"


FIELDS = {field.name: field for model in catalogue_registry.MODELS.values() for field in model.fields}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prompt", 7),
        ("prompt", "a\x00b"),
        ("prompt", "x" * 10_001),
        ("style_preset", "watercolour"),
        ("seed", "-2"),
        ("seed", "a few"),
        ("cfg_scale", "99"),
    ],
)
def test_every_error_of_a_field_is_translated(name, value):
    with pytest.raises(InvalidValue) as caught:
        FIELDS[name].clean(value)
    assert bare(str(caught.value)) == ""


def test_the_error_of_a_too_short_text_is_translated():
    with pytest.raises(InvalidValue) as caught:
        replace(FIELDS["prompt"], min_length=5).clean("four")
    assert bare(str(caught.value)) == ""


def test_every_error_of_a_model_is_translated():
    given = {"prompt": "", "steps": 3}
    with pytest.raises(catalogue_registry.InvalidParameters) as caught:
        catalogue_registry.validate(catalogue_registry.get("core"), given, roles={"image"})
    with pytest.raises(catalogue_registry.InvalidParameters) as other:
        catalogue_registry.validate(catalogue_registry.get("ultra"), {"prompt": "a harbour"}, roles={"image"})
    said = caught.value.errors | other.value.errors
    assert set(said) == {"prompt", "steps", "image", "strength"}
    assert [bare(sentence) for sentence in said.values()] == [""] * 4
    assert bare(str(catalogue_registry.UnknownModel("sd9"))) == ""


@pytest.mark.parametrize("status", [*range(300, 430), 451, *range(500, 512), 599, 203])
def test_the_reason_for_every_status_is_translated(status):
    problem = stability_errors.to_error(Reply(status, {}, b""), KEY)
    assert bare(problem.reason) in ("", f" (HTTP {status}).")
    assert "⟦" in problem.reason


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (403, "content_moderation"),
        (422, "invalid_language"),
        (403, "public_figure"),
        (413, ""),
        (429, "quota_exceeded"),
    ],
)
def test_the_reason_for_every_code_is_translated(status, name):
    body = json.dumps({"name": name, "errors": []}).encode()
    assert bare(stability_errors.to_error(Reply(status, {}, body), KEY).reason) in ("", f" (HTTP {status}).")


@pytest.mark.parametrize("status", [400, 401, 402])
def test_texts_of_the_provider_are_not_translated(status):
    asked: list[str] = []
    i18n.translate_with(lambda text: asked.append(text) or text)
    body = json.dumps({"name": "bad", "errors": ["Eat more fruit"]}).encode()
    assert "Eat more fruit" in stability_errors.to_error(Reply(status, {}, body), KEY).reason
    assert asked
    assert not [text for text in asked if "fruit" in text]


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (b"no picture", ""),
        (b'{"image": "", "finish_reason": "ERROR"}', ""),
        (b'{"error": {"code": "insufficient_quota", "message": "no"}}', " (HTTP 200): no."),  # their own word
        (b'{"hello": "world"}', ""),
    ],
)
def test_the_error_of_a_response_without_an_image_is_translated(body, left):
    with pytest.raises(ProviderError) as caught:
        parse_response(Reply(200, {}, body), KEY, None)
    assert "⟦" in caught.value.reason
    assert bare(caught.value.reason) == left


@pytest.mark.parametrize(
    ("kind", "address", "key"),
    [
        ("smoke signals", "https://host", KEY),
        ("stability", "ftp://host", KEY),
        ("stability", "https://me:secret@host", KEY),
        ("stability", "https://host/?a", KEY),
        ("stability", "https://host", "a b"),
    ],
)
def test_errors_of_settings_are_translated(kind, address, key):
    with pytest.raises(ValueError, match="⟦") as caught:
        providers_registry.open_provider(kind, address, key)
    assert bare(str(caught.value)) == ""


def test_the_error_of_a_model_the_provider_does_not_have_is_translated(provider):
    with pytest.raises(Refused) as caught:
        provider.submit(ImageRequest("sd9", {"prompt": "a harbour"}), timeout=5)
    assert bare(caught.value.reason) == ""


def broken(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")


def strange(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\nhalf")


def silent(connection: socket.socket) -> None:
    time.sleep(0.4)


@pytest.mark.parametrize("answer", [broken, strange, silent])
def test_the_error_of_an_unreadable_response_is_translated(fake_provider, draw, answer):
    fake_provider.plan = [answer]
    with pytest.raises(ProviderError) as caught:
        draw(timeout=0.3)
    assert "⟦" in caught.value.reason
    assert bare(caught.value.reason) == ""


def test_the_errors_of_an_unreachable_provider_are_translated():
    with pytest.raises(Busy) as caught:
        exchange("GET", "http://127.0.0.1:1/", timeout=2)
    assert caught.value.reason == marked(NOTHING_SENT["refused"])
