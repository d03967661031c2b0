"""Who runs a team, who is changed by whom, and who cannot go."""

import re
import uuid

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generations.credits import integrity_check as books
from generations.credits import ledger
from generations.jobs.models import VIRTUAL_COST
from generations.library.models import Image
from generations.office.audit_log.service import Actor
from generations.office.members import query as members_query
from generations.office.members import service as members_service
from generations.office.members import views as members_views
from generations.office.models import AuditAction, AuditEntry
from generations.teams import membership
from generations.teams import users as teams_users
from generations.teams.models import Membership, Role, Team
from tests.conftest import statuses, work

OWN, ADM, MEM, VIE = Role.OWNER, Role.ADMINISTRATOR, Role.MEMBER, Role.VIEWER


@pytest.fixture
def owner(make_member):
    return make_member("ana", role=OWN)


@pytest.fixture
def administrator(make_member):
    return make_member("jonas", role=ADM)


@pytest.fixture
def signed_in():
    """A browser in which that person is signed in: signed_in(member)."""

    def open_for(member):
        client = Client()
        client.force_login(member.user, "allauth.account.auth_backends.AuthenticationBackend")
        return client

    return open_for


def office(member, path=""):
    return f"/t/{member.team.slug}/team/{path}"


def entries(act):
    return list(AuditEntry.objects.filter(act=act).order_by("pk"))


def test_the_page_shows_everybody_with_role_and_last_visit(owner, member, signed_in):
    page = signed_in(owner).get(office(owner, "people/")).text
    for words in ("Ana", "Mei", "mei@studio.example", "Owner", "Member", "2 people"):
        assert words in page


def test_the_page_takes_as_many_queries_for_fifty_as_for_five(owner, make_member, signed_in):
    client = signed_in(owner)
    address = office(owner, "people/")

    def queries():
        client.get(address)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(address).status_code == 200
        return len(seen)

    for number in range(4):
        make_member(f"first{number}")
    few = queries()
    for number in range(46):
        make_member(f"more{number}")
    assert queries() == few <= 15


def test_people_are_found_by_name_and_address_and_come_a_page_at_a_time(owner, make_member, monkeypatch):
    monkeypatch.setattr(members_query, "PAGE_SIZE", 3)
    for name in ("lin", "tom", "priya"):
        make_member(name)
    assert [str(row) for row in members_query.list_members(owner.team)] == ["Ana", "Lin", "Priya"]
    assert [str(row) for row in members_query.list_members(owner.team, page="2")] == ["Tom"]
    assert [str(row) for row in members_query.list_members(owner.team, search="TOM studio.example")] == [
        "Tom"
    ]
    assert members_query.count_by_kind(owner.team) == {"people": 4, "programs": 0}


@pytest.mark.parametrize(
    ("asking", "target", "role", "allowed"),
    [
        (OWN, MEM, ADM, True),
        (OWN, MEM, OWN, True),
        (OWN, OWN, MEM, True),
        (ADM, MEM, VIE, True),
        (ADM, VIE, ADM, True),
        (ADM, ADM, MEM, True),
        (ADM, MEM, OWN, False),
        (ADM, OWN, MEM, False),
        (ADM, OWN, ADM, False),
        (MEM, VIE, MEM, False),
        (VIE, MEM, VIE, False),
    ],
)
def test_owners_alone_appoint_and_change_owners(make_member, signed_in, asking, target, role, allowed):
    make_member("boss", role=OWN)
    asker, other = make_member("asker", role=asking), make_member("other", role=target)
    answer = signed_in(asker).post(office(asker, f"people/{other.pk}/role/"), {"role": role})
    other.refresh_from_db()
    assert (other.role == role) == allowed
    # What an administrator may not give is not among the choices; what they may not touch is forbidden.
    assert answer.status_code == (302 if allowed else 422 if asking == ADM and role == OWN else 403)


def test_a_change_of_role_is_written_down_with_who_and_from_where(owner, member, signed_in):
    address = office(owner, f"people/{member.pk}/role/")
    for _ in range(2):
        assert signed_in(owner).post(address, {"role": ADM}).status_code == 302
    [entry] = entries(AuditAction.ROLE_CHANGED)
    assert (entry.actor, entry.member, entry.address) == (owner.user, member, "127.0.0.1")
    assert (entry.before, entry.after) == ({"role": MEM}, {"role": ADM})


@pytest.mark.parametrize("role", ["king", "", "OWNER", "owner\x00"])
def test_a_role_that_there_is_not_changes_nothing(owner, member, signed_in, role):
    answer = signed_in(owner).post(office(owner, f"people/{member.pk}/role/"), {"role": role})
    member.refresh_from_db()
    assert (answer.status_code, member.role) == (422, MEM)


