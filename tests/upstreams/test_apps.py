"""Texts of the providers package are in the language of the reader."""

from __future__ import annotations

from django.utils import translation

from generations.providers import i18n

REQUIRED = "This field is required."  # a sentence that Django has in many languages


def test_provider_texts_are_translated_to_the_active_language():
    with translation.override("de"):
        assert i18n.gettext(REQUIRED) == "Dieses Feld ist zwingend erforderlich."
    with translation.override("en"):
        assert i18n.gettext(REQUIRED) == REQUIRED
