"""What the plain-Python room says to people can be translated, all of it."""

from __future__ import annotations

import ast
import json
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from generations.providers import i18n
from generations.providers import registry as providers_registry
from generations.providers.base import Busy, ImageRequest, ProviderError, Refused
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import InvalidValue
from generations.providers.stability import errors as stability_errors
from generations.providers.stability.responses import read_answer
from generations.providers.transport.http import NOTHING_SENT, Reply, exchange
from tests.providers.stand_in import KEY

ROOM = Path(i18n.__file__).parent
MARKS = {"_", "gettext", "gettext_noop"}
FUNCTIONS = MARKS | {"gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "npgettext"}


def marked(text: str) -> str:
    return f"⟦{text}⟧"


def bare(sentence: str) -> str:
    """What of a sentence no translation was asked for."""
    while (shorter := re.sub("⟦[^⟦⟧]*⟧", "", sentence)) != sentence:
        sentence = shorter
    return sentence


@pytest.fixture(autouse=True)
def _in_a_language_of_marks() -> Iterator[None]:
    before = i18n.translate_with(marked)
    yield
    i18n.translate_with(before)


def test_without_a_translation_the_text_is_itself():
    i18n.translate_with(str)
    assert i18n.gettext("Fill in this field.") == "Fill in this field."


def test_what_is_only_marked_is_not_translated_yet():
    assert i18n.gettext_noop("Cinematic") == "Cinematic"


FIELDS = {field.name: field for model in catalogue_registry.MODELS.values() for field in model.fields}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prompt", 7),
        ("prompt", "a\x00b"),
        ("prompt", "x" * 10_001),
        ("style_preset", "watercolour"),
        ("seed", "-1"),
        ("seed", "a few"),
        ("cfg_scale", "99"),
        ("image", b""),
    ],
)
def test_every_refusal_of_a_field_is_translated(name, value):
    with pytest.raises(InvalidValue) as caught:
        FIELDS[name].clean(value)
    assert bare(str(caught.value)) == ""


def test_a_text_that_is_too_short_is_told_so_in_translation():
    with pytest.raises(InvalidValue) as caught:
        replace(FIELDS["prompt"], min_length=5).clean("four")
    assert bare(str(caught.value)) == ""


def test_every_refusal_of_a_model_is_translated():
    given = {"prompt": "", "steps": 3}
    with pytest.raises(catalogue_registry.InvalidParameters) as caught:
        catalogue_registry.validate(catalogue_registry.get("core"), given, has_image=True)
    with pytest.raises(catalogue_registry.InvalidParameters) as other:
        catalogue_registry.validate(catalogue_registry.get("ultra"), {"prompt": "a harbour"}, has_image=True)
    said = caught.value.errors | other.value.errors
    assert set(said) == {"prompt", "steps", "image", "strength"}
    assert [bare(sentence) for sentence in said.values()] == [""] * 4
    assert bare(str(catalogue_registry.UnknownModel("sd9"))) == ""


@pytest.mark.parametrize("status", [*range(300, 430), 451, *range(500, 512), 599, 203])
def test_every_status_has_a_translated_verdict(status):
    problem = stability_errors.failure(Reply(status, {}, b""), KEY)
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
def test_every_code_has_a_translated_verdict(status, name):
    body = json.dumps({"name": name, "errors": []}).encode()
    assert bare(stability_errors.failure(Reply(status, {}, body), KEY).reason) in ("", f" (HTTP {status}).")


@pytest.mark.parametrize("status", [400, 401, 402])
def test_what_the_provider_wrote_is_never_sent_to_the_translation(status):
    asked: list[str] = []
    i18n.translate_with(lambda text: asked.append(text) or text)
    body = json.dumps({"name": "bad", "errors": ["Eat more fruit"]}).encode()
    assert "Eat more fruit" in stability_errors.failure(Reply(status, {}, body), KEY).reason
    assert asked
    assert not [text for text in asked if "fruit" in text]


@pytest.mark.parametrize(
    "body",
    [
        b"no picture",
        b'{"image": "", "finish_reason": "ERROR"}',
        b'{"error": {"code": "insufficient_quota", "message": "no"}}',
        b'{"hello": "world"}',
    ],
)
def test_an_answer_without_a_picture_is_told_in_translation(body):
    with pytest.raises(ProviderError) as caught:
        read_answer(Reply(200, {}, body), KEY, None)
    assert "⟦" in caught.value.reason
    assert bare(caught.value.reason) == ""


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
def test_what_an_operator_typed_wrong_is_told_in_translation(kind, address, key):
    with pytest.raises(ValueError, match="⟦") as caught:
        providers_registry.open_provider(kind, address, key)
    assert bare(str(caught.value)) == ""


def test_a_model_that_the_provider_does_not_have_is_refused_in_translation(provider):
    with pytest.raises(Refused) as caught:
        provider.generate(ImageRequest("sd9", {"prompt": "a harbour"}), timeout=5)
    assert bare(caught.value.reason) == ""


