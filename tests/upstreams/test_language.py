"""What providers say is in the language of who reads it."""

from __future__ import annotations

from django.utils import translation

from generations.providers import i18n

REQUIRED = "This field is required."  # a sentence that Django has in many languages


def test_providers_speak_the_language_of_the_reader():
    with translation.override("de"):
        assert i18n.gettext(REQUIRED) == "Dieses Feld ist zwingend erforderlich."
    with translation.override("en"):
        assert i18n.gettext(REQUIRED) == REQUIRED
