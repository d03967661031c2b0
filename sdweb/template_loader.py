"""Loads templates as they are quickest to render and shortest to send.

Indentation, which is a third of a page's bytes and shown nowhere, is left out. What a template says to
everybody in a language is rendered once, and addresses of pages are looked up once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import groupby

from django.template import Context, Template
from django.template.base import FilterExpression, Node, NodeList, Origin, TextNode
from django.template.defaulttags import CommentNode, IfNode, LoadNode, URLNode
from django.template.library import SimpleNode
from django.template.loaders import cached
from django.templatetags.i18n import TranslateNode
from django.templatetags.static import StaticNode
from django.urls import NoReverseMatch, get_script_prefix, reverse
from django.utils.html import conditional_escape
from django.utils.translation import get_language

from generations.core import kept_fragments
from sdweb.templatetags import portal

INDENTATION = re.compile(r"\s*\n\s*")
SAME_FOR_ALL = (
    portal.icon,
    kept_fragments.kept_fragment,
)  # tags whose output follows from what they are given


class Loader(cached.Loader):
    """Django's cached loader; in `.html` a line break and the spaces around it become one line break.

    Text that is translated is a key of the catalogues and stays as it is.
    """

    def get_template(self, template_name: str, skip: list[Origin] | None = None) -> Template:
        """Return the template; TemplateDoesNotExist if there is none."""
        is_known = self.cache_key(template_name, skip) in self.get_template_cache
        template = super().get_template(template_name, skip)
        if not is_known and template_name.endswith(".html"):
            for node in template.nodelist.get_nodes_by_type(TextNode):
                assert isinstance(node, TextNode)
                node.s = INDENTATION.sub("\n", node.s)
            _simplify(template.nodelist)
        return template


class SameForAll(Node):
    """Nodes that say the same to everybody in a language."""

    child_nodelists = ()

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.nodes, self._said = NodeList(nodes), dict[str | None, str]()

    def render(self, context: Context) -> str:
        """Return what they say."""
        language = get_language()
        if language not in self._said:
            self._said[language] = self.nodes.render(context)
        return self._said[language]


class KeptAddress(URLNode):
    """`{% url %}` of a page that is named by texts, such as that of a team, and not by one of many ids."""

    def render(self, context: Context) -> str:
        """Return the address, or set the variable that it is for."""
        args = tuple(each.resolve(context) for each in self.args)
        if self.kwargs or not all(isinstance(each, str) for each in args):
            return str(super().render(context))
        try:
            address = _address(self.view_name.resolve(context), args, _current(context), get_script_prefix())
        except NoReverseMatch:
            return str(super().render(context))  # which raises it, or sets an empty variable
        if self.asvar:
            context[self.asvar] = address
            return ""
        return conditional_escape(address) if context.autoescape else address


def _current(context: Context) -> str | None:
    """The application of the page, as Django finds it: among several of one name its addresses are meant."""
    request = getattr(context, "request", None)
    match = getattr(request, "resolver_match", None)
    return getattr(request, "current_app", match.namespace if match else None)


@lru_cache(maxsize=2048)
def _address(name: str, args: tuple[str, ...], current: str | None, _prefix: str) -> str:
    return reverse(name, args=args, current_app=current)


def _simplify(nodes: NodeList) -> None:
    """Put simpler nodes in place of those that allow it, here and in all that is nested."""
    simple: list[Node] = []
    for is_same, run in groupby(nodes, _is_same_for_all):
        found = list(run)
        simple += [_joined(found)] if is_same else [_simpler(each) for each in found]
    nodes[:] = simple


def _joined(nodes: list[Node]) -> Node:
    if not all(isinstance(each, TextNode | LoadNode | CommentNode) for each in nodes):
        return SameForAll(nodes)
    return TextNode("".join(each.s for each in nodes if isinstance(each, TextNode)))


def _simpler(node: Node) -> Node:
    nested: list[object]
    if isinstance(node, IfNode):
        nested = [nodes for _condition, nodes in node.conditions_nodelists]
    else:
        nested = [getattr(node, name, None) for name in node.child_nodelists]
    for nodes in nested:
        if isinstance(nodes, NodeList):
            _simplify(nodes)
    if type(node) is not URLNode:
        return node
    kept = KeptAddress(node.view_name, node.args, node.kwargs, node.asvar)
    kept.token, kept.origin = node.token, node.origin
    return kept


def _is_same_for_all(node: Node) -> bool:
    """Whether what it says depends on the language alone."""
    match node:
        case TextNode() | LoadNode() | CommentNode():
            return True
        case TranslateNode():
            depends = node.asvar or node.noop or node.message_context
            return not depends and _is_constant(node.filter_expression)
        case StaticNode():
            return node.varname is None and _is_constant(node.path)
        case SimpleNode():
            given = (*node.args, *node.kwargs.values())
            return node.func in SAME_FOR_ALL and not node.target_var and all(map(_is_constant, given))
    return False


def _is_constant(expression: FilterExpression) -> bool:
    var = expression.var
    return not expression.filters and (isinstance(var, str) or getattr(var, "literal", None) is not None)
