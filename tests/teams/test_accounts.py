"""Signing in, and finding back in."""

import re

import pytest
from django.contrib.auth import get_user
from django.core.cache import cache

from generations.teams import password_reset
from generations.teams import users as teams_users
from generations.teams.models import User

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _no_attempts_yet(db):
    cache.clear()


@pytest.fixture
def user(db):
    return teams_users.create(email="mei@example.org", password=PASSWORD)


def sign_in(client, email, password=PASSWORD):
    client.post("/accounts/login/", {"login": email, "password": password})
    return get_user(client).is_authenticated


def set_password(client, link, password):
    """Follow the link as a browser does, and set the password there."""
    page = client.get(link, follow=True)
    client.post(page.redirect_chain[-1][0], {"password1": password, "password2": password})


@pytest.mark.parametrize("email", ["mei@example.org", "Mei@Example.ORG"])
def test_a_person_signs_in_by_email(client, user, email):
    assert sign_in(client, email)


def test_a_wrong_password_does_not_sign_in(client, user):
    assert not sign_in(client, "mei@example.org", "wrong horse battery")


def test_a_deactivated_person_does_not_sign_in(client, user):
    User.objects.update(is_active=False)
    assert not sign_in(client, "mei@example.org")


def test_guessing_passwords_is_slowed_down(client, user):
    for _ in range(6):
        sign_in(client, "mei@example.org", "wrong")
    assert not sign_in(client, "mei@example.org")


def test_a_forged_address_does_not_help_to_guess(client, user):
    for number in range(31):
        client.post(
            "/accounts/login/",
            {"login": f"{number}@example.org", "password": "wrong"},
            headers={"X-Forwarded-For": f"10.0.0.{number}"},
        )
    assert not sign_in(client, "mei@example.org")


def test_who_was_made_on_the_command_line_signs_in_without_mail(client, db, settings):
    settings.EMAIL_URL = ""
    User.objects.create_superuser("root@example.org", PASSWORD)
    assert sign_in(client, "root@example.org")


def test_nobody_signs_up(client, db):
    client.post("/accounts/signup/", {"email": "x@y.org", "password1": PASSWORD, "password2": PASSWORD})
    assert not User.objects.exists()


def test_a_link_sets_a_password_once(client, user, settings):
    settings.PUBLIC_URL = "https://pictures.example.org"
    link = password_reset.reset_url(user)
    assert link.startswith("https://pictures.example.org/accounts/password/reset/key/")
    path = link.removeprefix("https://pictures.example.org")
    set_password(client, path, "another horse battery")
    assert sign_in(client, "mei@example.org", "another horse battery")
    client.logout()
    assert client.get(path, follow=True).context["token_fail"]


def test_who_never_had_a_password_sets_one_by_the_link(client, db):
    user = teams_users.create(email="new@example.org")
    path = "/" + password_reset.reset_url(user).split("/", 3)[3]
    set_password(client, path, PASSWORD)
    assert sign_in(client, "new@example.org")


@pytest.mark.django_db(transaction=True)
def test_a_forgotten_password_is_mailed_a_link_that_no_forged_host_gets_into(
    client, user, settings, mailoutbox
):
    settings.PUBLIC_URL = "https://pictures.example.org"
    settings.ALLOWED_HOSTS = ["*"]
    client.post("/accounts/password/reset/", {"email": user.email}, headers={"Host": "evil.example"})
    [mail] = mailoutbox
    [link] = re.findall(r"https?://\S+/password/reset/key/\S+", mail.body)
    assert link.startswith("https://pictures.example.org/")


def test_a_changed_address_is_the_only_one_that_signs_in(client, user):
    user.email = "mei.tan@example.org"
    user.save()
    teams_users.confirm_email(user)
    assert not sign_in(client, "mei@example.org")
    assert sign_in(client, "mei.tan@example.org")


@pytest.mark.parametrize(("mail", "sentence"), [("", "Ask its operator"), ("smtp://host", "Send the link")])
def test_who_forgot_the_password_is_told_what_helps_here(client, db, settings, mail, sentence):
    settings.EMAIL_URL = mail
    page = client.get("/accounts/password/reset/").content.decode()
    assert sentence in page
    assert ("<form" in page) == bool(mail)


def test_without_mail_nobody_is_told_that_a_mail_was_sent(client, user):
    client.force_login(user)
    answer = client.post("/accounts/email/", {"email": "another@example.org", "action_add": ""}, follow=True)
    assert "sent" not in answer.text
    assert list(user.emailaddress_set.values_list("email", flat=True)) == ["mei@example.org"]


@pytest.fixture
def mail(settings, transactional_db):  # mails are sent once all is committed
    settings.EMAIL_URL, settings.PUBLIC_URL = "smtp://host", "http://testserver"
    settings.ACCOUNT_EMAIL_VERIFICATION, settings.ACCOUNT_EMAIL_NOTIFICATIONS = "mandatory", True
    settings.ACCOUNT_MAX_EMAIL_ADDRESSES = None


def test_a_claim_that_nobody_confirmed_is_sent_no_way_to_a_password(client, mail, user, mailoutbox):
    user.emailaddress_set.create(email="kim@example.org")
    client.post("/accounts/password/reset/", {"email": "kim@example.org"})
    assert not mailoutbox
    user.emailaddress_set.update(verified=True)
    client.post("/accounts/password/reset/", {"email": "Kim@example.org"})
    assert [message.to for message in mailoutbox] == [["kim@example.org"]]


def test_a_mail_server_that_is_away_tells_nobody_who_is_here(client, mail, user, settings, caplog):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    known, unknown = (
        client.post("/accounts/password/reset/", {"email": email}) for email in (user.email, "x@example.org")
    )
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url) == (302, unknown.url)
    assert "Connection refused" in caplog.text


def test_an_address_is_added_after_the_password_was_typed_once_more(client, mail, user, mailoutbox):
    client.force_login(user)
    form = {"email": "second@example.org", "action_add": ""}
    asked = client.post("/accounts/email/", form)
    assert asked.url.startswith("/accounts/reauthenticate/")
    assert user.emailaddress_set.count() == 1
    assert "Enter your password once more" in client.get(asked.url).text
    wrong = client.post(asked.url, {"password": "wrong"})
    assert "errorlist" in wrong.text
    client.post(asked.url, {"password": PASSWORD, "next": "/accounts/email/"})
    assert user.emailaddress_set.filter(email="second@example.org", verified=False).exists()
    assert mailoutbox[-1].to == ["second@example.org"]


def test_a_changed_password_is_told_by_mail_in_plain_words(client, mail, user, mailoutbox):
    client.force_login(user)
    new = "quite another phrase"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert client.post("/accounts/password/change/", form).status_code == 302
    [message] = mailoutbox
    assert (message.to, message.alternatives) == ([user.email], [])
    assert "Your password has been changed." in message.body
    assert "127.0.0.1" in message.body
    assert "http://testserver" in message.body
    assert "<" not in message.body


def test_the_page_of_addresses_is_kept_by_no_browser(client, user):
    client.force_login(user)
    assert "no-store" in client.get("/accounts/email/")["Cache-Control"]


def test_an_account_takes_no_address_of_another(user):
    user.emailaddress_set.create(email="kim@example.org", verified=True)
    for taken in ("mei@example.org", "Kim@example.org"):
        with pytest.raises(teams_users.EmailTaken, match="of another account"):
            teams_users.create(email=taken)
