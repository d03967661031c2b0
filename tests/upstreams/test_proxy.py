"""The proxy of an account: its login is encrypted, and it is used for that account alone."""

from __future__ import annotations

import pytest

from generations.upstreams import accounts
from generations.upstreams import environment as upstreams_environment
from generations.upstreams.models import Upstream
from tests.providers.http_proxy import HttpProxy

pytestmark = pytest.mark.django_db


@pytest.fixture
def proxy():
    server = HttpProxy("mei:secret-word")
    yield server
    server.close()


def test_an_account_is_called_through_its_proxy(upstream, proxy):
    upstream.set_proxy(f"http://mei:secret-word@127.0.0.1:{proxy.port}")
    upstream.save()
    stored = Upstream.objects.get()
    assert stored.proxy == f"http://127.0.0.1:{proxy.port}"
    assert "secret-word" not in f"{stored.proxy}{stored.encrypted_proxy_login}"
    answer = accounts.test(stored)
    assert answer.is_good, answer.sentence
    assert len(proxy.asked) == 1


def test_another_account_is_not(upstream, proxy):
    assert accounts.test(upstream).is_good
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


def test_the_account_of_the_environment_has_the_environments_proxy(settings):
    settings.STABILITY_BASE_URL, settings.STABILITY_API_KEY = "https://host.example/sd", "sk-one"
    settings.STABILITY_PROXY = "http://mei:secret-word@one.example:3128"
    assert upstreams_environment.sync().proxy_address == settings.STABILITY_PROXY
    settings.STABILITY_PROXY = "http://one.example:3128"
    assert upstreams_environment.sync().proxy_address == "http://one.example:3128"
    settings.STABILITY_PROXY = ""
    assert upstreams_environment.sync().proxy_address == ""
