"""The operators' pages of provider accounts: tested before they are saved, and never showing a key."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.urls import reverse
from django.utils import timezone

from generations.jobs.models import Attempt
from generations.office.audit_log import sentences as audit_log_sentences
from generations.office.models import AuditEntry
from generations.upstreams import accounts
from generations.upstreams import environment as upstreams_environment
from generations.upstreams.models import Upstream
from tests import sandboxes
from tests.conftest import PASSWORD, work
from tests.markup import compact
from tests.office.provider_accounts.conftest import FROM, KEY, account_form, add, change, press
from tests.pages.csp import csp_violations


def errors(answer):
    return answer.context["form"].errors if answer.status_code == 422 else {}


def newest_entry():
    """Sentence and detail of the newest audit entry, which has the operator's address."""
    entry = AuditEntry.objects.latest("pk")
    assert entry.address == FROM
    return audit_log_sentences.sentence(entry), audit_log_sentences.detail(entry)


def test_an_account_that_answers_is_saved_and_called(office, provider):
    provider.state(credits=412.5)
    answer = add(office, base_url=provider.url, key=sandboxes.KEY)
    upstream = Upstream.objects.get()
    assert (upstream.enabled, upstream.key) == (True, sandboxes.KEY)
    assert "Gateway is saved. It answers. Its balance is 412.50." in answer.text
    assert sandboxes.KEY not in answer.text + office.get(reverse("operate:accounts")).text
    assert csp_violations(answer.text) == []
    sentence, detail = newest_entry()
    assert sentence == "op@example.org added the provider account Gateway"
    assert "key kept secret" in detail
    assert sandboxes.KEY not in str(list(AuditEntry.objects.values()))


def test_an_account_whose_key_was_refused_stays_off_and_says_so(office, provider):
    answer = add(office, base_url=provider.url)
    upstream = Upstream.objects.get()
    assert not upstream.enabled
    assert "is saved and not switched on" in answer.text
    assert "(401)" in answer.text
    assert "off: its test failed" in office.get(reverse("operate:accounts")).text
    assert upstream not in Upstream.objects.open()
    assert "It is not switched on" in press(office, upstream, "enable")
    assert not upstream.enabled


def test_it_is_switched_on_once_its_test_is_good(office, provider):
    add(office, base_url=provider.url)
    upstream = Upstream.objects.get()
    change(office, upstream, key=sandboxes.KEY)
    assert (upstream.enabled, upstream.test_problem) == (True, "")


def test_a_good_test_of_the_stored_key_lets_it_be_switched_on(office, provider):
    add(office, base_url=provider.url, key=sandboxes.KEY)
    upstream = Upstream.objects.get()
    Upstream.objects.update(enabled=False, test_problem="No answer.")
    assert "Switch on although" in office.get(reverse("operate:account", args=[upstream.pk])).text
    assert "It answers." in press(office, upstream, "test")
    assert "is switched on" in press(office, upstream, "enable")
    assert upstream.enabled


def test_an_operator_who_knows_switches_on_what_refuses_the_free_question(office, provider):
    answer = add(office, base_url=provider.url)
    upstream = Upstream.objects.get()
    assert "Switch on although it answered 401" in compact(answer.text)
    assert "is switched on" in press(office, upstream, "enable", despite="1")
    assert upstream.enabled
    _sentence, detail = newest_entry()
    assert "although its test found: " in detail
    assert "(401)" in detail


def test_a_new_key_that_is_refused_switches_the_account_off(office, provider):
    add(office, base_url=provider.url, key=sandboxes.KEY)
    upstream = Upstream.objects.get()
    change(office, upstream, key="sk-mistyped")
    assert (upstream.enabled, upstream.test_status) == (False, 401)


