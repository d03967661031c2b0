"""Pages in a language of marks: what stands outside of ⟦ ⟧ nobody could translate."""

from __future__ import annotations

import json
import re
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from django.utils import timezone
from django.views import defaults

from generations.core import redis_client
from generations.jobs.engine import claim as engine_claim
from generations.jobs.engine import heartbeats
from generations.jobs.models import Generation, Outcome, Price, Status
from generations.library.images import service as images_service
from generations.library.models import Deed, Image
from generations.library.organise import service as organise_service
from generations.library.search.query import Search
from generations.library.sharing import service as sharing_service
from generations.teams import password_reset
from generations.teams.models import Visibility
from generations.upstreams import accounts
from generations.upstreams.models import Upstream
from tests.conftest import PASSWORD, work
from tests.pages.marks import bare, outside, said
from tests.pages.test_create_form import picture
from tests.pages.test_queue import call, kept

pytestmark = [
    pytest.mark.django_db(transaction=True),  # what workers do is committed
    pytest.mark.usefixtures("language_of_marks"),
]


def test_bare_words_are_found_wherever_they_stand():
    found = bare(
        '<p title="one">⟦two⟧ three</p><input type="submit" value="four"><script>five</script>'
        '<button aria-label="six">⟦s ⟦e⟧⟧</button><b data-words="{n} eight">⟦</b>⟧<br/>12 s'
    )
    assert found == ["four", "one", "six", "three", "{n} eight"]


@pytest.fixture
def drawn(submit, upstream) -> Generation:
    """One finished picture of Mei's."""
    submit(prompt="a lighthouse in the fog", model="ultra", aspect_ratio="3:2", style_preset="cinematic")
    work()
    return Generation.objects.get()


@pytest.fixture
def operator(mei, member) -> Client:
    """Mei, who runs the installation too."""
    member.user.is_staff = member.user.is_superuser = True
    member.user.save()
    return mei


def test_a_member_who_has_made_nothing_yet(mei, address, upstream):
    for path in ("create/", "library/", "credits/", "create/?example=aurora", "stream/", "notices/"):
        page = mei.get(address(path)).content.decode()
        assert bare(without_examples(page)) == [], path


def without_examples(page: str) -> str:
    """Examples are sent to providers as they stand, and those take English only."""
    return re.sub(r'(<li class="example">\s*<img[^>]*>\s*<p>)[^<]*', r"\1", page)


@pytest.mark.parametrize("role", ["member", "owner", "administrator", "viewer"])
def test_the_pages_of_a_team_that_has_pictures(mei, address, member, make_member, drawn, role):
    member.role = role
    member.save()
    image = Image.objects.get()
    paths = ["library/", "credits/", f"generation/{drawn.pk}/", f"picture/{image.pk}/"]
    paths += ["create/", "stream/", f"generation/{drawn.pk}/tile/", f"create/?from={drawn.pk}&use=all"]
    for path in paths:
        assert said(mei.get(address(path), follow=True)) == [], path


def test_the_trash_and_what_is_brought_into_the_library(mei, address, member, drawn):
    sheet = picture(64, 64).read()

    def bring(*files):
        sent = [SimpleUploadedFile(f"{n}", data) for n, data in enumerate(files)]
        return mei.post(address("library/upload/"), {"image": sent})

    for path in ("library/trash/", "library/trash/empty/", "library/upload/"):
        assert said(mei.get(address(path))) == [], path
    for files in ((), (sheet, b"x"), (sheet,)):
        assert said(bring(*files)) == []
    images = list(Image.objects.values_list("pk", flat=True))
    images_service.trash(member=member, images=images)
    assert said(bring(sheet)) == []
    for days in (0, 29, 40):
        Image.objects.update(trashed_at=timezone.now() - timedelta(days=days))
        assert said(mei.get(address("library/trash/"))) == []
    assert said(mei.get(address("library/trash/empty/"))) == []
    assert said(mei.post(address("library/trash/empty/"), {"image": images})) == []
    assert said(mei.post(address("library/trash/"), {}, follow=True)) == []
    assert said(mei.post(address("library/trash/"), {"image": images[:1]}, follow=True)) == []
    Deed.objects.update(ended_at=None)
    assert said(mei.get(address("library/trash/"))) == []
    sure = {"image": images[1:], "sure": "1"}
    assert said(mei.post(address("library/trash/empty/"), sure, follow=True)) == []


