"""What programs do by /api/v1, from a prompt to a picture and beyond."""

from __future__ import annotations

import io
import json
import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from PIL import Image as Picture

from generations.credits import integrity_check as books
from generations.credits.models import Transfer
from generations.jobs.models import Batch, Generation, ModelRule
from generations.library.models import Image
from generations.office.members import service as members_service
from generations.office.models import AuditEntry
from generations.teams.models import Membership, Role, Token
from tests.api.asking import Program, code
from tests.conftest import work

pytestmark = pytest.mark.django_db(transaction=True)
HARBOUR = {"model": "core", "prompt": "a quiet harbour at dawn"}


@pytest.fixture
def program(member):
    return Program(member)


def wallet(member):
    member.wallet.refresh_from_db()
    return member.wallet.balance, member.wallet.held


def png(size=(64, 64)):
    file = io.BytesIO()
    Picture.new("RGB", size, "teal").save(file, "PNG")
    file.seek(0)
    file.name = "start.png"
    return file


def test_a_program_asks_waits_and_fetches_its_pictures(program, member, upstream):
    asked = program.post("/generations", HARBOUR | {"count": 2, "seed": 7, "aspect_ratio": "16:9"})
    assert asked.status_code == 202
    batch = asked.json()
    assert asked["Location"] == batch["links"]["self"] == f"/api/v1/batches/{batch['id']}"
    assert [each["status"] for each in batch["generations"]] == ["queued", "queued"]
    assert [each["parameters"]["seed"] for each in batch["generations"]] == [7, 8]
    assert (batch["finished"], batch["generations"][0]["price"]) == (False, 3)
    assert wallet(member) == (10_000, 600)
    assert work() == 2
    done = program.get(f"/batches/{batch['id']}").json()
    assert done["finished"]
    for each in done["generations"]:
        path = each["links"]["original"].removeprefix("/api/v1")
        picture = program.get(path)
        assert picture["Content-Type"] == "image/png"
        assert Picture.open(io.BytesIO(picture.getvalue())).size == (1632, 912)
        assert program.get(f"/images/{each['image']}/thumbnail")["Content-Type"] == "image/webp"
        kept = program.get(f"/images/{each['image']}/download?format=webp&parameters=false")
        assert kept["Content-Type"] == "image/webp"
        assert HARBOUR["prompt"].encode() not in kept.content
        assert HARBOUR["prompt"].encode() in program.get(f"/images/{each['image']}/download").content
    assert wallet(member) == (9_400, 0)
    assert Batch.objects.get().token == program.token


def test_what_is_wrong_with_a_wish_is_said_and_holds_nothing(program, member, upstream):
    wrong = {
        "prompt": {"model": "core", "prompt": " "},
        "model": HARBOUR | {"model": "dall-e"},
        "seed": HARBOUR | {"seed": 2**70},
        "count": HARBOUR | {"count": 11},
        "aspect_ratio": HARBOUR | {"aspect_ratio": "17:3"},
        "steps": HARBOUR | {"steps": 20},
        "colour": HARBOUR | {"colour": "blue"},
        "visibility": HARBOUR | {"visibility": "everybody"},
    }
    for field, wish in wrong.items():
        answer = program.post("/generations", wish)
        assert (answer.status_code, answer.json()["error"].get("field")) == (422, field), answer.json()
    assert code(program.post("/generations", HARBOUR | {"start_image": str(uuid.uuid4())})) == (
        404,
        "not_found",
    )
    assert wallet(member) == (10_000, 0)
    assert not Batch.objects.exists()


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"[" * 50_000, b'{"model": NaN}', b"{" + b'"a":' * 9_000,
     b'{"model": "core", "prompt": "\\ud800"}', b'{"model": "core", "prompt": "a\\u0000"}', b"1" * 5_000],
)  # fmt: skip
def test_a_body_that_nobody_can_read_is_refused(program, member, upstream, body):
    answer = program.post("/generations", body)
    assert answer.status_code in {400, 422}, answer.content
    assert answer.json()["error"]["code"] in {"bad_request", "invalid"}
    assert wallet(member) == (10_000, 0)


def test_a_body_that_is_too_large_is_refused(program):
    body = json.dumps(HARBOUR | {"negative_prompt": "x" * 1_100_000})
    assert code(program.post("/generations", body)) == (413, "too_large")