def test_the_form_is_tested_without_saving_anything(office, provider):
    try_it = reverse("operate:try_new")
    form = account_form(base_url=provider.url, key=sandboxes.KEY)
    assert "It answers." in office.post(try_it, form).text
    assert "(401)" in office.post(try_it, form | {"key": "sk-wrong"}).text
    assert "such as" not in office.post(try_it, form | {"costs-core": "x"}).text
    assert "http:// or https://" in office.post(try_it, form | {"base_url": "ftp://host"}).text
    assert not Upstream.objects.exists()


def test_a_key_is_entered_only_by_who_gives_their_password(client, make_member, provider):
    olga = make_member("olga").user
    olga.is_staff = olga.is_superuser = True
    olga.save()
    client.force_login(olga)
    form = {"base_url": provider.url, "key": sandboxes.KEY}
    assert "This is not your password." in str(errors(add(client, **form, password="guessed")))
    assert not Upstream.objects.exists()
    assert add(client, **form, password=PASSWORD).status_code == 200
    upstream = Upstream.objects.get()
    assert change(client, upstream, limit_calls="90").status_code == 200  # touches no key
    assert change(client, upstream, key=sandboxes.KEY).status_code == 200  # a moment later
    assert upstream.limit_calls == 150


def test_a_changed_account_is_in_the_log_with_what_it_was(office, provider):
    add(office, base_url=provider.url, key=sandboxes.KEY)
    upstream = Upstream.objects.get()
    change(office, upstream, limit_calls="100")
    assert newest_entry() == ("op@example.org changed the provider account Gateway", "calls 100, was 150")
    change(office, upstream, limit_calls="100", key=sandboxes.KEY)
    assert newest_entry()[1] == "key replaced"
    before = AuditEntry.objects.count()
    change(office, upstream, limit_calls="100")
    assert AuditEntry.objects.count() == before


def test_a_pause_stays_when_the_account_is_renamed_and_ends_with_a_key(office, provider):
    add(office, base_url=provider.url, key=sandboxes.KEY)
    upstream = Upstream.objects.get()
    Upstream.objects.update(paused_at=timezone.now(), paused_status=402, paused_reason="No credits.")
    change(office, upstream, name="Renamed")
    assert (upstream.name, upstream.paused_status) == ("Renamed", 402)
    change(office, upstream, key=sandboxes.KEY)
    assert upstream.paused_at is None


def test_a_new_key_does_not_end_the_pause_of_an_operator(office, provider):
    add(office, base_url=provider.url, key=sandboxes.KEY)
    upstream = Upstream.objects.get()
    press(office, upstream, "pause")
    change(office, upstream, key=sandboxes.KEY)
    assert upstream.paused_status == accounts.PAUSED_BY_OPERATOR
    press(office, upstream, "resume")
    assert upstream.paused_at is None


def test_models_costs_and_priorities_are_a_table(office, provider):
    add(office, base_url=provider.url, key=sandboxes.KEY)
    upstream = Upstream.objects.get()
    assert (upstream.models_served, upstream.costs) == ([], {})
    table = {"models": ["core", "ultra"], "cost-core": "0.0275", "cost-ultra": "0", "priority-ultra": "2"}
    page = change(office, upstream, **table, unit="USD").text
    assert upstream.models_served == ["core", "ultra"]
    assert (upstream.costs, upstream.orders, upstream.unit) == (
        {"core": 275, "ultra": 0},
        {"ultra": 2},
        "USD",
    )
    assert "Cost in USD" in page
    assert re.search(r'name="cost-core"[^>]*value="0.0275"', compact(page))
    assert 'value="core" checked' in compact(page)
    assert 'value="sd3.5-large" checked' not in compact(page)
    assert "Choose a model" in change(office, upstream, models=[]).text


