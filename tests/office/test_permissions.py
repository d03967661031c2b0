"""Every page of the portal, asked for by every kind of visitor: one table says who gets in.

A page that has no line in the table fails this test, so nobody adds one without saying whose it is.
Each request is undone, so that a button which works does not change what the next visitor finds.
"""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from PIL import Image as Picture

from generations.jobs.create import saved_prompts
from generations.jobs.models import Generation, Price, PromptHelp
from generations.library.archives import service as archives_service
from generations.library.bulk import actions as bulk_actions
from generations.library.bulk import service as bulk_service
from generations.library.imaging.convert import OutputFormat
from generations.library.models import Image
from generations.library.organise import service as organise_service
from generations.library.search.query import Search
from generations.library.sharing import service as sharing_service
from generations.office.audit_log.service import COMMAND
from generations.office.credits import requests as credit_requests
from generations.office.members import service as members_service
from generations.office.models import Notice
from generations.office.notices import service as notices_service
from generations.teams import api_tokens as teams_api_tokens
from generations.teams import membership
from generations.teams.models import Invitation, Membership, Role, User, Visibility
from generations.teams.permissions import PERMISSIONS
from generations.upstreams.models import Upstream
from tests.conftest import work

# What an answer means.
YES, SIGN_IN, NO, NOT_THERE, NO_SUCH_METHOD = "yes", "sign in", "no", "not there", "no such method"

# Who asks. `operator` runs the installation and is in no team, `chief` does and owns this one.
OUT, DEACTIVATED = "signed out", "deactivated owner"
STRANGER, ENDED, OPERATOR, CHIEF = "owner of another team", "ended owner", "operator", "chief"
ROLES = {role.value: role for role in Role}
SIGNED_OUT = {OUT, DEACTIVATED}
VISITORS = [OUT, DEACTIVATED, STRANGER, ENDED, OPERATOR, CHIEF, *ROLES]
SOME = [OUT, CHIEF, Role.MEMBER.value]  # ask by a method that a page has for nobody: no one may do more

Door = Callable[[str], str]


def anybody(_visitor: str) -> str:
    return YES


def nobody(_visitor: str) -> str:
    return NOT_THERE


def a_person(visitor: str) -> str:
    return SIGN_IN if visitor in SIGNED_OUT else YES


def operators(visitor: str) -> str:
    return a_person(visitor) if visitor in SIGNED_OUT | {OPERATOR, CHIEF} else NOT_THERE


def team(may: str = "see", *, only: set[str] | None = None, without: str = NOT_THERE) -> Door:
    """A page of a team, for the roles of that permission; `only` of these find what it is about."""

    def door(visitor: str) -> str:
        if visitor in SIGNED_OUT:
            return SIGN_IN
        if visitor in {STRANGER, ENDED, OPERATOR}:
            return NOT_THERE
        role = ROLES.get(visitor, Role.OWNER)
        if role not in PERMISSIONS[may]:
            return NO
        return YES if only is None or visitor in only else without

    return door


def mine(visitor: str) -> str:
    """What belongs to the member Mei, without a team in its address."""
    return YES if visitor == Role.MEMBER else a_person(visitor).replace(YES, NOT_THERE)


def may_found(visitor: str) -> str:
    """Operators alone, while sign-up is closed; others know that the page exists."""
    return operators(visitor).replace(NOT_THERE, NO)


def prices(without: str = YES) -> Door:
    """Prices are shown to who runs the team, and set by operators who are in it."""

    def door(visitor: str) -> str:
        seen = team("see_spending")(visitor)
        return seen if seen != YES else without if visitor == CHIEF else NO

    return door


@dataclass(frozen=True)
class Page:
    """Who may ask with GET and with POST; None for a method that the page does not have."""

    get: Door | None = None
    post: Door | None = None
    pk: str = "member"  # what a number in the address is the number of
    act: str = ""  # the word of a button in the address
    query: str = ""


