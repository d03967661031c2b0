"""A portal on the network, tokens for it, and pictures to send."""

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
IMAGES = "/v1/images/generations"


@pytest.fixture
def portal(transactional_db, upstream, settings):
    """The address of a running web process, with workers behind it."""
    with servers.web() as address, servers.workers():
        settings.PUBLIC_URL, settings.ALLOWED_HOSTS = address, ["127.0.0.1"]
        yield address


@pytest.fixture
def idle_portal(transactional_db, upstream, settings):
    """A running web process without a worker: what is asked for waits."""
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
    """A program that runs the team for its owner."""
    return ApiClient(owner)


@pytest.fixture
def picture():
    """The file of a picture: picture(), picture("jpeg")."""

    def make(kind="png", size=(640, 480)):
        file = io.BytesIO()
        Pillow.linear_gradient("L").resize(size).convert("RGB").save(file, kind)
        return file.getvalue()

    return make
