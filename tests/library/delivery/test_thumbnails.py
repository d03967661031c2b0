import re
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from html import unescape

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connections
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.utils import timezone

from generations.library.delivery import revocation, thumbnails
from generations.library.delivery import signed_urls as delivery_signed_urls
from generations.library.images import service as images_service
from generations.library.imaging import decode as imaging_decode
from generations.library.models import Image
from generations.library.storage import client as storage_client
from generations.library.trash import purge as trash_purge
from generations.teams.membership import join
from generations.teams.models import Membership, Role, Visibility
from tests.library.conftest import decoded, encoded, pixels


def url(client, image, member, size="small"):
    """The address of a thumbnail for the browser, in which the member is signed in from now on."""
    if client.session.get("_auth_user_id") != str(member.user_id):
        client.force_login(member.user, "allauth.account.auth_backends.AuthenticationBackend")
    return delivery_signed_urls.thumbnail_url(image, size, member, client.session.session_key)


def get(client, image, member, size="small"):
    return client.get(url(client, image, member, size))


@pytest.fixture
def show(client, member):
    """Asks for the member's thumbnail."""
    return lambda image, size="small": get(client, image, member, size)


def later(monkeypatch, hours):
    hour = delivery_signed_urls._current_hour()
    monkeypatch.setattr(delivery_signed_urls, "_current_hour", lambda: hour + hours)