def test_the_last_owner_stays_one_whichever_way(owner, administrator, signed_in):
    client = signed_in(owner)
    for path, form in (
        ("leave/", {}),
        (f"people/{owner.pk}/role/", {"role": MEM}),
        (f"people/{owner.pk}/remove/", {}),
    ):
        answer = client.post(office(owner, path), form, follow=True)
        assert "is the last owner of Studio North" in answer.text, path
    with pytest.raises(membership.LastOwner):
        members_service.end_membership(member=owner)
    owner.refresh_from_db()
    assert (owner.role, owner.ended_at) == (OWN, None)
    assert (
        not entries(AuditAction.MEMBER_LEFT)
        + entries(AuditAction.ROLE_CHANGED)
        + entries(AuditAction.MEMBER_REMOVED)
    )


def test_an_owner_whose_account_is_closed_does_not_count(owner, make_member):
    second = make_member("sofia", role=OWN)
    second.user.is_active = False
    second.user.save()
    with pytest.raises(membership.LastOwner):
        members_service.leave(member=owner, by=Actor(owner.user))
    assert members_service.end_membership(member=second)


def test_an_owner_goes_when_there_is_another(owner, make_member, signed_in):
    make_member("sofia", role=OWN)
    answer = signed_in(owner).post(office(owner, "leave/"), follow=True)
    assert "You left Studio North." in answer.text
    owner.refresh_from_db()
    assert owner.ended_at
    [entry] = entries(AuditAction.MEMBER_LEFT)
    assert (entry.actor, entry.note) == (owner.user, "100 credits back to the team")


def test_everybody_may_leave(make_member, signed_in):
    make_member("boss", role=OWN)
    for role in (ADM, MEM, VIE):
        member = make_member(f"a-{role}", role=role)
        assert signed_in(member).post(office(member, "leave/")).status_code == 302
        member.refresh_from_db()
        assert member.ended_at, role


@pytest.mark.django_db(transaction=True)
def test_who_is_removed_leaves_credits_pictures_and_ledger(owner, member, submit, upstream, signed_in, team):
    submit()
    work()
    waiting = submit(count=3)
    paid = member.wallet.__class__.objects.get(membership=member)
    assert signed_in(owner).post(office(owner, f"people/{member.pk}/remove/")).status_code == 302
    wallet, pool = ledger.open_wallet(member), ledger.open_pool(team)
    assert statuses(waiting) == ["canceled"] * 3
    assert (wallet.balance, wallet.held) == (0, 0)
    assert pool.balance == paid.balance
    assert Image.objects.filter(owner=member).count() == 1
    assert member.transfers.filter(kind="charge").count() == 1
    assert books.problems() == []
    [entry] = entries(AuditAction.MEMBER_REMOVED)
    assert (entry.actor, entry.member) == (owner.user, member)
    assert entry.before == {"role": MEM}
    assert entry.note == "97 credits back to the team, 3 waiting pictures canceled"


def test_removing_twice_does_it_once(owner, member, signed_in):
    client, address = signed_in(owner), office(owner, f"people/{member.pk}/remove/")
    assert [client.post(address).status_code for _ in range(2)] == [302, 404]
    assert len(entries(AuditAction.MEMBER_REMOVED)) == 1


def test_what_a_member_kept_private_is_seen_by_owners_once_they_left(owner, administrator, member):
    image = Image.objects.create(
        team=member.team,
        owner=member,
        visibility="private",
        key="k",
        sha256="0" * 64,
        media_type="image/png",
        width=1,
        height=1,
        bytes=1,
    )
    visible = Image.objects.visible_to
    assert image not in visible(owner)
    members_service.end_membership(member=member)
    assert image in visible(owner)
    assert image not in visible(administrator)
    members_service.add_member(user=member.user, team=member.team)
    assert image not in visible(owner)
    assert image in visible(member)


def test_a_weight_is_set_for_what_waits_too(owner, member, submit, upstream, signed_in):
    batch = submit(count=3)
    assert (
        signed_in(owner).post(office(owner, f"people/{member.pk}/weight/"), {"weight": "2"}).status_code
        == 302
    )
    member.refresh_from_db()
    virtual_starts = list(batch.generations.order_by("position").values_list("virtual_start", flat=True))
    assert member.weight == 2
    assert virtual_starts[1] - virtual_starts[0] == VIRTUAL_COST // 2
    assert entries(AuditAction.WEIGHT_CHANGED)[0].after == {"weight": 2}
    for wrong in ("0", "11", "x", "1e3", ""):
        answer = signed_in(owner).post(office(owner, f"people/{member.pk}/weight/"), {"weight": wrong})
        assert answer.status_code == 422, wrong


