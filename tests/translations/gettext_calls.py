"""How Python code asks gettext: for literals, put together afterwards, and lazily at import."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.translations import Fault

MARKING = {"gettext_noop"}
LAZY = {"gettext_lazy", "ngettext_lazy", "pgettext_lazy", "npgettext_lazy"}
AT_ONCE = {"gettext", "ngettext", "pgettext", "npgettext"}
TEXTS = {
    "ngettext": (0, 1),
    "pgettext": (1,),
    "npgettext": (1, 2),
}  # which arguments are texts; else the first
# Variables that are translated hold texts that are marked where they are declared.
MARKED_ELSEWHERE = re.compile(
    r"(self\.)?(model|field|declared|each)\.(title|help|clause)"  # of models, their fields and inputs
    r"|field\.choices\.get\(.*\)|title"  # of choices and styles
    r"|help_text"  # of the next steps of a model
    r"|reason|largest"  # of a system's table of errors
)


def called(node: ast.AST | None) -> str:
    """The name of the function that is called there."""
    return getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""


class GettextCalls:
    """The calls of gettext in a module, by whatever name it was imported."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree, self.nodes = tree, list(ast.walk(tree))
        self.names = {name: name for name in MARKING | LAZY | AT_ONCE}
        for node in self.nodes:
            if isinstance(node, ast.ImportFrom):
                known = (alias for alias in node.names if alias.asname and alias.name in self.names)
                self.names |= {alias.asname: alias.name for alias in known}

    def __contains__(self, node: ast.AST) -> bool:
        return called(node) in self.names

    def faults(self) -> Iterator[Fault]:
        for node in self.nodes:
            if node in self:
                yield from self._texts(node)
            elif isinstance(node, ast.JoinedStr):
                yield from self._in_an_f_string(node)
        for node in self.tree.body:
            yield from self._at_import(node)

    def _texts(self, call: ast.Call) -> Iterator[Fault]:
        """A text is a literal: makemessages finds no other, and no language has what is put together."""
        for index in TEXTS.get(self.names[called(call)].removesuffix("_lazy"), (0,)):
            text = call.args[index] if index < len(call.args) else None
            if text is None or (isinstance(text, ast.Constant) and isinstance(text.value, str)):
                continue
            written = ast.unparse(text)
            if isinstance(text, ast.JoinedStr | ast.BinOp) or called(text) in {"format", "join"}:
                yield Fault(call.lineno, "put together before it is translated", written)
            elif not MARKED_ELSEWHERE.fullmatch(written) and not _is_of_a_constant(text):
                yield Fault(call.lineno, "a variable is translated", written)

    def _in_an_f_string(self, node: ast.JoinedStr) -> Iterator[Fault]:
        """Gettext stands in no f-string: makemessages does not look there."""
        if any(part in self for part in ast.walk(node)):
            yield Fault(node.lineno, "gettext in an f-string", ast.unparse(node))

    def _at_import(self, node: ast.AST) -> Iterator[Fault]:
        """What is translated when a module is imported is lazy; else it stays in that language."""
        for part in _run_at_import(node):
            if self.names.get(called(part)) in AT_ONCE:
                yield Fault(part.lineno, "translated at import", ast.unparse(part))


def _is_of_a_constant(node: ast.AST) -> bool:
    """Whether a text comes from a constant, whose values are marked where it is declared."""
    return any(getattr(part, "id", getattr(part, "attr", "")).isupper() for part in ast.walk(node))


def _run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """What of a statement runs when its module is imported: of functions the decorators and defaults."""
    if isinstance(node, ast.Lambda):
        return
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        parts = [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
    else:
        yield node
        parts = list(ast.iter_child_nodes(node))
    for part in parts:
        yield from _run_at_import(part)
