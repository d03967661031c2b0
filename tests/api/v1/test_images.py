"""Operations on images, tags, collections, favourites and start images."""

from __future__ import annotations

import io

import pytest
from django.test import Client
from PIL import Image as Picture

from tests.api.client import error
from tests.conftest import work

pytestmark = pytest.mark.django_db(transaction=True)
HARBOUR = {"model": "core", "prompt": "a quiet harbour at dawn"}


def png(size=(64, 64)):
    file = io.BytesIO()
    Picture.new("RGB", size, "teal").save(file, "PNG")
    file.seek(0)
    file.name = "start.png"
    return file


def test_start_images_are_uploaded_or_made_from_library_images(api, upstream):
    kept = Client().post(
        "/api/v1/uploads", {"image": png()}, headers={"Authorization": f"Bearer {api.secret}"}
    )
    assert kept.status_code == 201
    payload = {"model": "ultra", "prompt": "a boat", "strength": 0.5, "start_image": kept.json()["id"]}
    batch = api.post("/generations", payload).json()
    assert batch["start_image"] == kept.json()["id"]
    assert work() == 1
    image = api.get(f"/batches/{batch['id']}").json()["generations"][0]["image"]
    taken = api.post(f"/images/{image}/upload")
    assert taken.status_code == 201
    assert api.post("/generations", payload | {"start_image": taken.json()["id"]}).status_code == 202
    bad = Client().post(
        "/api/v1/uploads",
        {"image": io.BytesIO(b"no picture")},
        headers={"Authorization": f"Bearer {api.secret}"},
    )
    assert error(bad) == (422, "bad_upload")


def test_images_are_found_organised_trashed_and_restored(api, upstream):
    api.post("/generations", HARBOUR)
    api.post("/generations", HARBOUR | {"prompt": "a green boat"})
    work()
    assert len(api.get("/images").json()["items"]) == 2
    [boat] = api.get("/images?q=boat").json()["items"]
    url = f"/images/{boat['id']}"
    assert api.post(f"{url}/tags", {"name": "Ships, big"}).status_code == 422
    assert api.post(f"{url}/tags", {"name": "Ships"}).json()["tags"] == ["Ships"]
    assert api.get("/tags").json() == [{"name": "Ships", "uses": 1}]
    assert len(api.get("/images?tag=ships").json()["items"]) == 1
    assert (
        api.request("patch", url, {"title": "A boat", "visibility": "private"}).json()["visibility"]
        == "private"
    )
    collection = api.post("/collections", {"name": "Postcards"}).json()
    assert api.request("put", f"/collections/{collection['id']}{url}").status_code == 204
    assert len(api.get(collection["links"]["images"].removeprefix("/api/v1")).json()["items"]) == 1
    assert api.request("put", f"{url}/favourite").status_code == 204
    assert api.get(url).json()["liked"]
    assert api.request("delete", f"/collections/{collection['id']}{url}").status_code == 204
    assert api.request("delete", f"/collections/{collection['id']}").status_code == 204
    assert api.request("delete", f"{url}/tags?name=ships").json()["tags"] == []
    assert api.request("delete", url).status_code == 204
    assert api.get(url).status_code == 404
    assert [each["title"] for each in api.get("/trash").json()["items"]] == ["A boat"]
    assert api.post(f"{url}/restore").json()["trashed_at"] is None
    assert api.get(url).json()["title"] == "A boat"
