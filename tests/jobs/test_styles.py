"""Styles that a team makes: who finds and uses one, what is offered where, and which account draws in it."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from generations.jobs import styles, submission
from generations.jobs.models import Batch, Generation, Style
from generations.library.images import service as images_service
from generations.library.models import Image, ImageKind
from generations.library.search import indexer
from generations.office.members import service as members_service
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.registry import InvalidParameters
from generations.teams import api_tokens
from generations.teams.models import Role, Scope, Visibility
from generations.upstreams.models import Upstream
from tests import sandboxes
from tests.conftest import PASSWORD, open_limiter
from tests.markup import compact

pytestmark = pytest.mark.django_db

V3, VECTOR = catalogue_registry.get("recraftv3"), catalogue_registry.get("recraftv3_vector")


def account(name: str) -> Upstream:
    row = Upstream(name=name, kind="recraft", base_url="http://127.0.0.1:1/recraft")
    row.set_key(sandboxes.KEY)
    row.save()
    open_limiter(row)
    return row


@pytest.fixture
def recraft(db):
    return account("recraft")


@pytest.fixture
def make_style(recraft):
    def make(owner, name="House", *, value="", upstream=None, model="recraft-style", **more):
        image = Image.objects.create(
            team=owner.team,
            owner=owner,
            kind=ImageKind.STYLE,
            title=name,
            model=model,
            text=value or str(uuid.uuid4()),
            key=f"images/{uuid.uuid4()}.txt",
            sha256="0" * 64,
            media_type="text/plain",
            width=0,
            height=0,
            bytes=36,
            **more,
        )
        indexer.add(image)
        return Style.objects.create(
            image=image,
            team=owner.team,
            upstream=upstream or recraft,
            made_with=model,
            remote_id=image.text,
        )

    return make


@pytest.fixture
def stranger(make_member):
    return make_member("eve", team=members_service.create_team("Elsewhere"), role=Role.OWNER)


def offered(member, model=V3):
    return styles.offered_by(member, model)["style"]


def order(member, style, model="recraftv3"):
    return submission.submit(
        member=member,
        model=model,
        parameters={"prompt": "a boat", "style": style},
        count=1,
        submission=None,
        prices_at=None,
    )


def test_a_style_is_offered_to_its_team_alone(member, make_member, stranger, make_style):
    style, others = make_style(member), make_style(stranger, "Theirs")
    assert offered(member) == {style.remote_id: "House"}
    assert offered(make_member("lin")) == {style.remote_id: "House"}
    assert offered(stranger) == {others.remote_id: "Theirs"}


def test_no_other_team_draws_in_it(member, stranger, make_style):
    style = make_style(member)
    with pytest.raises(InvalidParameters, match="no such style"):
        order(stranger, style.remote_id)
    asked = {"model": "recraftv3", "parameters": {"prompt": "a boat", "style": style.remote_id}, "count": 1}
    with pytest.raises(InvalidParameters, match="no such style"):
        submission.check(member=stranger, roles=(), submission=None, prices_at=None, **asked)
    with pytest.raises(InvalidParameters, match="no such style"):
        order(member, "229b2a75-05e4-4580-85f9-b47ee521a00d")
    assert not Batch.objects.exists()


def test_only_the_account_that_made_it_draws_in_it(member, make_style):
    second = account("second")
    order(member, make_style(member, upstream=second).remote_id)
    assert Generation.objects.get().pinned_to == second
    order(member, "logo_raster")
    assert Generation.objects.latest("created_at").pinned_to is None


@pytest.mark.parametrize("gone", [{"enabled": False}, {"models_served": ["recraftv4"]}])
def test_a_style_whose_account_is_not_in_use_is_neither_offered_nor_taken(member, recraft, make_style, gone):
    style = make_style(member, upstream=account("second"))
    Upstream.objects.filter(name="second").update(**gone)
    assert offered(member) == {}
    with pytest.raises(InvalidParameters, match="is not in use"):
        order(member, style.remote_id)


def test_a_private_style_is_its_makers(member, make_member, make_style):
    style = make_style(member, visibility=Visibility.PRIVATE)
    lin = make_member("lin")
    assert offered(member) == {style.remote_id: "House"}
    assert offered(lin) == {}
    with pytest.raises(InvalidParameters, match="no such style"):
        order(lin, style.remote_id)


def test_it_is_renamed_and_removed_by_who_may(member, make_member, make_style):
    style, lin = make_style(member), make_member("lin")
    assert not images_service.set_title(member=lin, image=style.pk, title="Mine")
    assert images_service.trash(member=lin, images=[style.pk]) == []
    assert images_service.set_title(member=member, image=style.pk, title="Spring")
    assert offered(lin) == {style.remote_id: "Spring"}
    images_service.trash(member=member, images=[style.pk])
    assert offered(lin) == {}
    with pytest.raises(InvalidParameters, match="no such style"):
        order(member, style.remote_id)
    images_service.restore(member=member, images=[style.pk])
    assert offered(lin) == {style.remote_id: "Spring"}
    Image.objects.get(pk=style.pk).delete()
    assert not Style.objects.exists()


def test_a_field_offers_what_its_own_models_have_made(member, make_style):
    photo, drawing = make_style(member), make_style(member, "Ink", model="recraft-vector-style")
    assert offered(member) == {photo.remote_id: "House"}
    assert offered(member, VECTOR) == {drawing.remote_id: "Ink"}
    with pytest.raises(InvalidParameters, match="no such style"):
        order(member, drawing.remote_id)


def test_the_newest_are_offered_first_and_not_endlessly_many(member, make_style, monkeypatch):
    make_style(member, "Older"), make_style(member, "Newer")
    assert list(offered(member).values()) == ["Newer", "Older"]
    monkeypatch.setattr(styles, "MOST_OFFERED", 1)
    assert list(offered(member).values()) == ["Newer"]


def test_the_name_of_a_private_style_is_told_to_its_maker_alone(member, make_member, make_style):
    style = make_style(member, visibility=Visibility.PRIVATE)
    named = {"prompt": "a boat", "style": style.remote_id}
    assert styles.titles(member, V3, named) == {style.remote_id: "House"}
    assert styles.titles(make_member("lin"), V3, named) == {}


def test_a_model_without_such_a_field_asks_the_database_nothing(member, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert styles.offered_by(member, catalogue_registry.get("core")) == {}
        assert styles.account_of(member, catalogue_registry.get("core"), {"style_preset": "anime"}) is None


# Pages and programs -------------------------------------------------------------------------


@pytest.fixture
def shown(member):
    browser = Client()
    assert browser.login(username=member.user.email, password=PASSWORD)
    return lambda path: browser.get(f"/t/{member.team.slug}/{path}")


def test_the_form_offers_them_beside_the_makers_own(member, stranger, make_style, shown):
    style, _ = make_style(member, "Ink & wash"), make_style(stranger, "Theirs")
    form = compact(shown("create/?operation=generate&model=recraftv3").content.decode())
    assert f'<option value="{style.remote_id}">Ink &amp; wash</option>' in form
    assert '<option value="logo_raster">Logo</option>' in form
    assert "Theirs" not in form


def test_using_a_style_chooses_it_and_a_model_that_draws_in_it(member, stranger, make_style, shown):
    style = make_style(member, model="recraft-vector-style")
    form = compact(shown(f"create/?image={style.pk}&use=style").content.decode())
    assert f'<option value="{style.remote_id}" selected>House</option>' in form
    assert 'value="recraftv3_vector" checked' in form
    assert shown(f"create/?image={make_style(stranger).pk}&use=style").status_code == 404
    Image.objects.filter(pk=style.pk).update(kind=ImageKind.TEXT)
    assert shown(f"create/?image={style.pk}&use=style").status_code == 404


def test_pages_show_a_style_by_its_name(member, make_style, shown):
    style = make_style(member)
    page = compact(shown(f"picture/{style.pk}/").content.decode())
    assert f"create/?image={style.pk}&amp;use=style" in page
    assert '<strong dir="auto">House</strong>' in compact(shown("library/").content.decode())
    drawn = Image.objects.create(
        team=member.team,
        owner=member,
        model="recraftv3",
        parameters={"prompt": "a boat", "style": style.remote_id},
        key="images/a.webp",
        sha256="1" * 64,
        media_type="image/webp",
        width=64,
        height=64,
        bytes=9,
    )
    page = compact(shown(f"picture/{drawn.pk}/").content.decode())
    assert "<dt>Style</dt><dd" in page
    assert ">House</dd>" in page


def test_programs_find_them_among_the_choices_of_the_field(member, stranger, make_style):
    style, _ = make_style(member), make_style(stranger, "Theirs")
    _token, text = api_tokens.issue(membership=member, name="t", scopes=[Scope.GENERATE])
    listed = Client().get("/api/v1/models", headers={"authorization": f"Bearer {text}"}).json()
    fields = {
        model["name"]: next((field for field in model["fields"] if field["name"] == "style"), None)
        for model in listed
    }
    assert fields["recraftv3"]["choices"][-2:] == ["logo_raster", style.remote_id]
    assert fields["recraftv3"]["titles"] == {style.remote_id: "House"}
    assert style.remote_id not in fields["recraftv2"]["choices"]
    assert fields["recraftv3_vector"]["choices"] == []
