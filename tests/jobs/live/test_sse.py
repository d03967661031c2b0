"""Live pages: each receives events of its own user in its own team, and no others."""

from __future__ import annotations

import asyncio
import faulthandler
import re

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from generations.core import redis_client
from generations.jobs import events
from generations.jobs.live import connections, sse
from generations.office.members import service as members_service
from sdweb.asgi import application
from tests.conftest import work

pytestmark = pytest.mark.django_db(transaction=True)


class OpenPage:
    """A browser's end of one stream."""

    def __init__(self, team: str, cookie: str, since: str = "") -> None:
        scope = {
            "type": "http",
            "method": "GET",
            "path": f"/t/{team}/live",
            "query_string": f"since={since}".encode(),
            "headers": [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode())],
        }
        self.wire = ApplicationCommunicator(application, scope)

    async def open(self) -> int:
        await self.wire.send_input({"type": "http.request", "body": b"", "more_body": False})
        status = (await self.wire.receive_output(5))["status"]
        if status == 200:
            assert await self.next() == "retry: 2000\n\n"
        return status

    async def next(self, within: float = 5) -> str:
        return (await self.wire.receive_output(within)).get("body", b"").decode()

    async def is_quiet(self) -> bool:
        return await self.wire.receive_nothing(0.4, 0.05)

    async def close(self) -> None:
        await self.wire.send_input({"type": "http.disconnect"})
        await self.wire.wait(5)


@pytest.fixture
def cookie_of():
    def sign_in(member) -> str:
        client = Client()
        client.force_login(member.user)
        return client.cookies[settings.SESSION_COOKIE_NAME].value

    return sign_in


@pytest.fixture
def run_scenario(monkeypatch):
    """Run an async scenario with a Hub of its own."""

    def run(scenario):
        async def whole():
            try:
                await scenario()
            except TimeoutError:
                faulthandler.dump_traceback()  # of all threads: what hangs is in one of them
                raise
            finally:
                await sse.hub().end()

        asyncio.run(whole())

    return run


def send_event(member, text):
    events._submit(*events._of(member, "places", text))


def test_a_page_receives_events_of_its_own_user_only(member, make_member, cookie_of, run_scenario):
    teammate = make_member("jonas")
    mine, theirs = cookie_of(member), cookie_of(teammate)

    async def scenario():
        page, other = OpenPage("studio-north", mine), OpenPage("studio-north", theirs)
        assert [await page.open(), await other.open()] == [200, 200]
        await asyncio.sleep(0.3)
        send_event(member, "<li>\none\n</li>")
        received = await page.next()
        assert received.endswith("event: places\ndata: <li>\ndata: one\ndata: </li>\n\n")
        assert await other.is_quiet()
        await page.close()
        await other.close()

    run_scenario(scenario)


def test_the_thumbnails_of_an_event_open_for_the_session_that_receives_it_alone(
    member, submit, upstream, run_scenario
):
    browsers = [Client(), Client()]
    for browser in browsers:
        browser.force_login(member.user)
    cookies = [browser.cookies[settings.SESSION_COOKIE_NAME].value for browser in browsers]
    events.flush()
    since = events.newest_id() or "0-0"
    submit(prompt="/t/studio-north/thumbnail/<b>")
    work()
    events.flush()
    tiles = []

    async def scenario():
        for cookie in cookies:  # both at once: one event is rendered for both
            page = OpenPage("studio-north", cookie, since)
            assert await page.open() == 200
            while "succeeded" not in (tile := await page.next()):
                pass
            tiles.append(re.findall(r"[^\"\s]+/thumbnail/[^\"\s]+\?ticket=[^\"\s]+", tile))
            await page.close()

    run_scenario(scenario)
    for browser, mine, others in zip(browsers, tiles, reversed(tiles), strict=True):
        assert len(mine) >= 2
        assert {browser.get(address).status_code for address in mine} == {200}
        assert {browser.get(address).status_code for address in others} == {404}


def test_a_page_receives_nothing_of_the_same_user_in_another_team(member, cookie_of, run_scenario):
    other_team = members_service.create_team("Studio South")
    elsewhere = members_service.add_member(user=member.user, team=other_team)
    cookie = cookie_of(member)

    async def scenario():
        page = OpenPage(member.team.slug, cookie)
        assert await page.open() == 200
        await asyncio.sleep(0.3)
        send_event(elsewhere, "secret")
        assert await page.is_quiet()
        await page.close()

    run_scenario(scenario)


