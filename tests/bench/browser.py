"""People at their browsers: one who presses Generate, one whose page is open."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import requests

from tests.journeys.studio import Visitor

# Older versions, which `--base` measures, name the generation in an attribute of its own.
DONE = re.compile(r'(?:id="tile-|data-generation=")([-0-9a-f]+)"\s+data-status="succeeded"')


def signed_in(address: str, team: str, cookies: dict[str, str]) -> Visitor:
    """Somebody with a session, on Create."""
    visitor = Visitor(address)
    visitor.session.cookies.update(cookies)
    visitor.create_url = f"{address}/t/{team}/create/"
    return visitor


def press(visitor: Visitor, **fields: Any) -> float:
    """Fill in the form and press Generate; seconds from the press to the redirect."""
    filled = {"model": "core", "count": 1} | visitor.form() | fields
    began = time.monotonic()
    answer = visitor.session.post(visitor.create_url, data=filled, timeout=60, allow_redirects=False)
    assert answer.status_code == 302, (answer.status_code, answer.text[:2000])
    return time.monotonic() - began


class OpenPage:
    """A page that listens, and notes when it was told of each picture."""

    def __init__(self, visitor: Visitor, address: str, team: str) -> None:
        self.shown: dict[str, float] = {}
        self._url, self._cookies = f"{address}/t/{team}/live", visitor.session.cookies.get_dict()
        threading.Thread(target=self._listen, name="page", daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                with requests.get(self._url, cookies=self._cookies, stream=True, timeout=60) as stream:
                    for event in _events(stream):
                        for generation in DONE.findall(event):
                            self.shown.setdefault(generation, time.time())
            except requests.RequestException:
                time.sleep(0.2)


def _events(stream: requests.Response) -> Iterator[str]:
    """The data of each event, its lines joined."""
    lines: list[str] = []
    for line in stream.iter_lines(chunk_size=1):
        if line:
            lines.append(line.decode().removeprefix("data: "))
        else:
            yield "\n".join(lines)
            lines.clear()
