"""Rendered pages: who may see them, their content, and the Content-Security-Policy."""

from __future__ import annotations

import json
import re
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.views import defaults

from generations.jobs.models import Generation, Status
from generations.library.models import Image
from generations.office.members import service as members_service
from generations.providers.base import Unavailable
from generations.upstreams import accounts
from tests.conftest import work
from tests.markup import compact
from tests.pages.csp import csp_violations

pytestmark = pytest.mark.django_db(transaction=True)  # what workers do is committed

ALLAUTH = [
    "login/",
    "signup/",
    "password/reset/",
    "password/reset/done/",
    "confirm-email/",
    "inactive/",
    "password/reset/key/1-set-password/",
    "password/reset/key/done/",
    "confirm-email/wrong/",
]


@pytest.fixture
def drawn(submit, upstream) -> Generation:
    """One finished picture of Mei's."""
    submit(prompt="a lighthouse in the fog", model="ultra", aspect_ratio="3:2", style_preset="cinematic")
    work()
    return Generation.objects.get()


@pytest.mark.parametrize("path", ALLAUTH)
def test_account_pages_have_our_layout_and_obey_the_content_security_policy(client, db, path):
    response = client.get(f"/accounts/{path}", follow=True)
    page = response.content.decode()
    assert response.status_code == 200
    assert 'class="entrance"' in page
    assert not csp_violations(page)


@pytest.mark.parametrize("path", ["password/change/", "email/", "logout/", "reauthenticate/"])
def test_account_pages_of_a_signed_in_user_have_our_layout(mei, path):
    response = mei.get(f"/accounts/{path}")
    assert response.status_code == 200
    page = response.content.decode()
    assert "css/pages" in page
    assert not csp_violations(
        page.replace("<script data-allauth-onload", "<script src=").replace(
            '<script type="application/json"', "<script src="
        )
    )


def test_the_pages_of_a_team_obey_the_content_security_policy(mei, address, drawn):
    image = Image.objects.get()
    for path in ("create/", "library/", "credits/", f"generation/{drawn.pk}/", f"picture/{image.pk}/"):
        response = mei.get(address(path))
        assert response.status_code == 200, path
        assert not csp_violations(response.content.decode()), path
        policy = response["Content-Security-Policy"]
        assert "unsafe" not in policy


def test_the_picture_page_shows_everything_about_a_picture(mei, address, drawn):
    page = mei.get(address(f"generation/{drawn.pk}/")).content.decode()
    for words in (
        "a lighthouse in the fog",
        "Ultra",
        "3:2",
        "Cinematic",
        "Settled",
        "8 credits",
        "Ledger line",
    ):
        assert words in page
    for words in ("Attempt 1: drawn", "Stored in the library", "Use all", "Remix, new seed", "Download"):
        assert words in page


def test_a_prompt_from_right_to_left_with_what_shall_not_be_seen_and_its_shape(
    mei, address, submit, upstream
):
    submit(prompt="a blue boat", negative_prompt="fog", model="ultra", aspect_ratio="16:9")
    work()
    words = {"prompt": "مركب أزرق", "negative_prompt": "ضباب"}  # the sandbox reads English alone
    Generation.objects.update(parameters=Generation.objects.get().parameters | words)
    page = compact(mei.get(address(f"picture/{Image.objects.get().pk}/")).content.decode())
    assert '<p class="about-prompt" dir="auto">مركب أزرق</p>' in page
    assert '<h2>Negative prompt</h2><p dir="auto">ضباب</p>' in page
    assert page.count("Negative prompt") == 1
    assert re.search(r"<dt>Size</dt><dd>\d+ × \d+</dd></div><div><dt>Shape</dt><dd>16:9</dd>", page)


def test_a_swap_sets_no_inline_style(mei, address):
    config = re.search(
        r'name="htmx-config" content=\'(.*?)\'', compact(mei.get(address("create/")).content.decode())
    )
    assert config
    assert "style" not in json.loads(config[1])["attributesToSettle"]


def test_previous_and_next_link_to_the_neighbours(mei, address, submit, drawn):
    for _ in range(2):
        submit()
        work()
    newest, middle, oldest = Image.objects.order_by("-created_at", "-pk")
    page = compact(mei.get(address(f"picture/{middle.pk}/")).content.decode())
    assert re.search(rf'rel="prev" href="[^"]*{newest.pk}', page)
    assert re.search(rf'rel="next" href="[^"]*{oldest.pk}', page)
    assert 'rel="next"' not in mei.get(address(f"picture/{oldest.pk}/")).content.decode()