def shown(door: Door) -> Page:
    return Page(get=door)


def pressed(door: Door, pk: str = "member", act: str = "", query: str = "") -> Page:
    return Page(post=door, pk=pk, act=act, query=query)


def form(door: Door, pk: str = "member") -> Page:
    return Page(get=door, post=door, pk=pk)


MEI = {Role.MEMBER.value}
CURATORS = {CHIEF, Role.OWNER.value, Role.ADMINISTRATOR.value}
KEEPERS_AND_MEI = {*MEI, Role.OWNER.value, Role.ADMINISTRATOR.value, CHIEF}
TABLE = {
    "teams:home": shown(a_person),
    "teams:healthz": shown(anybody),
    "teams:sessions": shown(a_person),
    "teams:end_session": pressed(a_person),
    "teams:end_other_sessions": pressed(a_person),
    "people:join": form(nobody),  # the invitation of that address is unknown
    "people:join_account": form(nobody),
    "people:new_team": form(may_found),
    "people:teams": shown(a_person),
    "profile:page": form(a_person),
    "profile:shortcuts": pressed(a_person),
    "personal_data:export": form(a_person),
    "personal_data:delete": form(a_person),
    "notices:choices": form(a_person),
    "notices:dismiss": pressed(mine),
    "choices:page": shown(anybody),  # leads to the profile
    "api_docs": shown(anybody),
    "readyz": shown(anybody),
    "metrics": shown(anybody),  # of this machine
    "robots": shown(anybody),
    "share:page": shown(nobody),  # no link has that token
    "share:picture": shown(nobody),
    "share:original": shown(nobody),
    "share:download": shown(nobody),
    "share:thumbnail": shown(nobody),
    "share:card": shown(nobody),
    "share:archive": shown(nobody),
    "share:unlock": pressed(nobody),
    # A team's pages
    "jobs:create": form(team()),  # a viewer is sent to the library
    "jobs:models": shown(team("generate")),
    "jobs:when_opened": shown(team("generate")),
    "jobs:stream": shown(team()),
    "jobs:generation": shown(team()),  # its picture is the team's
    "jobs:tile": shown(team(only=MEI)),
    "jobs:half_done": shown(team("generate", only=set())),  # it has its picture
    "jobs:stream_size": pressed(team(only=set())),  # it does not say which
    "jobs:batch": shown(team(only=MEI)),
    "jobs:retry_ended": pressed(team("generate", only=set())),  # it has its picture
    "jobs:undo_cancel": pressed(team("generate", only=set())),  # it does not say when
    "jobs:cancel": pressed(team("generate", only=MEI)),
    "jobs:retry": pressed(team("generate", only=set())),  # it has its picture
    "jobs:notices": shown(team()),
    "jobs:prompts": shown(team("generate")),
    "jobs:form_notes": shown(team("generate")),
    "jobs:ask_for_help": pressed(team("generate", only=set())),  # it says no price
    "jobs:prompt_help": shown(team("generate", only=MEI)),
    "jobs:close_prompt_help": pressed(team("generate", only=MEI)),
    "jobs:saved_prompts": shown(team("generate")),
    "jobs:saved_prompt_menu": shown(team("generate")),
    "jobs:save_prompt": form(team("organise")),
    "jobs:saved_prompt": pressed(team("organise")),
    "jobs:delete_saved_prompt": pressed(team("organise")),
    "jobs:cancel_all": pressed(team("generate")),
    "jobs:picture": shown(team()),
    "jobs:compare": shown(team(only=set())),  # it names nothing to compare
    "jobs:follow_up": pressed(team("generate", only=set())),  # it offers no next step
    "library:grid": shown(team()),
    "library:counts": shown(team()),
    "library:newer": shown(team()),
    "library:picker": shown(team("upload")),
    "library:tags": shown(team()),
    "library:suggest": shown(team()),
    "library:deed": pressed(team()),  # for favourites; the rest is refused to viewers
    "library:deed_progress": shown(team(only=MEI)),
    "library:undo": pressed(team(only=MEI)),
    "library:collections": form(team()),  # a viewer makes none
    "library:collection": pressed(team("organise")),
    "library:delete_collection": pressed(team("organise")),
    "library:save_search": pressed(team("organise")),
    "library:forget_search": pressed(team("organise")),
    "library:thumbnail": shown(nobody),  # without a ticket
    "library:original": shown(team()),
    "library:download": shown(team()),
    "library:archive": pressed(team()),
    "library:archive_progress": shown(team(only=MEI)),
    "library:archive_file": shown(team(only=MEI)),
    "library:use_as_start": pressed(team("upload")),
    "library:share": form(team("share", only=set())),  # it names nothing to share
    "library:shares": shown(team()),
    "library:change_share": form(team("share", only=MEI)),
    "library:revoke_share": pressed(team(only=MEI | CURATORS)),
    "library:picture_like": pressed(team()),
    "library:picture_title": pressed(team("organise")),
    "library:picture_visibility": pressed(team("organise", only=MEI, without=NO)),
    "library:picture_tag": pressed(team("organise")),
    "library:picture_untag": pressed(team("organise")),
    "library:picture_collections": shown(team("organise")),
    "library:picture_collect": pressed(team("organise", only=set())),  # there is no collection
    "library:picture_take_out": pressed(team("organise", only=set())),
    "library:picture_trash": pressed(team("organise")),
    "library:picture_restore": pressed(team("organise", only=set())),  # it is not in the trash
    "library:upload": pressed(team("upload")),
    "library:upload_preview": shown(team("upload", only=MEI)),
    "library:upload_images": form(team("upload")),
    "library:add_upload": pressed(team("upload", only=MEI)),
    "library:trash": form(team("organise")),
    "library:empty_trash": form(team("organise")),
    "library:trashed_thumbnail": shown(team("organise", only=set())),  # the picture is not in the trash
    "credits:lines": shown(team()),
    "credits:lines_csv": shown(team()),
    # Running it
    "office:overview": shown(team("see_spending")),
    "office:ledger": shown(team("see_spending")),
    "office:ledger_csv": shown(team("see_spending")),
    "office:ledger_json": shown(team("see_spending")),
    "office:changes": shown(team("see_spending")),
    "office:changes_csv": shown(team("see_spending")),
    "office:grant": form(team("grant")),
    "office:take_back": form(team("grant")),
    "office:grant_csv": form(team("grant")),
    "office:ask_for_credits": form(team("generate")),  # who grants is sent to Grant
    "office:withdraw_credit_request": pressed(team("generate")),
    "office:answer_credit_request": pressed(team("grant")),
    "office:put_away_credit_answer": pressed(team(only=MEI)),
    "office:member": shown(team("grant")),
    "office:set_allowance": pressed(team("grant")),
    "office:end_allowance": pressed(team("grant")),
    "office:set_caps": pressed(team("grant")),
    "office:adjust": pressed(team("adjust")),
    "office:refund": form(team("refund")),
    "office:prices": shown(team("see_spending")),
    "office:set_price": pressed(prices()),
    "office:withdraw_price": pressed(prices(), pk="price"),
    "office:set_rule": pressed(team("manage_members")),
    "office:people": shown(team("manage_members")),
    "office:invite": form(team("manage_members")),
    "office:revoke_invitation": pressed(team("manage_members"), pk="invitation"),
    "office:new_program": form(team("manage_members")),
    "office:person": shown(team("manage_members")),
    "office:set_role": pressed(team("manage_members")),
    "office:set_weight": pressed(team("manage_members")),
    "office:rename_program": pressed(team("manage_members"), pk="program"),
    "office:remove_member": pressed(team("manage_members")),
    "office:settings": form(team("manage_members")),
    "office:leave": pressed(team()),
    "tokens:list": shown(team()),
    "tokens:new": form(team()),
    "tokens:revoke": pressed(team(only=KEEPERS_AND_MEI), pk="token_of_mei"),
    # Running the installation
    "queue:page": shown(operators),
    "queue:pause_all": pressed(operators),
    "queue:resume_all": pressed(operators),
    "queue:pause": pressed(operators),
    "queue:drain": pressed(operators),
    "queue:resume": pressed(operators),
    "queue:serve_first": pressed(operators),
    "queue:serve_in_turn": pressed(operators),
    "queue:set_weight": pressed(operators),
    "queue:give_up": pressed(operators),
    "installation:page": shown(operators),
    "installation:difference": shown(operators),
    "installation:issue": form(operators),
    "operate:accounts": shown(operators),
    "operate:new_account": Page(get=operators, post=operators, query="kind=gateway"),
    "operate:try_new": pressed(operators, query="kind=gateway"),
    "operate:look_new": pressed(operators, query="kind=gateway"),
    "operate:look_account": pressed(operators, pk="gateway"),
    "operate:account": form(operators, pk="upstream"),
    "operate:try_account": pressed(operators, pk="upstream"),
    "operate:switch": pressed(operators, pk="upstream", act="pause"),
    "operate:prices": shown(operators),
    "operate:set_price": pressed(operators),
    "operate:set_proposed": pressed(operators),
    "operate:withdraw_price": pressed(operators, pk="price"),
    "operate:reconcile": shown(operators),
    "operate:reconcile_day": shown(operators),
    "operate:new_team": form(operators),
    "operate:team": shown(operators),
    "operate:admit": pressed(operators),
    "operate:team_act": pressed(operators, act="open"),
    "operate:users": shown(operators),
    "operate:new_user": form(operators),
    "operate:user": Page(get=operators, pk="user"),
    "operate:user_act": pressed(operators, pk="user", act="activate"),
    "changes:page": shown(operators),
    "changes:csv": shown(operators),
    "wire:picture": shown(nobody),  # but with a link that was made for it: tests/api/compat/test_openai.py
    # Signing in; an account's own pages
    "account_login": form(anybody),
    "account_signup": form(anybody),  # a page that says it is closed
    "account_logout": Page(get=a_person),
    "account_inactive": shown(anybody),
    "account_email_verification_sent": shown(anybody),
    "account_reset_password": form(anybody),
    "account_reset_password_done": shown(anybody),
    "account_reset_password_from_key": form(anybody),  # a page that says the link is no good
    "account_reset_password_from_key_done": shown(anybody),
    "account_confirm_email": Page(get=anybody, post=nobody),
    "account_confirm_login_code": form(a_person),
    "account_reauthenticate": form(a_person),
    "account_email": form(a_person),
    "account_change_password": form(a_person),
    "account_set_password": form(a_person),
}
OF_NOBODY = {"team", "size", "model"}  # parts of addresses that name nothing of a team's


