"""Results by address, as storage hosts of makers serve them."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from generations.sandbox import delivery
from generations.sandbox.delivery import Delivery


def get(place: Delivery, address: str, **headers: str) -> tuple[int, bytes]:
    parts = urlsplit(address)
    response = place.respond(parts.path, parts.query, headers)
    return response.status, response.body


@pytest.fixture
def place() -> Delivery:
    return Delivery()


def test_a_result_is_at_its_address_and_keeps_it(place):
    address = place.address("a.png", b"bytes", "image/png", host="storage:80", lifetime=600)
    assert address.startswith("http://storage:80/delivery/a.png?")
    assert place.address("a.png", b"others", "image/png", host="x", lifetime=1) == address
    assert get(place, address) == (200, b"bytes")
    assert place.most_served == 1


def test_nothing_is_served_to_those_who_send_a_key_and_they_are_counted(place):
    address = place.address("a.png", b"bytes", "image/png", host="storage", lifetime=600)
    for name in ("authorization", "x-key", "api-key"):
        assert get(place, address, **{name: "secret"})[0] == 403
    assert (place.refused_keys, place.most_served) == (3, 0)


def test_a_changed_or_expired_address_is_refused(place):
    address = place.address("a.png", b"bytes", "image/png", host="storage", lifetime=600)
    place.address("b.png", b"others", "image/png", host="storage", lifetime=600)
    assert get(place, address.replace("a.png", "b.png"))[0] == 403
    assert get(place, address.partition("?")[0])[0] == 403
    late = place.address("c.png", b"late", "image/png", host="storage", lifetime=-1)
    assert get(place, late)[0] == 403


def test_the_oldest_results_are_forgotten(place, monkeypatch):
    monkeypatch.setattr(delivery, "MAX_KEPT", 10)
    first, second = (
        place.address(name, b"sevenish", "image/png", host="storage", lifetime=600) for name in ("a", "b")
    )
    assert get(place, first)[0] == 404
    assert get(place, second)[0] == 200