def test_a_unit_of_its_own_needs_its_worth_in_cents(office, provider):
    add(office, base_url=provider.url, key=sandboxes.KEY)
    upstream = Upstream.objects.get()
    assert "Write what one is worth" in change(office, upstream, unit="points").text
    page = change(office, upstream, unit="points", unit_cents="0.35", **{"cost-core": "8"}).text
    assert (upstream.unit, upstream.unit_value, upstream.costs) == ("points", 35, {"core": 280})
    assert re.search(r'name="cost-core"[^>]*value="8"', compact(page))
    change(office, upstream, unit="credit", **{"cost-core": "2.8"})
    assert (upstream.unit_value, upstream.costs) == (100, {"core": 280})


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "ftp://example.org"},
        {"base_url": "https://user:secret@example.org"},
        {"key": ""},
        {"key": "with space"},
        {"name": ""},
        {"kind": "stability", "cost-ultra": "eight"},
        {"cost-ultra": "-1"},
        {"cost-ultra": "0.00001"},
        {"unit": "points", "unit_cents": "0"},
        {"kind": "gateway", "systems": []},
        {"kind": "gateway", "systems": ["stability"], "prefix-stability": "https://elsewhere.example"},
        {"kind": "gateway", "systems": ["stability"], "prefix-stability": "/sd/../admin"},
        {"kind": "gateway", "systems": ["no-such-system"]},
        {"kind": "gateway", "systems": ["stability"], "name-core": "core <b>"},
        {"cost-ultra": "NaN"},
        {"models": ["no-such-model"]},
        {"limit_calls": "0"},
        {"limit_window": "999999999999"},
        {"max_in_flight": "0"},
        {"proxy": "socks5://one.example:1080"},
        {"result_hosts": "https://cdn.example.com"},
    ],
)
def test_an_account_that_cannot_be_called_is_refused_with_the_form_kept(office, wrong):
    answer = add(office, **({"name": "Kept as it was"} | wrong))
    assert answer.status_code == 422
    assert 'class="error' in answer.text
    assert "name" in wrong or "Kept as it was" in answer.text
    assert not Upstream.objects.exists()


def test_an_unknown_kind_of_account_is_not_there(office):
    assert office.get(reverse("operate:new_account") + "?kind=no-such").status_code == 404
    assert add(office, kind="no-such").status_code == 404


@pytest.mark.parametrize(
    "elsewhere",
    ["http://127.0.0.1:10/sd", "http://127.0.0.2:9/sd", "https://127.0.0.1:9/sd", "http://127.0.0.1/sd"],
)
def test_another_origin_asks_for_the_key_again(office, elsewhere):
    add(office)
    upstream = Upstream.objects.get()
    assert "key" in errors(change(office, upstream, base_url=elsewhere))
    assert upstream.base_url == "http://127.0.0.1:9/sd"
    assert errors(change(office, upstream, key="sk-entered-again", base_url=elsewhere)) == {}
    assert (upstream.base_url, upstream.key) == (elsewhere, "sk-entered-again")


@pytest.mark.parametrize("same", ["http://127.0.0.1:9/other", "HTTP://127.0.0.1:9"])
def test_another_path_keeps_the_key(office, same):
    add(office)
    upstream = Upstream.objects.get()
    assert errors(change(office, upstream, base_url=same)) == {}
    assert upstream.key == KEY


def test_a_stored_key_is_sent_to_no_other_host(office):
    with listening() as (old, seen_by_old), listening() as (new, seen_by_new):
        add(office, base_url=old)
        upstream = Upstream.objects.get()
        change(office, upstream, base_url=new)
        form = account_form(base_url=new, key="")
        office.post(reverse("operate:try_account", args=[upstream.pk]), form)
    assert any(KEY in header for header in seen_by_old)
    assert seen_by_new == []


def test_a_stored_key_is_not_sent_through_a_new_proxy_that_could_read_it(office):
    add(office)
    upstream = Upstream.objects.get()
    assert "key" in errors(change(office, upstream, proxy="http://one.example:3128"))
    assert upstream.proxy == ""