@pytest.mark.parametrize(("size", "width"), [("small", 400), ("large", 800)])
@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg", "image/webp"])
def test_a_thumbnail_is_a_small_webp(show, make_image, media_type, size, width):
    encoding = media_type.removeprefix("image/")
    image = make_image(media_type=media_type, data=encoded(pixels((1024, 512)), encoding))
    answer = show(image, size)
    assert answer["Content-Type"] == "image/webp"
    assert answer["Cache-Control"] == "private, max-age=3600"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert decoded(answer.content).format == "WEBP"
    assert decoded(answer.content).size == (width, width // 2)


def test_a_small_picture_is_not_enlarged(client, member, make_image):
    image = make_image(member, data=encoded(pixels((100, 60))))
    assert decoded(get(client, image, member).content).size == (100, 60)


def test_transparency_stays(client, member, make_image):
    image = make_image(member, data=encoded(pixels(mode="RGBA").convert("P")))
    assert decoded(get(client, image, member).content).format == "WEBP"
    seen_through = make_image(member, data=encoded(pixels(mode="RGBA")))
    assert decoded(get(client, seen_through, member).content).mode == "RGBA"


def test_the_second_request_needs_no_database_query(sign_in, member, make_image, django_assert_num_queries):
    image = make_image(member)
    signed_in = sign_in(member)
    address = url(signed_in, image, member)
    first = signed_in.get(address).content
    with django_assert_num_queries(0):
        assert signed_in.get(address).content == first


def test_the_first_request_saves_a_placeholder(client, member, make_image):
    image = make_image(member, data=encoded(pixels((1024, 512))))
    get(client, image, member)
    image.refresh_from_db()
    assert image.placeholder.startswith("data:image/webp;base64,")
    assert len(image.placeholder) < 700


def test_a_signed_url_is_valid_in_its_hour_and_the_next(client, member, make_image, monkeypatch):
    image = make_image(member)
    address = url(client, image, member)
    later(monkeypatch, 1)
    assert client.get(address).status_code == 200
    later(monkeypatch, 1)
    assert client.get(address).status_code == 404


def test_an_invalid_signature_needs_no_database_query(
    client, member, make_image, monkeypatch, django_assert_num_queries
):
    image, other = make_image(member), make_image(member)
    address = url(client, image, member)
    assert client.get(address).status_code == 200
    path, _, ticket = address.partition("?ticket=")
    name, _, seal = ticket.partition(".")
    forged = [
        path,
        f"{path}?ticket=",
        f"{path}?ticket={'9' * 5000}.{seal}",
        f"{path}?ticket=٣.{seal}",
        f"{path}?ticket={name}.ü",
        f"{path}?ticket={member.pk + 1}.{seal}",
        f"{path}?ticket={name}.{seal[:-1]}",
        address.replace("/small", "/large"),
        address.replace("/small", "/huge"),
        address.replace(str(image.pk), str(other.pk)),
        address.replace(f"/t/{member.team.slug}/", "/t/elsewhere/"),
    ]
    with django_assert_num_queries(0):
        assert [client.get(address).status_code for address in forged] == [404] * len(forged)
        later(monkeypatch, 2)
        assert client.get(address).status_code == 404


def test_an_address_opens_nothing_without_the_session_that_it_was_made_for(
    client, member, teammate, sign_in, make_image
):
    image, phone = make_image(member), sign_in(member)
    address = url(client, image, member)
    assert client.get(address).status_code == 200
    assert "Cookie" in client.get(address)["Vary"]
    forger = Client()
    forger.cookies[settings.SESSION_COOKIE_NAME] = ""
    for other in (Client(), forger, sign_in(teammate), phone):
        assert other.get(address).status_code == 404
    assert phone.get(url(phone, image, member)).status_code == 200
    client.post("/accounts/logout/")
    assert client.get(address).status_code == 404


def test_an_address_that_no_session_has_signed_opens_nothing(client, member, make_image):
    image = make_image(member)
    session = url(client, image, member) and client.session.session_key
    address = delivery_signed_urls.thumbnail_url(image, "small", member)
    assert client.get(address).status_code == Client().get(address).status_code == 404
    html = f'<img src="{address}" srcset="{address} 1x"> 港'.encode()
    signed = delivery_signed_urls.sign_for_session(html, session).decode()
    assert signed.count(delivery_signed_urls.thumbnail_url(image, "small", member, session)) == 2
    assert signed.endswith("港")
    assert client.get(re.findall(r'src="([^"]+)"', signed)[0]).status_code == 200


@pytest.mark.parametrize(
    "ticket", ["{member}." + "0" * 32, "{member}.unsigned", "x", "9" * 19 + "." + "a" * 32]
)
def test_a_prompt_that_looks_like_an_address_is_not_signed(client, member, stranger, make_image, ticket):
    image = make_image(stranger, visibility="private")
    session = url(client, make_image(member), member) and client.session.session_key
    ticket = ticket.format(member=stranger.pk)
    html = f"/t/{stranger.team.slug}/thumbnail/{image.pk}/small?ticket={ticket}".encode()
    assert delivery_signed_urls.sign_for_session(html, session) == html
    hyphens = f"/t/x/thumbnail/{'-' * 36}/small?ticket=1.{'0' * 32}".encode()
    assert delivery_signed_urls.sign_for_session(hyphens, session) == hyphens


def test_an_unknown_size_is_not_found(client, member, make_image):
    image = make_image(member)
    assert get(client, image, member, "huge").status_code == 404


def test_no_thumbnail_is_made_of_a_trashed_image(client, member, make_image):
    image = make_image(member)
    Image.objects.update(trashed_at=timezone.now())
    assert get(client, image, member).status_code == 404


def test_no_thumbnail_is_made_for_those_who_may_not_see_the_image(
    client, member, teammate, stranger, make_image
):
    image = make_image(member, visibility="private")
    assert get(client, image, teammate).status_code == 404
    assert get(client, image, stranger).status_code == 404
    assert get(client, image, member).status_code == 200


def test_no_thumbnail_is_made_for_a_former_member(client, member, teammate, make_image):
    image = make_image(member)
    address = url(client, image, teammate)
    type(teammate).objects.filter(pk=teammate.pk).update(ended_at=timezone.now())
    assert client.get(address).status_code == 404


# Addresses that were revoked -----------------------------------------------------------------


def sign_out_elsewhere(client, member, image):
    Session.objects.filter(session_key=client.session.session_key).delete()


def expire(client, member, image):
    Session.objects.update(expire_date=timezone.now())


def change_password(client, member, image):
    member.user.set_password("another correct horse")
    member.user.save()


def end_membership(client, member, image):
    type(member).objects.filter(pk=member.pk).update(ended_at=timezone.now())


def close_team(client, member, image):
    type(member.team).objects.update(deactivated_at=timezone.now())


def deactivate(client, member, image):
    type(member.user).objects.filter(pk=member.user_id).update(is_active=False)


def sign_in_as_another(client, member, image):
    session = client.session
    session["_auth_user_id"] = str(member.user_id + 1)
    session.save()


def trash(client, member, image):
    images_service.trash(member=member, images=[image.pk])


def purge(client, member, image):
    trash(client, member, image)
    assert trash_purge.purge(member=member, images=[image.pk]) == [image.pk]


@pytest.mark.parametrize(
    "revoke",
    [
        sign_out_elsewhere,
        expire,
        change_password,
        end_membership,
        close_team,
        deactivate,
        sign_in_as_another,
        trash,
        purge,
    ],
)
def test_an_address_opens_for_seconds_after_it_was_revoked(client, member, make_image, monkeypatch, revoke):
    image, other = make_image(member), make_image(member)
    address, beside = url(client, image, member), url(client, other, member)
    assert client.get(address).status_code == client.get(beside).status_code == 200
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    revoke(client, member, image)
    client.cookies[settings.SESSION_COOKIE_NAME] = cookie
    clock = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() + 6)
    assert client.get(address).status_code == 404
    assert client.get(beside).status_code == (200 if revoke in (trash, purge) else 404)


