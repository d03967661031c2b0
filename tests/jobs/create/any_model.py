"""A model with a field of each kind and two roles of pictures, which no template and no script knows."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Choice, Colors, Field, Flag, Group, Number, Text
from generations.providers.catalogue.inputs import IMAGE, Input
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.operations import Operation

PAPERS = {name: name.title() for name in ("cotton", "rice", "linen", "bamboo", "hemp", "silk")}
FIELDS: tuple[Field, ...] = (
    Text(name="prompt", title="Prompt", help="What is printed.", required=True, max_length=500),
    Text(name="caption", title="Caption", help="A few words.", max_length=60),
    Text(name="story", title="Story", max_length=4_000),
    Choice(
        name="finish",
        title="Finish",
        default="matt",
        choices={"matt": "Matt", "gloss": "Gloss"},
        remembered=True,
    ),
    Choice(name="paper", title="Paper", choices=PAPERS),
    Number(name="grain", title="Grain", minimum=0, maximum=10, step=0.5, default=2, remembered=True),
    Number(
        name="depth",
        title="Depth",
        minimum=0,
        maximum=1,
        step=0.01,
        suggested=0.4,
        required=True,
        group=Group.IMAGE,
    ),
    Number(name="copies", title="Copies", minimum=1, maximum=9, whole=True, group=Group.MORE),
    Number(name="plate", title="Plate", minimum=1, maximum=10**9, whole=True, group=Group.MORE),
    Colors(name="inks", title="Inks", help="Up to three.", maximum=3),
    Flag(name="signed", title="Signed", help="With a signature.", group=Group.MORE),
)
INPUTS = (
    Input(role=IMAGE, title="Image", minimum=1, max_side=1_024, max_ratio=2.0),
    Input(role="reference", title="Reference", maximum=3, keeps_alpha=True),
)
ATELIER = Model(
    "atelier",
    "Atelier",
    "A field of each kind",
    150,
    5,
    {},
    FIELDS,
    operations=(Operation.BLEND,),
    inputs=INPUTS,
)
VALUES: dict[str, Any] = {
    "prompt": "a heron",
    "caption": "Heron, third state",
    "story": "Long\nago",
    "finish": "gloss",
    "paper": "rice",
    "grain": 3.5,
    "depth": 0.25,
    "copies": 4,
    "plate": 123_456,
    "inks": "#102030 #ff8e3c",
    "signed": True,
}


def add(monkeypatch: pytest.MonkeyPatch, model: Model, system: str = "stability") -> Model:
    """Add a model to the catalogue."""
    systems = dict(catalogue_registry.SYSTEMS)
    systems[system] = (*systems.get(system, ()), model)
    monkeypatch.setattr(catalogue_registry, "SYSTEMS", MappingProxyType(systems))
    monkeypatch.setattr(catalogue_registry, "MODELS", {**catalogue_registry.MODELS, model.name: model})
    return model