@pytest.mark.parametrize("role", ["member", "owner"])
def test_sharing_and_what_a_link_shows(mei, address, member, make_member, drawn, role):
    image = Image.objects.get()
    other = make_member("jonas")
    ours = organise_service.make_collection(member=other, name="Jonas", visibility=Visibility.TEAM)
    organise_service.collect(member=member, images=[image.pk], collection=ours.pk)
    shares = [
        sharing_service.share_image(member=member, image=image.pk, shows_prompt=True),
        sharing_service.share_image(member=other, image=image.pk, lifetime=sharing_service.Lifetime.FOR_EVER),
        sharing_service.share_collection(member=member, collection=ours.pk),
    ]
    for share in shares:
        for path in ("/", f"/{image.pk}/"):
            assert said(Client().get(f"/s/{sharing_service.token(share.pk)}{path}")) == []
    sharing_service.revoke(member=member, share=shares[0].pk)
    sharing_service.share_collection(member=other, collection=ours.pk)
    type(member).objects.filter(pk=member.pk).update(role=role)
    paths = ["library/shares/", "library/shares/?over=1"]
    paths += [f"library/share/?image={image.pk}", f"library/share/?collection={ours.pk}"]
    for path in paths:
        for headers in ({}, {"HX-Request": "true"}):
            assert said(mei.get(address(path), headers=headers)) == [], path
    for fields in ({"expires": "1"}, {"expires": "never", "shows_prompt": "on"}, {}):
        answer = mei.post(
            address("library/share/"), fields | {"image": image.pk}, headers={"HX-Request": "true"}
        )
        assert said(answer) == []
    answer = mei.post(address("library/share/"), {"expires": "1", "image": image.pk}, follow=True)
    assert said(answer) == []
    Image.objects.update(visibility=Visibility.PRIVATE, title="Mei")
    ours.visibility = Visibility.PRIVATE
    ours.save()
    assert said(mei.get(address("library/shares/"))) == []
    assert said(mei.get(address(f"library/share/?image={image.pk}"))) == []
    assert said(mei.post(address(f"library/shares/{shares[2].pk}/revoke/"), follow=True)) == []


def test_what_a_link_says_that_shows_nothing(client, member, settings):
    assert said(client.get("/s/no-such-link/")) == []
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"share": "1/m/ip"}
    client.get("/s/no-such-link/")
    assert said(client.get("/s/no-such-link/")) == []
    empty = organise_service.make_collection(member=member, name="Mei", visibility=Visibility.TEAM)
    share = sharing_service.share_collection(member=member, collection=empty.pk)
    assert said(Client(REMOTE_ADDR="192.0.2.7").get(f"/s/{sharing_service.token(share.pk)}/")) == []


def test_the_page_of_a_picture_that_is_kept_in_order(mei, address, member, drawn):
    image = Image.objects.get()
    Image.objects.create(**{**shared(image), "key": "images/x.png", "generation": None})
    organise_service.tag(member=member, images=[image.pk], name="Mei")
    made = organise_service.make_collection(member=member, name="Mei", visibility=Visibility.PRIVATE)
    organise_service.collect(member=member, images=[image.pk], collection=made.pk)
    for visibility in Visibility:
        Image.objects.update(visibility=visibility)
        assert said(mei.get(address(f"picture/{image.pk}/"))) == []
    assert said(mei.get(address(f"image/{image.pk}/collections/"), {"find": "x"})) == []
    for verb in ("title", "visibility", "tag", "untag", "collect"):
        sent = {"title": "x" * 201, "name": ""}
        part = mei.post(address(f"image/{image.pk}/{verb}/"), sent, headers={"HX-Request": "true"})
        assert said(part) == [], verb
    Image.objects.filter(pk=image.pk).update(origin="uploaded", prompt="", parameters={}, generation=None)
    assert said(mei.get(address(f"picture/{image.pk}/"))) == []
    assert said(mei.post(address(f"image/{image.pk}/trash/"), follow=True)) == []


