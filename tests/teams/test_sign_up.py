"""Where everybody may sign up, and how often anybody may try anything."""

import re

import pytest
from django.contrib.auth import get_user
from django.core.cache import cache
from django.test import Client

from generations.teams import users as teams_users
from generations.teams.models import User
from tests.sdweb.portal import bare_environment, manage

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _no_attempts_yet(db):
    cache.clear()


@pytest.fixture
def is_open(settings, transactional_db):  # mails are sent once all is committed
    settings.SIGN_UP, settings.EMAIL_URL = "open", "smtp://host"
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.PUBLIC_URL = "https://pictures.example.org"


def account(**changes):
    return {"name": "Kim", "email": "kim@example.org", "password1": PASSWORD} | changes


def confirm_link(mail):
    return re.search(r"https://pictures\.example\.org(/accounts/confirm-email/\S+)", mail.body)[1]


def test_sign_up_is_closed_unless_it_is_opened(client, settings):
    page = client.get("/accounts/signup/").text
    assert "People are invited here" in page
    client.post("/accounts/signup/", account())
    assert not User.objects.exists()
    assert "Make one" not in client.get("/accounts/login/").text


def test_who_signs_up_confirms_the_address_and_makes_a_team(client, is_open, mailoutbox):
    assert "Make one" in client.get("/accounts/login/").text
    assert client.post("/accounts/signup/", account(email="Kim@Example.ORG")).status_code == 302
    assert not get_user(client).is_authenticated
    assert client.post(confirm_link(mailoutbox[0])).status_code == 302
    user = get_user(client)
    assert (user.email, user.name, user.is_staff, user.is_superuser) == (
        "kim@example.org",
        "Kim",
        False,
        False,
    )
    assert "/teams/new/" in client.get("/").text
    assert client.post("/teams/new/", {"name": "Mine", "time_zone": "UTC"}).status_code == 302
    assert client.get("/").url == "/t/mine/create/"


def test_an_unconfirmed_address_does_not_sign_in(client, is_open):
    client.post("/accounts/signup/", account())
    other = Client()
    other.post("/accounts/login/", {"login": "kim@example.org", "password": PASSWORD})
    assert not get_user(other).is_authenticated


def test_a_confirmation_opened_elsewhere_signs_nobody_in(client, is_open, mailoutbox):
    client.post("/accounts/signup/", account())
    other = Client()
    other.post(confirm_link(mailoutbox[0]))
    assert not get_user(other).is_authenticated
    other.post("/accounts/login/", {"login": "kim@example.org", "password": PASSWORD})
    assert get_user(other).is_authenticated


def test_sign_up_tells_nobody_who_is_here(client, is_open, mailoutbox):
    teams_users.create(email="mei@example.org", password=PASSWORD)
    taken = client.post("/accounts/signup/", account(email="mei@example.org"))
    free = Client().post("/accounts/signup/", account(email="new@example.org"))
    assert (taken.status_code, taken.url) == (free.status_code, free.url)
    assert "https://pictures.example.org/accounts/password/reset/" in mailoutbox[0].body


def test_a_forged_host_gets_into_no_mail(client, is_open, settings, mailoutbox):
    settings.ALLOWED_HOSTS = ["*"]
    teams_users.create(email="mei@example.org", password=PASSWORD)
    for email in ("mei@example.org", "new@example.org"):
        Client().post("/accounts/signup/", account(email=email), headers={"Host": "evil.example"})
    Client().post("/accounts/password/reset/", {"email": "mei@example.org"}, headers={"Host": "evil.example"})
    assert len(mailoutbox) == 3
    assert not any("evil" in mail.body or "evil" in mail.subject for mail in mailoutbox)


@pytest.mark.parametrize("name", ["Kim\r\nBcc: x@y.org", "  Kim   Park "])
def test_a_name_is_one_line(client, is_open, name):
    client.post("/accounts/signup/", account(name=name))
    assert User.objects.get().name == " ".join(name.split())


@pytest.mark.parametrize(
    ("path", "form", "tries"),
    [
        ("/accounts/signup/", account(email="not an address"), 20),
        ("/accounts/login/", {"login": "x@y.org", "password": "wrong"}, 30),
        ("/accounts/password/reset/", {"email": "{number}@example.org"}, 20),
        ("/accounts/password/reset/key/1-set-password/", {"password1": "x"}, 20),
    ],
)
def test_every_door_slows_down_who_tries_it_too_often(client, is_open, path, form, tries):
    def attempt(number):
        return client.post(path, {name: value.format(number=number) for name, value in form.items()})

    statuses = [attempt(number).status_code for number in range(tries + 2)]
    assert 429 not in statuses[:tries]
    assert statuses[tries:] == [429, 429]
    assert "That was too often" in attempt(99).text


def test_nobody_is_mailed_links_without_end(client, is_open, mailoutbox):
    teams_users.create(email="mei@example.org", password=PASSWORD)
    for _ in range(8):
        client.post("/accounts/password/reset/", {"email": "mei@example.org"})
    assert len(mailoutbox) == 5


def test_who_is_signed_in_changes_the_password_a_few_times_a_minute(client, db):
    client.force_login(teams_users.create(email="mei@example.org", password=PASSWORD))
    form = {"oldpassword": "wrong", "password1": "x", "password2": "x"}
    statuses = [client.post("/accounts/password/change/", form).status_code for _ in range(7)]
    assert statuses[5:] == [429, 429]


@pytest.mark.parametrize(("url", "said"), [("", "none False"), ("smtp://host", "mandatory True")])
def test_addresses_are_confirmed_and_changes_told_where_there_is_mail(url, said):
    needed = {"SECRET_KEY": "x" * 50, "ENCRYPTION_KEYS": "x", "DATABASE_URL": "sqlite://:memory:"}
    ask = "from sdweb.settings import *; print(ACCOUNT_EMAIL_VERIFICATION, ACCOUNT_EMAIL_NOTIFICATIONS)"
    environment = bare_environment(EMAIL_URL=url, REDIS_URL="redis://x:1/0", **needed)
    done = manage("shell", "--no-imports", "-c", ask, environment=environment)
    assert done.stdout.strip() == said, done.stderr


def test_open_without_mail_does_not_start():
    needed = {"SECRET_KEY": "x" * 50, "ENCRYPTION_KEYS": "x", "DATABASE_URL": "sqlite://:memory:"}
    done = manage("check", environment=bare_environment(SIGN_UP="open", REDIS_URL="redis://x:1/0", **needed))
    assert done.returncode != 0
    assert "SIGN_UP is open, but EMAIL_URL is not set" in done.stdout + done.stderr
