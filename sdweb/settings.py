"""Django settings, all from the environment; README.md lists every name.

A missing or invalid one raises ImproperlyConfigured. Only `manage.py portal` generates secrets and addresses
(sdweb/process/local_environment.py).
"""

import re
from pathlib import Path

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from sdweb import server_settings
from sdweb.env import (
    comma_separated,
    env,
    flag,
    host_of,
    hosts,
    networks,
    one_of,
    origins,
    positive_integer,
    required,
    web_address,
)

BASE_DIR = Path(__file__).resolve().parent.parent

# Secrets ---------------------------------------------------------------------

SECRET_KEY = required("SECRET_KEY", "it signs sessions; use 50 random characters")
# Replaced ones, newest first: sessions and links that they signed go on until they are left out.
SECRET_KEY_FALLBACKS = comma_separated("SECRET_KEY_FALLBACKS")
required("ENCRYPTION_KEYS", "provider keys are encrypted with it; use a Fernet key, the newest first")
ENCRYPTION_KEYS = comma_separated("ENCRYPTION_KEYS")

# Addresses and security headers ------------------------------------------------

DEBUG = flag("DEBUG", default=False)
PUBLIC_URL = web_address("PUBLIC_URL", default="http://127.0.0.1:8000")
ALLOWED_HOSTS = [host_of(PUBLIC_URL), *hosts("ALLOWED_HOSTS")]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL, *origins("CSRF_TRUSTED_ORIGINS")]
# Only uvicorn's own code, which sees the peer's address, believes X-Forwarded-For and X-Forwarded-Proto:
# sdweb/asgi.py. Nothing else may read those headers.
TRUSTED_PROXIES = networks("TRUSTED_PROXIES")
HTTPS = PUBLIC_URL.startswith("https://")

SECURE_SSL_REDIRECT = HTTPS and flag("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]  # requested from inside, without a proxy
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
# Both concern hosts that are not ours, and a browser's preload list takes months to leave.
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS and flag("HSTS_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = HTTPS and flag("HSTS_PRELOAD", default=False)
if SECURE_HSTS_PRELOAD and not SECURE_HSTS_INCLUDE_SUBDOMAINS:
    raise ImproperlyConfigured("HSTS_PRELOAD needs HSTS_SUBDOMAINS=true: the list takes whole domains only.")
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # `check --deploy` asks for these two
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 30 * 24 * 3600
# Browsers give the cookies of a host to all its ports, so another port has other names.
_port = PUBLIC_URL.rpartition(":")[2]
COOKIE_PREFIX = env.str("COOKIE_PREFIX", default="").strip() or (
    f"p{_port}_" if _port.isdecimal() and _port not in ("80", "443", "8000") else ""
)
if not re.fullmatch(r"[\w.-]*", COOKIE_PREFIX, re.ASCII):
    raise ImproperlyConfigured("COOKIE_PREFIX has other signs than letters, digits, - and _.")
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
MESSAGE_STORAGE = "sdweb.messages.Messages"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "generations.teams.views.csrf_failure"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# Applications and middleware -------------------------------------------------------

INSTALLED_APPS = [
    "sdweb",
    "generations.teams",
    "generations.upstreams",
    "generations.credits",
    "generations.library",
    "generations.jobs",
    "generations.office",
    "generations.api",
    "generations.sandbox",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.usersessions",
    "csp",
    "django_htmx",
    "template_partials",
]

MIDDLEWARE = [
    "sdweb.log_format.request_id_middleware",
    "generations.api.v1.error_format.middleware",  # before those whose errors it makes JSON
    "sdweb.untrusted_proxy.middleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "generations.teams.allauth_adapter.head_middleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "sdweb.urls"
ASGI_APPLICATION = "sdweb.asgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
_loaders = ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [("template_partials.loader.Loader", [("sdweb.template_loader.Loader", _loaders)])],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "sdweb.context_processors.portal",
            ],
        },
    }
]

# Database ---------------------------------------------------------------------------

