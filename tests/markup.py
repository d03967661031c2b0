"""The markup of a page, however its templates are broken into lines."""

from __future__ import annotations

import re

TAG = re.compile(r"""</?[a-z](?:"[^"]*"|'[^']*'|[^"'>])*>""")
BETWEEN_ATTRIBUTES = re.compile(r"""("[^"]*"|'[^']*')|\s+(?=/?>$)|\s+""")
EDGES = re.compile(r"(<[a-z][^>]*>|</[a-z][^>]*>(?=\s*<))\s*\n\s*|\s*\n\s*(?=</)")


def compact(page: str) -> str:
    """A page on one line, with one space between the attributes of a tag.

    A line break between two tags, or at the edge of an element, is left out; any other becomes a space.
    """
    return re.sub(r"\s*\n\s*", " ", EDGES.sub(r"\1", TAG.sub(_on_one_line, page))).strip()


def _on_one_line(tag: re.Match[str]) -> str:
    def written(part: re.Match[str]) -> str:
        return part[1] or ("" if tag[0][part.end() :] in {">", "/>"} else " ")

    return BETWEEN_ATTRIBUTES.sub(written, tag[0])
