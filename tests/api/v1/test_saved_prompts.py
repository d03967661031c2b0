"""Saved prompts through the API: who sees, changes and uses them, and what is kept of a request."""

from __future__ import annotations

import uuid

import pytest

from generations.jobs.create import saved_prompts
from generations.jobs.models import BatchInput, Generation, SavedPrompt
from generations.library.models import Image
from generations.teams.models import Role, Visibility
from tests.api.client import ApiClient, error
from tests.conftest import work

pytestmark = pytest.mark.django_db(transaction=True)
HARBOUR = {
    "name": "Harbours",
    "model": "core",
    "parameters": {"prompt": "a quiet harbour at dawn", "seed": 42, "aspect_ratio": "16:9"},
}


@pytest.fixture
def saved(api):
    """Mei's saved prompt, which she alone sees."""
    response = api.post("/saved-prompts", HARBOUR)
    assert response.status_code == 201
    return response.json()


def path(saved):
    return saved["links"]["self"].removeprefix("/api/v1")


def order(client, saved, body=None, **headers):
    return client.post(saved["links"]["generate"].removeprefix("/api/v1"), body or {}, **headers)


def test_a_saved_prompt_is_listed_read_changed_and_deleted(api, saved):
    assert (saved["visibility"], saved["owner"], saved["parameters"]) == (
        "private",
        "Mei",
        HARBOUR["parameters"],
    )
    api.post("/saved-prompts", HARBOUR | {"name": "boats at night"})
    names = [row["name"] for row in api.get("/saved-prompts").json()["items"]]
    assert names == ["boats at night", "Harbours"]
    assert [row["name"] for row in api.get("/saved-prompts?q=arb").json()["items"]] == ["Harbours"]
    assert api.get(path(saved)).json() == saved
    changed = api.request("patch", path(saved), {"visibility": "team"}).json()
    assert (changed["name"], changed["visibility"]) == ("Harbours", "team")
    assert api.request("patch", path(saved), {"name": "Ports"}).json()["name"] == "Ports"
    assert error(api.request("patch", path(saved), {"name": " "})) == (422, "invalid")
    assert api.request("delete", path(saved)).status_code == 204
    assert error(api.get(path(saved))) == (404, "not_found")


def test_many_are_listed_page_by_page(api, member):
    for number in range(51):
        values = {"model": "core", "prompt": "x"}
        saved_prompts.save(member=member, name=f"{number:02}", visibility=Visibility.PRIVATE, values=values)
    first = api.get("/saved-prompts").json()
    assert len(first["items"]) == 50
    second = api.get(first["next"].removeprefix("/api/v1")).json()
    assert ([row["name"] for row in second["items"]], second["next"]) == (["50"], None)


def test_what_a_model_does_not_take_is_refused_by_its_name(api):
    for changes, field in (
        ({"model": "no-such-model"}, "model"),
        ({"parameters": {"prompt": "x", "cfg_scale": 7}}, "cfg_scale"),
        ({"parameters": {"prompt": "x", "seed": "red"}}, "seed"),
        ({"parameters": {"prompt": "x", "aspect_ratio": "7:3"}}, "aspect_ratio"),
        ({"inputs": {"mask": [str(uuid.uuid4())]}}, "mask"),
        ({"name": ""}, "name"),
        ({"price": 3}, "price"),
    ):
        response = api.post("/saved-prompts", HARBOUR | changes)
        assert response.status_code == 422, response.content
        assert response.json()["error"]["field"] == field
    assert error(api.post("/saved-prompts", HARBOUR | {"parameters": {}})) == (422, "cannot_save")
    unknown = HARBOUR | {"model": "ultra", "inputs": {"image": [str(uuid.uuid4())]}}
    assert error(api.post("/saved-prompts", unknown)) == (404, "not_found")
    many = HARBOUR | {"model": "ultra", "inputs": {"image": [str(uuid.uuid4()) for _ in range(2)]}}
    response = api.post("/saved-prompts", many)
    assert (response.status_code, response.json()["error"]["field"]) == (422, "image")
    assert not SavedPrompt.objects.exists()