def addresses(patterns=None, prefix="", parts=()):
    """The name of every address and of its parts, but for the back office's and the API's.

    Those are in tests/api/v1/test_authentication.py.
    """
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        here = [*parts, *(pattern.pattern.converters or pattern.pattern.regex.groupindex)]
        if isinstance(pattern, URLPattern):
            if pattern.name:
                yield f"{prefix}{pattern.name}", here
        elif pattern.namespace not in {"admin", "v1"}:
            inside = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from addresses(pattern.url_patterns, inside, here)


@pytest.fixture
def people(team, make_member):
    """A membership for every visitor who has or had one."""
    found = {name: make_member(name, role=role) for name, role in ROLES.items()}
    found |= {
        name: make_member(name.replace(" ", "-"), role=Role.OWNER) for name in (CHIEF, DEACTIVATED, ENDED)
    }
    other = members_service.create_team("Other")
    found |= {
        name: make_member(name.replace(" ", "-"), team=other, role=Role.OWNER)
        for name in (STRANGER, OPERATOR)
    }
    return found


@pytest.fixture
def browsers(people):
    """A browser for each, signed in before some were shut out."""
    browsers = {OUT: Client()}
    for name, member in people.items():
        browsers[name] = Client()
        browsers[name].force_login(member.user)
    membership.leave(people[ENDED])
    membership.leave(people[OPERATOR])
    User.objects.filter(pk=people[DEACTIVATED].user_id).update(is_active=False)
    staff = [people[OPERATOR].user_id, people[CHIEF].user_id]
    User.objects.filter(pk__in=staff).update(is_staff=True, is_superuser=True)
    return browsers