def test_a_program_is_made_renamed_and_ended(owner, signed_in, team):
    client = signed_in(owner)
    answer = client.post(office(owner, "people/program/"), {"name": "story\nboard"}, follow=True)
    program = Membership.objects.get(kind="program")
    assert (program.name, program.user, program.wallet.balance) == ("story board", None, 0)
    assert "story board" in answer.text
    client.post(office(owner, f"people/{program.pk}/name/"), {"name": "shop"})
    ledger.issue(team=team, amount=5_00, reference=uuid.uuid4())
    ledger.grant(member=program, amount=5_00, reference=uuid.uuid4())
    client.post(office(owner, f"people/{program.pk}/remove/"))
    program.refresh_from_db()
    assert program.name == "shop"
    assert program.ended_at
    assert ledger.open_pool(team).balance == 5_00
    assert [entry.act for entry in AuditEntry.objects.filter(member=program).order_by("pk")] == [
        AuditAction.PROGRAM_MADE,
        AuditAction.PERSON_CHANGED,
        AuditAction.MEMBER_REMOVED,
    ]


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "a\x00b"])
def test_a_program_needs_a_name(owner, signed_in, name):
    answer = signed_in(owner).post(office(owner, "people/program/"), {"name": name})
    assert "errorlist" in answer.text
    assert not Membership.objects.filter(kind="program").exists()


def test_no_two_programs_of_a_team_have_one_name(owner, signed_in):
    client, make = signed_in(owner), office(owner, "people/program/")
    statuses = [client.post(make, {"name": name}).status_code for name in ("shop", "Shop", "other")]
    assert statuses == [302, 422, 302]
    shop, other = Membership.objects.filter(kind="program").order_by("pk")
    answer = client.post(office(owner, f"people/{other.pk}/name/"), {"name": "SHOP"})
    assert (answer.status_code, "called SHOP already" in answer.text) == (422, True)
    members_service.end_membership(member=shop)
    assert client.post(make, {"name": "shop"}).status_code == 302
    members_service.create_program(team=members_service.create_team("Elsewhere"), name="shop")


def test_a_program_never_runs_a_team(owner):
    program = members_service.create_program(team=owner.team, name="shop")
    for role in (OWN, ADM):
        with pytest.raises(PermissionDenied):
            members_service.set_role(member=program, role=role, by=Actor(owner.user), requester=owner)
    with pytest.raises(membership.LastOwner):
        members_service.leave(member=owner, by=Actor(owner.user))


def test_a_person_is_not_renamed_as_a_program(owner, member, signed_in):
    assert signed_in(owner).post(office(owner, f"people/{member.pk}/name/"), {"name": "x"}).status_code == 404


def test_settings_are_changed_and_written_down(owner, signed_in):
    form = {"name": "Studio\tSouth", "time_zone": "Asia/Kathmandu", "low_wallet": "12.5", "low_pool": ""}
    for _ in range(2):
        assert signed_in(owner).post(office(owner, "settings/"), form).status_code == 302
    team = Team.objects.get(pk=owner.team_id)
    assert (team.name, team.time_zone, team.low_wallet, team.low_pool) == (
        "Studio South",
        "Asia/Kathmandu",
        12_50,
        0,
    )
    assert team.slug == "studio-north"
    [entry] = entries(AuditAction.TEAM_CHANGED)
    assert entry.before == {
        "name": "Studio North",
        "time_zone": "UTC",
        "low_wallet": 2_000,
        "low_pool": 50_000,
    }
    assert entry.after["low_wallet"] == 12_50


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"time_zone": "Mars/Olympus"}, {"low_wallet": "-1"}, {"low_pool": "0.001"}]
)
def test_wrong_settings_change_nothing(owner, signed_in, wrong):
    form = {"name": "New", "time_zone": "UTC", "low_wallet": "1", "low_pool": "1"} | wrong
    answer = signed_in(owner).post(office(owner, "settings/"), form)
    assert answer.status_code == 422
    assert "errorlist" in answer.text
    assert Team.objects.get(pk=owner.team_id).name == "Studio North"


def test_operators_make_teams_and_own_them(member, signed_in, settings):
    member.user.is_staff = True
    member.user.save()
    answer = signed_in(member).post("/teams/new/", {"name": "Studio North", "time_zone": "Europe/Rome"})
    assert answer.url == "/t/studio-north-2/team/people/"
    mine = member.user.memberships.get(team__slug="studio-north-2")
    assert (mine.role, mine.team.time_zone, mine.team.pool.balance) == (OWN, "Europe/Rome", 0)
    assert entries(AuditAction.TEAM_MADE)[-1].actor == member.user


