"""Prompts saved under a name, for oneself or for the team, and filled in again."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from generations.jobs.create import saved_prompts
from generations.jobs.models import SavedPrompt
from generations.office.members import service as members_service
from generations.teams.models import Membership, Role, Visibility
from tests.conftest import work
from tests.markup import compact

pytestmark = pytest.mark.django_db(transaction=True)  # a worker has connections of its own
FORM = {
    "prompt": "a fox <b> & co",
    "negative_prompt": "people",
    "model": "ultra",
    "operation": "generate",
    "aspect_ratio": "3:2",
    "style_preset": "cinematic",
    "seed": "7",
    "count": "4",
    "visibility": "team",
}
SAVED = {"saved_name": "Foxes", "saved_visibility": "private"}


@pytest.fixture
def tom(make_member) -> Membership:
    return make_member("tom")


def signed_in(member: Membership) -> Client:
    browser = Client()
    browser.force_login(member.user)
    return browser


def texts(browser: Client, address: Any, query: str = "") -> str:
    return compact(browser.get(address(f"saved-prompts/menu/{query}")).content.decode())


def test_what_is_filled_in_is_saved_and_filled_in_again(mei, member, address, upstream):
    assert "Save this prompt" in mei.get(address("saved-prompts/new/")).content.decode()
    answer = mei.post(address("saved-prompts/new/"), FORM | SAVED)
    assert answer.status_code == 200
    assert "The prompt is saved" in answer.content.decode()
    row = SavedPrompt.objects.get()
    assert (row.name, row.visibility, row.owner) == ("Foxes", "private", member)
    assert row.values == {
        name: value for name, value in FORM.items() if name not in {"count", "visibility"}
    }  # these are chosen for each press
    page = compact(mei.get(address(f"create/?saved={row.pk}")).content.decode())
    assert "a fox &lt;b&gt; &amp; co</textarea>" in page
    for part in ('value="ultra" checked', 'value="cinematic" checked', 'value="7"', 'data-prefilled="*"'):
        assert part in page


def test_the_request_of_a_picture_is_saved_from_its_page(mei, member, address, submit, upstream):
    submit(prompt="a lighthouse", model="ultra", aspect_ratio="3:2", seed=7)
    work()
    from_page = f"saved-prompts/new/?from={member.generations.get().pk}"
    assert from_page in mei.get(address(f"generation/{member.generations.get().pk}/")).content.decode()
    assert mei.post(address(from_page), SAVED | {"prompt": "something else"}).status_code == 200
    values = SavedPrompt.objects.get().values
    assert (values["prompt"], values["model"], values["seed"]) == ("a lighthouse", "ultra", 7)


def test_a_request_of_another_team_is_not_saved(make_member, submit, upstream):
    secret = submit(prompt="secret").generations.get()
    stranger = make_member("eve", team=members_service.create_team("Other"))
    where = f"/t/{stranger.team.slug}/saved-prompts/new/?from={secret.pk}"
    assert signed_in(stranger).post(where, SAVED).status_code == 404
    assert not SavedPrompt.objects.exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"saved_name": " \0 "}, "Give it a name."),
        ({"saved_name": "x" * 121}, "A name has at most 120 letters."),
        (
            {"prompt": " ", "negative_prompt": "", "aspect_ratio": "", "style_preset": "", "seed": ""},
            "Nothing",
        ),
        ({"prompt": "x" * 41_000}, "too long"),
    ],
)
def test_what_cannot_be_saved_is_said(mei, address, change, sentence):
    answer = mei.post(address("saved-prompts/new/"), FORM | SAVED | change)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not SavedPrompt.objects.exists()


def test_a_member_saves_so_many_and_no_more(mei, member, address, monkeypatch):
    monkeypatch.setattr(saved_prompts, "MAX_SAVED", 2)
    answers = [mei.post(address("saved-prompts/new/"), FORM | SAVED).status_code for _ in range(3)]
    assert answers == [200, 200, 422]
    SavedPrompt.objects.first().delete()
    assert mei.post(address("saved-prompts/new/"), FORM | SAVED).status_code == 200


def test_values_of_any_type_are_never_a_fault(mei, member, address, upstream):
    values = {"prompt": ["x"], "seed": {}, "model": "gone", "inputs": {"image": ["no id", None]}, "steps": 7}
    assert saved_prompts.kept_values(values) == {}
    row = SavedPrompt.objects.create(
        team=member.team, owner=member, name="old", values=values | {"steps": []}
    )
    assert mei.get(address(f"create/?saved={row.pk}")).status_code == 200
    assert "old" in texts(mei, address)


def test_they_are_found_by_words_of_their_names(mei, member, address):
    for name in ("Red foxes <b>", "A fox at night", "Harbour"):
        saved_prompts.save(
            member=member, name=name, visibility=Visibility.PRIVATE, values={"prompt": f"{name}!"}
        )
    everything = texts(mei, address)
    assert everything.index("A fox at night") < everything.index("Harbour") < everything.index("Red foxes")
    assert "Red foxes &lt;b&gt;" in everything
    found = texts(mei, address, "?q=FOX+red")
    assert ("Red foxes" in found, "night" in found) == (True, False)
    assert "No saved prompt is called that." in texts(mei, address, "?q=%00hen")
    assert "Harbour" in mei.get(address("saved-prompts/?q=harb")).content.decode()


def test_private_ones_are_seen_by_nobody_else_and_those_of_the_team_by_all(
    mei, member, tom, address, make_member
):
    mine = saved_prompts.save(
        member=member, name="secret plan", visibility=Visibility.PRIVATE, values={"prompt": "a hen"}
    )
    shared = saved_prompts.save(
        member=member, name="house style", visibility=Visibility.TEAM, values={"prompt": "a fox"}
    )
    for other in (tom, make_member("ana", role=Role.OWNER)):
        browser = signed_in(other)
        for page in (texts(browser, address), browser.get(address("saved-prompts/")).content.decode()):
            assert ("house style" in page, "secret plan" in page, "a hen" in page) == (True, False, False)
        assert "a fox</textarea>" in browser.get(address(f"create/?saved={shared.pk}")).content.decode()
        for path in ("create/?saved={}",):
            assert browser.get(address(path.format(mine.pk))).status_code == 404
        for path in ("saved-prompts/{}/", "saved-prompts/{}/delete/"):
            assert browser.post(address(path.format(mine.pk)), SAVED).status_code == 404
    viewer = signed_in(make_member("vic", role=Role.VIEWER))
    assert viewer.get(address("saved-prompts/menu/")).status_code == 403
    assert viewer.post(address("saved-prompts/new/"), FORM | SAVED).status_code == 403


@pytest.mark.parametrize(
    ("role", "may"), [(Role.MEMBER, False), (Role.ADMINISTRATOR, True), (Role.OWNER, True)]
)
def test_one_of_the_team_is_changed_by_its_maker_and_by_who_runs_the_team(
    member, mei, address, make_member, role, may
):
    row = saved_prompts.save(
        member=member, name="style", visibility=Visibility.TEAM, values={"prompt": "a fox"}
    )
    other = signed_in(make_member("ana", role=role))
    change, delete = address(f"saved-prompts/{row.pk}/"), address(f"saved-prompts/{row.pk}/delete/")
    page = other.post(
        change, {"saved_name": "theirs", "saved_visibility": "team"}, follow=True
    ).content.decode()
    row.refresh_from_db()
    assert row.name == ("theirs" if may else "style")
    assert ("belongs to somebody else" in page) != may
    mei.post(change, {"saved_name": "mine again", "saved_visibility": "team"})
    row.refresh_from_db()
    assert row.name == "mine again"
    other.post(delete)
    assert SavedPrompt.objects.exists() != may
    mei.post(delete)
    assert not SavedPrompt.objects.exists()


def test_a_picture_that_others_may_not_use_is_not_handed_on(mei, member, tom, address, submit, upstream):
    submit(prompt="a private hen", visibility="private")
    work()
    hen = member.images.get()
    row = saved_prompts.save(
        member=member,
        name="with a picture",
        visibility=Visibility.TEAM,
        values={"prompt": "a fox", "model": "sd3.5-large", "inputs": {"image": [hen.pk]}, "strength": "0.5"},
    )
    where = address(f"create/?saved={row.pk}")
    assert f'value="{hen.pk}"' in mei.get(where).content.decode()
    page = signed_in(tom).get(where).content.decode()
    assert str(hen.pk) not in page
    assert "This picture is not there any more." in page
