"""Models that gateways sell as a chat that answers with pictures.

Sources: docs/providers/chat-completions.md, "Request", "Models" and "Prices".
"""

from __future__ import annotations

from types import MappingProxyType

from generations.providers.catalogue.fields import Choice, Text
from generations.providers.catalogue.inputs import IMAGE, MIB, Input
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.operations import Operation
from generations.providers.i18n import gettext_noop

CALL_SECONDS = 300.0  # minutes may pass between two pieces of an answer
PROMPT = Text(
    name="prompt",
    title=gettext_noop("Prompt"),
    help=gettext_noop("What shall be drawn, or what shall change. Any language."),
    required=True,
    min_length=1,
    max_length=10_000,
)
SHAPE = Choice(
    name="aspect_ratio",
    title=gettext_noop("Shape"),
    label="Aspect ratio",
    help=gettext_noop("It is asked for in words, so the model may not keep to it."),
    choices=MappingProxyType({shape: shape for shape in ("16:9", "3:2", "1:1", "2:3", "9:16")}),
)
IMAGES = Input(
    role=IMAGE,
    title=gettext_noop("Images"),
    help=gettext_noop("What the prompt speaks of."),
    maximum=5,
    max_bytes=4 * MIB,
    max_side=2048,
)


def _model(name: str, title: str, clause: str, *, cost: int, seconds: int = 60) -> Model:
    """`cost` is in hundredths of a US cent, as one reseller has it; every gateway has prices of its own."""
    return Model(
        name,
        title,
        clause,
        cost,
        seconds,
        {},
        (PROMPT, SHAPE),
        languages=(),
        operations=(Operation.GENERATE, Operation.EDIT),
        inputs=(IMAGES,),
        call_seconds=CALL_SECONDS,
    )


MODELS = (
    _model("gpt-4o-image", "GPT-4o Image", gettext_noop("Draws from a conversation"), cost=400),
    _model("gpt-image-2.6-all", "GPT Image 2.6 (chat)", gettext_noop("One price for all sizes"), cost=250),
    _model("gpt-image-2.5-all", "GPT Image 2.5 (chat)", gettext_noop("One price for all sizes"), cost=300),
    _model("gpt-image-2-all", "GPT Image 2 (chat)", gettext_noop("One price for all sizes"), cost=300),
    _model("gpt-4-all", "GPT-4 All", gettext_noop("Older, talks and draws"), cost=400, seconds=90),
)