def test_a_picture_made_private_opens_for_its_owner_alone(
    sign_in, member, teammate, make_image, monkeypatch, django_assert_num_queries
):
    image, other = make_image(member), make_image(member)
    owner, colleague = sign_in(member), sign_in(teammate)
    own, address, beside = (
        delivery_signed_urls.thumbnail_url(shown, "small", who, client.session.session_key)
        for shown, who, client in (
            (image, member, owner),
            (image, teammate, colleague),
            (other, teammate, colleague),
        )
    )
    assert colleague.get(address).status_code == colleague.get(beside).status_code == 200
    images_service.set_visibility(member=member, images=[image.pk], visibility=Visibility.PRIVATE)
    clock = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() + 6)
    assert colleague.get(address).status_code == 404
    assert owner.get(own).status_code == 200
    with django_assert_num_queries(0):
        assert colleague.get(beside).status_code == 200
    images_service.set_visibility(member=member, images=[image.pk], visibility=Visibility.TEAM)
    assert colleague.get(address).status_code == 200


def become_member(asking, owner):
    Membership.objects.filter(pk=asking.pk).update(role=Role.MEMBER)


def come_back(asking, owner):
    join(owner.user, owner.team)


@pytest.mark.parametrize("change", [become_member, come_back])
def test_a_picture_of_who_left_opens_no_longer_than_the_owners_of_the_team_may_see_it(
    sign_in, member, teammate, make_image, monkeypatch, django_assert_num_queries, change
):
    Membership.objects.filter(pk=member.pk).update(role=Role.OWNER)
    member.refresh_from_db()
    old, shown = make_image(teammate, visibility="private"), make_image(teammate)
    Membership.objects.filter(pk=teammate.pk).update(ended_at=timezone.now())
    client = sign_in(member)
    address, beside = url(client, old, member), url(client, shown, member)
    assert client.get(address).status_code == client.get(beside).status_code == 200
    with django_assert_num_queries(0):
        assert client.get(address).status_code == 200
    change(member, teammate)
    clock = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() + 6)
    assert client.get(address).status_code == 404
    assert client.get(beside).status_code == 200