DATABASE_URL = required("DATABASE_URL", "use postgres://user:password@host/name")
DATABASES = {"default": server_settings.database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Redis: Celery's broker, the rate limiter, live page updates -----------------------------

REDIS_URL = required("REDIS_URL", "use redis://host:6379/0")
_redis = server_settings.redis(REDIS_URL)
CELERY_BROKER_URL = _redis.broker_url
CELERY_BROKER_USE_SSL = _redis.broker_ssl
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "calls"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 130
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# A primary that becomes a replica answers with errors that are none of the connection, and ended the worker.
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
# Messages only wake workers, and the sweeper makes up for lost ones, so they need no acknowledgement.
# Emulating it costs more than the rest of a message, and kombu 5.7 ends the worker when Redis dies
# while one is not acknowledged.
# The timeouts: older workers hung after a Redis restart (celery #8030, #9054, #10205; kombu #2548, #2590).
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "ack_emulation": False,
    "socket_timeout": 30,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 10,
}
# Sending a wake-up must not block a page: the sweeper makes up for a lost one.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_ROUTES = {
    "generations.jobs.tasks.ring": {"queue": "calls"},
    "generations.jobs.tasks.help_with_prompts": {"queue": "calls"},
    "*": {"queue": "upkeep"},
}
CELERY_TIMEZONE = "UTC"

# Images ---------------------------------------------------------------------------------

S3_BUCKET = env.str("S3_BUCKET", default="sdweb")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    "images": {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": env.str("S3_ENDPOINT_URL", default="") or None,
            "region_name": env.str("S3_REGION", default="us-east-1"),
            "access_key": env.str("AWS_ACCESS_KEY_ID", default="") or None,
            "secret_key": env.str("AWS_SECRET_ACCESS_KEY", default="") or None,
            "signature_version": "s3v4",
            # path: host/bucket; virtual: bucket.host, which some stores insist on
            "addressing_style": one_of("S3_ADDRESSING_STYLE", "path", "virtual"),
            "default_acl": None,
            "file_overwrite": True,
            "querystring_auth": True,
        },
    },
}
# Sent with each object; buckets with Object Lock take none without.
S3_CHECKSUM = one_of("S3_CHECKSUM", "none", "md5", "sha256")
STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "sdweb.staticfiles_finder.SwaggerFinder",
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # form fields; a prompt is at most 10,000 characters
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_100  # one for each image of a bulk action, and some more
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# Generations ---------------------------------------------------------------------------------

SDWEB_DATA = Path(env.str("SDWEB_DATA", default=str(BASE_DIR / "var")))
SPOOL = Path(env.str("SPOOL", default=str(SDWEB_DATA / "spool")))
AUDIT_ADDRESS_DAYS = positive_integer("AUDIT_ADDRESS_DAYS", default=90)  # until the change log forgets them
TRASH_DAYS = positive_integer("TRASH_DAYS", default=30)  # until images in the trash are purged
WORKER_THREADS = positive_integer("WORKER_THREADS", default=240)
STABILITY_BASE_URL = (env.str("STABILITY_BASE_URL", default="") or "https://api.stability.ai").rstrip("/")
STABILITY_API_KEY = env.str("STABILITY_API_KEY", default="")
# For calls of this account alone; HTTPS_PROXY is for no account, since every key would go there.
STABILITY_PROXY = server_settings.proxy("STABILITY_PROXY", env.str("STABILITY_PROXY", default="").strip())
# What else they say of that account; what is not said is set on its page.
STABILITY_PACE = env.str("STABILITY_PACE", default="").strip()
STABILITY_MAX_IN_FLIGHT = env.str("STABILITY_MAX_IN_FLIGHT", default="").strip()
STABILITY_MODELS = env.str("STABILITY_MODELS", default="").strip()
STABILITY_COSTS = env.str("STABILITY_COSTS", default="").strip()
STABILITY_LOW_BALANCE = env.str("STABILITY_LOW_BALANCE", default="").strip()
# A gateway that sells many systems with one key: all that sdweb knows, or those that GATEWAY_SYSTEMS names.
GATEWAY_BASE_URL = env.str("GATEWAY_BASE_URL", default="").rstrip("/")
GATEWAY_API_KEY = env.str("GATEWAY_API_KEY", default="")
GATEWAY_PROXY = server_settings.proxy("GATEWAY_PROXY", env.str("GATEWAY_PROXY", default="").strip())
GATEWAY_SYSTEMS = env.str("GATEWAY_SYSTEMS", default="").strip()
GATEWAY_HELPER_MODEL = env.str("GATEWAY_HELPER_MODEL", default="").strip()  # a chat model for prompts
GATEWAY_HELPER_PRICE = env.str("GATEWAY_HELPER_PRICE", default="").strip()
GATEWAY_HELPER_CAP = env.str("GATEWAY_HELPER_CAP", default="").strip()
GATEWAY_HELPER_COST = env.str("GATEWAY_HELPER_COST", default="").strip()
SANDBOX = flag("SDWEB_SANDBOX", default=False)  # set by `manage.py portal`: a banner on every page

