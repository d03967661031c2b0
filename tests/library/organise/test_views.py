"""Collections and saved searches from the page: create, rename, share with the team, delete."""

import uuid

import pytest
from django.urls import reverse

from generations.library.models import Collection, Image
from generations.library.organise import service as organise_service
from generations.library.search.query import Search
from generations.teams.models import Visibility
from tests.library.conftest import address


def test_a_collection_is_created_renamed_shared_and_deleted(sign_in, member, enter):
    client = sign_in(member)
    made = client.post(address("collections", member), {"name": "Posters", "visibility": "private"})
    row = Collection.objects.get()
    assert made["Location"].endswith(f"?collection={row.pk}")
    assert (row.name, row.visibility) == ("Posters", "private")
    client.post(address("collection", member, row.pk), {"name": "Heroes", "visibility": "team"})
    row.refresh_from_db()
    assert (row.name, row.visibility) == ("Heroes", "team")
    organise_service.add_to_collection(member=member, images=[enter(1)[0].pk], collection=row.pk)
    client.post(address("delete_collection", member, row.pk))
    assert not Collection.objects.exists()
    assert Image.objects.count() == 1


@pytest.mark.parametrize("name", ["", " \0 ", "x" * 121])
def test_an_invalid_name_is_refused(sign_in, member, name):
    client = sign_in(member)
    row = organise_service.create_collection(member=member, name="Posters", visibility=Visibility.TEAM)
    for where in (address("collections", member), address("collection", member, row.pk)):
        assert client.post(where, {"name": name}, follow=True).status_code == 200
    client.post(address("save_search", member), {"name": name, "search": "q=fox"})
    assert [one.name for one in Collection.objects.all()] == ["Posters"]
    assert not member.saved_searches.exists()


def test_anothers_collection_is_kept_from_changes(sign_in, member, teammate, stranger):
    shared = organise_service.create_collection(member=member, name="Shared", visibility=Visibility.TEAM)
    secret = organise_service.create_collection(member=member, name="Secret", visibility=Visibility.PRIVATE)
    theirs, foreign = sign_in(teammate), sign_in(stranger)
    for name in ("collection", "delete_collection"):
        assert theirs.post(address(name, member, shared.pk), {"name": "Mine"}).status_code == 302
        assert theirs.post(address(name, member, secret.pk), {"name": "Mine"}).status_code == 404
        assert foreign.post(address(name, member, shared.pk), {"name": "Mine"}).status_code == 404
        assert foreign.post(address(name, stranger, shared.pk), {"name": "Mine"}).status_code == 404
    for client, of, hidden in ((theirs, member, secret), (foreign, stranger, shared)):
        for name in ("grid", "counts", "suggest"):
            response = client.get(address(name, of), {"collection": hidden.pk, "q": hidden.name})
            assert response.status_code == 200
            assert f">{hidden.name}<" not in response.content.decode()
        bad = client.get(address("grid", of), {"collection": hidden.pk}).context["unreadable"]
        assert [(one.parameter, one.value) for one in bad] == [("collection", str(hidden.pk))]
    assert sorted(one.name for one in Collection.objects.all()) == ["Secret", "Shared"]


def test_all_collections_are_found_by_name_and_page_by_page(sign_in, member, stranger):
    organise_service.create_collection(member=stranger, name="Été foreign", visibility=Visibility.TEAM)
    for number in range(70):
        name = f"Été {number}" if number < 65 else f"Posters {number}"
        organise_service.create_collection(member=member, name=name, visibility=Visibility.TEAM)
    client, where = sign_in(member), address("collections", member)
    first = client.get(where, {"q": "ETE"})
    names = [one.name for one, _size in first.context["rows"]]
    assert names == [f"Été {number}" for number in range(64, 4, -1)]
    second = client.get(where, {"q": "ETE", "before": first.context["last"].pk})
    assert [one.name for one, _size in second.context["rows"]] == [f"Été {n}" for n in range(4, -1, -1)]
    for before in ("nonsense", uuid.uuid4(), Collection.objects.get(name="Été foreign").pk):
        assert client.get(where, {"before": before}).status_code == 404


def test_a_search_is_saved_and_deleted(sign_in, member, teammate, stranger):
    client = sign_in(member)
    form = {"name": "Foxes", "search": "q=fox&model=ultra&nonsense=1", "visibility": "team"}
    answer = client.post(address("save_search", member), form)
    saved = member.saved_searches.get()
    assert (saved.name, saved.visibility, saved.address) == ("Foxes", "team", "q=fox&model=ultra")
    assert answer["Location"].endswith(f"?{Search(q='fox', model=('ultra',)).query_string()}")
    forget = address("forget_search", member, saved.pk)
    assert sign_in(teammate).post(forget).status_code == 302  # the team's, but not theirs
    assert sign_in(stranger).post(forget).status_code == 404
    assert sign_in(stranger).post(address("forget_search", stranger, saved.pk)).status_code == 404
    assert member.saved_searches.exists()
    client.post(forget)
    assert not member.saved_searches.exists()


def test_a_private_saved_search_of_another_is_not_found(sign_in, member, teammate):
    saved = organise_service.save_search(
        member=member, name="Mine", search=Search(q="a"), visibility=Visibility.PRIVATE
    )
    assert sign_in(teammate).post(address("forget_search", member, saved.pk)).status_code == 404


def test_a_viewer_cannot_create_a_collection(sign_in, viewer):
    client = sign_in(viewer)
    where = address("collections", viewer)
    assert client.post(where, {"name": "New"})["Location"] == where
    assert (
        client.post(reverse("library:save_search", args=[viewer.team.slug]), {"name": "x"}).status_code == 403
    )
    assert not Collection.objects.exists()
