"""A whole running portal, and a person who uses it with nothing but HTTP."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from sdweb.process import local_environment
from tests.platform.portal import Portal, bare_environment, manage
from tests.sandboxes import Sandbox


@dataclass
class Studio:
    """`make run`, with what it printed."""

    portal: Portal
    email: str
    password: str

    @property
    def settings(self) -> dict[str, str]:
        """What the portal invented."""
        environment = dict(self.portal.environment)
        local_environment.recall(environment)
        return environment

    @property
    def provider(self) -> Sandbox:
        """Its sandbox provider."""
        return Sandbox(self.settings["STABILITY_BASE_URL"])

    def manage(self, *arguments: str) -> str:
        """What a command of the portal says; it must succeed."""
        given = {name: value for name, value in self.portal.environment.items() if name == "DATABASE_URL"}
        done = manage(
            *arguments, environment=self.settings | given | bare_environment(SDWEB_DATA=str(self.portal.data))
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


class Visitor:
    """A browser without scripts."""

    def __init__(self, address: str) -> None:
        self.address, self.session = address, requests.Session()

    def sign_in(self, email: str, password: str) -> Visitor:
        page = self.session.get(f"{self.address}/accounts/login/", timeout=20)
        form = {
            "csrfmiddlewaretoken": hidden(page.text, "csrfmiddlewaretoken"),
            "login": email,
            "password": password,
        }
        answer = self.session.post(page.url, data=form, timeout=20)
        assert "/create/" in answer.url, answer.url
        self.create_url = answer.url
        return self

    def form(self) -> dict[str, str]:
        """The hidden fields of the form on Create."""
        page = self.session.get(self.create_url, timeout=20).text
        return {name: hidden(page, name) for name in ("csrfmiddlewaretoken", "submission", "prices_at")}

    def generate(self, **fields: Any) -> requests.Response:
        """Fill in the form and press Generate."""
        filled = {"prompt": "a quiet harbour", "model": "core", "count": 1} | self.form() | fields
        return self.session.post(self.create_url, data=filled, timeout=30)

    def tiles(self) -> dict[str, str]:
        """The tiles on Create: generation and status, newest first."""
        page = self.session.get(self.create_url, timeout=20).text
        return dict(re.findall(r'data-generation="([-0-9a-f]+)" data-status="(\w+)"', page))

    def newest(self) -> tuple[str, str]:
        """The first tile."""
        return next(iter(self.tiles().items()))

    def has(self, status: str, generation: str) -> Callable[[], bool]:
        """Whether a tile says so; for `eventually`."""
        return lambda: self.tiles().get(generation) == status

    def page(self, path: str) -> str:
        """A page of the team, as text."""
        answer = self.session.get(self.create_url.replace("create/", path), timeout=20)
        assert answer.status_code == 200, answer.status_code
        return html.unescape(answer.text)


def hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no {name} on the page"
    return html.unescape(found[1])


def start(folder: Path, database: str = "") -> Studio:
    """A portal on an empty folder, whose sandbox draws at once."""
    portal = Portal(folder / "var", **({"DATABASE_URL": database} if database else {}))
    said = portal.start()
    found = re.search(r"Sign in as (\S+) with the password (\S+)", said)
    assert found, said
    studio = Studio(portal, *found.groups())
    studio.provider.state(latency=0.2, plain=True)
    return studio
