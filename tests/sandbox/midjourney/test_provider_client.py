"""The portal's client against the sandbox in each dialect: every model and field, and next steps."""

from __future__ import annotations

import time

import pytest
import requests
from PIL import ImageChops, ImageFilter, ImageStat

from generations.providers import open_provider
from generations.providers.base import (
    Accepted,
    Busy,
    ImageRequest,
    ModelUnavailable,
    OutputKind,
    Refused,
    Task,
    Unavailable,
    Unknown,
)
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Choice, Flag, Number
from generations.providers.midjourney.dialects import DIALECTS
from tests.providers.midjourney.answers import SMALLEST, in_dialect
from tests.sandbox.conftest import OTHER_KEY, opened, picture
from tests.sandbox.midjourney.conftest import PATHS, finished
from tests.sandboxes import KEY

BOAT = ImageRequest("midjourney", {"prompt": "a boat"})


def smallest(model):
    """The smallest request of a model, with pictures that the sandbox can draw with."""
    order = SMALLEST[model]
    images = [
        type(each)(
            each.role, picture((96, 64 + 8 * place), each.media_type.removeprefix("image/")), each.media_type
        )
        for place, each in enumerate(order.inputs)
    ]
    return ImageRequest(model, order.parameters, tuple(images))


@pytest.mark.parametrize("model", SMALLEST)
def test_every_model_that_the_dialect_has_is_drawn_and_paid(account, client, dialect, model):
    can_do = DIALECTS[dialect].models
    if can_do is not None and model not in can_do:
        with pytest.raises(ModelUnavailable):
            account.submit(smallest(model), timeout=30)
        return
    before = client.sandbox.state()["credits"]
    output = finished(account, smallest(model))
    paid = before - client.sandbox.state()["credits"]
    assert round(paid * 100) == catalogue_registry.get(model).cost({})
    if output.kind is OutputKind.TEXT:
        assert "1\ufe0f\u20e3" in output.text
    else:
        assert opened(requests.get(output.url, timeout=10).content).width > 64


def test_a_list_tells_of_tasks_under_way_and_leaves_out_what_has_ended(account, client):
    client.sandbox.state(task_latency=0.05)
    ended = account.submit(BOAT, timeout=30).task
    limit = time.monotonic() + 30
    while isinstance(account.poll(ended, timeout=30), Accepted):
        assert time.monotonic() < limit
        time.sleep(0.05)
    client.sandbox.state(task_latency=600)
    tasks = [account.submit(BOAT, timeout=30).task for _ in range(2)]
    found = account.poll_many([ended, *tasks, Task("unknown")], timeout=30)
    assert set(found) == {task.remote_id for task in tasks}
    assert all(account.list_of(task) for task in tasks)


@pytest.mark.parametrize("model", ["midjourney", "niji-journey"])
def test_every_value_of_every_field_is_taken(relay, model):
    for field in catalogue_registry.get(model).fields:
        match field:
            case Number():
                values = [max(field.minimum, 1) if field.absent else field.minimum, field.maximum]
            case Choice():
                values = list(field.values)
            case Flag():
                values = [True]
            case _:
                values = ["word " * 100]
        references = smallest("midjourney-describe").inputs if field.name == "image_weight" else ()
        images = tuple(type(each)("reference", each.data, each.media_type) for each in references)
        for value in values:
            relay.submit(ImageRequest(model, {"prompt": "a boat", field.name: value}, images), timeout=30)


def test_a_grid_goes_on_by_what_it_offers(account, dialect):
    grid = finished(account, BOAT)
    offered = {action.name: action for action in grid.actions}
    assert list(offered) >= ["u1"]
    assert {"u1", "u4", "v1", "v4", "reroll"} <= offered.keys()
    for name in ("u2", "v3", "reroll"):
        step = finished(account, ImageRequest("midjourney", {"prompt": "a boat"}, action=offered[name]))
        assert step.url != grid.url
        more = {action.name for action in step.actions}
        if name != "u2":
            assert {"u1", "v4"} <= more, "four others, which go on in the same way"
        elif dialect == "original":
            assert not more
        else:
            assert {"zoom-out-2", "pan-left", "vary-strong", "upscale-subtle", "vary-region"} <= more


