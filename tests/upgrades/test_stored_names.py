"""Names that outlive a version: in links that people keep, in rows, in Redis, in object storage, on disk.

Whatever else is renamed, these stay, or links, sessions, messages under way and stored pictures are lost.
"""

from __future__ import annotations

import uuid

import pytest
from django.conf import settings as configured

from generations.api import idempotency
from generations.api import rate_limit as api_rate_limit
from generations.api.compat import signed_urls as compat_signed_urls
from generations.core import redis_client
from generations.credits.periods import Month
from generations.jobs import events, tasks
from generations.jobs.create import served
from generations.jobs.engine import heartbeats, spool, spool_files
from generations.library.delivery import signed_urls as delivery_signed_urls
from generations.library.search import terms
from generations.library.sharing import service as sharing_service
from generations.library.storage import keys as storage_keys
from generations.office.credits import allowances
from generations.office.invitations import service as inviting
from generations.office.notices import preferences as notices_preferences
from generations.teams import api_tokens, invitation_links
from generations.teams.models import Membership, Team, Token, User
from generations.upstreams import encryption
from generations.upstreams import rate_limit as upstreams_rate_limit
from generations.upstreams.models import Upstream
from sdweb.celery import app

SECRET = "made-for-tests-and-never-used-anywhere-else-0123456789"
KEY = "bWFkZS1mb3ItdGVzdHMtbmV2ZXItdXNlZC1vdXRzaWQ="
SOME = uuid.UUID("01937a5e-0000-7000-8000-000000000001")
OTHER = uuid.UUID("01937a5e-0000-7000-8000-000000000002")


@pytest.fixture(autouse=True)
def _secrets_of_ours(settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = SECRET, []
    settings.ENCRYPTION_KEYS = [KEY]


# Links and secrets that people keep


def test_salts_are_what_they_were():
    assert api_tokens.SALT == "generations.teams.tokens"
    assert invitation_links.SALT == "generations.teams.invitations"
    assert sharing_service.SALT == "generations.library.sharing"
    assert sharing_service.PASSWORD_SALT == "generations.library.sharing.password"
    assert delivery_signed_urls.SALT == "generations.library.tickets"
    assert compat_signed_urls.SALT == "generations.api.picture_links"


def test_a_share_link_of_a_row_is_what_it_was():
    assert sharing_service.token(SOME) == "2yOB0MdWEmnFnGWSoLd5t-3ujOvhJy7TFvxvMBZc7BHt"


def test_an_invitation_of_a_form_is_what_it_was():
    made = invitation_links.derive_token(
        team=Team(pk=3), made_by=User(pk=5), form_id=SOME, about="mei@studio.example"
    )
    assert made == "7c3CAB2xq6eFXzbciVik9rDlTZTDOJLZV_7JDzFOUP4"
    assert (
        invitation_links.hash_token("a token")
        == "e3316e2bafebb6103a3418e8778c0adc960d40213a03a7e7f4fcd3426ed807bf"
    )


def test_an_api_token_of_a_form_is_what_it_was():
    secret = api_tokens.derive_secret(3, SOME)
    assert secret == "sdw_ISEIShgRSfg9htrWoWF09pr2vMuJExPbapocSNSZ3hgeFs"
    assert api_tokens.is_well_formed(secret)
    assert (
        api_tokens.hash_secret("a token")
        == "e3316e2bafebb6103a3418e8778c0adc960d40213a03a7e7f4fcd3426ed807bf"
    )


def test_a_link_to_one_picture_is_sealed_as_it_was():
    assert compat_signed_urls._signature(SOME, 1_800_000_000) == "208bda3781b30acbd7ff56aa7a6a24c7"


def test_a_thumbnail_is_sealed_as_it_was():
    assert (
        delivery_signed_urls._signature(team="studio", image=SOME, size="m", member=7, hour=500_000)
        == "322d79bf35f060e4a4930257c143dbb9"
    )


def test_a_provider_key_is_read_that_was_encrypted_before():
    assert (
        encryption.decrypt(
            "gAAAAABrC-XXJz0mCuqSbZXZcYjfu8lUorYDSx54bJQ1RwrdNGv6zLi59L2yE378MNnBWWsO-ImZW6PREQvTVwJQ7aJlMUpm-gmJkXIQrnRkn3I4g7pJ5r4="
        )
        == "sk-a-key-of-a-provider"
    )


# Rows: what a session and the ledger say


def test_sessions_are_kept_where_and_how_they_were():
    assert configured.AUTHENTICATION_BACKENDS == ["allauth.account.auth_backends.AuthenticationBackend"]
    assert configured.SESSION_ENGINE == "django.contrib.sessions.backends.db"
    assert configured.SESSION_SERIALIZER == "django.contrib.sessions.serializers.JSONSerializer"
    assert configured.SESSION_COOKIE_NAME == "sessionid"
    assert configured.CSRF_COOKIE_NAME == "csrftoken"
    assert configured.AUTH_USER_MODEL == "teams.User"


def test_a_grant_that_happens_once_has_the_reference_it_had():
    """Or an upgrade would give this month's allowance again, or an invitation's credits."""
    month = Month.named("2026-11")
    assert str(allowances._reference(Membership(pk=7), month)) == "d2acc3b8-cdb2-5d3d-a9a4-6451620b1a8b"
    assert str(inviting.GRANT_NAMESPACE) == "7d1c3c3e-6f0b-4a52-9a55-0c5d5f7e2a10"


def test_a_call_that_is_repeated_is_known_again():
    assert (
        idempotency.fingerprint("POST", "/api/v1/generations", b"{}")
        == "f871dc2a222e9440982237161ae61b6774a18805c26b525ebea22322077750bd"
    )


def test_preferences_of_people_have_the_names_they_had():
    assert notices_preferences.DISABLED_KEY == "notices_off"
    assert served.DEFAULTS_KEY == "defaults"
    assert User(preferences={"display": {"density": "dense"}}).display == {"density": "dense"}


# Messages, Redis and the cache


def test_tasks_have_the_names_that_messages_under_way_carry():
    app.loader.import_default_modules()
    assert {name for name in app.tasks if not name.startswith("celery.")} == {
        "generations.api.tasks.forget_old_calls",
        "generations.credits.tasks.close_days",
        "generations.jobs.tasks.ask_balances",
        "generations.jobs.tasks.forget_prompt_help",
        "generations.jobs.tasks.help_with_prompts",
        "generations.jobs.tasks.ring",
        "generations.jobs.tasks.sweep",
        "generations.library.house_tasks.keep_house",
        "generations.office.tasks.clear_sessions",
        "generations.library.tasks.carry_on",
        "generations.library.tasks.take_up",
        "generations.office.notice_tasks.tell",
        "generations.office.tasks.give_allowances",
    }
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)


