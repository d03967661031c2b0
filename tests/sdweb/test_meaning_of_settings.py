"""What each setting means, and which sentence stops the start."""

import os
import runpy

import pytest
from django.core.exceptions import ImproperlyConfigured

from sdweb.process.local_environment import BASE_DIR
from tests.sdweb.portal import SETTINGS, bare_environment, manage
from tests.sdweb.test_settings import REQUIRED
from tests.services import CLEARED


@pytest.fixture
def read(monkeypatch):
    """Read the settings from this environment, in which what is required is there; return them all."""

    def run(**environment):
        for name in {*SETTINGS.split(), *CLEARED.split()} & os.environ.keys():
            monkeypatch.delenv(name)
        for name, value in (REQUIRED | environment).items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(BASE_DIR / "sdweb" / "settings.py"))

    return run


@pytest.fixture
def settings_of(read):
    """Return the settings of these names: settings_of("DEBUG", PUBLIC_URL=...)."""

    def run(*names, **environment):
        found = read(**environment)
        return [found[name] for name in names]

    return run


@pytest.fixture
def error(read):
    """Read the settings, which must fail; return the sentence."""

    def run(**environment):
        with pytest.raises(ImproperlyConfigured) as problem:
            read(**environment)
        return str(problem.value)

    return run


# Addresses of the portal


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("pictures.example.com", "https:// or http://"),
        ("pictures.example.com:8000", "https:// or http://"),
        ("//pictures.example.com", "https:// or http://"),
        ("ftp://pictures.example.com", "https:// or http://"),
        ("https://example.com/pictures", "without a path"),
        ("https://example.com/?a=b", "without a path"),
        ("https://", "host name"),
        ("https://example.com:port", "host name"),
        ("https://mei:secret-word@example.com", "host name"),
        ("https://*.example.com", "host name"),
    ],
)
def test_a_public_url_that_is_no_origin_is_refused(error, address, said):
    message = error(PUBLIC_URL=address)
    assert message.startswith("PUBLIC_URL is")
    assert said in message
    assert "secret-word" not in message


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("HTTPS://Pictures.Example.com/", "https://pictures.example.com"),
        ("https://pictures.example.com:8443/", "https://pictures.example.com:8443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_the_public_url_is_what_browsers_send_as_origin(settings_of, address, origin):
    assert settings_of("PUBLIC_URL", "CSRF_TRUSTED_ORIGINS", PUBLIC_URL=address) == [origin, [origin]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_HOSTS", "https://inside.example.com"),
        ("ALLOWED_HOSTS", "inside.example.com:8000"),
        ("CSRF_TRUSTED_ORIGINS", "inside.example.com"),
        ("TRUSTED_PROXIES", "172.16.0.0/33"),
        ("TRUSTED_PROXIES", "10.0.0.7/8"),
        ("TRUSTED_PROXIES", "proxy.example.com"),
        ("DEBUG", "perhaps"),
        ("HSTS_PRELOAD", "perhaps"),
        ("S3_ADDRESSING_STYLE", "hosted"),
        ("S3_CHECKSUM", "crc"),
        ("DATABASE_POOL_SIZE", "0"),
        ("COOKIE_PREFIX", "a b;"),
    ],
)
def test_an_invalid_value_is_named(error, name, value):
    environment = {
        "DATABASE_URL": "postgres://h/n",
        "PUBLIC_URL": "https://a.example",
        name: value,
    }
    assert error(**environment).startswith(name)


def test_hsts_covers_other_hosts_only_if_it_is_asked_to(settings_of):
    names = "SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_HSTS_PRELOAD"
    public = {"PUBLIC_URL": "https://pictures.example.com"}
    assert settings_of(*names, **public) == [31_536_000, False, False]
    both = {"HSTS_SUBDOMAINS": "true", "HSTS_PRELOAD": "true"}
    assert settings_of(*names, **public, **both) == [31_536_000, True, True]
    assert settings_of(*names, **both) == [0, False, False]


def test_preloading_without_subdomains_is_refused(error):
    public = {"PUBLIC_URL": "https://pictures.example.com"}
    assert error(HSTS_PRELOAD="true", **public).startswith("HSTS_PRELOAD needs HSTS_SUBDOMAINS")


def test_the_check_for_deployment_is_clean_without_hsts_for_others():
    environment = bare_environment(PUBLIC_URL="https://pictures.example.com", **REQUIRED)
    done = manage("check", "--deploy", "--fail-level", "INFO", environment=environment)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("environment", "prefix"),
    [
        ({}, ""),
        ({"PUBLIC_URL": "https://pictures.example.com"}, ""),
        ({"PUBLIC_URL": "http://127.0.0.1:8000"}, ""),
        ({"PUBLIC_URL": "http://127.0.0.1:8001"}, "p8001_"),
        ({"PUBLIC_URL": "https://[::1]"}, ""),
        ({"PUBLIC_URL": "https://pictures.example.com:443"}, ""),
        ({"COOKIE_PREFIX": "__Host-"}, "__Host-"),
    ],
)
def test_portals_on_other_ports_have_other_cookies(settings_of, environment, prefix):
    names = settings_of("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", **environment)
    assert names == [f"{prefix}sessionid", f"{prefix}csrftoken"]


