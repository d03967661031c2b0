"""Words of a chat model: it translates a few words to English, makes a prompt richer, or writes variants.

Which of these, it reads in the instruction, as a chat model does. Format: docs/providers/chat-completions.md,
"Texts".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from generations.sandbox import generate as sandbox_generate
from generations.sandbox.chat.completion import completion
from generations.sandbox.image_request import FLAGGED_WORDS
from generations.sandbox.openai_errors import invalid_value, missing_field
from generations.sandbox.request_log import LogEntry, shortened
from generations.sandbox.responses import Response
from generations.sandbox.state import Sandbox

COSTS = {"gpt-5-mini": 10, "gpt-4o-mini": 10}  # hundredths of a US cent, of a call
ROLES = frozenset({"system", "user", "assistant"})
REFUSAL = "I can't help with this request."
PAIRS = """
    一只 a|狐狸 fox|猫 cat|雪 snow|在 in|里 |的 |森林 forest|海边 by the sea|灯塔 lighthouse|黄昏 at dusk
    山 mountains|月亮 moon|水彩 watercolour|花 flowers|\uff0c ,|\u3002 .|\u3001 ,|キツネ fox|夜 night
    лиса fox|снег snow|лес forest|лесу forest|в in the|ночью at night
    fuchs fox|schnee snow|wald forest|im in the|ein a|eine a|und and
    zorro fox|nieve snow|bosque forest|en in|la the|el the|un a
"""
WORDS = {
    word: english
    for pair in re.split(r"[|\n]", PAIRS.strip())
    for word, _space, english in [pair.lstrip().partition(" ")]
}
KNOWN = re.compile(
    "|".join(
        rf"\b{word}\b" if word[0] < "\u0500" else re.escape(word)  # scripts with spaces between words
        for word in sorted(WORDS, key=len, reverse=True)
    ),
    re.IGNORECASE,
)
RICHER = "soft morning light, fine detail in the foreground, a calm and balanced composition"
VIEWS = ("seen from close by, at dawn", "from far above, under a wide sky", "at night, lit by a single lamp")


async def respond(sandbox: Sandbox, entry: LogEntry, values: Mapping[str, Any]) -> Response:
    """Respond to a call for words; raises ApiError."""
    instruction, text = _read(values)
    model = str(values["model"])
    entry.model, entry.fields = model, {"prompt": shortened(text), "instruction": shortened(instruction)}
    return await sandbox_generate.write(
        sandbox,
        entry,
        prompt=text,
        cost=COSTS[model],
        respond=lambda: completion(model, text, _words(instruction, text)),
    )


def _read(values: Mapping[str, Any]) -> tuple[str, str]:
    """The instruction and the text of a call."""
    messages = values.get("messages")
    if not isinstance(messages, list) or not messages:
        raise missing_field("messages")
    said = {"system": "", "user": ""}
    for number, message in enumerate(messages):
        name = f"messages[{number}]"
        if not isinstance(message, Mapping) or message.get("role") not in ROLES:
            raise invalid_value(f"{name}.role", "Supported values are: system, user and assistant.")
        if not isinstance(message.get("content"), str) or not message["content"].strip():
            raise missing_field(f"{name}.content")
        said[message["role"]] = message["content"]
    if not said["user"]:
        raise missing_field("messages")
    return said["system"], said["user"]


def _words(instruction: str, text: str) -> str:
    if FLAGGED_WORDS.search(text):
        return REFUSAL
    if "translate" in instruction.lower():
        return _translated(text)
    if "variants" in instruction.lower():
        return "\n".join(f"{number}. {text}, {view}" for number, view in enumerate(VIEWS, 1))
    return f"{text}, {RICHER}"


def _translated(text: str) -> str:
    """The text with the words that are known in English; others stay."""
    english = KNOWN.sub(lambda found: f" {WORDS[found[0].lower()]} ", text)
    lines = (re.sub(r"\s+([,.])", r"\1", " ".join(line.split())) for line in english.split("\n"))
    return "\n".join(lines)
