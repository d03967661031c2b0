"""A token reads only what its scopes say, appoints nobody who outlives it, and what it made ends with it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from generations.jobs.models import Generation
from generations.library.models import Image
from generations.teams import invitation_links
from generations.teams.models import Invitation, Role
from tests.api.client import ApiClient, error
from tests.conftest import work

pytestmark = pytest.mark.django_db(transaction=True)
HARBOUR = {"model": "core", "prompt": "a quiet harbour at dawn"}


@pytest.fixture
def generator(member):
    return ApiClient(member, "generate")


@pytest.fixture
def pictures(member, make_member, generator, submit, upstream):
    """Ids of pictures: what the token made, what its member made on the page, what a teammate made."""
    generator.post("/generations", HARBOUR | {"prompt": "of the token"})
    submit(prompt="of the page")
    submit(by=make_member("tom"), prompt="of Tom")
    assert work() == 3
    return {image.prompt: image.pk for image in Image.objects.all()}


READ = ("", "/original", "/download", "/thumbnail")
CHANGE = (
    ("patch", "", {"title": "x"}),
    ("patch", "", {}),
    ("post", "/tags", {"name": "x"}),
    ("delete", "/tags?name=x", None),
    ("put", "/favourite", None),
    ("post", "/upload", {}),
    ("delete", "", None),
    ("post", "/restore", {}),
)


def test_a_token_that_only_generates_reads_only_what_it_generated(generator, pictures):
    for prompt in ("of the page", "of Tom"):
        for path in READ:
            assert generator.get(f"/images/{pictures[prompt]}{path}").status_code == 404, (prompt, path)
        for method, path, body in CHANGE:
            response = generator.request(method, f"/images/{pictures[prompt]}{path}", body)
            assert response.status_code == 404, (prompt, method, path)
            assert prompt not in response.content.decode()
    for path in READ:
        assert generator.get(f"/images/{pictures['of the token']}{path}").status_code == 200
    for method, path, body in CHANGE:
        response = generator.request(method, f"/images/{pictures['of the token']}{path}", body)
        assert response.status_code in (200, 201, 204), (method, path, response.content)


def test_a_token_that_only_generates_sees_only_its_own_requests(generator, member, pictures):
    listed = generator.get("/generations").json()["items"]
    assert [row["parameters"]["prompt"] for row in listed] == ["of the token"]
    other = Generation.objects.get(parameters__prompt="of the page")
    for path in (f"/generations/{other.pk}", f"/batches/{other.batch_id}", f"/generations?before={other.pk}"):
        assert generator.get(path).status_code == 404
    for path in (
        f"/generations/{other.pk}/cancel",
        f"/generations/{other.pk}/retry",
        f"/batches/{other.batch_id}/cancel",
    ):
        assert generator.post(path).status_code == 404
    own = Generation.objects.get(parameters__prompt="of the token")
    assert generator.get(f"/batches/{own.batch_id}").status_code == 200
    reader = ApiClient(member, "read")
    assert len(reader.get("/generations").json()["items"]) == 2
    assert reader.get(f"/images/{pictures['of Tom']}").status_code == 200


def test_a_token_makes_nobody_an_owner(owner_api, member):
    for path, body in (
        ("/team/invitations", {}),
        ("/team/invitations/mail", {"emails": ["tom@example.org"]}),
    ):
        response = owner_api.post(path, {"role": "owner"} | body)
        assert response.status_code in (403, 409)
    assert error(owner_api.post("/team/invitations", {"role": "owner"})) == (403, "forbidden")
    url = f"/team/members/{member.pk}"
    assert error(owner_api.request("patch", url, {"role": "owner"})) == (403, "forbidden")
    member.refresh_from_db()
    assert member.role == Role.MEMBER
    assert not Invitation.objects.exists()
    assert owner_api.request("patch", url, {"role": "administrator"}).status_code == 200


def test_an_invitation_by_a_token_ends_with_it(owner, owner_api):
    until = timezone.now() + timedelta(days=2)
    short = ApiClient(owner, expires_at=until)
    assert short.post("/team/invitations", {"days": 30}).status_code == 201
    assert Invitation.objects.get().expires_at == short.token.expires_at
    made = owner_api.post("/team/invitations", {"days": 30}).json()
    token = made["link"].rstrip("/").rpartition("/")[2]
    assert invitation_links.find(token)
    assert owner_api.request("delete", f"/team/tokens/{owner_api.token.pk}").status_code == 204
    with pytest.raises(invitation_links.InvitationRevoked):
        invitation_links.find(token)
    assert Invitation.objects.get(token=short.token).revoked_at is None