def shared(image: Image) -> dict[str, object]:
    """What a sibling has in common with an image."""
    names = ("team", "owner", "batch", "sha256", "media_type", "width", "height", "bytes", "prompt")
    return {name: getattr(image, name) for name in names}


@pytest.mark.parametrize("role", ["member", "owner", "viewer"])
def test_the_library_in_every_state(mei, address, member, drawn, role):
    image, names = Image.objects.get(), {"⟦Posters⟧", "⟦hero⟧", "⟦Foxes⟧", "⟦Empty⟧", "⟦Own⟧"}
    team, own = Visibility.TEAM, Visibility.PRIVATE
    posters, empty, _own = (
        organise_service.make_collection(member=member, name=name, visibility=seen)
        for name, seen in (("⟦Posters⟧", team), ("⟦Empty⟧", team), ("⟦Own⟧", own))
    )
    organise_service.collect(member=member, images=[image.pk], collection=posters.pk)
    organise_service.tag(member=member, images=[image.pk], name="⟦hero⟧")
    organise_service.like(member=member, images=[image.pk])
    for visibility in (team, own):
        organise_service.save_search(
            member=member, name="⟦Foxes⟧", search=Search(q="fox"), visibility=visibility
        )
    type(member).objects.filter(pk=member.pk).update(role=role)
    queries = ["", f"collection={posters.pk}", f"collection={empty.pk}", "liked=1&order=oldest", "q=nothing"]
    queries += [f"tag=⟦hero⟧&who={member.pk}&model=ultra&style=cinematic&shape=3:2&seed=7", "who=999"]
    queries += ["since=2026-01-01", "until=2026-01-01", "since=2026-01-01&until=2026-02-01&model=ultra"]
    for query in queries:
        assert set(said(mei.get(address(f"library/?{query}")))) <= names, query
        counts = mei.get(address(f"library/counts/?{query}")).content.decode()  # has words for few searches
        assert bare(counts) == [], query
    for path in ("library/collections/", "library/collections/?q=xyz"):
        assert set(said(mei.get(address(path)))) <= names, path


def test_what_is_said_of_deeds(mei, address, member, drawn):
    image = Image.objects.get()
    own = organise_service.make_collection(member=member, name="⟦Own⟧", visibility=Visibility.PRIVATE)
    asked = [("like", ""), ("unlike", ""), ("tag", "⟦hero⟧"), ("untag", "⟦hero⟧"), ("collect", str(own.pk))]
    asked += [
        ("take_out", str(own.pk)),
        ("keep_private", ""),
        ("show_team", ""),
        ("trash", ""),
        ("restore", ""),
    ]
    for act, argument in asked:
        form = {"act": act, "argument": argument, "image": [image.pk, uuid.uuid4()]}
        assert said(mei.post(address("library/deeds/"), form, follow=True)) == [], act
        deed = Deed.objects.latest("created_at")
        assert said(mei.get(address(f"library/deeds/{deed.pk}/"), headers={"HX-Request": "true"})) == [], act
    assert said(mei.post(address(f"library/deeds/{deed.pk}/undo/"), follow=True)) == []
    Deed.objects.filter(pk=deed.pk).update(ended_at=None)
    assert said(mei.get(address(f"library/deeds/{deed.pk}/"))) == []
    for form in (
        {"act": "trash"},
        {"act": "tag", "tag": ",", "image": image.pk},
        {"act": "collect", "image": image.pk},
    ):
        assert said(mei.post(address("library/deeds/"), form, follow=True)) == [], form
    posts = [("library/collections/", {"name": ""}), (f"library/collections/{own.pk}/", {"name": ""})]
    posts += [("library/searches/", {"name": ""}), (f"library/collections/{own.pk}/delete/", {})]
    for path, form in posts:
        assert said(mei.post(address(path), form, follow=True)) == [], path


