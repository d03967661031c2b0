"""Translation of the texts of this package, without Django.

`upstreams.apps` registers Django's gettext. Texts are translated to the language that is active in the
thread: the reader's in a request, the installation's in a worker, and so in stored reasons. The function
names are those that `makemessages` looks for. Texts of a provider are never translated.
"""

from __future__ import annotations

from collections.abc import Callable

_translation: list[Callable[[str], str]] = [str]  # until one is registered: the text itself


def translate_with(function: Callable[[str], str]) -> Callable[[str], str]:
    """Register the function that translates; return the previous one."""
    before, _translation[0] = _translation[0], function
    return before


def gettext(text: str) -> str:
    """Translate a text, which must be a literal or marked by `gettext_noop`."""
    return _translation[0](text)


def gettext_noop(text: str) -> str:
    """Return the text; mark it for translation where it is shown."""
    return text