@pytest.fixture
def things(team, people, browsers, upstream, submit):
    """One of everything that an address can name, all of it the team's, most of it Mei's."""
    mei, soon = people["member"], timezone.now() + timedelta(days=1)
    submit(by=mei)
    assert work() == 1
    sheet = io.BytesIO()
    Picture.new("RGB", (64, 64)).save(sheet, "PNG")
    sheet.seek(0)
    sheet.name = "start.png"
    kept = browsers["member"].post(f"/t/{team.slug}/upload/", {"image": sheet}).json()["id"]
    team.low_wallet = 1_000_00
    team.save()
    notices_service.raise_and_clear()
    image = Image.objects.get()
    action = bulk_service.start(member=mei, kind=bulk_actions.Like, images=[image.pk])
    posters = organise_service.create_collection(member=mei, name="Posters", visibility=Visibility.TEAM)
    saved = organise_service.save_search(
        member=mei, name="Foxes", search=Search(q="fox"), visibility=Visibility.TEAM
    )
    invited = Invitation.objects.create(team=team, token_hash="x", expires_at=soon)
    asked = credit_requests.ask(member=mei, amount=1_00, note="", reference=uuid.uuid4(), by=COMMAND)
    return {
        "team": team.slug,
        "slug": team.slug,
        "day": "2026-11-29",
        "user": mei.user_id,
        "generation": Generation.objects.get().pk,
        "batch": Generation.objects.get().batch_id,
        "image": image.pk,
        "archive": archives_service.create(member=mei, images=[image.pk], output=OutputFormat()).pk,
        "action": action.pk,
        "collection": posters.pk,
        "saved": saved.pk,
        "prompt_help": PromptHelp.objects.create(
            team=team,
            member=mei,
            submission=uuid.uuid4(),
            task="english",
            text="ein Fuchs",
            price=20,
            status="failed",
            ended_at=timezone.now(),
        ).pk,
        "saved_prompt": saved_prompts.save(
            member=mei, name="Foxes", values={"prompt": "a fox"}, visibility=Visibility.TEAM
        ).pk,
        "size": "640",
        "share": sharing_service.share_image(member=mei, image=image.pk).pk,
        "upload": kept,
        "member": mei.pk,
        "program": Membership.objects.create(team=team, kind="program", name="API").pk,
        "invitation": invited.pk,
        "price": Price.objects.create(model="core", team=team, amount=3_00, valid_from=soon).pk,
        "upstream": upstream.pk,
        "gateway": Upstream.objects.create(name="gateway", kind="gateway", base_url=upstream.base_url).pk,
        "model": "core",
        "notice": Notice.objects.get(kind="wallet_low", member=mei).pk,
        "credit_request": asked.pk,
        "token": "no-such-token",
        "token_of_mei": teams_api_tokens.issue(membership=mei, name="laptop", scopes=["read"])[0].pk,
        "key": "no-such-key",
        "uidb36": "1",
    }