def test_a_form_that_is_sent_twice_makes_one_team(member, signed_in, settings):
    settings.SIGN_UP = "open"
    client = signed_in(member)
    reference = re.search(r'name="reference" value="([^"]+)"', client.get("/teams/new/").text)[1]
    form = {"name": "Mine", "time_zone": "UTC", "reference": reference}
    assert [client.post("/teams/new/", form).url for _ in range(2)] == ["/t/mine/team/people/"] * 2
    assert Team.objects.filter(name="Mine").count() == member.user.memberships.count() - 1 == 1
    fresh = form | {"reference": uuid.uuid4()}
    assert client.post("/teams/new/", fresh).url == "/t/mine-2/team/people/"


def test_an_address_that_another_team_took_meanwhile_is_passed_over(db, monkeypatch):
    members_service.create_team("Mine")
    stale = iter(["mine", "mine-2"])
    monkeypatch.setattr(membership, "unused_slug", lambda _name: next(stale))
    assert members_service.create_team("Mine").slug == "mine-2"


def test_who_left_meanwhile_is_not_changed_but_not_found(owner, member, signed_in, monkeypatch):
    found = members_views._get_or_404

    def found_and_gone(*where, **more):
        row = found(*where, **more)
        Membership.objects.filter(pk=row.pk).update(ended_at=timezone.now())
        return row

    monkeypatch.setattr(members_views, "_get_or_404", found_and_gone)
    client = signed_in(owner)
    for act, form in (("role", {"role": ADM}), ("weight", {"weight": "2"})):
        Membership.objects.update(ended_at=None)
        assert client.post(office(owner, f"people/{member.pk}/{act}/"), form).status_code == 404


def test_forms_about_people_are_kept_by_no_browser(owner, member, signed_in):
    client, program = signed_in(owner), members_service.create_program(team=owner.team, name="shop")
    for path in (
        "people/program/",
        f"people/{member.pk}/role/",
        f"people/{member.pk}/weight/",
        f"people/{program.pk}/name/",
    ):
        answer = client.post(office(owner, path), {"name": "", "role": "", "weight": ""})
        assert (answer.status_code, "no-store" in answer["Cache-Control"]) == (422, True), path


def test_others_make_teams_only_where_everybody_may_sign_up(member, signed_in, settings):
    client, form = signed_in(member), {"name": "Mine", "time_zone": "UTC"}
    assert client.post("/teams/new/", form).status_code == 403
    settings.SIGN_UP = "open"
    assert client.get("/teams/new/").status_code == 200
    assert client.post("/teams/new/", form).status_code == 302
    assert client.post("/teams/new/", {"name": "", "time_zone": "Nowhere"}).status_code == 422


PAGES = ["people/", "people/invite/", "people/program/", "people/{pk}/", "settings/"]
ACTS = ["people/{pk}/role/", "people/{pk}/weight/", "people/{pk}/name/", "people/{pk}/remove/"]


@pytest.mark.parametrize("role", Role)
def test_what_each_role_may_open(make_member, signed_in, role):
    make_member("boss", role=OWN)
    other, client = make_member("other"), signed_in(asker := make_member("asker", role=role))
    expected = 200 if role in {OWN, ADM} else 403
    for page in PAGES:
        assert client.get(office(asker, page.format(pk=other.pk))).status_code == expected, page
    if expected == 403:
        for act in [*ACTS, "settings/", "people/invite/", "people/program/"]:
            assert client.post(office(asker, act.format(pk=other.pk))).status_code == 403, act


def test_strangers_and_who_is_signed_out_find_nothing(owner, make_member, signed_in, client):
    stranger = make_member("eve", team=members_service.create_team("Elsewhere"), role=OWN)
    foreign = signed_in(stranger)
    for path in [*PAGES, *ACTS, "leave/"]:
        address = office(owner, path.format(pk=owner.pk))
        for send in ("get", "post") if path in PAGES else ("post",):
            if (send, path) not in {("post", "people/"), ("post", "people/{pk}/")}:
                assert getattr(foreign, send)(address).status_code == 404, path
                assert getattr(client, send)(address).status_code == 302, path
    for path in ("people/{pk}/", *ACTS):  # through their own team's door
        address = office(stranger, path.format(pk=owner.pk))
        assert (foreign.get if path == "people/{pk}/" else foreign.post)(address).status_code == 404, path
    for address in ("/teams/new/", "/accounts/teams/"):
        assert client.get(address).status_code == 302


def test_my_teams_are_listed_with_a_way_out(owner, signed_in):
    members_service.add_member(user=owner.user, team=members_service.create_team("Second"), role=VIE)
    page = signed_in(owner).get("/accounts/teams/").text
    assert "Studio North" in page
    assert "Second" in page
    assert "/t/second/team/leave/" in page


def test_the_page_of_no_team_says_what_to_do(db, signed_in, settings, client):
    user = teams_users.create(email="new@example.org")
    client.force_login(user)
    assert "open the link of the invitation again" in client.get("/").text
    assert "/teams/new/" not in client.get("/").text
    settings.SIGN_UP = "open"
    assert "/teams/new/" in client.get("/").text