def test_messages_lie_in_the_queues_that_workers_read():
    routes = {
        "generations.jobs.tasks.ring": {"queue": "calls"},
        "generations.jobs.tasks.help_with_prompts": {"queue": "calls"},
        "*": {"queue": "upkeep"},
    }
    assert routes == configured.CELERY_TASK_ROUTES
    assert configured.CELERY_TASK_DEFAULT_QUEUE == "calls"


def test_redis_keys_are_what_they_were():
    redis = redis_client.client()
    redis.delete("pace:stored-names", "api:token:900001", "api:member:900002", "sdweb:workers")
    upstreams_rate_limit.prepare(Upstream(pk=0, pace_account="stored-names"))
    for _ in range(30):  # one request is regained, and its keys are gone, within a tenth of a second
        api_rate_limit.count(Token(pk=900_001, membership_id=900_002))
    heartbeats.send()
    try:
        assert redis.exists("pace:stored-names", "api:token:900001", "api:member:900002") == 3
        assert redis.hexists("sdweb:workers", spool.WORKER)
    finally:
        heartbeats.remove()
    assert tasks.SWEEPER == "sdweb:sweeper"


def test_events_go_through_the_stream_that_open_pages_read():
    events.positions_changed({(900_001, 900_002): {}})
    events.flush()
    [(_number, event)] = redis_client.client().xrevrange("sdweb:changes", count=1)
    assert event == {b"user": b"900001", b"team": b"900002", b"kind": b"places", b"data": b"{}"}


def test_cache_keys_are_what_they_were():
    assert configured.CACHES["default"]["LOCATION"] == "portal_cache"
    assert allowances.WARNED_CACHE_KEY.format(3) == "allowance-waits-3"


# Object storage and the disk


def test_prefixes_of_index_terms_are_what_they_were():
    in_rows = {terms.team: "t", terms.owner: "o", terms.model: "m", terms.style: "s", terms.shape: "h"}
    in_rows |= {terms.seed: "n", terms.tag: "g", terms.collection: "c", terms.favourite: "f"}
    in_rows |= {terms.batch: "b", terms.origin: "r", terms.operation: "p"}
    assert [term("7") for term in in_rows] == [f"§{letter}7" for letter in in_rows.values()]


def test_objects_have_the_names_they_had():
    image = storage_keys.image_key(generation=SOME, attempt=2, sha256="ab12", media_type="image/png")
    assert image == f"images/{SOME}/2-ab12.png"
    assert storage_keys.upload_key(team=3, sha256="ab12", media_type="image/webp") == "uploads/3/ab12.webp"
    assert storage_keys.thumbnail_key(image=OTHER, size="m") == f"thumbnails/{OTHER}/m.webp"


def test_a_spool_is_read_that_another_version_left():
    assert (spool_files.RECEIVED, spool_files.STORED, spool.LOCK) == (".received", ".stored", "lock")
    assert (spool_files.OLD_SIDECAR, spool_files.OLD_STORED) == ("received.json", "stored")