@pytest.fixture(autouse=True)
def _a_refusal_is_drawn_once_for_each_visitor(monkeypatch):
    """Its page is the same a thousand times, and would take half of the time; its status is what is asked."""
    handler_of, drawn = URLResolver.resolve_error_handler, set()

    def resolve(resolver, status):
        def refuse(request, **why):
            case = (status, request.user.pk)
            if case in drawn:
                return HttpResponse(status=status)
            drawn.add(case)
            return handler_of(resolver, status)(request, **why)

        return refuse

    monkeypatch.setattr(URLResolver, "resolve_error_handler", resolve)


def meaning(answer):
    """The answer in a word."""
    if answer.status_code in {301, 302} and "/login/" in answer["Location"]:
        return SIGN_IN
    return {403: NO, 404: NOT_THERE, 405: NO_SUCH_METHOD}.get(answer.status_code, YES)


def ask(browser, method, address):
    """Send one request and undo whatever it did; the browser stays signed in."""
    cookies = browser.cookies.copy()
    with transaction.atomic():
        answer = getattr(browser, method)(address)
        if answer.streaming:
            assert b"".join(answer.streaming_content)
        transaction.set_rollback(True)
    browser.cookies = cookies
    assert answer.status_code < 500, (address, answer.status_code)
    return meaning(answer)


