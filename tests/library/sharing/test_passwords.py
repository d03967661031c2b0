"""Links behind a password: who is let in, and that nothing is had without it."""

import pytest
from django.core.cache import cache
from django.test import Client

from generations.library.models import Share
from generations.library.sharing import service as sharing_service
from generations.library.sharing.service import Options
from tests.library.conftest import address
from tests.library.share_links import PERSON, SECRET_PROMPT, collect, every_address, path_of
from tests.markup import compact

PASSWORD = "heron in the reeds"


@pytest.fixture
def locked(member, make_image, collection):
    """Links with a password to an image and to a collection, each with an image that it shows."""
    image = make_image(prompt=SECRET_PROMPT)
    collect(collection, image)
    options = Options(password=PASSWORD, title="Herons", shows_prompt=True)
    return [
        (sharing_service.share_image(member=member, image=image.pk, options=options), image),
        (
            sharing_service.share_collection(member=member, collection=collection.pk, options=options),
            image,
        ),
    ]


def tell(visitor, share, password):
    return visitor.post(path_of(share, "unlock"), {"password": password})


def everything(share, image):
    more = [path_of(share, image.pk, "card.jpg")]
    return [*every_address(share, image), *more, *([path_of(share, "zip")] if share.shows_many else [])]


def test_the_password_opens_pages_thumbnails_files_and_zip_and_nothing_else_does(visitor, locked):
    for share, image in locked:
        for path in everything(share, image):
            answer = visitor.get(path, headers={"Sec-Fetch-Dest": "image"})
            assert answer.status_code == 403, path
            page = visitor.get(path).content.decode()
            for secret in ("Herons", SECRET_PROMPT, str(image.pk), "og:", image.team.name):
                assert secret not in page, path
        assert 'name="password"' in visitor.get(path_of(share)).content.decode()
        refused = tell(visitor, share, "a guess")
        assert refused.status_code == 422
        assert "That is not the password of this link." in refused.content.decode()
        assert refused.cookies == {}
        let_in = tell(visitor, share, PASSWORD)
        assert let_in["Location"] == path_of(share)
        cookie = let_in.cookies["shared"]
        assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (path_of(share), True, "Lax")
        assert PASSWORD not in cookie.value
        for path in everything(share, image):
            assert visitor.get(path, headers={"Sec-Fetch-Dest": "image"}).status_code == 200, path
        assert "Herons" in visitor.get(path_of(share)).content.decode()


def test_a_password_is_kept_as_a_hash(locked):
    for share, _image in locked:
        assert PASSWORD not in Share.objects.get(pk=share.pk).password
        assert sharing_service.is_password(share, PASSWORD)


def test_what_opens_one_link_opens_no_other_and_a_new_password_closes_it(visitor, member, locked):
    (one, image), (other, _image) = locked
    proof = tell(visitor, one, PASSWORD).cookies["shared"].value
    other_visitor = Client(headers=PERSON)
    other_visitor.cookies["shared"] = proof
    assert "og:" not in other_visitor.get(path_of(other)).content.decode()
    assert 'name="password"' in other_visitor.get(path_of(other)).content.decode()
    assert str(image.pk) in other_visitor.get(path_of(one)).content.decode()
    unchanged = {"title": "", "shows_prompt": False, "lifetime": None}
    sharing_service.change(member=member, share=one.pk, password="another one", **unchanged)
    assert 'name="password"' in other_visitor.get(path_of(one)).content.decode()
    sharing_service.change(member=member, share=one.pk, password="", **unchanged)
    assert str(image.pk) in Client(headers=PERSON).get(path_of(one)).content.decode()


def test_guessing_is_slowed_down_by_address_and_by_link(visitor, locked, settings):
    (share, _image), _other = locked
    answers = [tell(visitor, share, f"guess {number}").status_code for number in range(11)]
    assert answers == [422] * 10 + [429]
    assert tell(visitor, share, PASSWORD).status_code == 429
    cache.clear()
    settings.ACCOUNT_RATE_LIMITS = {"share_password": "10/m/ip,3/h/key"}
    from_everywhere = [Client(headers=PERSON, REMOTE_ADDR=f"198.51.100.{number}") for number in range(4)]
    answers = [tell(each, share, "a guess").status_code for each in from_everywhere]
    assert answers == [422, 422, 422, 429]


def test_a_link_without_a_password_is_opened_by_none(visitor, member, make_image):
    share = sharing_service.share_image(member=member, image=make_image().pk)
    answer = tell(visitor, share, "anything")
    assert answer["Location"] == path_of(share)
    assert answer.cookies == {}


def test_a_revoked_link_asks_for_no_password(visitor, member, locked):
    for share, _image in locked:
        sharing_service.revoke(member=member, share=share.pk)
        assert visitor.get(path_of(share)).status_code == 404
        assert tell(visitor, share, PASSWORD).status_code == 404


def test_the_dialog_sets_changes_and_removes_a_password(sign_in, member, teammate, make_image, visitor):
    image, browser = make_image(), sign_in(member)
    filled = {"image": image.pk, "expires": "7", "password": PASSWORD}
    assert browser.post(address("share", member), filled | {"password": "short"}).status_code == 422
    browser.post(address("share", member), filled)
    share = Share.objects.get()
    assert sharing_service.is_password(share, PASSWORD)
    change = address("change_share", member, share.pk)
    form = compact(browser.get(change).content.decode())
    assert 'placeholder="Unchanged"' in form
    assert PASSWORD not in form
    assert share.password not in form
    assert sign_in(teammate).post(change, {"expires": "keep"}).status_code == 404
    browser.post(change, {"expires": "keep"})
    assert sharing_service.is_password(Share.objects.get(), PASSWORD)
    browser.post(change, {"expires": "keep", "without_password": "on"})
    assert str(image.pk) in visitor.get(path_of(share)).content.decode()