def test_a_portal_without_provider(mei, address, member):
    assert bare(without_examples(mei.get(address("create/")).content.decode())) == []
    member.user.is_staff = True
    member.user.save()
    assert bare(without_examples(mei.get(address("create/")).content.decode())) == []


@pytest.mark.parametrize("status", [status.value for status in Status])
@pytest.mark.parametrize("code", ["", "invalid_language", "busy"])
def test_a_picture_in_every_state(mei, address, drawn, status, code):
    ended = None if status in ("queued", "running", "storing") else timezone.now()
    Generation.objects.update(status=status, code=code, ended_at=ended)
    Image.objects.all().delete()
    for path in ("create/", f"generation/{drawn.pk}/", f"generation/{drawn.pk}/tile/", "credits/"):
        assert said(mei.get(address(path))) == [], path


@pytest.mark.parametrize(
    "outcome",
    ["403", "422", "413", "filtered", "401", "402", "404", "429", "500", "drop", "truncate", "502-html"],
)
def test_a_picture_that_did_not_come(mei, address, submit, upstream, provider, outcome):
    provider.plan(*[outcome] * 3)
    submit(model="ultra")
    work(3)
    row = Generation.objects.get()
    assert row.attempts.exists()
    for path in ("create/", f"generation/{row.pk}/"):
        assert said(mei.get(address(path))) == [], path


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": "  "},
        {"prompt": "x" * 10_001},
        {"prompt": "a\x00b"},
        {"model": "sd9"},
        {"aspect_ratio": "4:3"},
        {"style_preset": "watercolour"},
        {"seed": "a few"},
        {"count": "many"},
        {"model": "sd3.5-large", "cfg_scale": "11"},
        {"submission": "not a name"},
        {"model": "ultra", "start": "that one"},
        {"model": "ultra", "count": 10, "prompt": "dear"},
        {"prompt": "海边的日出", "count": 99},
    ],
)
@pytest.mark.parametrize("by_script", [False, True])
def test_what_is_said_of_a_form_that_cannot_be_sent(press, member, fields, by_script):
    if "dear" in fields.values():
        assert press(model="ultra", count=10).status_code == 302
    answer = press(by_script=by_script, **fields)
    assert answer.status_code == 422
    assert bare(without_examples(answer.content.decode())) == []


def test_what_is_said_of_a_start_image(press):
    for file in (picture(32, 32), picture(20_000, 100)):
        answer = press(model="ultra", image=file, strength="0.5")
        assert answer.status_code == 422
        assert bare(without_examples(answer.content.decode())) == []
    assert press(model="ultra", image=picture(), strength="9").status_code == 422


def test_what_is_said_of_a_price_that_rose(press, team):
    shown = timezone.now() - timedelta(minutes=5)
    Price.objects.create(
        model="core", team=team, amount=400, valid_from=timezone.now() - timedelta(minutes=1)
    )
    answer = press(prices_at=shown.isoformat())
    assert answer.status_code == 422
    assert bare(without_examples(answer.content.decode())) == []


ENTRANCE = (
    *("login/", "signup/", "password/reset/", "password/reset/done/", "confirm-email/", "inactive/"),
    *("password/reset/key/1-set-password/", "password/reset/key/done/", "confirm-email/wrong/"),
)


@pytest.mark.parametrize("mail", ["", "smtp://localhost"])
def test_the_entrance(client, db, settings, mail):
    settings.EMAIL_URL = mail
    for path in ENTRANCE:
        assert said(client.get(f"/accounts/{path}", follow=True)) == [], path


@pytest.mark.parametrize("mail", ["", "smtp://localhost"])
def test_a_persons_own_pages(mei, settings, mail):
    settings.EMAIL_URL = mail
    for path in ("password/change/", "email/", "logout/", "reauthenticate/"):
        assert said(mei.get(f"/accounts/{path}")) == [], path
    wrong = {"oldpassword": "wrong", "password1": "12", "password2": "34"}
    assert said(mei.post("/accounts/password/change/", wrong)) == []
    right = {
        "oldpassword": PASSWORD,
        "password1": "quite another phrase",
        "password2": "quite another phrase",
    }
    assert said(mei.post("/accounts/password/change/", right, follow=True)) == []


