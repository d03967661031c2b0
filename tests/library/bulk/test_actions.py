"""The registry of bulk actions: every action has what the page, the worker and undo need."""

import pytest

from generations.library.bulk import actions as bulk_actions
from generations.library.bulk import service as bulk_service
from generations.library.bulk import views as bulk_views
from generations.library.models import BulkAction
from generations.teams.models import Visibility
from generations.teams.permissions import PERMISSIONS
from tests.library.conftest import address, pks

KINDS = list(bulk_actions.KINDS.values())


@pytest.fixture
def argument(collection):
    """An argument that an action accepts: argument(kind)."""

    def argument(kind):
        if kind in {bulk_actions.Collect, bulk_actions.TakeOut}:
            return str(collection.pk)
        return "hero" if kind in {bulk_actions.Tag, bulk_actions.Untag} else ""

    return argument


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_action_runs_and_says_in_a_sentence_what_it_did(kind, member, enter, argument):
    action = bulk_service.start(member=member, kind=kind, images=pks(*enter(2)), argument=argument(kind))
    summary = bulk_views.summarize(member, action)
    assert action.ended_at is not None
    assert summary.changed.startswith(str(len(action.changed)))
    assert "%" not in summary.changed + summary.unchanged
    assert summary.label == str(kind.label) != ""
    assert kind.permission in PERMISSIONS
    assert len(kind.name) <= BulkAction._meta.get_field("kind").max_length


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.undo], ids=lambda kind: kind.name)
def test_what_undoes_an_action_is_an_action_with_the_same_permission(kind):
    assert bulk_actions.KINDS[kind.undo].permission == kind.permission


def test_an_action_that_is_registered_needs_nothing_else(member, enter, sign_in, monkeypatch):
    """One class: the page offers it, starts it, shows what it did and undoes it."""

    class Publish(bulk_actions.ShowTeam):
        name = "publish"
        undo = "keep_private"
        menu_icon = "eye"
        label = "Publish"

        def sentence(self, count):
            return "%(count)s published"

    monkeypatch.setitem(bulk_actions.KINDS, "publish", Publish)
    images, client = enter(2, visibility=Visibility.PRIVATE), sign_in(member)
    assert 'name="act" value="publish"' in client.get(address("grid", member)).content.decode()
    form = {"act": "publish", "image": [str(pk) for pk in pks(*images)]}
    response = client.post(address("deed", member), form, headers={"HX-Request": "true"})
    assert "2 published" in response.content.decode()
    undo = address("undo", member, BulkAction.objects.get().pk)
    assert "Undone for 2 pictures" in client.post(undo, headers={"HX-Request": "true"}).content.decode()
    assert {row.visibility for row in member.images.all()} == {"private"}
