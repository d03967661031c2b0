"""Addresses of the library with values that mean nothing: a search without them, which says so."""

import uuid

import pytest

from generations.library.organise import service as organise_service
from generations.teams.models import Visibility
from tests.library.conftest import address
from tests.markup import compact


def page(client, member, query):
    return client.get(f"{address('grid', member)}?{query}")


def shown(answer):
    return [image for _day, images in answer.context["days"] for image in images]


def bad(answer):
    return [(one.parameter, one.value) for one in answer.context["unreadable"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("model=nonsense", [("model", "nonsense")]),
        ("who=me", [("who", "me")]),
        ("who=999999999999", [("who", "999999999999")]),
        ("since=2026-13-45", [("since", "2026-13-45")]),
        ("until=yesterday", [("until", "yesterday")]),
        ("collection=spring", [("collection", "spring")]),
        (f"collection={uuid.UUID(int=7, version=4)}", [("collection", str(uuid.UUID(int=7, version=4)))]),
        ("batch=1", [("batch", "1")]),
        ("seed=-1", [("seed", "-1")]),
        ("order=sideways", [("order", "sideways")]),
        ("liked=very", [("liked", "very")]),
        ("q=%21%21%21", [("q", "!!!")]),
        ("shape=1:0&style=none-such", [("style", "none-such"), ("shape", "1:0")]),
    ],
)
def test_nonsense_is_left_out_and_told(sign_in, member, enter, query, expected):
    (fox,) = enter(prompt="a red fox")
    enter(prompt="a grey hen")
    client = sign_in(member)
    answer = page(client, member, f"{query}&q=fox" if "q=" not in query else query)
    assert bad(answer) == expected
    if "q=" not in query:
        assert shown(answer) == [fox]  # the rest of the search counts
    content = compact(answer.content.decode())
    for _parameter, value in expected:
        assert f'<span class="value" dir="auto">{value}</span>' in content
    assert "not understood" in content


def test_what_was_not_understood_is_removed_alone(sign_in, member, enter):
    (fox,) = enter(prompt="a red fox", model="ultra")
    answer = page(sign_in(member), member, "model=ultra&model=nonsense&q=fox&seed=x&at=nobody")
    assert shown(answer) == [fox]
    without = {one.parameter: one.without for one in answer.context["unreadable"]}
    assert without == {"model": "model=ultra&q=fox&seed=x", "seed": "model=ultra&model=nonsense&q=fox"}
    assert answer.context["chips"]["model"].chosen == "Ultra"


def test_a_search_that_makes_sense_has_nothing_to_tell(sign_in, member, enter):
    (fox,) = enter(prompt="a red fox", model="ultra")
    shelf = organise_service.create_collection(member=member, name="Foxes", visibility=Visibility.TEAM)
    organise_service.add_to_collection(member=member, images=[fox.pk], collection=shelf.pk)
    query = f"q=fox&who={member.pk}&model=ultra&collection={shelf.pk}&order=newest&liked=&tag=nobody-has-it"
    assert bad(page(sign_in(member), member, query)) == []


def test_what_was_not_understood_is_shown_as_text(sign_in, member, enter):
    enter()
    content = page(sign_in(member), member, "model=%3Cscript%3Ealert(1)%3C/script%3E").content.decode()
    assert "<script>alert" not in content
    many = "&".join(f"model=m{number}" for number in range(500))
    assert len(page(sign_in(member), member, many).context["unreadable"]) == 5
