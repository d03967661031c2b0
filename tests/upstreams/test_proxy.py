"""The proxy of an account: its login is encrypted, and it is used for that account alone."""

from __future__ import annotations

import pytest

from generations.upstreams import accounts
from generations.upstreams.admin import UpstreamForm
from generations.upstreams.models import Upstream
from tests.providers.http_proxy import HttpProxy

pytestmark = pytest.mark.django_db


@pytest.fixture
def proxy():
    server = HttpProxy("mei:secret-word")
    yield server
    server.close()


def form(upstream, **changes):
    fields = {"name": "Main", "kind": "stability", "base_url": upstream.base_url, "key": ""}
    fields |= {"enabled": "on", "order": "0", "costs": "{}", "orders": "{}", "unit": "credit"}
    fields |= {"limit_calls": "150", "limit_window": "10", "low_balance": "500"}
    return UpstreamForm(fields | changes, instance=upstream)


def test_an_account_is_called_through_its_proxy(upstream, proxy):
    upstream.set_proxy(f"http://mei:secret-word@127.0.0.1:{proxy.port}")
    upstream.save()
    stored = Upstream.objects.get()
    assert stored.proxy == f"http://127.0.0.1:{proxy.port}"
    assert "secret-word" not in f"{stored.proxy}{stored.encrypted_proxy_login}"
    succeeded, sentence = accounts.test(stored)
    assert succeeded, sentence
    assert len(proxy.asked) == 1


def test_another_account_is_not(upstream, proxy):
    assert accounts.test(upstream)[0]
    assert not proxy.asked


def test_a_login_is_kept_while_the_proxy_is_the_same_and_forgotten_with_it(upstream):
    upstream.set_proxy("http://mei:secret-word@one.example:3128")
    upstream.set_proxy("http://one.example:3128")
    assert upstream.proxy_address == "http://mei:secret-word@one.example:3128"
    upstream.set_proxy("http://two.example:3128")
    assert upstream.proxy_address == "http://two.example:3128"
    upstream.set_proxy("http://olga:other@two.example:3128")
    assert upstream.proxy_address == "http://olga:other@two.example:3128"
    upstream.set_proxy("")
    assert upstream.proxy_address == ""
    assert upstream.encrypted_proxy_login == ""


def test_the_form_stores_the_login_apart_and_never_shows_it(upstream):
    filled = form(upstream, proxy="http://mei:secret-word@one.example:3128")
    assert filled.is_valid(), filled.errors
    saved = filled.save()
    assert saved.proxy == "http://one.example:3128"
    assert saved.proxy_address == "http://mei:secret-word@one.example:3128"
    assert "secret-word" not in UpstreamForm(instance=Upstream.objects.get()).as_p()


def test_the_form_refuses_what_is_no_proxy(upstream):
    assert "proxy" in form(upstream, proxy="socks5://one.example:1080").errors


def test_the_account_of_the_environment_has_the_environments_proxy(settings):
    settings.STABILITY_BASE_URL, settings.STABILITY_API_KEY = "https://host.example/sd", "sk-one"
    settings.STABILITY_PROXY = "http://mei:secret-word@one.example:3128"
    assert accounts.sync_environment().proxy_address == settings.STABILITY_PROXY
    settings.STABILITY_PROXY = "http://one.example:3128"
    assert accounts.sync_environment().proxy_address == "http://one.example:3128"
    settings.STABILITY_PROXY = ""
    assert accounts.sync_environment().proxy_address == ""
