"""A whole running portal, and a person who uses it with nothing but HTTP."""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import requests

from sdweb.process import local_environment
from tests.journeys.console import Console
from tests.sandboxes import Sandbox
from tests.sdweb.portal import Portal

# A team with an operator who owns it, as `make run` makes the first one; sign-ins are counted from here on,
# and what others asked for is drawn before anything else is.
NEW_TEAM = """
import time, uuid
from django.core.cache import cache
from generations.jobs.models import Generation
from generations.office.audit_log.service import Actor
from generations.office.credits import service as credits_service
from generations.office.members import service as members_service
from generations.teams import users
from generations.teams.models import Role
cache.clear()
user = users.create(email={email!r}, password={password!r})
users.make_operator(user)
team = members_service.create_team("Studio")
members_service.add_member(user=user, team=team, role=Role.OWNER, by=Actor(user), granted=1_000_00)
credits_service.issue(team=team, amount=10_000_00, reference=uuid.uuid4(), by=Actor(user))
deadline = time.monotonic() + 60
under_way = Generation.objects.unfinished()
while under_way.exists():
    assert time.monotonic() < deadline, "what was asked for before is not drawn"
    time.sleep(0.1)
"""


@dataclass(frozen=True)
class Studio:
    """`make run`, and somebody who owns a team there and is an operator."""

    portal: Portal
    console: Console
    email: str
    password: str

    @property
    def settings(self) -> dict[str, str]:
        """What the portal invented."""
        return settings(self.portal)

    @property
    def provider(self) -> Sandbox:
        """Its sandbox provider."""
        return Sandbox(self.settings["STABILITY_BASE_URL"])

    @cached_property
    def signed_in(self) -> Visitor:
        """They, signed in by password, which takes as long as a page: others take on the cookies."""
        return Visitor(self.portal.address).sign_in(self.email, self.password)

    def visitor(self) -> Visitor:
        """A browser without scripts in which they are signed in."""
        visitor = Visitor(self.portal.address)
        visitor.session.cookies.update(self.signed_in.session.cookies)
        visitor.create_url = self.signed_in.create_url
        return visitor

    def manage(self, *arguments: str) -> str:
        """What a command of the portal says; it must succeed."""
        return self.console.manage(*arguments)

    def with_new_team(self) -> Studio:
        """The same portal with another team, all alone: nothing is under way, and the provider has rested."""
        name, password = secrets.token_hex(4), secrets.token_urlsafe(9)
        another = replace(self, email=f"{name}@studio.example", password=password)
        self.manage("shell", "-v", "0", "-c", NEW_TEAM.format(email=another.email, password=password))
        for kept in ("plan", "log"):
            self.provider._ask("DELETE", kept)
        self.provider.state(reset=True, latency=0.2, plain=True)
        return another

    def close(self) -> None:
        """Stop everything."""
        self.console.close()
        self.portal.stop()
        self.portal.kill()


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
        return dict(re.findall(r'id="tile-([-0-9a-f]+)"\s+data-status="(\w+)"', page))

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


def start(folder: Path, **more: str) -> Studio:
    """A portal on an empty folder, whose sandbox draws at once."""
    portal = Portal(folder / "var", **more)
    said = portal.start()
    found = re.search(r"Sign in as (\S+) with the password (\S+)", said)
    assert found, said
    studio = Studio(portal, Console(settings(portal)), *found.groups())
    studio.provider.state(latency=0.2, plain=True)
    return studio


def settings(portal: Portal) -> dict[str, str]:
    """What the portal was given, and what it invented."""
    environment = dict(portal.environment)
    local_environment.load(environment)
    return environment