def test_a_picture_of_a_grid_is_zoomed_and_panned(relay):
    grid = finished(relay, BOAT)
    u1 = finished(relay, ImageRequest("midjourney", {"prompt": "a boat"}, action=grid.actions[0]))
    offered = {action.name: action for action in u1.actions}
    for name in ("zoom-out-2", "pan-left"):
        step = finished(relay, ImageRequest("midjourney", {"prompt": "a boat"}, action=offered[name]))
        assert opened(requests.get(step.url, timeout=10).content).size == (992, 992)


def test_a_task_belongs_to_its_key(artist, dialect):
    url = artist.sandbox.url + PATHS[dialect]
    accepted = open_provider("midjourney", url, KEY, systems=in_dialect(dialect)).submit(BOAT, timeout=30)
    with pytest.raises(Unknown, match=r"not know|no_found"):
        open_provider("midjourney", url, OTHER_KEY, systems=in_dialect(dialect)).poll(
            accepted.task, timeout=30
        )


def test_a_wrong_key_and_an_unknown_task_are_told_apart(client, account, dialect):
    url = client.sandbox.url + PATHS[dialect]
    with pytest.raises(Unavailable):
        open_provider("midjourney", url, "wrong", systems=in_dialect(dialect)).balance(timeout=10)
    assert account.balance(timeout=10) is None
    with pytest.raises(Unknown):
        account.poll(Task("1704870023487003"), timeout=10)


def test_moderated_prompts_are_refused_at_once_or_end_their_task(account):
    with pytest.raises(Refused, match="“forbidden”") as caught:
        account.submit(ImageRequest("midjourney", {"prompt": "a forbidden boat"}), timeout=10)
    assert caught.value.code == "content_moderation"
    with pytest.raises(Refused) as caught:
        finished(account, ImageRequest("midjourney", {"prompt": "gore in a boat"}))
    assert caught.value.code == "content_moderation"


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [("429", Busy), ("402", (Unavailable, Refused)), ("403", Refused), ("502-html", Unknown)],
)
def test_planned_refusals_are_said_in_the_words_of_the_dialect(account, client, outcome, kind):
    client.sandbox.plan(outcome)
    with pytest.raises(kind):
        account.submit(BOAT, timeout=10)


@pytest.mark.parametrize("outcome", ["task-failed", "task-moderated", "filtered"])
def test_a_task_that_fails_says_so_and_costs_nothing_or_is_denied(account, client, outcome):
    client.sandbox.plan(outcome)
    with pytest.raises(Refused) as caught:
        finished(account, BOAT)
    assert (caught.value.code == "content_moderation") == (outcome != "task-failed")


def test_a_task_under_way_has_progress_and_later_half_done_pictures_that_get_sharper(client, account):
    client.sandbox.state(task_latency=3_600)
    accepted = account.submit(BOAT, timeout=10)
    under_way = account.poll(accepted.task, timeout=10)
    assert (under_way.progress, under_way.half_done) == (0, "")
    time.sleep(1)
    pictures = []
    for latency in (3, 0.001):  # by which a third of its time is over, and most of it
        client.sandbox.state(task_latency=latency)
        late = account.poll(under_way.task, timeout=10)
        assert late.task == accepted.task
        pictures.append(opened(requests.get(late.half_done, timeout=10).content))
    assert late.progress == 99
    assert [picture.size for picture in pictures] == [pictures[0].size] * 2
    assert sharpness(pictures[0]) < sharpness(pictures[1])


def sharpness(picture):
    """How much a picture differs from itself when it is blurred."""
    grey = picture.convert("L")
    return ImageStat.Stat(ImageChops.difference(grey, grey.filter(ImageFilter.BoxBlur(3)))).mean[0]


def test_what_ends_as_a_text_has_no_half_done_picture(client, relay):
    client.sandbox.state(task_latency=3_600)
    accepted = relay.submit(smallest("midjourney-describe"), timeout=10)
    client.sandbox.state(task_latency=0.001)
    assert relay.poll(accepted.task, timeout=10).half_done == ""


def test_more_orders_than_run_at_once_wait_and_say_so(client, account):
    client.sandbox.state(task_latency=3_600)
    messages = [account.submit(BOAT, timeout=10).message for _ in range(4)]
    assert "In Midjourney's queue" in messages[3], "the relay hides the code, and not the number"


def test_the_speed_is_a_path_that_all_but_the_original_have(client, account, dialect):
    account.submit(ImageRequest("midjourney", {"prompt": "a boat", "speed": "turbo"}), timeout=10)
    path = client.sandbox.calls(last=1)[0]["path"]
    assert path == f"{PATHS[dialect]}{'/mj' if dialect == 'original' else '/mj-turbo/mj'}/submit/imagine"