@pytest.mark.parametrize("slug", ["studio-south", "nowhere"])
def test_a_team_that_is_not_mine_is_not_found(member, cookie_of, run_scenario, slug):
    members_service.create_team("Studio South")
    cookie = cookie_of(member)

    async def scenario():
        assert await OpenPage(slug, cookie).open() == 404
        assert await OpenPage("studio-north", "forged").open() == 404

    run_scenario(scenario)


def test_a_page_receives_the_events_that_it_missed(member, cookie_of, run_scenario):
    cookie = cookie_of(member)
    send_event(member, "before the page")
    events.flush()
    since = events.newest_id()
    send_event(member, "while it was away")
    events.flush()

    async def scenario():
        page = OpenPage("studio-north", cookie, since)
        assert await page.open() == 200
        assert "while it was away" in await page.next()
        assert await page.is_quiet()
        await page.close()

    run_scenario(scenario)


def test_a_page_catches_up_with_nothing_of_another_team(member, cookie_of, run_scenario):
    elsewhere = members_service.add_member(user=member.user, team=members_service.create_team("Studio South"))
    cookie = cookie_of(member)
    send_event(member, "before the page")
    events.flush()
    since = events.newest_id()
    send_event(elsewhere, "of the other team")
    send_event(member, "of this team")
    events.flush()

    async def scenario():
        page = OpenPage("studio-north", cookie, since)
        assert await page.open() == 200
        assert "of this team" in await page.next()
        assert await page.is_quiet()
        await page.close()

    run_scenario(scenario)


def test_a_page_that_missed_too_much_is_told_to_reload_everything(member, cookie_of, run_scenario):
    cookie = cookie_of(member)
    redis_client.client().delete(events.STREAM)
    send_event(member, "new")
    events.flush()

    async def scenario():
        page = OpenPage("studio-north", cookie, "1-1")
        assert await page.open() == 200
        assert (await page.next()).startswith("event: resync")
        await page.close()

    run_scenario(scenario)


@pytest.mark.parametrize("ended", ["session", "membership", "password", "account", "team"])
def test_the_streams_of_ended_sessions_and_memberships_are_closed(
    member, cookie_of, run_scenario, monkeypatch, ended
):
    monkeypatch.setattr(sse, "CHECK_INTERVAL", 0.2)
    cookie = cookie_of(member)

    def end():
        if ended == "membership":
            member.ended_at = timezone.now()
            member.save()
        elif ended == "team":
            member.team.deactivated_at = timezone.now()
            member.team.save()
        elif ended == "account":
            member.user.is_active = False
            member.user.save()
        elif ended == "password":
            member.user.set_password("another, because the old one was stolen")
            member.user.save()
        else:
            client = Client()
            client.cookies[settings.SESSION_COOKIE_NAME] = cookie
            client.logout()

    async def scenario():
        page = OpenPage("studio-north", cookie)
        assert await page.open() == 200
        assert await page.is_quiet()
        await sync_to_async(end, thread_sensitive=False)()
        assert (await page.wire.receive_output(5)).get("more_body", False) is False

    run_scenario(scenario)


def test_a_page_that_never_reads_is_closed_and_holds_at_most_a_hundred_events():
    page = connections.Page(user=1, team=1, member=1, session="s")

    async def scenario():
        for number in range(150):
            page.send(str(number).encode())
            assert page.unread.qsize() <= connections.MAX_UNREAD

    asyncio.run(scenario())


def test_a_session_from_before_the_password_changed_opens_no_stream(member, cookie_of, run_scenario):
    cookie = cookie_of(member)
    member.user.set_password("another, because the old one was stolen")
    member.user.save()

    async def scenario():
        assert await OpenPage("studio-north", cookie).open() == 404

    run_scenario(scenario)


def test_a_cookie_of_another_program_on_the_same_host_does_no_harm(member, cookie_of, run_scenario):
    cookie = cookie_of(member)

    async def scenario():
        page = OpenPage("studio-north", cookie)
        sent = page.wire.scope["headers"][0][1]
        page.wire.scope["headers"][0] = (b"cookie", b'theirs={"a": [1]}; ' + sent)
        assert await page.open() == 200
        await page.close()

    run_scenario(scenario)


