"""Outcomes planned through `/control/plan`, used up by the next generate calls in order.

An outcome is one of the words below, where `429:7` also sends `Retry-After: 7`,
`slow:12` takes 12 seconds and then succeeds, and `ok` is an ordinary call. As an object it
is `{"outcome": "500", "match": "boat", "times": 3, "delay": 2}`: only for prompts that
contain the text, for that many calls, and answered after so many seconds.

Charged as if the picture had been made: ok, slow, filtered, drop, truncate, not-an-image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from generations.sandbox import responses as sandbox_responses
from generations.sandbox.responses import Answer, RefusalError

REFUSALS = {
    "400": lambda: sandbox_responses.bad_request("prompt: planned by the sandbox"),
    "402": sandbox_responses.payment_required,
    "403": sandbox_responses.moderated,
    "404": sandbox_responses.not_found,
    "413": sandbox_responses.payload_too_large,
    "422": sandbox_responses.wrong_language,
    "500": sandbox_responses.internal_error,
}
PICTURE_FAULTS = ("ok", "slow", "filtered", "drop", "truncate", "not-an-image")
OTHERS = ("401", "429", "502-html", "hang")
WITH_SECONDS = ("429", "slow")

BAD_GATEWAY = (
    b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>502</h1></body></html>"
)


@dataclass
class Planned:
    """One planned outcome and the calls it is for."""

    outcome: str = "ok"
    seconds: str = ""
    match: str = ""
    times: int = 1
    delay: float | None = None

    @classmethod
    def read(cls, entry: Any) -> Planned:
        """Understand a word or an object; ValueError says what is not understood."""
        given = {"outcome": entry} if isinstance(entry, str) else entry
        if not isinstance(given, dict) or set(given) - {"outcome", "match", "times", "delay"}:
            raise ValueError(f"not a planned outcome: {entry!r}")
        outcome, _, seconds = str(given.get("outcome", "ok")).partition(":")
        if outcome not in (*REFUSALS, *PICTURE_FAULTS, *OTHERS):
            raise ValueError(f"no such outcome: {outcome!r}")
        if seconds and (outcome not in WITH_SECONDS or not seconds.isdecimal()):
            raise ValueError(f"no such outcome: {given['outcome']!r}")
        delay = float(given["delay"]) if "delay" in given else None
        return cls(outcome, seconds, str(given.get("match", "")), int(given.get("times", 1)), delay)

    @property
    def makes_a_picture(self) -> bool:
        """Whether the call is worked on, and paid for, as usual."""
        return self.outcome in PICTURE_FAULTS

    @property
    def latency(self) -> float | None:
        """Seconds until the answer, where the plan says so."""
        return float(self.seconds) if self.outcome == "slow" and self.seconds else self.delay

    def as_word(self) -> str:
        """The outcome as it was planned."""
        return f"{self.outcome}:{self.seconds}" if self.seconds else self.outcome

    def answer(self, version: str, key: str) -> Answer:
        """The planned answer of a call that makes no picture; most raise their RefusalError."""
        if self.outcome == "502-html":
            return Answer(502, BAD_GATEWAY, "text/html; charset=utf-8")
        raise self._refusal(version, key)

    def _refusal(self, version: str, key: str) -> RefusalError:
        if self.outcome == "429":
            return sandbox_responses.too_many(self.seconds)
        if self.outcome == "401":
            return sandbox_responses.unauthorized(version, key)
        return REFUSALS[self.outcome]()


class Plan:
    """The outcomes still to come."""

    def __init__(self) -> None:
        self.planned: list[Planned] = []

    def extend(self, entries: Any) -> None:
        """Append outcomes; ValueError, and nothing planned, if one is not understood."""
        if not isinstance(entries, list):
            raise TypeError("a plan is a list of outcomes")
        self.planned.extend([Planned.read(entry) for entry in entries])

    def next(self, prompt: str) -> Planned:
        """Use up the first outcome that is meant for this prompt; an ordinary one if none is."""
        for planned in self.planned:
            if planned.match in prompt:
                planned.times -= 1
                if planned.times < 1:
                    self.planned.remove(planned)
                return planned
        return Planned()
