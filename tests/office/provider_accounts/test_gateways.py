"""An account at a gateway: its systems, their prefixes, and the names of models there."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.urls import reverse

from generations.providers.base import Busy, Done, ImageRequest, ModelUnavailable
from generations.providers.catalogue import registry as catalogue_registry
from generations.upstreams import accounts, blocks
from generations.upstreams import environment as upstreams_environment
from generations.upstreams.models import Upstream
from tests import sandboxes
from tests.markup import compact
from tests.office.provider_accounts.conftest import add, change, press
from tests.pages.csp import csp_violations

STABILITY = catalogue_registry.names_of_system("stability")
SYSTEMS = list(catalogue_registry.DECLARED)
OTHERS = {f"prefix-{name}": system.prefix for name, system in catalogue_registry.DECLARED.items()}
CORE = ImageRequest("core", {"prompt": "a harbour"})


@pytest.fixture
def gateway() -> Iterator[sandboxes.Sandbox]:
    with sandboxes.running() as server:
        yield server


def add_gateway(office, server, **changes):
    fields = {"kind": "gateway", "base_url": server.url, "key": sandboxes.KEY, "unit": "USD"}
    return add(office, **fields | OTHERS | {"systems": ["stability"], "models": STABILITY} | changes)


def test_a_new_account_begins_with_the_question_gateway_or_maker(office):
    page = office.get(reverse("operate:new_account")).text
    assert "A gateway" in page
    for system in catalogue_registry.DECLARED.values():
        assert f'<a class="link-underlined" href="?kind={system.name}">{system.title}</a>' in page
    form = compact(office.get(reverse("operate:new_account") + "?kind=gateway").text)
    for name in SYSTEMS:
        assert f'name="systems" value="{name}" checked' in form


def test_tables_of_models_are_folded_up_and_say_how_many_are_on_and_open_where_something_is_wrong(office):
    address = reverse("operate:new_account") + "?kind=gateway"
    folded = compact(office.get(address).text)
    assert folded.count('<details class="system-models">') == len(SYSTEMS)
    assert f"{len(STABILITY)} of {len(STABILITY)} models on" in folded
    fields = {
        "kind": "gateway",
        "base_url": "https://host",
        "systems": ["stability"],
        "models": STABILITY[:2],
    }
    wrong = compact(add(office, **fields | OTHERS | {"cost-core": "much"}).text)
    assert wrong.count('<details class="system-models" open>') == 1
    assert f"2 of {len(STABILITY)} models on" in wrong
    assert wrong.count("not sold here") == len(SYSTEMS) - 1


def test_a_gateway_draws_with_the_system_whose_model_is_asked_for(office, gateway):
    add_gateway(office, gateway)
    upstream = Upstream.objects.get()
    assert (upstream.enabled, upstream.unit_value, upstream.models_served) == (True, 10_000, [])
    assert upstream.systems == {"stability": {"prefix": "/sd"}}
    assert upstream.served_models == STABILITY
    assert isinstance(accounts.provider(upstream).submit(CORE, timeout=20), Done)
    [call] = [each for each in gateway.calls() if "generate" in each["path"]]
    assert call["status"] == 200


def test_a_wrong_prefix_closes_the_model_and_not_the_account(office, gateway):
    add_gateway(office, gateway, **{"prefix-stability": "/elsewhere"})
    with pytest.raises(ModelUnavailable):
        accounts.provider(Upstream.objects.get()).submit(CORE, timeout=20)


def test_names_costs_and_models_of_a_gateway_are_kept_with_its_form(office, gateway):
    add_gateway(office, gateway)
    upstream = Upstream.objects.get()
    table = {"name-core": "sd-core-x", "cost-core": "0.0301", "models": ["core", "ultra"]}
    fields = {"kind": "gateway", "unit": "USD", "systems": ["stability"], "prefix-stability": "/sd/"}
    page = change(office, upstream, **fields | table).text
    assert upstream.wire_names == {"core": "sd-core-x"}
    assert (upstream.costs, upstream.models_served) == ({"core": 301}, ["core", "ultra"])
    assert upstream.systems == {"stability": {"prefix": "/sd"}}
    assert 'value="sd-core-x"' in page


def test_a_system_of_a_gateway_has_a_limit_of_its_own(office, gateway):
    add_gateway(office, gateway, **{"in_flight-stability": "3"})
    upstream = Upstream.objects.get()
    assert upstream.systems == {"stability": {"prefix": "/sd", "in_flight": 3}}
    assert upstream.in_flight_limits == ((frozenset(STABILITY), 3),)
    fields = {"kind": "gateway", "unit": "USD", "systems": ["stability"], "prefix-stability": "/sd"}
    page = change(office, upstream, **fields | {"in_flight-stability": "0"}).text
    assert "greater than or equal to 1" in page
    assert upstream.in_flight_limits == ((frozenset(STABILITY), 3),)
    change(office, upstream, **fields | {"in_flight-stability": ""})
    assert upstream.systems == {"stability": {"prefix": "/sd"}}
    assert upstream.in_flight_limits == ()


def test_models_that_a_dialect_lacks_are_not_kept(office, gateway):
    models = ["midjourney", "midjourney-shorten"]
    add_gateway(office, gateway, systems=["midjourney"], models=models, **{"dialect-midjourney": "original"})
    upstream = Upstream.objects.get()
    assert upstream.served_models == ("midjourney",)
    assert upstream.models_served == ["midjourney"]


def test_a_system_that_is_switched_off_serves_nothing(office, gateway):
    add_gateway(office, gateway)
    upstream = Upstream.objects.get()
    upstream.systems, upstream.models_served = {}, ["core"]
    assert upstream.served_models == ()
    with pytest.raises(ModelUnavailable):
        accounts.provider(upstream).submit(CORE, timeout=20)


def test_the_account_of_a_gateway_follows_the_environment(settings, gateway, db):
    settings.GATEWAY_BASE_URL, settings.GATEWAY_API_KEY = gateway.url, sandboxes.KEY
    upstreams_environment.sync_all()
    upstream = Upstream.objects.get(kind="gateway")
    assert (upstream.enabled, sorted(upstream.systems)) == (True, sorted(SYSTEMS))
    settings.GATEWAY_SYSTEMS = "stability=/sd/x"
    upstreams_environment.sync_all()
    upstream.refresh_from_db()
    assert upstream.systems == {"stability": {"prefix": "/sd"}}  # as its page had it
    settings.GATEWAY_API_KEY = ""
    upstreams_environment.sync_all()
    upstream.refresh_from_db()
    assert not upstream.enabled


def test_variables_of_the_prompt_helper_decide_at_each_start_and_its_page_says_so(settings, office, gateway):
    settings.GATEWAY_BASE_URL, settings.GATEWAY_API_KEY = gateway.url, sandboxes.KEY
    settings.GATEWAY_HELPER_MODEL, settings.GATEWAY_HELPER_PRICE = "gpt-5-mini", "0.35"
    settings.GATEWAY_HELPER_CAP, settings.GATEWAY_HELPER_COST = "5", "0.0005"
    for _ in range(2):
        upstreams_environment.sync_all()
        upstream = Upstream.objects.get(kind="gateway")
        assert (upstream.helper_model, upstream.helper_price, upstream.helper_cap) == ("gpt-5-mini", 35, 500)
        assert (upstream.helper_cost, upstream.helps_with_prompts) == (5, True)
        Upstream.objects.update(helper_model="", helper_price=1, helper_cost=0, helper_cap=None)
    upstreams_environment.sync_all()
    page = office.get(reverse("operate:account", args=[upstream.pk])).text
    for name in ("MODEL", "PRICE", "CAP", "COST"):
        assert f"Set by GATEWAY_HELPER_{name} in the environment." in page
    fields = {"kind": "gateway", "unit": "USD", "systems": SYSTEMS, "models": STABILITY}
    change(office, upstream, **fields, helper_model="another", helper_credits="9", helper_unit_cost="9")
    assert (upstream.helper_model, upstream.helper_price, upstream.helper_cost) == ("gpt-5-mini", 35, 5)


@pytest.mark.parametrize(
    ("variable", "text"),
    [("MODEL", "a b"), ("PRICE", "0"), ("PRICE", "0.001"), ("CAP", "-1"), ("CAP", "NaN"), ("COST", "much")],
)
def test_a_variable_of_the_prompt_helper_that_cannot_be_stops_the_start(settings, db, variable, text):
    settings.GATEWAY_BASE_URL, settings.GATEWAY_API_KEY = "https://host.example", "sk-one"
    setattr(settings, f"GATEWAY_HELPER_{variable}", text)
    with pytest.raises(ImproperlyConfigured, match=f"GATEWAY_HELPER_{variable}={text}: write"):
        upstreams_environment.sync_all()


def command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("add_account", *arguments, stdout=out)
    return out.getvalue()


def test_an_account_is_added_at_the_terminal(db, gateway):
    said = command(
        *("gateway", gateway.url, "--key", sandboxes.KEY, "--name", "Mine", "--systems", "stability"),
        *("--result-host", "cdn.example.com", "--result-host", "*.example.net", "--private-results"),
    )
    upstream = Upstream.objects.get()
    assert f"Mine is added, with {len(STABILITY)} models." in said
    assert (upstream.enabled, upstream.private_results) == (True, True)
    assert upstream.result_hosts == ["cdn.example.com", "*.example.net"]
    assert sandboxes.KEY not in said
    command("stability", gateway.url, "--key", sandboxes.KEY)
    assert list(Upstream.objects.values_list("name", flat=True)) == ["Mine", "Stability AI"]


def test_the_prompt_helper_is_set_up_at_the_terminal(db, gateway):
    helper = ("--helper-model", "gpt-5-mini", "--helper-price", "0.3", "--helper-cap", "20")
    command("gateway", gateway.url, "--key", sandboxes.KEY, *helper, "--helper-cost", "0.0005")
    upstream = Upstream.objects.get()
    assert (upstream.helper_model, upstream.helper_price, upstream.helper_cap) == ("gpt-5-mini", 30, 2_000)
    assert (upstream.helper_cost, upstream.helps_with_prompts) == (5, True)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("stability", "--helper-model", "gpt-5-mini"), "no chat models"),
        (("gateway", "--helper-price", "0.3"), "--helper-model"),
    ],
)
def test_a_prompt_helper_that_an_account_cannot_have_is_refused(db, gateway, arguments, problem):
    kind, *helper = arguments
    with pytest.raises(CommandError, match=f"{problem}.* Nothing was changed"):
        command(kind, gateway.url, "--key", sandboxes.KEY, *helper)
    assert not Upstream.objects.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["gateway", "https://host", "--key", "k", "--helper-price", "1"],
        ["gateway", "https://host", "--key", "k", "--helper-model", "a b"],
        ["gateway", "https://host", "--key", "k", "--helper-model", "m", "--helper-price", "0"],
        ["gateway", "https://host", "--key", "k", "--helper-model", "m", "--helper-cost", "x"],
        ["stability", "https://host", "--key", "k", "--helper-model", "m"],
        ["gateway", "ftp://host", "--key", "k"],
        ["gateway", "https://host", "--key", "a b"],
        ["gateway", "https://host", "--key", "k", "--systems", "magic"],
        ["gateway", "https://host", "--key", "k", "--dialect", "stability=none"],
        ["gateway", "https://host", "--key", "k", "--result-host", "https://x"],
        ["stability", "https://host", "--key", "k", "--systems", "stability"],
    ],
)
def test_a_wrong_argument_adds_nothing(db, arguments):
    with pytest.raises(CommandError, match="Nothing was changed"):
        command(*arguments)
    assert not Upstream.objects.exists()


def test_an_account_that_does_not_answer_is_added_and_not_switched_on(db):
    with pytest.raises(CommandError, match="is saved and not switched on"):
        command("gateway", "http://127.0.0.1:1", "--key", "sk-x", "--systems", "stability")
    assert not Upstream.objects.get().enabled


def test_a_look_fills_in_the_form_and_saves_nothing(office, gateway):
    fields = {"kind": "gateway", "base_url": gateway.url, "key": sandboxes.KEY, "name": ""}
    page = compact(office.post(reverse("operate:look_new"), fields).text)
    assert 'name="systems" value="stability" checked' in page
    assert 'name="prefix-stability"' in page
    assert "It seems to sell" in page
    assert sandboxes.KEY not in page
    assert not Upstream.objects.exists()
    assert gateway.orders() == 0


def test_a_look_with_a_wrong_key_says_so(office, gateway):
    fields = {"kind": "gateway", "base_url": gateway.url, "key": "sk-wrong-key"}
    page = office.post(reverse("operate:look_new"), fields).text
    assert "does not accept the key" in page
    assert office.post(reverse("operate:look_new"), fields | {"kind": "stability"}).status_code == 404


def test_a_chat_model_for_prompts_has_a_price_a_cap_and_a_cost(office, gateway):
    add_gateway(office, gateway, helper_model="gpt-5-mini", helper_credits="0.3", helper_cap_credits="20")
    upstream = Upstream.objects.get()
    assert (upstream.helper_model, upstream.helper_price, upstream.helper_cap) == ("gpt-5-mini", 30, 2_000)
    fields = {"kind": "gateway", "unit": "USD", "systems": ["stability"], "models": STABILITY}
    change(office, upstream, **fields, helper_model="openai/gpt-6", helper_unit_cost="0.0005")
    assert (upstream.helper_model, upstream.helper_price, upstream.helper_cap) == ("openai/gpt-6", 30, None)
    assert upstream.helper_cost == 5
    page = office.get(reverse("operate:account", args=[upstream.pk])).text
    assert 'value="openai/gpt-6"' in page
    assert 'value="0.0005"' in page


@pytest.mark.parametrize(
    "wrong", [{"helper_model": "a b"}, {"helper_credits": "0"}, {"helper_cap_credits": "-1"}]
)
def test_a_helper_that_cannot_be_is_refused_at_its_field(office, gateway, wrong):
    page = add_gateway(office, gateway, **{"helper_model": "gpt-5-mini"} | wrong)
    assert page.context["form"].errors.keys() == wrong.keys()
    assert not Upstream.objects.exists()


def test_the_account_of_a_maker_without_chat_has_no_such_fields(office):
    assert "Prompt helper" not in office.get(reverse("operate:new_account") + "?kind=stability").text


def test_the_page_says_for_what_a_gateway_is_not_asked_and_asks_again_for_models(office, gateway):
    add_gateway(office, gateway)
    upstream = Upstream.objects.get()
    full = Busy("Its queue is full.", 429, retry_after=50, of_system=True)
    blocks.after_order(upstream, "flux-dev", full)
    accounts.close_model(upstream, "core", ModelUnavailable("no such model", 404))
    account, listed = reverse("operate:account", args=[upstream.pk]), reverse("operate:accounts")
    for page in (office.get(account).text, office.get(listed).text):
        words = compact(page)
        assert re.search(r"<b>Flux</b>.{,200}blocked for (50|49) s.{,60}too many requests \(429\)", words)
        assert re.search(r"<b>Core</b>.{,200}left out for .{,60}no such model \(404\)", words)
        assert csp_violations(page) == []
    assert "Ask for these models again" in office.get(account).text
    page = press(office, upstream, "resume")
    assert "Ask for these models again" not in page
    assert list(upstream.blocked_systems) == ["bfl"]  # a gateway's own word stays
    assert "core" in upstream.callable_models
