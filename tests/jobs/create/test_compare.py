"""Two to four pictures beside each other, with what differs in how they were made."""

from __future__ import annotations

import uuid

import pytest

from generations.library.models import Image
from generations.office.members import service as members_service
from generations.teams.models import Role
from tests.conftest import work
from tests.markup import compact

pytestmark = pytest.mark.django_db(transaction=True)  # what workers do is committed


@pytest.fixture
def pictures(submit, upstream) -> list[Image]:
    """Three pictures: two of one batch, and one of another model, shape and prompt."""
    submit(prompt="a lighthouse in the fog", model="ultra", aspect_ratio="3:2", count=2)
    submit(prompt="a lighthouse at noon", model="core", aspect_ratio="16:9", style_preset="cinematic")
    work()
    return list(Image.objects.order_by("pk"))


@pytest.fixture
def compared(mei, address):
    """The answer to comparing these images."""
    return lambda *images: mei.get(address("compare/"), {"image": [str(image.pk) for image in images]})


def titles(values):
    return [value.title for value in values]


def test_what_differs_stands_beside_the_pictures_and_the_rest_below(compared, pictures):
    one, other = (each for each in pictures if each.model == "ultra")
    answer = compared(one, other)
    columns, shared = answer.context["comparison"].columns, answer.context["comparison"].shared
    assert [column.image for column in columns] == [one, other]
    assert titles(columns[0].differing) == titles(columns[1].differing) == ["Seed"]
    assert [column.differing[0].text for column in columns] == [str(one.seed), str(other.seed)]
    assert {"Prompt", "Model", "Size", "Shape"} <= set(titles(shared))
    [last] = (each for each in pictures if each.model == "core")
    columns = compared(one, other, last).context["comparison"].columns
    assert {"Prompt", "Model", "Size", "Shape", "Seed", "Style"} <= set(titles(columns[0].differing))
    by_title = {value.title: value.text for value in columns[2].differing}
    assert (by_title["Model"], by_title["Style"], by_title["Shape"]) == ("Core", "Cinematic", "16:9")
    page = compact(compared(one, other, last).content.decode())
    assert page.count("data-pane") == 3
    assert f'href="?image={one.pk}&amp;image={other.pk}"' in page  # without the last


def test_two_to_four_are_compared_and_nothing_else(compared, mei, address, pictures):
    assert compared(*pictures).status_code == 200
    for wrong in ((), pictures[:1], [pictures[0]] * 3, [*pictures, Image(pk=uuid.uuid4())]):
        assert compared(*wrong).status_code == 404
    assert mei.get(address("compare/?image=x&image=\0")).status_code == 404
    Image.objects.filter(pk=pictures[0].pk).update(kind="text")
    assert compared(*pictures).status_code == 404


def test_nobody_compares_what_they_may_not_see(client, compared, make_member, mei, address, pictures):
    lin = make_member("lin", role=Role.MEMBER)
    eve = make_member("eve", team=members_service.create_team("Elsewhere"), role=Role.OWNER)
    query = {"image": [str(image.pk) for image in pictures]}
    client.force_login(lin.user, "allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(address("compare/"), query).status_code == 200
    Image.objects.filter(pk=pictures[0].pk).update(visibility="private")
    assert client.get(address("compare/"), query).status_code == 404
    client.force_login(eve.user, "allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(address("compare/"), query).status_code == 404
    assert client.get(f"/t/{eve.team.slug}/compare/", query).status_code == 404
    Image.objects.filter(pk=pictures[0].pk).update(visibility="team", trashed_at="2026-01-01T00:00Z")
    assert compared(*pictures).status_code == 404


def test_a_picture_leads_to_the_comparison_with_its_batch(mei, address, pictures):
    one, other = (each for each in pictures if each.model == "ultra")
    page = mei.get(address(f"picture/{one.pk}/")).content.decode()
    pair = {f"compare/?image={a.pk}&amp;image={b.pk}" for a, b in ((one, other), (other, one))}
    assert any(link in page for link in pair)
    [last] = (each for each in pictures if each.model == "core")
    assert "compare/?image=" not in mei.get(address(f"picture/{last.pk}/")).content.decode()