def broken(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")


def strange(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\nhalf")


def silent(connection: socket.socket) -> None:
    time.sleep(0.4)


@pytest.mark.parametrize("answer", [broken, strange, silent])
def test_an_answer_that_cannot_be_read_is_told_in_translation(stand_in, draw, answer):
    stand_in.plan = [answer]
    with pytest.raises(ProviderError) as caught:
        draw(timeout=0.3)
    assert "⟦" in caught.value.reason
    assert bare(caught.value.reason) == ""


def test_a_provider_that_cannot_be_reached_is_told_in_translation():
    with pytest.raises(Busy) as caught:
        exchange("GET", "http://127.0.0.1:1/", timeout=2)
    assert caught.value.reason == marked(NOTHING_SENT["refused"])


# What is written in the source ------------------------------------------------------------------

FAILURES = {"InvalidValue", "Busy", "Unknown", "Refused", "Unavailable", "ValueError"}
DECLARATIONS = {"Model": (2,), "_sd3": (2,)}  # which arguments are words; titles of models are names


def called(node: ast.AST) -> str:
    """The name of the function that is called there."""
    return getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""


def unmarked(node: ast.AST | None) -> Iterator[ast.Constant]:
    """Literals with letters that stand in no mark; keys, indices and formats are no words."""
    if node is None or called(node) in MARKS:
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search("[^\\W\\d_]", node.value):
        yield node
    for name, part in ast.iter_fields(node):
        if name not in ("keys", "slice", "format_spec"):
            for one in part if isinstance(part, list) else [part]:
                if isinstance(one, ast.AST):
                    yield from unmarked(one)


def docstrings(tree: ast.Module) -> set[ast.AST]:
    bodies = [node.body for node in ast.walk(tree) if isinstance(getattr(node, "body", None), list)]
    return {body[0].value for body in bodies if body and isinstance(body[0], ast.Expr)}


def names_of_models(tree: ast.Module) -> set[ast.AST]:
    calls = (node for node in ast.walk(tree) if called(node) in DECLARATIONS)
    return {argument for call in calls for argument in call.args[:2]}


def words_said(node: ast.AST) -> list[ast.AST | None]:
    """The parts of a call or a declaration that people read."""
    if called(node) in FAILURES:
        return list(node.args[:1])
    if called(node) in DECLARATIONS:
        return [node.args[index] for index in DECLARATIONS[called(node)]]
    if isinstance(node, ast.keyword) and node.arg in ("title", "clause"):
        return [node.value]
    if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "STYLES":
        return [node.value]
    return []


def bare_words(source: str) -> list[str]:
    """What people would read in English whatever their language is."""
    tree = ast.parse(source)
    said = {literal for node in ast.walk(tree) for part in words_said(node) for literal in unmarked(part)}
    no_sentences = docstrings(tree) | names_of_models(tree)
    sentences = {
        literal
        for literal in unmarked(tree)
        if re.match(r"[A-Z][a-z']*,? [a-z]", literal.value) and literal not in no_sentences
    }
    return sorted(literal.value for literal in said | sentences)


@pytest.mark.parametrize("path", sorted(ROOM.glob("*.py")), ids=lambda path: path.stem)
def test_no_sentence_is_written_without_a_mark(path):
    assert bare_words(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        'raise InvalidValue("Write this.")',
        'raise InvalidValue(f"at most {most}")',
        'raise Busy("busy", retry_after=3)',
        'raise ValueError("no" if a else _("No."))',
        'STYLE = Choice(name="style", title="Style")',
        'Model("core", "Core", "Fast", 3)',
        'STYLES: Mapping[str, str] = {"low-poly": "Low poly"}',
        'SENTENCES = {401: "The provider does not accept the key"}',
        'def f():\n    return "The provider refused this."',
    ],
)
def test_a_sentence_without_a_mark_is_found(source):
    assert bare_words(source)


@pytest.mark.parametrize("path", sorted(ROOM.glob("*.py")), ids=lambda path: path.stem)
def test_only_our_own_words_are_sent_to_the_translation(path):
    """Each is a literal, which makemessages finds, or comes from a constant whose values are marked."""
    for node in ast.walk(ast.parse(path.read_text())):
        if called(node) in MARKS:
            [text] = node.args
            constants = [name for name in ast.walk(text) if isinstance(name, ast.Name) and name.id.isupper()]
            assert isinstance(text, ast.Constant) or constants, ast.unparse(node)
            assert not isinstance(text, ast.JoinedStr | ast.BinOp), ast.unparse(node)


def test_no_mark_stands_in_an_f_string_where_makemessages_does_not_look():
    hidden = [
        f"{path.name}: {ast.unparse(string)}"
        for room in (ROOM.parent, ROOM.parents[1] / "sdweb")
        for path in room.rglob("*.py")
        for string in ast.walk(ast.parse(path.read_text()))
        if isinstance(string, ast.JoinedStr) and any(called(part) in FUNCTIONS for part in ast.walk(string))
    ]
    assert hidden == []