def test_only_an_unfinished_tile_polls(mei, address, submit, drawn):
    waiting = Generation.objects.exclude(pk=drawn.pk)
    assert "hx-trigger" not in mei.get(address(f"generation/{drawn.pk}/tile/")).content.decode()
    submit()
    assert "every 30s" in mei.get(address(f"generation/{waiting.get().pk}/tile/")).content.decode()


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("403", "The provider refused this prompt (content)."),
        ("422", "This provider takes English only, not charged."),
        ("400", "did not accept the request"),
        ("filtered", "blurred"),
    ],
)
def test_a_failed_picture_says_why_and_that_it_was_not_charged(
    mei, address, submit, upstream, provider, outcome, words
):
    provider.plan(outcome)
    submit(model="ultra")
    work()
    page = mei.get(address("create/")).content.decode()
    assert "Not charged" in page
    assert words in page
    assert "You have the 8 credits back." in page
    assert "Edit and try again" in page
    told = mei.get(address(f"generation/{Generation.objects.get().pk}/")).content.decode()
    assert "Given back" in told
    assert "not charged" in told


def test_a_waiting_picture_can_be_canceled_and_retried(mei, address, submit, upstream, member):
    submit()
    row = Generation.objects.get()
    answer = mei.post(address(f"generation/{row.pk}/cancel/"), headers={"HX-Request": "true"})
    part = compact(answer.content.decode())
    assert "Canceled, not charged" in part
    assert ">100 credits<" in part
    here = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{address(f'generation/{row.pk}/')}"}
    part = mei.post(address(f"generation/{row.pk}/cancel/"), headers=here).content.decode()
    assert "balance" not in part  # that page has no place for it
    mei.post(address(f"generation/{row.pk}/retry/"))
    page = mei.get(address("create/")).content.decode()
    assert page.count('data-status="') == 1
    assert 'data-status="queued"' in page


def test_use_all_remix_prompt_and_seed_fill_the_form(mei, address, drawn):
    seed = Image.objects.get().seed
    form = lambda use: compact(mei.get(address(f"create/?from={drawn.pk}&use={use}")).content.decode())  # noqa: E731
    everything, remix, prompt, only_seed = map(form, ("all", "remix", "prompt", "seed"))
    assert "a lighthouse in the fog</textarea>" in everything
    assert 'value="ultra" checked' in everything
    assert 'value="cinematic" checked' in everything
    assert re.search(r'value="3:2"[^>]* checked', everything)
    assert f'id="id_seed" name="seed" inputmode="numeric" autocomplete="off" value="{seed}"' in everything
    assert f'value="{seed}"' not in remix
    assert 'value="cinematic" checked' in remix
    assert "a lighthouse in the fog</textarea>" in prompt
    assert 'value="cinematic" checked' not in prompt
    assert f'value="{seed}"' in only_seed
    assert "a lighthouse in the fog</textarea>" not in only_seed


@pytest.mark.parametrize("path", ["create/?from={}", "create/?start={}", "create/?from=nonsense"])
def test_an_unknown_picture_cannot_fill_the_form(mei, address, path):
    assert mei.get(address(path.format(uuid.uuid4()))).status_code == 404


