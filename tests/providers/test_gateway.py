"""One account for many systems: each request and each task goes to the system that it belongs to."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from generations.providers import open_provider
from generations.providers import registry as providers_registry
from generations.providers.base import (
    Accepted,
    Done,
    ImageRequest,
    ModelUnavailable,
    Output,
    Refused,
    Task,
    Unavailable,
    Unknown,
)
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import Text
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.system import System
from generations.providers.registry import Switch
from tests.providers.fake_provider import KEY, error

PROMPT = Text(name="prompt", title="Prompt", max_length=100)
LOOM = Model("loom-1", "Loom", "Threads", 250, 3, {}, (PROMPT,))


class Loom:
    """The client of a system that answers with tasks."""

    polls_count_as_calls = False
    result_hosts = ("loom.example",)
    made: list[Loom] = []

    def __init__(self, base_url, key, *, client_id="sdweb", proxy="", at_gateway=False, dialect=""):
        self.how = (base_url, key, proxy, at_gateway, dialect)
        self.asked = []
        Loom.made.append(self)

    def submit(self, request, *, timeout):
        self.asked.append(request)
        return Accepted(Task("7", "https://x/7", {"kind": "cloth"}), 5.0)

    def poll(self, task, *, timeout):
        self.asked.append(task)
        if task.remote_id == "8":
            raise Refused("torn")
        return (
            Done((Output(url="https://loom.example/1.png"),)) if len(self.asked) > 2 else Accepted(task, 5.0)
        )


@pytest.fixture(autouse=True)
def _with_loom(monkeypatch):
    loom = System("loom", "Loom", (LOOM,), prefix="/loom", dialects={"old": "Old", "new": "New"})
    declared = {**catalogue_registry.DECLARED, "loom": loom}
    monkeypatch.setattr(catalogue_registry, "DECLARED", MappingProxyType(declared))
    systems = {name: system.models for name, system in declared.items()}
    monkeypatch.setattr(catalogue_registry, "SYSTEMS", MappingProxyType(systems))
    monkeypatch.setattr(catalogue_registry, "MODELS", {**catalogue_registry.MODELS, LOOM.name: LOOM})
    monkeypatch.setattr(providers_registry, "KINDS", {**providers_registry.KINDS, "loom": Loom})
    monkeypatch.setattr(Loom, "made", [])


def opened(address: str, **systems: Switch):
    names = {"loom-1": "loom-one-all"}
    return open_provider("gateway", address, KEY, systems=systems, wire_names=names)


def test_each_system_is_called_below_its_prefix_with_the_gateways_key(fake_provider):
    gateway = opened("https://host/base/", loom=Switch("/threads", "new"), stability=Switch("/sd"))
    assert Loom.made[0].how == ("https://host/base/threads", KEY, "", True, "new")
    assert gateway.result_hosts == ("loom.example",)
    assert gateway.polls_count_as_calls
    assert KEY not in repr(gateway)


def test_a_task_is_polled_at_the_system_that_has_it():
    gateway = opened("https://host", loom=Switch(), stability=Switch("/sd"))
    accepted = gateway.submit(ImageRequest("loom-1", {"prompt": "red"}), timeout=1)
    assert Loom.made[0].asked[0].wire_name == "loom-one-all"
    waiting = gateway.poll(accepted.task, timeout=1)
    assert isinstance(waiting, Accepted)
    assert isinstance(gateway.poll(waiting.task, timeout=1), Done)
    assert Loom.made[0].asked[1:] == [Task("7", "https://x/7", {"kind": "cloth"})] * 2
    with pytest.raises(Refused):
        gateway.poll(Task("8", "", accepted.task.state), timeout=1)


def test_a_list_of_tasks_is_that_of_the_system_that_has_them(monkeypatch):
    def poll_many(loom, tasks, *, timeout):
        loom.asked.append(tasks)
        return {"7": Accepted(tasks[0], 5.0, 40)}

    gateway = opened("https://host", loom=Switch(), stability=Switch("/sd"))
    accepted = gateway.submit(ImageRequest("loom-1", {"prompt": "red"}), timeout=1)
    assert gateway.list_of(accepted.task) == ""  # the system has none
    assert gateway.poll_many([accepted.task], timeout=1) == {}
    monkeypatch.setattr(Loom, "list_of", lambda _loom, task: task.state["kind"], raising=False)
    monkeypatch.setattr(Loom, "poll_many", poll_many, raising=False)
    assert gateway.list_of(accepted.task) == "loom cloth"
    other = Task("9", "", accepted.task.state)
    assert gateway.poll_many([accepted.task, other], timeout=1) == {"7": Accepted(accepted.task, 5.0, 40)}
    own = {"kind": "cloth"}
    assert Loom.made[0].asked[-1] == [Task("7", "https://x/7", own), Task("9", "", own)]


def test_a_task_is_not_given_up_when_its_system_is_switched_off():
    accepted = opened("https://host", loom=Switch()).submit(ImageRequest("loom-1", {}), timeout=1)
    with pytest.raises(Unknown, match="switched off"):
        opened("https://host", stability=Switch()).poll(accepted.task, timeout=1)


@pytest.mark.parametrize("model", ["core", "no-such-model"])
def test_a_model_of_another_system_is_not_sold(model):
    with pytest.raises(ModelUnavailable):
        opened("https://host", loom=Switch()).submit(ImageRequest(model, {}), timeout=1)


@pytest.mark.parametrize(
    "switch",
    [
        Switch("https://elsewhere.example"),
        Switch("/a/../b"),
        Switch("//host"),
        Switch("/a b"),
        Switch("", "odd"),
    ],
)
def test_a_prefix_is_a_path_and_a_dialect_is_declared(switch):
    with pytest.raises(ValueError, match=r"prefix|dialect"):
        opened("https://host", loom=switch)


@pytest.mark.parametrize(
    ("answers", "left"),
    [
        ([error(200, {"object": "credit_summary", "total_available": 12.5})], 12.5),
        ([error(404, {"error": {"message": "Invalid URL (GET /x)"}}), error(200, {"credits": 7})], 7.0),
        ([error(404, {}), error(404, {}), error(404, {})], None),
        ([error(200, {"odd": 1}), error(405, {}), error(200, {"credits": "3.25"})], 3.25),
    ],
)
def test_the_balance_is_asked_where_gateways_have_it(fake_provider, answers, left):
    fake_provider.plan = answers
    assert opened(fake_provider.address, loom=Switch()).balance(timeout=5) == left
    assert {request.headers["authorization"] for request in fake_provider.requests} == {f"Bearer {KEY}"}


def test_a_bad_key_is_said(fake_provider):
    fake_provider.plan = [error(401, {"error": {"message": "no", "type": "new_api_error"}})]
    with pytest.raises(Unavailable):
        opened(fake_provider.address, loom=Switch()).balance(timeout=5)


@pytest.mark.parametrize("model", ["gpt-image-2", "gpt-4o-image"])
def test_a_model_is_asked_for_by_the_gateways_name_of_it(fake_provider, model):
    fake_provider.plan = [error(400, {"error": {"message": "no", "type": "invalid_request_error"}})]
    system = catalogue_registry.system_of(model)
    names = {model: "theirs-1"}
    gateway = open_provider(
        "gateway", fake_provider.address, KEY, systems={system: Switch()}, wire_names=names
    )
    with pytest.raises(Refused):
        gateway.submit(ImageRequest(model, {"prompt": "a harbour"}), timeout=5)
    [request] = fake_provider.requests
    assert request.json["model"] == "theirs-1"
    assert request.headers["authorization"] == f"Bearer {KEY}"