# Monitoring --------------------------------------------------------------------------------

METRICS_TOKEN = env.str("METRICS_TOKEN", default="").strip()  # empty: /metrics answers this machine only

# Users and sign-in -------------------------------------------------------------------------

AUTH_USER_MODEL = "teams.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "generations.teams.allauth_adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_FORMS = {
    "signup": "generations.teams.signup_forms.SignUpForm",
    "reset_password": "generations.teams.signup_forms.ResetForm",
}
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # before an address is added, removed or made primary
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # no mail to addresses without an account
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True  # only in the browser that signed up
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# Per IP address, user or key, counted in the cache below; beyond the limit the page has status 429.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "signup": "20/m/ip,100/h/ip",
    "reset_password": "20/m/ip,5/h/key",
    "reset_password_from_key": "20/m/ip",
    "confirm_email": "1/3m/key",
    "change_password": "5/m/user",
    "manage_email": "10/m/user",
    "reauthenticate": "10/m/user",
    "join": "60/m/ip",
    "new_team": "10/h/user",
    "export_my_data": "10/h/user",
    "invite": "60/h/user",
    "share": "240/m/ip",  # pages of share links
    "share_password": "10/m/ip,100/h/key",  # tries, from one address and for one link
    "share_zip": "10/m/ip",
    "share_file": "600/m/ip",  # and their originals; an office of many people may have one address
}
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL

EMAIL_URL = env.str("EMAIL_URL", default="").strip()
if EMAIL_URL:
    vars().update(server_settings.email(EMAIL_URL))
else:
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    ACCOUNT_MAX_EMAIL_ADDRESSES = 1  # without mail a second one cannot be confirmed
# Without mail an address cannot be confirmed, so people sign in without. Once mail is configured, unconfirmed
# addresses are confirmed at the next sign-in.
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if EMAIL_URL else "none"
ACCOUNT_EMAIL_NOTIFICATIONS = bool(EMAIL_URL)  # after a password or address changed
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="sdweb@localhost")

SIGN_UP = one_of("SIGN_UP", "closed", "open")
if SIGN_UP == "open" and not EMAIL_URL:
    raise ImproperlyConfigured(
        "SIGN_UP is open, but EMAIL_URL is not set: people could sign up with addresses of others."
    )

# API ------------------------------------------------------------------------------------------

API_REQUESTS_PER_TOKEN = positive_integer("API_REQUESTS_PER_TOKEN", default=1_200)  # per minute
API_REQUESTS_PER_MEMBER = positive_integer(
    "API_REQUESTS_PER_MEMBER", default=2_400
)  # over all tokens of a member

# Language and time ----------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "sdweb.formats"
USE_I18N = USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="UTC")

# Counts sign-in attempts; in the database, so that signing in works while Redis is down.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "portal_cache",
        # Beyond this a third of the rows is deleted, so it must be more than an attacker's attempts can fill.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

LOG_FORMAT = one_of("LOG_FORMAT", "line", "json")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"context": {"()": "sdweb.log_format.ContextFilter"}},
    "formatters": {
        "line": {
            "()": "sdweb.log_format.LineFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
        "json": {"()": "sdweb.log_format.JsonFormatter"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["context"]}
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # Two records per message that add nothing to ours.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "uvicorn": {"handlers": [], "propagate": True},  # use our format instead of its own
        "websockets": {"level": "CRITICAL"},  # a traceback for every bad handshake; the portal has no sockets
        "uvicorn.access": {"handlers": [], "propagate": False},  # URLs contain signatures
    },
}
