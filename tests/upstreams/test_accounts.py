"""Provider accounts: the one of the environment, tests of accounts, pauses and blocks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone

from generations.core import redis_client
from generations.providers.base import Unavailable
from generations.providers.catalogue import registry as catalogue_registry
from generations.upstreams import accounts, blocks, new_account
from generations.upstreams import rate_limit as upstreams_rate_limit
from generations.upstreams.models import Upstream
from tests import sandboxes

pytestmark = pytest.mark.django_db


def test_a_key_is_encrypted_at_rest(upstream):
    assert sandboxes.KEY not in Upstream.objects.get().encrypted_key
    assert Upstream.objects.get().key == sandboxes.KEY


def test_a_key_that_cannot_be_decrypted_is_reported(upstream, settings):
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(Unavailable):
        accounts.provider(upstream)
    answer = accounts.test(upstream)
    assert not answer.is_good
    assert "Enter it again" in answer.sentence
    assert accounts.update_balances() == 0


def test_testing_an_account_shows_its_balance(upstream, provider):
    provider.state(credits=412.5)
    answer = accounts.test(upstream)
    assert answer.is_good
    assert "412.50" in answer.sentence


def test_testing_with_a_wrong_key_fails_without_showing_it(upstream):
    upstream.set_key("sk-wrong-and-secret")
    answer = accounts.test(upstream)
    assert (answer.is_good, answer.status) == (False, 401)
    assert "sk-wrong-and-secret" not in answer.sentence


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
    blocks.after_call(upstream, 30)
    assert set(Upstream.objects.open()) == {alone}
    assert other.pk not in Upstream.objects.open().values_list("pk", flat=True)


def _paused(upstream):
    upstream.refresh_from_db()
    return upstream.paused_at is not None


def test_the_first_call_of_a_new_account_is_sent_at_once(db):
    new = Upstream.objects.create(name="new", base_url="http://host")
    redis_client.client().delete(f"pace:{new.pace_key}")
    new_account.begin(new)
    permit = upstreams_rate_limit.reserve(new)
    assert permit is not None
    assert permit.delay < 0.1


def test_an_account_serves_only_models_of_its_own_system():
    assert Upstream(kind="stability").serves("core")
    assert Upstream(kind="stability", models_served=["ultra"]).served_models == ("ultra",)
    assert not Upstream(kind="another-maker").serves("core")


ORIGINAL = ("midjourney", "midjourney-blend", "midjourney-describe")


def test_an_account_serves_only_models_that_its_dialect_has():
    original = {"midjourney": {"dialect": "original"}}
    assert Upstream(kind="midjourney", systems=original).served_models == ORIGINAL
    assert "midjourney-shorten" in Upstream(kind="midjourney").served_models
    gateway = Upstream(kind="gateway", systems=original | {"stability": {}})
    assert set(gateway.served_models) == {*ORIGINAL, *Upstream(kind="stability").served_models}
    chosen = ["midjourney", "midjourney-shorten"]
    for kind in ("midjourney", "gateway"):
        account = Upstream(kind=kind, systems=original, models_served=chosen)
        assert account.served_models == ("midjourney",)
        assert not account.serves("midjourney-shorten")


@pytest.mark.parametrize("system", catalogue_registry.DECLARED.values(), ids=lambda system: system.name)
def test_the_models_of_a_dialect_are_models_of_its_system(system):
    everything = [model.name for model in system.models]
    assert system.dialect_models.keys() <= system.dialects.keys()
    for dialect in ("", *system.dialects):
        assert set(catalogue_registry.names_in_dialect(system.name, dialect)) <= set(everything)
    usual = catalogue_registry.names_in_dialect(system.name, "")
    assert list(usual) == everything, "the usual dialect has all"