def test_another_team_is_not_found_by_any_url(client, make_member, address, submit, drawn, db):
    stranger = make_member("tom", team=members_service.create_team("Elsewhere"))
    client.force_login(stranger.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    image = Image.objects.get()
    paths = ["create/", "stream/", "library/", "credits/", f"picture/{image.pk}/", f"generation/{drawn.pk}/"]
    for path in [*paths, f"generation/{drawn.pk}/tile/", f"create/?from={drawn.pk}"]:
        assert client.get(address(path)).status_code == 404, path
        assert client.get(f"/t/{stranger.team.slug}/{path}").status_code in (200, 404)
    for verb in ("cancel", "retry"):
        assert client.post(f"/t/{stranger.team.slug}/generation/{drawn.pk}/{verb}/").status_code == 404
    for path in (f"picture/{image.pk}/", f"generation/{drawn.pk}/", f"create/?from={drawn.pk}"):
        assert client.get(f"/t/{stranger.team.slug}/{path}").status_code == 404, path
    assert "lighthouse" not in client.get(f"/t/{stranger.team.slug}/library/").content.decode()


def test_a_teammate_sees_a_team_picture_but_not_what_it_cost_nor_a_private_one(
    client, make_member, address, drawn
):
    jonas = make_member("jonas")
    client.force_login(jonas.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    image = Image.objects.get()
    page = client.get(address(f"picture/{image.pk}/")).content.decode()
    assert "a lighthouse in the fog" in page
    assert "What it cost" not in page
    assert client.get(address(f"generation/{drawn.pk}/tile/")).status_code == 404
    image.visibility = "private"
    image.save()
    for path in (f"picture/{image.pk}/", f"generation/{drawn.pk}/", f"create/?from={drawn.pk}"):
        assert client.get(address(path)).status_code == 404, path
    assert "lighthouse" not in client.get(address("stream/")).content.decode()


def test_a_signed_out_form_leads_to_the_sign_in_and_records_nothing(press, mei):
    mei.logout()
    answer = press(by_script=True)
    assert "/accounts/login/" in answer["HX-Redirect"]
    assert press().status_code == 302
    assert not Generation.objects.exists()


def test_the_first_page_shows_examples_that_fill_the_form(mei, address, upstream):
    page = mei.get(address("create/")).content.decode()
    assert "Your first picture starts with a sentence" in page
    filled = compact(mei.get(address("create/?example=aurora")).content.decode())
    assert "Green aurora over a still lake" in filled
    assert 'value="ultra" checked' in filled


def test_the_number_of_queries_does_not_grow_with_the_stream(mei, address, submit, upstream):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            mei.get(address("create/"))
        return len(asked)

    submit()
    work()
    queries()
    few = queries()
    for _ in range(5):
        submit(count=3)
    submit(count=2)
    work(4)
    assert queries() <= few + 3  # the line is looked at once somebody waits


def test_older_batches_are_paginated(mei, address, submit, upstream):
    for number in range(14):
        submit(prompt=f"number {number:02}", model="sdxl")
    first = mei.get(address("create/")).content.decode()
    assert first.count("data-submission=") == 12
    older = re.search(r'href="([^"]*stream/\?before=[^"]+)"', first)[1]
    second = mei.get(older).content.decode()
    assert second.count("data-submission=") == 2
    assert "number 00" in second
    assert "before=" not in second


def test_a_page_that_is_not_found_has_our_layout(client, db):
    response = client.get("/nowhere/")
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_an_internal_error_has_a_page(rf):
    answer = defaults.server_error(rf.get("/"))
    assert answer.status_code == 500
    assert "Something went wrong here" in answer.content.decode()


def test_a_form_without_a_csrf_token_is_refused_with_an_explanation():
    answer = Client(enforce_csrf_checks=True).post("/accounts/login/", {})
    assert answer.status_code == 403
    assert "This page was open too long" in answer.content.decode()


def test_every_status_has_its_tile(mei, address, submit, upstream):
    submit()
    row = Generation.objects.get()
    for status in (Status.RUNNING, Status.STORING):
        Generation.objects.filter(pk=row.pk).update(status=status)
        page = mei.get(address("create/")).content.decode()
        assert f'data-status="{status}"' in page
        assert "<progress" in page


def test_a_viewer_is_redirected_to_the_library(mei, address, member, press):
    type(member).objects.filter(pk=member.pk).update(role="viewer")
    assert mei.get(address("create/"))["Location"] == address("library/")
    assert press()["Location"] == address("library/")
    assert not Generation.objects.exists()
    page = mei.get(address("library/")).content.decode()
    assert "create/" not in page


def test_only_operators_see_why_an_upstream_is_paused(mei, address, member, upstream):
    accounts.pause(upstream, Unavailable("The key was refused.", 401))
    assert "The key was refused." not in mei.get(address("create/")).content.decode()
    member.user.is_staff = True
    member.user.save()
    page = mei.get(address("create/")).content.decode()
    assert "sandbox is not called: The key was refused." in page


def test_all_waiting_pictures_are_canceled_at_once(mei, address, submit, upstream):
    submit()
    page = compact(mei.get(address("create/")).content.decode())
    assert re.search(r'class="cancel-all"[^>]* hidden>', page)
    submit(count=3)
    page = compact(mei.get(address("create/")).content.decode())
    assert "Cancel 4 waiting" in page
    assert not re.search(r'class="cancel-all"[^>]* hidden>', page)
    answer = mei.post(address("cancel-waiting/"), headers={"HX-Request": "true"})
    assert ">100 credits<" in compact(answer.content.decode())
    assert "4 canceled, not charged." in answer.content.decode()
    submit(count=2)
    assert "2 canceled, not charged." in mei.post(address("cancel-waiting/"), follow=True).content.decode()
    assert mei.get(address("cancel-waiting/")).status_code == 405


def test_a_form_that_is_too_large_is_refused_with_a_message(mei, address):
    answer = mei.post(address("create/"), {"prompt": "x" * 1_200_000})
    assert answer.status_code == 400
    assert "too large" in answer.content.decode()
    assert csp_violations(answer.content.decode()) == []
