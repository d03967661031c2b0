"""Faults: outcomes planned through `/control/plan`, each for one of the next calls, in order.

An outcome is one of the words below: `429:7` also sends `Retry-After: 7`, `slow:12` takes 12 seconds and
then succeeds, and `ok` is an ordinary call. As an object it is
`{"outcome": "500", "match": "boat", "times": 3, "delay": 2}`: for prompts that contain the text, for that
many calls, and after a delay in seconds. Only calls that ask for images take outcomes.

`404-model` and `403-model` are a gateway's words for a model that the account lacks, `504-html` and
`524-html` are its pages after it has waited too long for a picture that was drawn, and `garbage` is a 200
that nobody can read.

Charged as an ordinary call: ok, slow, filtered, drop, truncate, garbage, not-an-image, 504-html, 524-html.

The order of a task takes the same words: errors refuse it, `drop`, `truncate`, `garbage` and the pages damage
its answer, `slow:12` and `delay` are the seconds until it ends, `filtered` and `not-an-image` are its result.
Only an order takes `task-failed`, `task-moderated` (polls get 403) and `task-endless`, and none is charged.
Polls for a failed task get 500 (of Flux 200); `task-failed:400` and so on say otherwise.

With `poll-` in front, an outcome is for one of the next polls of a task: `poll-404`, `poll-500`,
`poll-429:7`, `poll-garbage`, `poll-drop` and so on, and `poll-202`, which says nothing yet; `match` looks at
the prompt of the task.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from generations.sandbox import responses as sandbox_responses
from generations.sandbox.responses import Response, as_json

ERRORS = {
    "400": lambda: sandbox_responses.bad_request("prompt: planned by the sandbox"),
    "401": sandbox_responses.unauthorized,
    "402": sandbox_responses.payment_required,
    "403": sandbox_responses.moderated,
    "404": sandbox_responses.not_found,
    "413": sandbox_responses.payload_too_large,
    "422": sandbox_responses.wrong_language,
    "422-public-figure": sandbox_responses.public_figure,
    "500": sandbox_responses.internal_error,
}
LOST_PAGES = {"504-html": 504, "524-html": 524}  # in place of a picture that was drawn
DAMAGES = ("drop", "truncate", "garbage", *LOST_PAGES)  # of an answer, or of an image that was drawn
CHARGED_OUTCOMES = ("ok", "slow", "filtered", "not-an-image", *DAMAGES)
TASK_ENDS = ("task-failed", "task-moderated", "task-endless")
TASK_FAILURES = ("200", "400", "422", "500", "503")  # statuses of a poll for one
GATEWAY_ERRORS = {  # in the format of gateways: docs/providers/gateways.md, "Statuses"
    "403-model": (403, "", "This token has no access to model stable-image"),
    "404-model": (404, "model_not_found", "The model does not exist"),
}
OTHER_OUTCOMES = ("429", "502-html", "hang", *GATEWAY_ERRORS)
POLL = "poll-"
NOT_YET = "poll-202"
POLL_OUTCOMES = (NOT_YET, *(POLL + outcome for outcome in (*ERRORS, *OTHER_OUTCOMES, *DAMAGES)))
OUTCOMES_WITH_SECONDS = ("429", "poll-429", "slow")

# A call that answers with its image, one for a task, and one for the result of a task.
Call = Literal["picture", "order", "poll"]

GATEWAY_PAGE = "<!doctype html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


@dataclass
class Planned:
    """One planned outcome, and for which calls."""

    outcome: str = "ok"
    seconds: str = ""
    match: str = ""
    times: int = 1
    delay: float | None = None

    @classmethod
    def parse(cls, entry: Any) -> Planned:
        """Parse a word or an object; ValueError for an invalid one."""
        values = {"outcome": entry} if isinstance(entry, str) else entry
        if not isinstance(values, dict) or set(values) - {"outcome", "match", "times", "delay"}:
            raise ValueError(f"not a planned outcome: {entry!r}")
        outcome, _, seconds = str(values.get("outcome", "ok")).partition(":")
        if outcome not in (*ERRORS, *CHARGED_OUTCOMES, *OTHER_OUTCOMES, *TASK_ENDS, *POLL_OUTCOMES):
            raise ValueError(f"no such outcome: {outcome!r}")
        if seconds and not (
            (outcome in OUTCOMES_WITH_SECONDS and seconds.isdecimal())
            or (outcome == "task-failed" and seconds in TASK_FAILURES)
        ):
            raise ValueError(f"no such outcome: {values['outcome']!r}")
        delay = float(values["delay"]) if "delay" in values else None
        return cls(outcome, seconds, str(values.get("match", "")), int(values.get("times", 1)), delay)

    @property
    def makes_an_image(self) -> bool:
        """Whether the call is processed as usual."""
        return self.action in (*CHARGED_OUTCOMES, *TASK_ENDS)

    @property
    def is_charged(self) -> bool:
        """Whether what is ordered is paid for."""
        return self.action in CHARGED_OUTCOMES

    @property
    def action(self) -> str:
        """The outcome, without the word that makes it one of a poll."""
        return self.outcome.removeprefix(POLL)

    def is_for(self, call: Call, prompt: str) -> bool:
        """Whether it is for this kind of call, with this prompt."""
        if self.match not in prompt or self.outcome.startswith(POLL) != (call == "poll"):
            return False
        return self.outcome not in TASK_ENDS or call == "order"

    @property
    def latency(self) -> float | None:
        """Seconds until the response, if planned."""
        return float(self.seconds) if self.outcome == "slow" and self.seconds else self.delay

    def as_word(self) -> str:
        """Return the outcome as it was planned."""
        return f"{self.outcome}:{self.seconds}" if self.seconds else self.outcome

    def response(self) -> Response:
        """Return the planned response of a call without an image, or raise its ApiError."""
        if self.action == "502-html":
            return gateway_page(502)
        if self.action in GATEWAY_ERRORS:
            status, code, message = GATEWAY_ERRORS[self.action]
            return as_json({"error": {"message": message, "type": "new_api_error", "code": code}}, status)
        if self.action == "429":
            raise sandbox_responses.rate_limited(self.seconds)
        if self.outcome == NOT_YET:
            return as_json({}, 202)
        if self.outcome == "poll-404":
            raise sandbox_responses.generation_not_found()
        raise ERRORS[self.action]()


def gateway_page(status: int) -> Response:
    """Return the page of a server before the provider."""
    return Response(status, GATEWAY_PAGE.format(status).encode(), "text/html; charset=utf-8")


class Plan:
    """The planned outcomes of the next calls."""

    def __init__(self) -> None:
        self.planned: list[Planned] = []

    def extend(self, entries: Any) -> None:
        """Append outcomes; ValueError, and nothing is planned, if one is invalid."""
        if not isinstance(entries, list):
            raise TypeError("a plan is a list of outcomes")
        self.planned.extend([Planned.parse(entry) for entry in entries])

    def next(self, prompt: str, call: Call = "picture") -> Planned:
        """Take the first outcome that is for this call; an ordinary one if there is none."""
        for planned in self.planned:
            if planned.is_for(call, prompt):
                planned.times -= 1
                if planned.times < 1:
                    self.planned.remove(planned)
                return planned
        return Planned()