def test_who_becomes_a_viewer_sees_their_own_private_pictures_no_longer(
    sign_in, member, make_image, monkeypatch
):
    image, client = make_image(member, visibility="private"), sign_in(member)
    address = url(client, image, member)
    assert client.get(address).status_code == 200
    Membership.objects.filter(pk=member.pk).update(role=Role.VIEWER)
    clock = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() + 6)
    assert client.get(address).status_code == 404


def test_an_address_made_before_an_upgrade_opens_what_the_role_sees_now(sign_in, member, make_image):
    image, client = make_image(member), sign_in(member)
    before = url(client, image, member)
    Membership.objects.filter(pk=member.pk).update(role=Role.OWNER)
    assert client.get(before).status_code == 200


def test_an_address_opens_again_once_the_image_is_restored(client, member, make_image):
    image = make_image(member)
    address = url(client, image, member)
    trash(client, member, image)
    assert client.get(address).status_code == 404
    images_service.restore(member=member, images=[image.pk])
    assert client.get(address).status_code == 200


def test_after_much_was_trashed_each_image_is_looked_up(client, member, make_image, monkeypatch):
    monkeypatch.setattr(revocation, "MAX_WITHDRAWN", 3)
    images = [make_image(member) for _ in range(6)]
    addresses = [url(client, image, member) for image in images]
    assert [client.get(address).status_code for address in addresses] == [200] * 6
    images_service.trash(member=member, images=[image.pk for image in images[:5]])
    revocation.forget()
    assert [client.get(address).status_code for address in addresses] == [404] * 5 + [200]


def test_a_page_of_thumbnails_asks_once_who_may_see_them(
    client, member, make_image, django_assert_num_queries
):
    addresses = [url(client, make_image(member), member) for _ in range(5)]
    assert [client.get(address).status_code for address in addresses] == [200] * 5
    revocation.forget()
    with django_assert_num_queries(4):
        assert [client.get(address).status_code for address in addresses] == [200] * 5


def test_an_object_that_is_no_image_has_no_thumbnail(client, member, make_image):
    image = make_image(member)
    storage_client.put(image.key, b"<html>", media_type="image/png")
    assert get(client, image, member).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_forty_tiles_at_once_decode_the_picture_once(member, make_image, monkeypatch):
    image = make_image(member, data=encoded(pixels((1536, 1536))))
    opened, really = [], imaging_decode.open_image
    monkeypatch.setattr(imaging_decode, "open_image", lambda *a, **k: opened.append(1) or really(*a, **k))
    together = threading.Barrier(40)

    def ask(_number):
        together.wait()
        try:
            return thumbnails.get_or_make(image, "small")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(40) as tiles:
        assert len(set(tiles.map(ask, range(40)))) == 1
    assert len(opened) == 1
    assert not thumbnails._running


def test_an_unavailable_storage_is_503_and_the_next_request_tries_again(client, member, make_image, settings):
    image = make_image(member)
    images = settings.STORAGES["images"]
    away = images | {"OPTIONS": images["OPTIONS"] | {"endpoint_url": "http://127.0.0.1:9"}}
    settings.STORAGES = settings.STORAGES | {"images": away}
    answer = get(client, image, member)
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert answer["Cache-Control"] == "no-store"
    assert "does not answer" in answer.content.decode()


def test_the_template_tag_has_all_attributes_of_an_img(client, member, make_image):
    image = make_image(member)
    url(client, image, member)
    request = RequestFactory().get("/")
    request.session = client.session
    written = Template(
        "{% load library %}{% thumbnail image member as t %}{{ t.src }}|{{ t.srcset }}|{{ t.width }}"
    ).render(Context({"image": image, "member": member, "request": request}))
    src, srcset, width = unescape(written).split("|")
    assert width == "320"
    assert re.fullmatch(r"(\S+) 2x", srcset)  # beside src, for one
    assert [client.get(address).status_code for address in (src, *re.findall(r"/\S+", srcset))] == [200] * 2


def test_an_unknown_image_is_not_found(client, member):
    nothing = Image(pk=uuid.uuid4())
    assert get(client, nothing, member).status_code == 404
