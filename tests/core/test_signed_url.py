"""Signatures of the key that was replaced stay valid while it is a fallback."""

from __future__ import annotations

import pytest

from generations.core import signed_url
from generations.library.models import Share
from generations.library.sharing import service as sharing_service


@pytest.fixture
def rotate(settings):
    def to(new, *fallbacks):
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = new, list(fallbacks)

    to("old-key")
    return to


def test_a_signature_is_valid_until_its_key_is_left_out(rotate):
    signed = signed_url.sign("salt", "value").hex()
    rotate("new-key", "old-key")
    assert signed_url.is_valid(signed, "salt", "value")
    assert signed_url.sign("salt", "value").hex() != signed
    rotate("newest-key", "new-key", "old-key")
    assert signed_url.is_valid(signed, "salt", "value")
    rotate("newest-key", "new-key")
    assert not signed_url.is_valid(signed, "salt", "value")


def test_a_share_link_outlives_the_key(rotate):
    share = Share()
    token = sharing_service.token(share.pk)
    rotate("new-key", "old-key")
    assert sharing_service.verified_id(token) == share.pk
    rotate("new-key")
    with pytest.raises(sharing_service.LinkNotFound):
        sharing_service.verified_id(token)


def test_who_is_signed_in_stays_so(rotate, client, member):
    client.force_login(member.user)
    rotate("new-key", "old-key")
    assert client.get("/accounts/sessions/").status_code == 200
    rotate("newest-key")
    assert client.get("/accounts/sessions/").status_code == 302