# Databases


@pytest.fixture
def database(read):
    return lambda address: read(DATABASE_URL=address)["DATABASES"]["default"]


def test_options_of_the_database_are_kept(database):
    found = database(
        "postgres://mei:p#w@db.example:6432/pictures?sslmode=verify-full&sslrootcert=/etc/ca.pem"
        "&application_name=studio&connect_timeout=9&options=-c%20search_path%3Dstudio"
    )
    assert [found[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")] == [
        "mei",
        "p#w",
        "db.example",
        "6432",
        "pictures",
    ]
    options = found["OPTIONS"]
    assert options["sslmode"] == "verify-full"
    assert options["sslrootcert"] == "/etc/ca.pem"
    assert (options["application_name"], options["connect_timeout"]) == ("studio", "9")
    assert options["options"].endswith(" -c search_path=studio")


def test_several_hosts_and_sockets_can_be_named(database):
    found = database("postgres://mei@a:1,b/n?target_session_attrs=read-write")
    assert (found["HOST"], found["PORT"]) == ("a,b", "1,")
    assert database("postgres://%2FRun%2Fpg/n")["HOST"] == "/Run/pg"
    assert database("postgres:///n?host=/run/pg")["OPTIONS"]["host"] == "/run/pg"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgres://u:secret-word@h/n?sslmod=require", "option sslmod,"),
        ("postgres://u:secret-word@h/n?conn_max_age=60", "option conn_max_age,"),
        ("postgres://u:secret-word@h/n?sslmode=strict", "sslmode"),
        ("postgres://u:secret-word@h/n?host=other", "twice"),
        ("postgres://u:secret-word@h/", "no database"),
        ("postgres://u:secret-word@h:port/n", "host and port"),
        ("mysql://u:secret-word@h/n", "postgres://"),
        ("secret-word", "no address"),
        ("sqlite:////srv/secret-word?timeout=5", "options"),
        ("sqlite://srv/secret-word", "whole path"),
    ],
)
def test_an_address_of_a_database_that_would_be_misread_is_refused(error, address, said):
    message = error(DATABASE_URL=address)
    assert message.startswith("DATABASE_URL ")
    assert said in message
    assert "secret-word" not in message


def test_an_address_of_redis_that_would_be_misread_is_refused(error):
    message = error(REDIS_URL="sentinel://:secret-word@a/0")
    assert message.startswith("REDIS_URL names sentinels")
    assert "secret-word" not in message


# Mail

MAIL = "EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD", "EMAIL_USE_TLS", "EMAIL_USE_SSL"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("smtp+tls://mei%40a:p#w@m.example", ["m.example", 587, "mei@a", "p#w", True, False]),
        ("smtps://mei:pw@m.example", ["m.example", 465, "mei", "pw", False, True]),
        ("smtp+ssl://m.example:2465", ["m.example", 2465, "", "", False, True]),
        ("smtp://m.example", ["m.example", 25, "", "", False, False]),
    ],
)
def test_schemes_of_mail_say_how_it_is_encrypted(settings_of, address, expected):
    assert settings_of(*MAIL, EMAIL_URL=address) == expected


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("smtps://u:secret-word@m.example:587", "smtp+tls://"),
        ("smtp+tls://u:secret-word@m.example:465", "smtps://"),
        ("mail://u:secret-word@m.example", "must begin with"),
        ("smtp://u:secret-word@m.example/?tls=true", "must end with"),
        ("u:secret-word@m.example", "no address"),
    ],
)
def test_an_address_of_mail_that_would_be_misread_is_refused(error, address, said):
    message = error(EMAIL_URL=address)
    assert message.startswith("EMAIL_URL ")
    assert said in message
    assert "secret-word" not in message


# Keys and proxies


def test_replaced_secret_keys_are_named_as_fallbacks(settings_of):
    assert settings_of("SECRET_KEY_FALLBACKS", SECRET_KEY_FALLBACKS="older, oldest,") == [["older", "oldest"]]


@pytest.mark.parametrize("address", ["proxy.example:3128", "socks5://u:secret-word@proxy.example:1080"])
def test_a_proxy_of_the_provider_that_is_no_http_proxy_is_refused(error, address):
    message = error(STABILITY_PROXY=address)
    assert message.startswith("STABILITY_PROXY ")
    assert "secret-word" not in message