def test_an_event_that_nobody_understands_does_not_end_the_events_of_others(member, cookie_of, run_scenario):
    cookie = cookie_of(member)

    async def scenario():
        page = OpenPage("studio-north", cookie)
        assert await page.open() == 200
        await asyncio.sleep(0.3)
        redis_client.client().xadd(events.STREAM, {"of": "another version"})
        send_event(member, "one")
        assert (await page.next()).endswith("event: places\ndata: one\n\n")
        await page.close()

    run_scenario(scenario)


@pytest.mark.parametrize(
    "problem", [OperationalError("the database is starting up"), ValueError("nobody thought of it")], ids=repr
)
def test_an_error_does_not_end_the_checks_of_open_pages(
    member, cookie_of, run_scenario, monkeypatch, problem
):
    monkeypatch.setattr(sse, "CHECK_INTERVAL", 0.2)
    cookie, check = cookie_of(member), sse.still_valid
    answers = iter([problem])

    def away_once(pages):
        for error in answers:
            raise error
        return check(pages)

    monkeypatch.setattr(sse, "still_valid", away_once)

    async def scenario():
        page = OpenPage("studio-north", cookie)
        assert await page.open() == 200
        assert (await page.wire.receive_output(5)).get("more_body", False) is False
        again = OpenPage("studio-north", cookie)
        assert await again.open() == 200
        member.ended_at = timezone.now()
        await sync_to_async(member.save, thread_sensitive=False)()
        assert (await again.wire.receive_output(5)).get("more_body", False) is False

    run_scenario(scenario)


def test_a_page_that_missed_many_events_receives_them_in_order(member, cookie_of, run_scenario, monkeypatch):
    monkeypatch.setattr(sse, "BATCH_SIZE", 2)
    cookie = cookie_of(member)
    send_event(member, "first")
    events.flush()
    since = events.newest_id()
    for number in range(5):
        send_event(member, f"news {number}")
    events.flush()

    async def scenario():
        page = OpenPage("studio-north", cookie, since)
        assert await page.open() == 200
        received = [await page.next() for _ in range(5)]
        assert [f"news {number}" in text for number, text in enumerate(received)] == [True] * 5
        assert await page.is_quiet()
        await page.close()

    run_scenario(scenario)


def test_a_person_has_a_bounded_number_of_open_pages(
    member, make_member, cookie_of, run_scenario, monkeypatch
):
    monkeypatch.setattr(sse, "MAX_PAGES_OF_USER", 2)
    elsewhere = members_service.create_team("Studio South")
    members_service.add_member(user=member.user, team=elsewhere)
    mine, theirs = cookie_of(member), cookie_of(make_member("jonas"))

    async def scenario():
        pages = [OpenPage("studio-north", mine), OpenPage(elsewhere.slug, mine)]
        assert [await page.open() for page in pages] == [200, 200]
        refused = OpenPage("studio-north", mine)
        await refused.wire.send_input({"type": "http.request"})
        start = await refused.wire.receive_output(5)
        assert start["status"] == 503
        assert int(dict(start["headers"])[b"retry-after"]) > 0
        other = OpenPage("studio-north", theirs)
        assert await other.open() == 200
        await pages[0].close()
        again = OpenPage("studio-north", mine)
        assert await again.open() == 200
        for page in (pages[1], other, again):
            await page.close()
        assert sse.hub().count == 0

    run_scenario(scenario)


def test_a_process_has_a_bounded_number_of_open_pages(
    member, make_member, cookie_of, run_scenario, monkeypatch
):
    monkeypatch.setattr(sse, "MAX_PAGES", 1)
    mine, theirs = cookie_of(member), cookie_of(make_member("jonas"))

    async def scenario():
        page = OpenPage("studio-north", mine)
        assert await page.open() == 200
        assert await OpenPage("studio-north", theirs).open() == 503
        await page.close()
        assert await OpenPage("studio-north", theirs).open() == 200

    run_scenario(scenario)


def test_a_page_that_cannot_be_checked_is_refused_for_now(member, cookie_of, run_scenario, monkeypatch):
    def away(cookies, team):
        raise OperationalError("the database is starting up")

    cookie = cookie_of(member)
    monkeypatch.setattr(sse, "sign_in", away)

    async def scenario():
        assert await OpenPage("studio-north", cookie).open() == 503

    run_scenario(scenario)
