"""Members read general sentences; a provider's words about the operator's account are in the back office."""

from __future__ import annotations

import html
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.test import Client
from django.urls import reverse

from generations.jobs.engine import outcomes
from generations.jobs.models import Attempt, Generation
from generations.teams.models import User
from generations.upstreams import accounts
from generations.upstreams.models import Upstream
from tests.api.client import ApiClient
from tests.conftest import work

pytestmark = pytest.mark.django_db(transaction=True)
ACCOUNT = "Organization org-Kestrel of ops@studio.example owes 3.20 roubles"


@pytest.fixture(autouse=True)
def _a_waiting_generation_is_ready_again(monkeypatch):
    monkeypatch.setattr(outcomes, "_jitter", lambda seconds: 0.0)


@pytest.fixture
def answering(upstream):
    """Let the provider answer every call so: answering(403, {"name": ...})."""
    answer: dict[str, object] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps(answer["body"]).encode()
            self.send_response(int(str(answer["status"])))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Upstream.objects.filter(pk=upstream.pk).update(base_url=f"http://127.0.0.1:{server.server_port}")
    accounts._provider.cache_clear()
    yield lambda status, body: answer.update(status=status, body=body)
    server.shutdown()
    server.server_close()


def stability(name, message):
    return {"id": "1", "name": name, "errors": [message]}


def openai(code, message):
    return {"error": {"message": message, "type": "error", "code": code}}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, stability("unauthorized", ACCOUNT)),
        (402, stability("payment_required", ACCOUNT)),
        (403, stability("forbidden", ACCOUNT)),
        (403, openai("country_blocked", ACCOUNT)),
        (403, openai("insufficient_user_quota", ACCOUNT)),
        (404, openai("model_not_found", ACCOUNT)),
        (409, openai("conflict", ACCOUNT)),
        (429, openai("rate_limit_exceeded", ACCOUNT)),
        (500, stability("internal_error", ACCOUNT)),
        (503, openai("no_available_channel", ACCOUNT)),
    ],
)
def test_no_page_or_answer_for_members_has_the_providers_words_about_the_account(
    member, submit, answering, status, body
):
    answering(status, body)
    row = submit().generations.get()
    work()
    assert Attempt.objects.filter(generation=row).exists()
    browser = Client()
    browser.force_login(member.user)
    pages = [
        f"/t/{member.team.slug}/{page}"
        for page in ("create/", f"generation/{row.pk}/", f"generation/{row.pk}/tile/")
    ]
    shown = [browser.get(page) for page in pages]
    shown.append(ApiClient(member).get(f"/generations/{row.pk}"))
    for response in shown:
        assert response.status_code == 200
        for word in ("Kestrel", "ops@studio", "roubles"):
            assert word not in response.content.decode()


def test_operators_read_them_in_the_back_office(member, submit, answering, make_member):
    answering(403, openai("country_blocked", ACCOUNT))
    row = submit().generations.get()
    work()
    row.refresh_from_db()
    assert row.reason == "The provider did not accept the request (HTTP 403)."
    operator = make_member("ana").user
    User.objects.filter(pk=operator.pk).update(is_staff=True, is_superuser=True)
    browser = Client()
    browser.force_login(operator)
    page = browser.get(reverse("admin:jobs_generation_change", args=[row.pk])).content.decode()
    assert "Kestrel" in page


def test_members_read_what_is_wrong_with_their_own_request(submit, answering):
    answering(400, stability("bad_request", "prompt: longer than 10,000 characters"))
    row = submit().generations.get()
    work()
    row.refresh_from_db()
    assert "longer than 10,000 characters" in row.reason


def test_a_field_that_the_provider_names_has_its_title_on_pages_and_its_name_for_programs(
    member, submit, answering
):
    answering(400, stability("bad_request", "cfg_scale: must be at most 10"))
    row = submit(model="sdxl").generations.get()
    work()
    browser = Client()
    browser.force_login(member.user)
    for page in ("create/", f"generation/{row.pk}/", "credits/"):
        shown = html.unescape(browser.get(f"/t/{member.team.slug}/{page}").content.decode())
        assert "did not accept the request: “Guidance”: must be at most 10." in shown, page
        assert "cfg_scale: must" not in shown, page
    assert "cfg_scale: must be" in ApiClient(member).get(f"/generations/{row.pk}").content.decode()


def test_a_reason_that_was_recorded_before_is_not_shown_either(member, submit, upstream, provider):
    provider.plan("401")
    row = submit().generations.get()
    work()
    Attempt.objects.filter(generation=row).update(reason=ACCOUNT)
    browser = Client()
    browser.force_login(member.user)
    page = browser.get(f"/t/{member.team.slug}/generation/{row.pk}/").content.decode()
    assert "Kestrel" not in page
    assert "account cannot be used" in page
    assert Generation.objects.get(pk=row.pk).status == "queued"
