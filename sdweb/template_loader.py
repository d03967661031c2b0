"""Loads templates without their indentation, which is a third of a page's bytes and shown nowhere."""

from __future__ import annotations

import re

from django.template import Template
from django.template.base import Origin, TextNode
from django.template.loaders import cached

INDENTATION = re.compile(r"\s*\n\s*")


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
        return template