@contextmanager
def listening():
    """A server of this machine: its address, and the Authorization headers that it was sent."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.headers["Authorization"])
            self.send_error(404)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("base_url", "is_refused"),
    [
        ("http://gateway.invalid", True),
        ("http://127.gateway.invalid:3000/v1", True),
        ("http://localhost.invalid", True),
        ("http://localhost:9", False),
        ("http://[::1]:9", False),
    ],
)
def test_a_key_is_sent_without_encryption_only_if_the_operator_says_so(office, base_url, is_refused):
    add(office, base_url=base_url)
    assert Upstream.objects.exists() == (not is_refused)
    if is_refused:
        page = add(office, base_url=base_url, plain_http="on").text
        assert 'name="plain_http" checked' in compact(page)


def test_the_login_of_a_proxy_is_stored_apart_and_never_shown(office):
    page = add(office, proxy="http://mei:secret-word@one.example:3128").text
    upstream = Upstream.objects.get()
    assert upstream.proxy == "http://one.example:3128"
    assert upstream.proxy_address == "http://mei:secret-word@one.example:3128"
    assert "secret-word" not in page
    change(office, upstream, proxy="http://one.example:3128")
    assert upstream.proxy_address == "http://mei:secret-word@one.example:3128"


def test_the_account_of_the_environment_has_all_but_its_address_and_key_set_here(office, settings):
    settings.STABILITY_BASE_URL, settings.STABILITY_API_KEY = "https://host.example/sd", KEY
    settings.STABILITY_COSTS = "core=2"
    upstream = upstreams_environment.sync()
    page = office.get(reverse("operate:account", args=[upstream.pk])).text
    assert KEY not in page
    assert 'name="key"' not in page
    assert "Costs: set by STABILITY_COSTS." in page
    form = {"limit_calls": "40", "low_balance": "7", "models": ["core"], "cost-core": "9"}
    change(office, upstream, **form, base_url="http://127.0.0.1:9", key="sk-stolen")
    assert upstream.costs == {
        "core": 2_00
    }  # what a variable decides is not changed until the next start either
    upstreams_environment.sync()
    upstream.refresh_from_db()
    assert (upstream.base_url, upstream.key) == ("https://host.example/sd", KEY)
    assert (upstream.limit_calls, upstream.low_balance, upstream.models_served) == (40, 7, ["core"])
    assert upstream.costs == {"core": 2_00}
    assert office.post(reverse("operate:switch", args=[upstream.pk, "disable"])).status_code == 404


def test_it_is_paused_drained_resumed_and_switched_off(office, provider):
    add(office, base_url=provider.url, key=sandboxes.KEY)
    upstream = Upstream.objects.get()
    assert "is paused" in press(office, upstream, "pause")
    assert upstream.paused_at
    assert "is called again" in press(office, upstream, "resume")
    assert "starts nothing" in press(office, upstream, "drain")
    assert upstream.draining
    press(office, upstream, "resume")
    assert "is switched off" in press(office, upstream, "disable")
    assert (upstream.enabled, upstream.draining) == (False, False)
    assert newest_entry()[0] == "op@example.org switched off the provider account Gateway"
    for act in ("pause", "explode"):
        assert office.post(reverse("operate:switch", args=[upstream.pk, act])).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_the_list_shows_state_pace_balance_and_latest_calls(office, upstream, provider, submit):
    provider.plan("ok", "403")
    submit(count=2)
    assert work() == 2
    press(office, upstream, "test")
    twin = Upstream(name="twin", base_url=provider.url, paused_at=timezone.now(), paused_reason="Resting.")
    twin.set_key(sandboxes.KEY)
    twin.save()
    Attempt.objects.filter(outcome="ok").update(started_at=timezone.now() - timedelta(hours=2))
    page = compact(office.get(reverse("operate:accounts")).text)
    for words in ("1,000 in 1 s", "the same as twin", "the same as sandbox", "Resting.", "just now"):
        assert words in page
    assert "1 without a picture" in page
