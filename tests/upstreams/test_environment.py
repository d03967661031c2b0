"""The provider account of the environment: what variables say, what is set on its page and kept."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from generations.upstreams import environment as upstreams_environment
from generations.upstreams.models import Upstream

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _environment(settings):
    settings.STABILITY_BASE_URL, settings.STABILITY_API_KEY = "https://host.example/sd", "sk-one"


def test_the_account_follows_the_environment(settings):
    first = upstreams_environment.sync()
    settings.STABILITY_API_KEY = "sk-two"
    again = upstreams_environment.sync()
    assert first.pk == again.pk
    assert Upstream.objects.get().key == "sk-two"
    settings.STABILITY_API_KEY = ""
    assert upstreams_environment.sync() is None
    assert not Upstream.objects.get().enabled


def test_results_of_the_sandbox_are_fetched_from_this_machine_and_of_no_other_account(settings):
    assert not upstreams_environment.sync().private_results
    settings.SANDBOX = True
    assert upstreams_environment.sync().private_results


def test_its_key_replaces_one_that_cannot_be_decrypted(settings):
    upstreams_environment.sync()
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert upstreams_environment.sync().key == "sk-one"


def test_what_is_set_on_its_page_is_kept_over_restarts():
    upstreams_environment.sync()
    kept = {"limit_calls": 40, "limit_window": 20, "costs": {"core": 2_50}, "models_served": ["core"]}
    Upstream.objects.update(**kept, low_balance=70, name="Main")
    again = upstreams_environment.sync()
    assert {name: getattr(again, name) for name in kept} == kept
    assert (again.low_balance, again.name) == (70, "Main")


def test_variables_decide_pace_models_costs_and_warning_at_each_start(settings):
    settings.STABILITY_PACE, settings.STABILITY_MAX_IN_FLIGHT = "60/30", "5"
    settings.STABILITY_MODELS, settings.STABILITY_COSTS = "core, ultra", "core=2.5,ultra=7"
    settings.STABILITY_LOW_BALANCE = "0"
    for _ in range(2):
        row = upstreams_environment.sync()
        assert (row.limit_calls, row.limit_window, row.max_in_flight, row.low_balance) == (60, 30, 5, 0)
        assert row.models_served == ["core", "ultra"]
        assert row.costs == {"core": 2_50, "ultra": 7_00}
        Upstream.objects.update(limit_calls=1, costs={}, models_served=[])
    assert upstreams_environment.variables_of_fields()["limit_window"] == "STABILITY_PACE"


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("STABILITY_PACE", "150"),
        ("STABILITY_PACE", "0/10"),
        ("STABILITY_MAX_IN_FLIGHT", "many"),
        ("STABILITY_MODELS", "core,no-such-model"),
        ("STABILITY_COSTS", "core"),
        ("STABILITY_COSTS", "core=-1"),
        ("STABILITY_COSTS", "core=1.234"),
        ("STABILITY_COSTS", "core=NaN"),
        ("STABILITY_LOW_BALANCE", "-5"),
    ],
)
def test_a_variable_that_cannot_be_understood_stops_the_start_by_its_name(settings, variable, text):
    setattr(settings, variable, text)
    with pytest.raises(ImproperlyConfigured, match=f"{variable}={text}"):
        upstreams_environment.sync()
