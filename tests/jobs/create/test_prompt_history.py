"""The last different prompts of a member."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from generations.jobs.create import prompt_history
from generations.jobs.models import Batch
from generations.teams.models import Token
from tests.markup import compact


def listed(client: Any, address: Any) -> list[str]:
    page = compact(client.get(address("prompts/")).content.decode())
    return [html.unescape(text) for text in re.findall(r'data-use-prompt><span dir="auto">([^<]*)<', page)]


def test_each_prompt_is_there_once_newest_first(press, mei, address):
    for prompt in ("one", "two", "a <b> & c", "two"):
        press(prompt=prompt)
    assert listed(mei, address) == ["two", "a <b> & c", "one"]
    assert 'dir="auto"' in mei.get(address("prompts/")).content.decode()


def test_only_the_last_fifty_are_there(member):
    Batch.objects.bulk_create(
        Batch(
            team=member.team,
            member=member,
            submission=f"00000000-0000-0000-0000-{number:012}",
            model="core",
            parameters={"prompt": f"prompt {number}"},
            count=1,
        )
        for number in range(60)
    )
    found = prompt_history.of_member(member)
    assert (len(found), found[0], found[-1]) == (50, "prompt 59", "prompt 10")


def test_erased_ones_and_those_of_programs_and_of_others_are_not_there(
    press, mei, address, member, make_member, submit
):
    for prompt in ("mine", "erased", "a program's"):
        press(prompt=prompt)
    of = lambda prompt: Batch.objects.filter(parameters__prompt=prompt)  # noqa: E731
    of("erased").update(parameters={})
    token = Token.objects.create(membership=member, name="t", token_hash="h" * 64)
    of("a program's").update(token=token)
    submit(by=make_member("tom"), prompt="Tom's")
    assert listed(mei, address) == ["mine"]


@pytest.mark.django_db
def test_a_new_member_is_told_that_there_are_none(mei, address):
    assert "No prompt was sent from here yet." in mei.get(address("prompts/")).content.decode()
