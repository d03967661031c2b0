"""Provider accounts: the one of the environment, tests of accounts, pauses and blocks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone

from generations.core import redis_client
from generations.providers.base import Unavailable
from generations.upstreams import accounts
from generations.upstreams import rate_limit as upstreams_rate_limit
from generations.upstreams.models import Upstream
from tests import sandboxes

pytestmark = pytest.mark.django_db


def test_the_environments_account_follows_the_environment(settings):
    settings.STABILITY_BASE_URL, settings.STABILITY_API_KEY = "https://host.example/sd", "sk-one"
    first = accounts.sync_environment()
    settings.STABILITY_API_KEY = "sk-two"
    again = accounts.sync_environment()
    assert first.pk == again.pk
    assert Upstream.objects.get().key == "sk-two"
    settings.STABILITY_API_KEY = ""
    assert accounts.sync_environment() is None
    assert not Upstream.objects.get().enabled


def test_a_key_is_encrypted_at_rest(upstream):
    assert sandboxes.KEY not in Upstream.objects.get().encrypted_key
    assert Upstream.objects.get().key == sandboxes.KEY


def test_a_key_that_cannot_be_decrypted_is_reported(upstream, settings):
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(Unavailable):
        accounts.provider(upstream)
    succeeded, message = accounts.test(upstream)
    assert not succeeded
    assert "Enter it again" in message
    assert accounts.update_balances() == 0


def test_the_environments_key_replaces_one_that_cannot_be_decrypted(settings):
    settings.STABILITY_BASE_URL, settings.STABILITY_API_KEY = "https://host.example/sd", "sk-one"
    accounts.sync_environment()
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert accounts.sync_environment().key == "sk-one"


def test_testing_an_account_shows_its_balance(upstream, provider):
    provider.state(credits=412.5)
    succeeded, message = accounts.test(upstream)
    assert succeeded
    assert "412.50" in message


def test_testing_with_a_wrong_key_fails_without_showing_it(upstream):
    upstream.set_key("sk-wrong-and-secret")
    succeeded, message = accounts.test(upstream)
    assert not succeeded
    assert "sk-wrong-and-secret" not in message


def test_an_account_without_credits_is_resumed_when_it_has_some(upstream, provider):
    accounts.pause(upstream, Unavailable("No credits left.", 402))
    provider.state(credits=0)
    accounts.update_balances()
    assert _paused(upstream)
    provider.state(credits=50)
    accounts.update_balances()
    assert not _paused(upstream)


def test_an_account_whose_key_was_refused_stays_paused(upstream):
    accounts.pause(upstream, Unavailable("Wrong key.", 401))
    Upstream.objects.update(paused_at=timezone.now() - timedelta(days=1))
    accounts.update_balances()
    assert _paused(upstream)


def test_a_pause_for_another_reason_ends_after_ten_minutes(upstream):
    accounts.pause(upstream, Unavailable("No such page.", 404))
    accounts.update_balances()
    assert _paused(upstream)
    Upstream.objects.update(paused_at=timezone.now() - timedelta(minutes=11))
    accounts.update_balances()
    assert not _paused(upstream)


def test_a_block_applies_to_every_account_that_shares_the_limit(upstream):
    upstream.pace_account = "together"
    upstream.save()
    other = Upstream.objects.create(name="other", base_url="http://host", pace_account="together")
    alone = Upstream.objects.create(name="alone", base_url="http://host")
    accounts.block(upstream, 30)
    assert set(Upstream.objects.open()) == {alone}
    assert other.pk not in Upstream.objects.open().values_list("pk", flat=True)


def _paused(upstream):
    upstream.refresh_from_db()
    return upstream.paused_at is not None


def test_the_first_call_of_a_new_account_is_sent_at_once(db):
    new = Upstream.objects.create(name="new", base_url="http://host")
    redis_client.client().delete(f"pace:{new.pace_key}")
    accounts.begin(new)
    permit = upstreams_rate_limit.reserve(new)
    assert permit is not None
    assert permit.delay < 0.1


def test_an_account_serves_only_models_of_its_own_system():
    assert Upstream(kind="stability").serves("core")
    assert Upstream(kind="stability", models_served=["ultra"]).served_models == ("ultra",)
    assert not Upstream(kind="another-maker").serves("core")
