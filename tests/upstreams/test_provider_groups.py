"""Rows with the address and key of one account at the provider: one balance, one pace."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from generations.office.installation import pools as installation_pools
from generations.office.models import NoticeKind
from generations.office.notices import rules as notices_rules
from generations.upstreams import accounts, new_account, provider_groups
from generations.upstreams.models import Upstream

pytestmark = pytest.mark.django_db


@pytest.fixture
def make():
    def make_row(name, *, key="sk-one", address="http://host/sd", **more):
        row = Upstream(name=name, base_url=address, **more)
        row.set_key(key)
        row.save()
        return row

    return make_row


def names():
    groups = provider_groups.grouped(Upstream.objects.order_by("pk"))
    return sorted(sorted(row.name for row in group) for group in groups)


def test_the_same_address_and_key_are_one_account(make):
    make("fast")
    make("slow", address="http://host/sd/")
    make("other key", key="sk-two")
    make("other place", address="http://elsewhere/sd")
    assert names() == [["fast", "slow"], ["other key"], ["other place"]]


def test_a_limit_shared_by_hand_makes_one_account_of_two_keys(make):
    make("a", pace_account="ours")
    make("b", key="sk-two", pace_account="ours")
    make("c", key="sk-two")
    assert names() == [["a", "b", "c"]]


def test_keys_that_cannot_be_read_are_not_compared(make, settings):
    make("a")
    make("b")
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert names() == [["a"], ["b"]]


def test_the_balance_of_one_account_is_counted_and_warned_of_once(make):
    rows = [make("fast"), make("slow")]
    for row in rows:
        accounts.remember(row, accounts.Answer(balance=60))
    [account] = installation_pools.provider_accounts()
    assert (account.names, account.balance) == ("fast, slow", 60)
    low = [each for each in notices_rules.upstream_conditions() if each.kind == NoticeKind.PROVIDER_LOW]
    assert [each.values["name"] for each in low] == ["fast, slow"]


def test_one_account_has_one_pace_and_the_running_limiter_goes_on(make):
    fast = make("fast")
    limiter = fast.pace_key
    slow = make("slow")
    new_account.share_pace(slow)
    fast.refresh_from_db()
    slow.refresh_from_db()
    assert fast.pace_key == slow.pace_key == limiter
    apart = make("apart", pace_account="by hand")
    new_account.share_pace(apart)
    assert Upstream.objects.get(name="apart").pace_key == "by hand"
