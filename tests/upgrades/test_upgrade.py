"""What people had in an older version is there after an upgrade: links, sessions, keys, pictures, credits.

`recorded-0.1.0.json` holds all rows of a small portal as that version wrote them, the objects of its
pictures, and what its people kept: links, a token, a cookie. It is never made anew: a version that changes
what is stored is recorded in a file of its own beside it.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as configured
from django.contrib.auth import get_user
from django.core.cache import cache
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from PIL import Image as Pillow

from generations.credits.models import Transfer
from generations.jobs.models import Generation
from generations.library.storage import client as storage_client
from generations.teams.models import Membership, User
from generations.upstreams import accounts
from generations.upstreams.models import Upstream
from tests.conftest import open_limiter, work
from tests.fresh_database import fresh_database

OLD: dict[str, Any] = json.loads(Path(__file__).with_name("recorded-0.1.0.json").read_text())
TEAM = "/t/studio-north"
PERSON = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True, scope="module")
def _upgraded(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A database as the old version left it, migrated to the newest."""
    with django_db_blocker.unblock(), fresh_database():
        executor = MigrationExecutor(connection)
        names = [tuple(name) for name in OLD["migrations"]]
        executor.migrate(names)
        load(executor.loader.project_state(names).apps, OLD["rows"])
        call_command("migrate", verbosity=0)
        yield