def address_of(name, parts, things):
    known = things | {"pk": things[TABLE[name].pk], "act": TABLE[name].act}
    address = reverse(name, kwargs={part: known[part] for part in parts})
    return f"{address}?{query}" if (query := TABLE[name].query) else address


def test_every_page_stands_in_the_table():
    assert {name for name, _parts in addresses()} == set(TABLE)


@pytest.mark.django_db(transaction=True)  # a worker that draws closes its connection
def test_everybody_gets_in_where_they_may_and_nowhere_else(browsers, things):
    wrong = []
    for name, parts in addresses():
        for method in ("get", "post"):
            door = getattr(TABLE[name], method)
            for visitor in VISITORS if door else SOME:
                found = ask(browsers[visitor], method, address_of(name, parts, things))
                right = found == door(visitor) if door else found != YES
                if not right:
                    wrong.append((name, method, visitor, found, "instead of", door and door(visitor)))
    assert wrong == []


@pytest.mark.django_db(transaction=True)  # a worker that draws closes its connection
def test_nothing_of_a_team_is_reached_by_the_address_of_another(browsers, things, people):
    """An owner puts the numbers of our things behind their own team's address."""
    theirs = things | {"team": people[STRANGER].team.slug}
    ours = [(name, parts) for name, parts in addresses() if "team" in parts and set(parts) - OF_NOBODY]
    assert len(ours) > 15
    reached = [
        (name, method)
        for name, parts in ours
        for method in ("get", "post")
        if ask(browsers[STRANGER], method, address_of(name, parts, theirs))
        not in {NOT_THERE, NO_SUCH_METHOD, NO}
    ]
    assert reached == []


def back_office():
    """Every address of the back office."""
    (office,) = (each for each in get_resolver().url_patterns if getattr(each, "namespace", "") == "admin")

    def walk(resolver, path):
        for pattern in resolver.url_patterns:
            here = path + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern, here)
            elif pattern.name not in {"login", None}:
                yield here

    return [f"/{re.sub(r'<[^>]+>', '1', path)}" for path in walk(office, str(office.pattern))]


def test_the_back_office_is_for_operators_alone(browsers):
    paths = back_office()
    assert len(paths) > 50
    outside = [OUT, DEACTIVATED, STRANGER, ENDED, *ROLES]
    got_in = [
        (visitor, method, path)
        for path in paths
        for visitor in outside
        for method in ("get", "post")
        if ask(browsers[visitor], method, path) == YES and not path.endswith("/logout/")
    ]
    assert got_in == []
    assert ask(browsers[OUT], "get", "/back-office/login/") == SIGN_IN
    assert ask(browsers["owner"], "get", "/back-office/login/") == NO
    assert ask(browsers[OPERATOR], "get", "/back-office/") == YES
