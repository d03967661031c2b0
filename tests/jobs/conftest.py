"""A person at a browser without scripts."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from generations.teams.models import Membership
from generations.upstreams.models import Upstream


@pytest.fixture
def mei(member: Membership, client: Client) -> Client:
    """Mei, signed in."""
    client.force_login(member.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def address(member: Membership) -> Callable[[str], str]:
    """Where a page of Mei's team is: address("create/")."""
    return lambda path: f"/t/{member.team.slug}/{path}"


@pytest.fixture
def press(mei: Client, address: Callable[[str], str], upstream: Upstream) -> Callable[..., HttpResponse]:
    """Fill in the form and press Generate: press(prompt=..., model=...)."""

    def send(*, by_script: bool = False, **fields: Any) -> HttpResponse:
        filled = {
            "prompt": "a quiet harbour at dawn",
            "model": "core",
            "aspect_ratio": "1:1",
            "style_preset": "",
            "output_format": "png",
            "count": 1,
            "submission": uuid.uuid4(),
            "prices_at": timezone.now().isoformat(),
        }
        headers = {"HX-Request": "true"} if by_script else {}
        return mei.post(address("create/"), filled | fields, headers=headers)

    return send