def test_an_order_takes_what_is_saved_and_what_it_says_otherwise(api, saved, upstream, member):
    batch = order(api, saved, {"count": 2, "parameters": {"seed": 7, "aspect_ratio": None}})
    assert batch.status_code == 202
    assert batch.json()["model"] == "core"
    assert batch.json()["parameters"] == {"prompt": "a quiet harbour at dawn", "seed": 7}
    assert work() == 2
    assert len(api.get(batch["Location"].removeprefix("/api/v1")).json()["generations"]) == 2
    member.wallet.refresh_from_db()
    assert member.wallet.held == 0
    assert error(order(api, saved, {"parameters": {"cfg_scale": 7}})) == (422, "invalid")
    assert error(order(api, saved, {"parameters": {"prompt": None}})) == (422, "invalid")
    assert Generation.objects.count() == 2


def test_an_order_with_a_key_is_placed_once_even_if_the_prompt_is_gone(api, saved, upstream):
    key = {"Idempotency_Key": "one"}
    first = order(api, saved, **key)
    assert api.request("delete", path(saved)).status_code == 204
    again = order(api, saved, **key)
    assert (again.status_code, again["Idempotent-Replayed"]) == (202, "true")
    assert again.json()["id"] == first.json()["id"]
    assert Generation.objects.count() == 1
    assert error(order(api, saved)) == (404, "not_found")


def test_pictures_go_with_a_saved_prompt(api, upstream, submit, make_member):
    submit(count=2)
    work()
    image, other = map(str, Image.objects.values_list("pk", flat=True))
    body = {"prompt": "an oil painting", "strength": 0.6}
    edit = {"name": "Oil", "model": "ultra", "parameters": body, "inputs": {"image": [image]}}
    saved = api.post("/saved-prompts", edit).json()
    assert saved["inputs"] == {"image": [image]}
    response = order(api, saved)
    assert response.status_code == 202
    assert list(response.json()["inputs"]) == ["image"]
    assert order(api, saved, {"inputs": {"image": [other]}}).status_code == 202
    sent = BatchInput.objects.order_by("batch").values_list("image", flat=True)
    assert list(map(str, sent)) == [image, other]
    Image.objects.update(visibility="private", owner=make_member("tom"))
    assert order(api, saved).json()["error"]["field"] == "image"


def test_what_was_typed_on_the_page_is_told_and_ordered_as_its_model_takes_it(api, member, upstream):
    values = {"operation": "generate", "model": "core", "prompt": "x", "seed": "42", "output_format": "png"}
    row = saved_prompts.save(member=member, name="Typed", visibility=Visibility.PRIVATE, values=values)
    shown = api.get(f"/saved-prompts/{row.pk}").json()
    assert shown["parameters"]["seed"] == 42
    assert order(api, shown).json()["parameters"]["seed"] == 42
    row.values = {"prompt": "without a model"}
    row.save()
    without = api.get(f"/saved-prompts/{row.pk}").json()
    assert (without["model"], without["parameters"]) == ("", {"prompt": "without a model"})
    assert error(order(api, without)) == (422, "unknown_model")


def test_who_sees_and_changes_them_is_as_on_the_pages(api, saved, make_member):
    tom, viewer = ApiClient(make_member("tom")), ApiClient(make_member("vic", role=Role.VIEWER), "read")
    assert error(tom.get(path(saved))) == (404, "not_found")
    assert error(order(tom, saved)) == (404, "not_found")
    assert tom.get("/saved-prompts").json()["items"] == []
    api.request("patch", path(saved), {"visibility": "team"})
    assert tom.get(path(saved)).json()["name"] == "Harbours"
    assert error(tom.request("patch", path(saved), {"name": "Mine"})) == (403, "not_yours")
    assert error(tom.request("delete", path(saved))) == (403, "not_yours")
    assert viewer.get("/saved-prompts").status_code == 403
    assert viewer.get(path(saved)).status_code == 403
    curator = ApiClient(make_member("ana", role=Role.ADMINISTRATOR))
    assert curator.request("patch", path(saved), {"name": "Ports"}).status_code == 200


def test_a_token_needs_the_scope_of_what_it_does(member, saved):
    generator, reader = ApiClient(member, "generate"), ApiClient(member, "read")
    assert generator.post("/saved-prompts", HARBOUR).status_code == 201
    for response in (
        generator.get("/saved-prompts"),
        generator.get(path(saved)),
        generator.request("patch", path(saved), {}),
        generator.request("delete", path(saved)),
        order(generator, saved),
        reader.post("/saved-prompts", HARBOUR),
        reader.request("patch", path(saved), {"name": "x"}),
        reader.request("delete", path(saved)),
        order(reader, saved),
    ):
        assert error(response) == (403, "scope_missing")
        assert "harbour" not in response.content.decode()
    assert reader.get(path(saved)).status_code == 200
    assert not Generation.objects.exists()
