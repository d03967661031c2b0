"""Say in a sentence what the words of a search found."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generations.library.search import parser as search_parser
from generations.library.search.query import Search

MAX_NAMED = 8  # words of each kind


def explain(search: Search, found: int | None = None, shown: str = "") -> SafeString:
    """Return "12 pictures with words beginning with boat and red, without fog", as HTML; "" without words.

    `found` is the number of results, and `shown` how it is written; without them the sentence has no number.
    """
    parsed = search_parser.parse(search.q)
    if parsed.is_empty:
        return SafeString("")
    what = _what_is_asked(parsed)
    if found is None:
        return _filled(_("Pictures %(what)s"), what=what)
    sentence = ngettext("%(count)s picture %(what)s", "%(count)s pictures %(what)s", found)
    return _filled(sentence, count=shown, what=what)


def _what_is_asked(parsed: search_parser.ParsedText) -> SafeString:
    parts = []
    if parsed.beginnings:
        parts.append(_filled(_("with words beginning with %(words)s"), words=_list(parsed.beginnings)))
    if parsed.exact:
        exact = [_("“%(words)s”") % {"words": words} for words in parsed.exact]
        parts.append(_filled(_("with exactly %(words)s"), words=_list(exact)))
    if parsed.without:
        parts.append(_filled(_("without %(words)s"), words=_list(parsed.without)))
    return format_html_join(_(", "), "{}", ([part] for part in parts))


def _list(words: list[str]) -> SafeString:
    """Return "boat, red and fog", each in its own direction of writing."""
    named: list[str] = [format_html("<bdi>{}</bdi>", word) for word in words[:MAX_NAMED]]
    if len(words) > MAX_NAMED:
        named.append("…")
    if len(named) == 1:
        return SafeString(named[0])
    return _filled(_("%(first)s and %(last)s"), first=_joined(named[:-1]), last=named[-1])


def _joined(words: Iterable[str]) -> SafeString:
    return format_html_join(_(", "), "{}", ([word] for word in words))


def _filled(sentence: str, **values: str) -> SafeString:
    """Fill a translated sentence with HTML."""
    escaped = {name: conditional_escape(value) for name, value in values.items()}
    return mark_safe(conditional_escape(sentence) % escaped)  # noqa: S308  both parts are escaped