def test_signing_in_and_finding_back_in(client, member):
    assert said(client.post("/accounts/login/", {"login": "who@studio.example", "password": "wrong"})) == []
    assert said(client.post("/accounts/login/", {})) == []
    page = client.get(password_reset.reset_link(member.user), follow=True)
    assert said(page) == []
    short = {"password1": "12", "password2": "12"}
    assert said(client.post(page.redirect_chain[-1][0], short)) == []


def test_somebody_without_a_team(mei, member):
    type(member).objects.update(ended_at=timezone.now())
    assert said(mei.get("/", follow=True)) == []


def test_pages_that_tell_what_went_wrong(mei, member, address, client, settings):
    about = RequestFactory().get("/")
    about.user = AnonymousUser()
    assert said(defaults.server_error(about)) == []
    assert said(defaults.permission_denied(about, PermissionDenied())) == []
    assert said(mei.get("/nowhere/")) == []
    assert said(mei.post(address("create/"), {"prompt": "x" * 1_200_000})) == []
    strict = Client(enforce_csrf_checks=True)
    assert said(strict.post("/accounts/login/", {})) == []


@pytest.mark.parametrize("role", ["viewer"])
def test_who_may_not_do_something_is_told_so(mei, address, member, role, drawn):
    type(member).objects.update(role=role)
    answer = mei.post(address(f"generation/{drawn.pk}/retry/"), follow=True)
    assert said(answer) == []


def test_the_queue_page_in_every_state(operator, make_member, submit, upstream):
    jonas = make_member("jonas")
    rows = list(submit(count=9).generations.all())
    claim, _more = engine_claim.claim_next()
    submit(by=jonas, count=2)
    redis_client.client().delete(heartbeats.LIST)
    for index, outcome in enumerate([*Outcome, Outcome.OK]):
        call(claim.generation, upstream, outcome, ago=30 + index, reason="", status_code=403, cost=800)
    Upstream.objects.create(name="sandbox 2", base_url="http://x", draining=True)
    Upstream.objects.create(
        name="sandbox 3", base_url="http://y", blocked_until=timezone.now() + timedelta(seconds=99)
    )
    accounts.pause_by_hand(
        Upstream.objects.filter(pk=Upstream.objects.create(name="sandbox 4", base_url="http://z").pk),
        by="Mei",
    )
    kept(rows[7], upstream)
    kept(rows[8], upstream, silent=3)
    Generation.objects.filter(status=Status.STORING).update(worker="")
    for path in ("/queue/", "/queue/?calls=table", f"/t/{jonas.team.slug}/create/"):
        assert said(operator.get(path)) == [], path


def test_what_the_switches_of_the_queue_page_say(operator, member, submit, upstream):
    row = kept(submit(count=3).generations.first(), upstream)
    presses = [f"upstream/{upstream.pk}/{verb}/" for verb in ("pause", "drain", "resume")]
    presses += ["pause/", "resume/", f"member/{member.pk}/first/", f"member/{member.pk}/in-turn/"]
    presses += [f"generation/{row.pk}/give-up/", f"generation/{row.pk}/give-up/"]
    Generation.objects.update(worker="")
    for path in presses:
        assert said(operator.post(f"/queue/{path}", follow=True)) == [], path
    for weight in ("3", "many"):
        answer = operator.post(f"/queue/member/{member.pk}/weight/", {"weight": weight}, follow=True)
        assert said(answer) == []


def test_what_scripts_are_told_to_show(operator, address, member, submit, upstream):
    submit(count=3)
    headers = {"HX-Request": "true"}
    for path in (address("cancel-waiting/"), "/queue/pause/", "/queue/resume/"):
        told = json.loads(operator.post(path, headers=headers)["HX-Trigger"])
        sentences = [text for event in told.values() for text in event.values() if " " in str(text)]
        assert sentences, path
        assert [outside(text) for text in sentences] == [""] * len(sentences), path
