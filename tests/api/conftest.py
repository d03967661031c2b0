"""A portal that listens on a port, API tokens, and image files to upload."""

from __future__ import annotations

import io

import pytest
from PIL import Image as Pillow

from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Role, Scope
from tests.api import servers
from tests.api.client import ApiClient

CORE = "/v2beta/stable-image/generate/core"
V1 = "/v1/generation/stable-diffusion-xl-1024-v1-0/text-to-image"
IMAGES, EDITS = "/v1/images/generations", "/v1/images/edits"


@pytest.fixture
def portal(transactional_db, upstream, settings):
    """The base URL of a running web process with workers."""
    with servers.web() as address, servers.workers():
        settings.PUBLIC_URL, settings.ALLOWED_HOSTS = address, ["127.0.0.1"]
        yield address


@pytest.fixture
def idle_portal(transactional_db, upstream, settings):
    """The base URL of a running web process without workers: generations stay queued."""
    with servers.web() as address:
        settings.PUBLIC_URL, settings.ALLOWED_HOSTS = address, ["127.0.0.1"]
        yield address


@pytest.fixture
def issue(member):
    """The secret of a new token: issue(by=..., scopes=..., models=..., cap=...)."""

    def make(*, by=member, scopes=(Scope.GENERATE, Scope.READ), **more):
        return teams_api_tokens.issue(membership=by, name="a program", scopes=scopes, **more)[1]

    return make


@pytest.fixture
def secret(issue):
    return issue()


@pytest.fixture
def bearer(secret):
    return {"authorization": f"Bearer {secret}"}


@pytest.fixture
def owner(make_member):
    return make_member("ana", role=Role.OWNER)


@pytest.fixture
def owner_api(owner):
    """An API client of an owner."""
    return ApiClient(owner)


@pytest.fixture
def picture():
    """Make an image file: picture(), picture("jpeg")."""

    def make(kind="png", size=(640, 480)):
        file = io.BytesIO()
        Pillow.linear_gradient("L").resize(size).convert("RGB").save(file, kind)
        return file.getvalue()

    return make
