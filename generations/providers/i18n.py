"""What these modules say to people, in the reader's language where somebody knows it.

Plain Python knows no reader, so the floor above hands its translation in (`upstreams.apps`). A
sentence is put into the language that is active in the thread when it is said: the reader's in
a request, the installation's in a worker. A reason that is stored is in the latter, therefore.
The names are the ones that `makemessages` looks for. What a provider wrote is never asked for.
"""

from __future__ import annotations

from collections.abc import Callable

_translation: list[Callable[[str], str]] = [str]  # until one is handed in: the text itself


def translate_with(function: Callable[[str], str]) -> Callable[[str], str]:
    """From now on `function` translates; what did so before is returned."""
    before, _translation[0] = _translation[0], function
    return before


def gettext(text: str) -> str:
    """The text as the reader should see it; the call needs a literal, or one marked elsewhere."""
    return _translation[0](text)


def gettext_noop(text: str) -> str:
    """The text itself: marks what is declared now, and translated where it is shown."""
    return text
