"""An operator in a browser, and the form of a provider account."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from generations.office.members import service as members_service
from generations.teams.models import User
from generations.upstreams.models import Upstream

KEY = "sk-1234567890abcdef"
FROM = "198.51.100.4"


@pytest.fixture
def operator(db: None) -> User:
    """Somebody without a password, who is not asked for one."""
    return members_service.create_first_operator(email="op@example.org", pool=10_00, wallet=20_00)


@pytest.fixture
def office(client: Client, operator: User) -> Client:
    """A browser in which the operator is signed in."""
    client.force_login(operator)
    client.defaults["REMOTE_ADDR"] = FROM
    return client


def account_form(**changes: Any) -> dict[str, Any]:
    """What a browser sends: every model is on."""
    form = {"name": "Gateway", "kind": "stability", "base_url": "http://127.0.0.1:9/sd", "key": KEY}
    form |= {"models": list(Upstream(kind="stability").served_models), "unit": "credit", "order": "0"}
    return form | {"limit_calls": "150", "limit_window": "10", "low_balance": "500"} | changes


def add(office: Client, **changes: Any) -> Any:
    """Press Test and save on the page of a new account; the page that follows."""
    return office.post(reverse("operate:new_account"), account_form(**changes), follow=True)


def change(office: Client, upstream: Upstream, **changes: Any) -> Any:
    """Press Save on the page of an account, with an empty key unless given; the page that follows."""
    form = account_form(**({"name": upstream.name, "base_url": upstream.base_url, "key": ""} | changes))
    answer = office.post(reverse("operate:account", args=[upstream.pk]), form, follow=True)
    upstream.refresh_from_db()
    return answer


def press(office: Client, upstream: Upstream, act: str, **fields: Any) -> str:
    """Press one of the switches; the text of the page that follows."""
    answer = office.post(reverse("operate:switch", args=[upstream.pk, act]), fields, follow=True)
    upstream.refresh_from_db()
    return str(answer.text)
