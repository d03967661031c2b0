"""Fragments are rendered once for equal values and one language, and see nothing else."""

from __future__ import annotations

from django.template import loader
from django.utils import translation

from generations.core import kept_fragments
from generations.core.kept_fragments import kept_fragment

KEYS = "parts/keys.html"
CHOICES = "jobs/create/fields/style_choices.html"


def test_a_fragment_is_rendered_once_for_each_language_and_each_values(monkeypatch):
    kept_fragments._rendered.cache_clear()
    times = []

    def counted(template, context):
        times.append(template)
        return loader.render_to_string(template, context)

    monkeypatch.setattr(kept_fragments, "render_to_string", counted)
    english = [kept_fragment(KEYS) for _ in range(3)]
    with translation.override("zh-hans"):
        kept_fragment(KEYS)
        kept_fragment(KEYS)
    assert len(set(english)) == 1
    assert times == [KEYS, KEYS]
    first = kept_fragment(CHOICES, name="style", choices=(("anime", "<Anime>"),), chosen="")
    second = kept_fragment(CHOICES, name="style", choices=(("anime", "<Anime>"),), chosen="anime")
    assert "&lt;Anime&gt;" in first
    assert "checked" not in first
    assert "checked" in second