def test_refusals_of_money_and_rules_have_their_own_words(make_member, upstream, team):
    poor = Program(make_member("tom", granted=2))
    assert code(poor.post("/generations", HARBOUR)) == (402, "insufficient_credits")
    capped = Program(make_member("eva"), cap=300)
    assert capped.post("/generations", HARBOUR).status_code == 202
    assert code(capped.post("/generations", HARBOUR)) == (402, "token_cap_reached")
    Membership.objects.filter(pk=capped.token.membership_id).update(cap_per_day=400)
    assert code(Program(capped.token.membership).post("/generations", HARBOUR)) == (402, "cap_reached")
    narrow = Program(make_member("kim"), models=["ultra"])
    assert code(narrow.post("/generations", HARBOUR)) == (403, "model_not_for_token")
    ModelRule.objects.create(team=team, model="core", roles=["owner"])
    assert code(poor.post("/generations", HARBOUR)) == (403, "model_not_allowed")
    upstream.delete()
    assert code(Program(make_member("leo", role=Role.OWNER)).post("/generations", HARBOUR)) == (
        503,
        "no_upstream",
    )


def test_fifty_calls_with_one_key_make_one_batch_and_get_one_answer(program, member, upstream):
    answers = []

    def press():
        answer = Program.post(program, "/generations", HARBOUR, Idempotency_Key="k-1")
        answers.append((answer.status_code, answer.content))
        connection.close()

    threads = [threading.Thread(target=press) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 1
    assert answers[0][0] == 202
    assert Batch.objects.count() == Generation.objects.count() == 1
    work()
    later = program.post("/generations", HARBOUR, Idempotency_Key="k-1")
    assert (later.content, later["Idempotent-Replayed"]) == (answers[0][1], "true")
    assert code(program.post("/generations", HARBOUR | {"seed": 1}, Idempotency_Key="k-1")) == (
        409,
        "idempotency_key_reused",
    )
    assert code(program.post("/generations", HARBOUR, Idempotency_Key="a" * 256)) == (
        400,
        "bad_idempotency_key",
    )
    assert wallet(member) == (9_700, 0)
    assert books.problems() == []


def test_a_refused_call_may_be_mended_under_its_key(program, upstream):
    assert program.post("/generations", HARBOUR | {"steps": 3}, Idempotency_Key="k").status_code == 422
    assert program.post("/generations", HARBOUR, Idempotency_Key="k").status_code == 202


def test_what_waits_is_canceled_and_what_failed_is_tried_again(program, member, upstream, provider):
    batch = program.post("/generations", HARBOUR | {"count": 2}).json()
    first, second = (each["id"] for each in batch["generations"])
    assert program.post(f"/generations/{first}/cancel").json()["status"] == "canceled"
    assert program.post(f"/generations/{first}/cancel").status_code == 200
    assert code(program.post(f"/generations/{second}/retry")) == (409, "not_ended")
    provider.plan("403")
    work()
    failed = program.get(f"/generations/{second}").json()
    assert failed["status"] in {"failed", "filtered"}
    assert failed["reason"]
    again = program.post(f"/generations/{second}/retry")
    assert again.status_code == 202
    assert again.json()["retry_of"] == second
    assert program.post(f"/generations/{second}/retry").json()["id"] == again.json()["id"]
    assert [each["id"] for each in program.get(f"/batches/{batch['id']}").json()["generations"]] == [
        first,
        again.json()["id"],
    ]
    canceled = program.post(f"/batches/{batch['id']}/cancel").json()
    assert (canceled["finished"], wallet(member)) == (True, (10_000, 0))


def test_lists_go_on_from_row_to_row(program, upstream):
    for count in (3, 2):
        program.post("/generations", HARBOUR | {"count": count})
    seen, path = [], "/generations?limit=2&status=queued"
    while path:
        page = program.get(path.removeprefix("/api/v1")).json()
        assert len(page["items"]) <= 2
        seen += [each["id"] for each in page["items"]]
        path = page["next"]
    newest_first = Generation.objects.order_by("-created_at", "-pk")
    assert seen == [str(pk) for pk in newest_first.values_list("pk", flat=True)]
    assert program.get("/generations?status=failed").json() == {"items": [], "next": None}
    assert program.get("/generations?limit=101").status_code == 422
    assert program.get(f"/generations?before={uuid.uuid4()}").status_code == 404


def test_start_images_are_brought_or_taken_from_the_library(program, upstream):
    kept = Client().post(
        "/api/v1/uploads", {"image": png()}, headers={"Authorization": f"Bearer {program.secret}"}
    )
    assert kept.status_code == 201
    wish = {"model": "ultra", "prompt": "a boat", "strength": 0.5, "start_image": kept.json()["id"]}
    batch = program.post("/generations", wish).json()
    assert batch["start_image"] == kept.json()["id"]
    assert work() == 1
    image = program.get(f"/batches/{batch['id']}").json()["generations"][0]["image"]
    taken = program.post(f"/images/{image}/upload")
    assert taken.status_code == 201
    assert program.post("/generations", wish | {"start_image": taken.json()["id"]}).status_code == 202
    bad = Client().post(
        "/api/v1/uploads",
        {"image": io.BytesIO(b"no picture")},
        headers={"Authorization": f"Bearer {program.secret}"},
    )
    assert code(bad) == (422, "bad_upload")


def test_pictures_are_found_kept_in_order_and_thrown_away(program, upstream):
    program.post("/generations", HARBOUR)
    program.post("/generations", HARBOUR | {"prompt": "a green boat"})
    work()
    assert len(program.get("/images").json()["items"]) == 2
    [boat] = program.get("/images?q=boat").json()["items"]
    here = f"/images/{boat['id']}"
    assert program.post(f"{here}/tags", {"name": "Ships, big"}).status_code == 422
    assert program.post(f"{here}/tags", {"name": "Ships"}).json()["tags"] == ["Ships"]
    assert program.get("/tags").json() == [{"name": "Ships", "uses": 1}]
    assert len(program.get("/images?tag=ships").json()["items"]) == 1
    assert (
        program.ask("patch", here, {"title": "A boat", "visibility": "private"}).json()["visibility"]
        == "private"
    )
    shelf = program.post("/collections", {"name": "Postcards"}).json()
    assert program.ask("put", f"/collections/{shelf['id']}{here}").status_code == 204
    assert len(program.get(shelf["links"]["images"].removeprefix("/api/v1")).json()["items"]) == 1
    assert program.ask("put", f"{here}/favourite").status_code == 204
    assert program.get(here).json()["liked"]
    assert program.ask("delete", f"/collections/{shelf['id']}{here}").status_code == 204
    assert program.ask("delete", f"/collections/{shelf['id']}").status_code == 204
    assert program.ask("delete", f"{here}/tags?name=ships").json()["tags"] == []
    assert program.ask("delete", here).status_code == 204
    assert program.get(here).status_code == 404
    assert [each["title"] for each in program.get("/trash").json()["items"]] == ["A boat"]
    assert program.post(f"{here}/restore").json()["trashed_at"] is None
    assert program.get(here).json()["title"] == "A boat"


def test_a_program_reads_its_credits_and_what_models_cost(program, member, upstream):
    program.post("/generations", HARBOUR)
    work()
    program.post("/generations", HARBOUR)
    assert program.get("/credits").json() == {"balance": 97, "held": 3, "available": 94, "caps": []}
    amounts = [line["amount"] for line in program.get("/credits/lines").json()["items"]]
    assert amounts == [-3, 100]
    models = {model["name"]: model for model in program.get("/models").json()}
    assert (models["core"]["price"], models["core"]["available"]) == (3, True)
    assert {field["name"] for field in models["ultra"]["fields"]} >= {"prompt", "start_image", "strength"}
    me = program.get("/me").json()
    assert (me["member"], me["role"], me["token"]["used"]) == ("Mei", "member", 6)


def test_who_runs_the_team_does_so_by_a_program_and_stands_in_the_log(boss, member, make_member, team):
    rows = boss.get("/team/members").json()["items"]
    assert [(row["name"], row["role"]) for row in rows] == [("Ana", "owner"), ("Mei", "member")]
    here = f"/team/members/{member.pk}"
    boss_pool = boss.get("/team").json()["pool"]
    assert code(boss.post(f"{here}/grant", {"credits": 1})) == (402, "insufficient_credits")
    assert boss.post(f"{here}/take-back", {"credits": 30}, Idempotency_Key="t").json()["balance"] == 70
    assert boss.post(f"{here}/take-back", {"credits": 30}, Idempotency_Key="t").json()["balance"] == 70
    assert boss.get("/team").json()["pool"] == boss_pool + 30
    assert boss.post(f"{here}/grant", {"credits": 12.5, "note": "for July"}).json()["balance"] == 82.5
    assert Transfer.objects.get(note="for July").actor == boss.token.membership.user
    assert boss.post(f"{here}/grant", {"credits": 0.001}).status_code == 422
    assert boss.ask("patch", here, {"role": "viewer", "weight": 3}).json()["role"] == "viewer"
    made = boss.post("/team/programs", {"name": "Robot"})
    assert (made.status_code, made.json()["kind"]) == (201, "program")
    assert code(boss.post("/team/programs", {"name": "robot"})) == (409, "name_taken")
    assert code(boss.ask("delete", f"/team/members/{boss.token.membership_id}")) == (409, "last_owner")
    assert boss.ask("delete", here).status_code == 204
    assert boss.get(here).status_code == 404
    assert AuditEntry.objects.filter(actor=boss.token.membership.user, act="member_removed").exists()
    assert books.problems() == []


def test_a_token_does_what_its_scopes_and_its_members_role_allow(make_member, upstream):
    keeper = make_member("ana", role=Role.ADMINISTRATOR)
    reader, maker = Program(keeper, "read"), Program(keeper, "generate")
    assert code(reader.post("/generations", HARBOUR)) == (403, "scope_missing")
    assert code(maker.get("/images")) == (403, "scope_missing")
    assert code(maker.get("/team")) == (403, "scope_missing")
    assert maker.post("/generations", HARBOUR).status_code == 202
    assert maker.get("/generations").status_code == reader.get("/generations").status_code == 200
    members_service.set_role(member=keeper, role=Role.VIEWER)
    assert code(maker.post("/generations", HARBOUR)) == (403, "scope_missing")
    assert reader.get("/images").status_code == 200


def test_nothing_of_another_member_or_team_is_reached(program, make_member, member, upstream):
    batch = program.post("/generations", HARBOUR).json()
    work()
    generation = batch["generations"][0]["id"]
    image = Image.objects.get().pk
    colleague = Program(make_member("tom"))
    stranger = Program(make_member("eve", team=members_service.create_team("Other"), role=Role.OWNER))
    assert colleague.get(f"/images/{image}").status_code == 200  # the team's
    for other in (colleague, stranger):
        for path in (f"/batches/{batch['id']}", f"/generations/{generation}"):
            assert other.get(path).status_code == 404
        assert other.post(f"/generations/{generation}/cancel").status_code == 404
        assert other.post(f"/generations/{generation}/retry").status_code == 404
    for path in ("", "/original", "/thumbnail", "/download"):
        assert stranger.get(f"/images/{image}{path}").status_code == 404
    assert stranger.get(f"/team/members/{member.pk}").status_code == 404
    assert stranger.post(f"/team/members/{member.pk}/grant", {"credits": 1}).status_code == 404
    assert stranger.ask("delete", f"/images/{image}").status_code == 404
    assert stranger.get("/images").json()["items"] == []


def test_without_a_good_token_there_is_only_401(program, member):
    browser = Client(raise_request_exception=False)
    browser.force_login(member.user)
    for header in ("", "Bearer", "Bearer sdw_x", f"Basic {program.secret}", program.secret, "Bearer \x00"):
        answer = browser.get("/api/v1/credits", headers={"Authorization": header})
        assert code(answer) == (401, "unauthorized")
        assert answer["WWW-Authenticate"] == "Bearer"
    expired = Program(member, expires_at=timezone.now() + timedelta(seconds=60))
    Token.objects.filter(pk=expired.token.pk).update(expires_at=timezone.now())
    assert code(expired.get("/credits")) == (401, "unauthorized")
    Token.objects.filter(pk=program.token.pk).update(revoked_at=timezone.now())
    assert code(program.post("/generations", HARBOUR)) == (401, "unauthorized")


def test_every_answer_says_what_is_left_of_the_limit(program, settings):
    settings.API_REQUESTS_PER_TOKEN = 3
    answers = [
        program.get("/me"),
        program.get("/nothing"),
        program.get("/images?limit=0"),
        program.get("/me"),
    ]
    assert [each.status_code for each in answers] == [200, 404, 422, 200]
    assert [each.get("RateLimit-Remaining") for each in answers] == ["2", None, "1", "0"]
    refused = program.get("/me")
    assert code(refused) == (429, "rate_limited")
    assert (refused["RateLimit-Remaining"], refused["X-RateLimit-Limit"], refused["Retry-After"]) == (
        "0",
        "3",
        "20",
    )


def test_addresses_and_methods_that_are_not_there_are_refused_in_the_same_shape(program, boss):
    assert code(program.get("/no/such/thing")) == (404, "not_found")
    assert code(program.ask("delete", "/credits")) == (405, "method_not_allowed")
    assert program.ask("delete", "/credits")["Allow"] == "GET"
    assert code(boss.get("/team/members/99999999999999999999999")) == (404, "not_found")
    assert code(program.get("/images/not-an-id")) == (404, "not_found")


def test_the_document_describes_every_refusal_and_the_page_shows_it(client):
    document = client.get("/api/v1/openapi.json").json()
    create = document["paths"]["/api/v1/generations"]["post"]
    assert create["responses"]["402"]["content"]["application/json"]["example"]["error"]["code"]
    assert set(create["responses"]) == {
        "202",
        "400",
        "401",
        "402",
        "403",
        "404",
        "409",
        "413",
        "422",
        "429",
        "500",
        "503",
    }
    page = client.get("/api/docs/")
    assert page.status_code == 200
    assert "swagger-ui-bundle" in page.content.decode()
    assert "'unsafe-inline'" not in page["Content-Security-Policy"]
    assert "https://" not in page.content.decode().replace("http://www.w3.org", "")
    assert json.loads(page.content.decode().split('id="swagger-settings">')[1].split("</script>")[0])["url"]