@transaction.atomic
def load(models: Any, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Write the rows, in place of those that the migrations made."""
    kinds = [models.get_model(label) for label in rows]
    for kind in kinds:
        if kind._base_manager.exists():
            kind._base_manager.all()._raw_delete(connection.alias)
    for kind in kinds:
        fields = {field.attname: field for field in kind._meta.local_fields}
        made = [
            kind(**{name: fields[name].to_python(value) for name, value in row.items()})
            for row in rows[kind._meta.label]
        ]
        kind._base_manager.bulk_create(made)
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), kinds):
            cursor.execute(statement)


@pytest.fixture(autouse=True)
def _as_it_was_set_up(settings: Any, bucket: None) -> None:
    """With its secrets and its objects; links that end after days are followed in time."""
    settings.SECRET_KEY, settings.ENCRYPTION_KEYS = OLD["secret_key"], [OLD["encryption_key"]]
    settings.PASSWORD_HASHERS = ["tests.passwords.QuickHasher"]
    settings.PASSWORD_RESET_TIMEOUT = 10**10
    settings.ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS = 36_500
    for key, data in OLD["objects"].items():
        storage_client.put(key, base64.b64decode(data), media_type=f"image/{key.rpartition('.')[2]}")
    cache.clear()


@pytest.fixture
def visitor() -> Client:
    """Somebody who is not signed in."""
    return Client(headers=PERSON)


@pytest.fixture
def signed_in() -> Client:
    """Mei's, with the cookie that it had."""
    client = Client(headers=PERSON)
    client.cookies[configured.SESSION_COOKIE_NAME] = OLD["session"]
    return client


@pytest.fixture
def program() -> Client:
    """Mei's, with its token."""
    return Client(headers={"Authorization": f"Bearer {OLD['api_token']}"})


def path_of(link: str) -> str:
    """Of an address under the PUBLIC_URL that the portal had."""
    assert link.startswith("https://portal.example/")
    return urlsplit(link).path


def original(image: str) -> bytes:
    """The object of an image."""
    [key] = [row["key"] for row in OLD["rows"]["library.Image"] if row["id"] == image]
    return base64.b64decode(OLD["objects"][key])


def pixels(data: bytes) -> bytes:
    return Pillow.open(io.BytesIO(data)).tobytes()


def test_a_link_to_a_picture_shows_it(visitor: Client) -> None:
    path = path_of(OLD["image_link"])
    page = visitor.get(path)
    assert page.status_code == 200
    assert "a quiet harbour at dawn" in page.text
    address = f"{path}{OLD['image']}/original"
    assert address in page.text
    file = visitor.get(address)
    assert pixels(file.getvalue()) == pixels(original(OLD["image"]))  # about it more is said in the file


def test_a_link_to_a_collection_shows_its_pictures(visitor: Client) -> None:
    path = path_of(OLD["collection_link"])
    page = visitor.get(path)
    assert page.status_code == 200
    for image in (OLD["image"], OLD["titled_image"]):
        assert image in page.text
        assert visitor.get(f"{path}{image}/").status_code == 200
    assert visitor.get(path.replace("-", "-x")).status_code == 404


def test_an_invitation_offers_the_team_and_lets_in(visitor: Client) -> None:
    page = visitor.get(path_of(OLD["invitation"]))
    assert page.status_code == 200
    assert "Studio North" in page.text
    tom = User.objects.get(email="tom@studio.example")
    visitor.force_login(tom, configured.AUTHENTICATION_BACKENDS[0])
    visitor.post(path_of(OLD["invitation"]))
    joined = Membership.objects.get(user=tom)
    assert (joined.team.slug, joined.role, joined.wallet.balance) == ("studio-north", "member", 5_00)


def test_an_invitation_by_mail_is_good_for_its_address(visitor: Client) -> None:
    page = visitor.get(path_of(OLD["mailed_invitation"]))
    assert page.status_code == 200
    assert "Studio North" in page.text
    assert "kim@studio.example" in page.text


def test_who_was_signed_in_still_is(signed_in: Client) -> None:
    page = signed_in.get(f"{TEAM}/library/")
    assert page.status_code == 200
    assert get_user(signed_in).email == "mei@studio.example"
    assert OLD["image"] in page.text


def test_a_person_signs_in_with_their_password(visitor: Client) -> None:
    visitor.post("/accounts/login/", {"login": "ana@studio.example", "password": OLD["password"]})
    assert get_user(visitor).is_authenticated


def test_links_of_mails_lead_where_they_led(visitor: Client) -> None:
    page = visitor.get(path_of(OLD["password_reset"]), follow=True)
    visitor.post(
        page.redirect_chain[-1][0],
        {"password1": "another long passphrase", "password2": "another long passphrase"},
    )
    assert User.objects.get(email="tom@studio.example").check_password("another long passphrase")
    confirmation = visitor.get(path_of(OLD["email_confirmation"]))
    assert "tom@studio.example" in confirmation.text


def told_before(now: Any, before: Any) -> bool:
    """Whether an answer says all that it said before; it may say more."""
    if isinstance(before, dict):
        return all(name in now and told_before(now[name], before[name]) for name in before)
    if isinstance(before, list):
        return len(now) == len(before) and all(map(told_before, now, before))
    return bool(now == before)


def test_a_token_lets_its_program_in(program: Client) -> None:
    me = program.get("/api/v1/me")
    assert me.status_code == 200
    assert me.json()["team"] == "Studio North"
    batch = program.get(f"/api/v1/batches/{OLD['queued']['answer']['id']}")
    assert told_before(batch.json(), OLD["queued"]["answer"])


def test_a_program_that_repeats_a_call_gets_the_answer_it_got(program: Client) -> None:
    queued, before = OLD["queued"], Generation.objects.count()
    again = program.post(
        "/api/v1/generations",
        queued["body"],
        content_type="application/json",
        headers={"Idempotency-Key": queued["key"]},
    )
    assert again.status_code == 202
    assert again.json() == queued["answer"]
    assert Generation.objects.count() == before


@pytest.mark.parametrize(
    ("search", "image"),
    [
        ({"q": "quiet harbour"}, "image"),
        ({"q": "storm lighthouse"}, "titled_image"),
        ({"q": "嵐の灯台"}, "titled_image"),
        ({"tag": "Harbour"}, "image"),
        ({"liked": "1", "model": "core", "style": "photographic"}, "image"),
    ],
)
def test_the_search_finds_what_was_made_before(program: Client, search: dict[str, str], image: str) -> None:
    found = program.get("/api/v1/images", search).json()
    assert [each["id"] for each in found["items"]] == [OLD[image]]


def test_the_key_of_a_provider_is_still_read() -> None:
    assert Upstream.objects.get().key == OLD["provider_key"]


def test_the_ledger_is_exact_and_says_what_it_said(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("audit_ledger")
    lines = Transfer.objects.order_by("pk").values_list("pk", "kind", "amount")
    assert list(lines) == [(old["id"], old["kind"], old["amount"]) for old in OLD["rows"]["credits.Transfer"]]


def test_what_waited_in_the_queue_is_made_from_its_start_image(signed_in: Client, provider: Any) -> None:
    """By the provider whose key was encrypted then; the sandbox takes no other."""
    waiting = Generation.objects.get(status="queued")
    assert str(waiting.pk) == OLD["queued"]["generation"]
    assert str(waiting.pk) in signed_in.get(f"{TEAM}/create/").text
    Upstream.objects.update(base_url=provider.url, limit_calls=1_000, limit_window=1)
    open_limiter(Upstream.objects.get())
    accounts._provider.cache_clear()
    assert work() == 1
    waiting.refresh_from_db()
    assert waiting.status == "succeeded"
    call_command("audit_ledger")
