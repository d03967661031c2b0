"""Command line options of the sandbox; `/control/state` can change some later."""

from __future__ import annotations

from argparse import ArgumentParser, BooleanOptionalAction
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass
class Options:
    """Options, by default as the real service where it publishes its limits."""

    host: str = "127.0.0.1"
    port: int = 8090
    key: str = "sandbox"  # or several, separated by commas, of one account
    latency: float = 5.0  # seconds from the arrival of a request to its response
    task_latency: float = 8.0  # seconds from an order to its result; real ones take a minute
    task_lifetime: float = 86_400.0  # seconds for which a result is kept
    result_lifetime: float = 600.0  # seconds for which the address of a result is served
    poll_interval: float = 10.0  # seconds; a task that is asked for sooner again is logged as early
    limit: int = 150  # calls in any `window` seconds: docs/providers/stability.md, "Rate limit"
    window: float = 10.0
    penalty: float = 60.0  # seconds of 429 after the limit was exceeded
    credits: float = 100_000.0
    plain: bool = False  # one prepared image with a serial number instead of drawing
    strict: bool = False  # reject fields that the endpoint does not document
    control: bool | None = None  # None: only on a loopback address

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Options:
        """Build options from parsed arguments, which may contain others."""
        return cls(**{field.name: arguments[field.name] for field in fields(cls)})

    @property
    def has_control(self) -> bool:
        """Whether `/control` is served: as set, by default only on a loopback address."""
        return self.host in LOOPBACK if self.control is None else self.control


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the sandbox to a parser."""
    parser.add_argument("--host", default=Options.host, help="address to listen on")
    parser.add_argument("--port", type=int, default=Options.port, help="0 takes a free one")
    parser.add_argument(
        "--key", default=Options.key, help="the API keys that are accepted, separated by commas"
    )
    parser.add_argument("--latency", type=float, default=Options.latency, help="seconds a picture takes")
    parser.add_argument(
        "--task-latency", type=float, default=Options.task_latency, help="seconds a task takes"
    )
    parser.add_argument(
        "--task-lifetime", type=float, default=Options.task_lifetime, help="seconds a result is kept"
    )
    parser.add_argument(
        "--result-lifetime", type=float, default=Options.result_lifetime, help="seconds of an address"
    )
    parser.add_argument(
        "--poll-interval", type=float, default=Options.poll_interval, help="seconds between two polls"
    )
    parser.add_argument("--limit", type=int, default=Options.limit, help="calls allowed in any window")
    parser.add_argument("--window", type=float, default=Options.window, help="seconds")
    parser.add_argument(
        "--penalty", type=float, default=Options.penalty, help="seconds of 429 after too many"
    )
    parser.add_argument("--credits", type=float, default=Options.credits, help="balance at the start")
    parser.add_argument("--plain", action="store_true", help="do not draw: one picture with a serial")
    parser.add_argument("--strict", action="store_true", help="refuse fields an endpoint does not take")
    parser.add_argument(
        "--control", action=BooleanOptionalAction, help="serve /control (default: on loopback)"
    )
