"""What Django names in English by itself if code gives it no name: choices, fields, columns of the admin."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.translations import Fault
from tests.translations.gettext_calls import GettextCalls, called

RELATIONS = {"ForeignKey", "OneToOneField", "ManyToManyField"}  # whose first argument is the other model
# Fields of forms whose other fields have labels; the template gives these a heading.
WITH_A_HEADING = {"members", "lines", "roles"}


def faults(calls: GettextCalls) -> Iterator[Fault]:
    """The declarations for which Django would make up a name from the one in code."""
    for node in calls.nodes:
        if isinstance(node, ast.ClassDef):
            yield from _choices(node, calls)
            yield from _fields_of_a_model(node)
            yield from _fields_of_a_form(node)
            yield from _columns(node)


def _assigned(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    for part in node.body:
        if isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name):
            yield part.targets[0].id, part.value


def _choices(node: ast.ClassDef, calls: GettextCalls) -> Iterator[Fault]:
    """A choice has a label that is translated."""
    if not any(ast.unparse(base).endswith("Choices") for base in node.bases):
        return
    for name, value in _assigned(node):
        label = value.elts[-1] if isinstance(value, ast.Tuple) else value
        if name.isupper() and label not in calls:
            yield Fault(value.lineno, "a choice without a translated label", f"{name} = {ast.unparse(value)}")


def _fields(node: ast.ClassDef, module: str) -> Iterator[tuple[str, ast.Call]]:
    for name, value in _assigned(node):
        kind = called(value)
        if kind.endswith(("Field", "ForeignKey")) and ast.unparse(value.func) == f"{module}.{kind}":
            yield name, value


def _has(call: ast.Call, keyword: str) -> bool:
    return any(each.arg == keyword for each in call.keywords)


def _fields_of_a_model(node: ast.ClassDef) -> Iterator[Fault]:
    """A field of a model has a name, which the admin shows."""
    for name, call in _fields(node, "models"):
        is_named_first = call.args and called(call) not in RELATIONS
        if not is_named_first and not _has(call, "verbose_name"):
            yield Fault(call.lineno, "a field without a name", name)


def _fields_of_a_form(node: ast.ClassDef) -> Iterator[Fault]:
    """If some fields of a form have labels, all have; a form without any is written out by its template."""
    fields = dict(_fields(node, "forms"))
    if not any(_has(call, "label") for call in fields.values()):
        return
    for name, call in fields.items():
        is_hidden = any(ast.unparse(keyword.value) == "forms.HiddenInput" for keyword in call.keywords)
        if not is_hidden and not _has(call, "label") and name not in WITH_A_HEADING:
            yield Fault(call.lineno, "a field without a label", name)


def _columns(node: ast.ClassDef) -> Iterator[Fault]:
    """A method that is a column or an action of the admin says how it is called."""
    methods = {part.name: part for part in node.body if isinstance(part, ast.FunctionDef)}
    for option, value in _assigned(node):
        if option not in {"list_display", "readonly_fields", "actions"}:
            continue
        named = [part.value for part in ast.walk(value) if isinstance(part, ast.Constant)]
        for method in (methods[name] for name in named if name in methods):
            decorators = (each for each in method.decorator_list if isinstance(each, ast.Call))
            if not any(_has(each, "description") for each in decorators):
                yield Fault(method.lineno, "a column without a description", method.name)
