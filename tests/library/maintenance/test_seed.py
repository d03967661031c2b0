"""A seeded library is a library like any other."""

import pytest
from django.core.management import call_command
from django.http import QueryDict

from generations.library.models import CollectionImage, Image, ImageTag, SearchEntry
from generations.library.search import engine as search_engine
from generations.library.search import indexer
from generations.library.search.query import Search
from generations.library.storage import client as storage_client
from generations.teams.models import Team


@pytest.mark.django_db
def test_a_seeded_library_can_be_searched():
    call_command("fill_library", "300", team="Trial", people=3, tags=20, collections=5, verbosity=0)
    team = Team.objects.get(name="Trial")
    member = team.memberships.first()
    image = Image.objects.filter(visibility="team").first()
    assert Image.objects.count() == SearchEntry.objects.count() == 300
    assert image.bytes == storage_client.head(image.key).size
    search = Search.from_query(QueryDict(f"q={image.prompt}&seed={image.seed}"))
    assert image in search_engine.page(member, search, size=5)
    assert len(search_engine.page(member, Search(), size=100)) == 100
    assert ImageTag.objects.exists()
    assert CollectionImage.objects.exists()


@pytest.mark.django_db
def test_seeded_search_entries_are_up_to_date():
    call_command("fill_library", "50", team="Trial", people=2, tags=5, collections=2, verbosity=0)
    before = dict(SearchEntry.objects.values_list("image", "document"))
    indexer.refresh(list(before))
    after = dict(SearchEntry.objects.values_list("image", "document"))
    assert {pk: set(line.split()) for pk, line in after.items()} == {
        pk: set(line.split()) for pk, line in before.items()
    }
