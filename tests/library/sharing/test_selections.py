"""Links to images that were selected, their zip, their card, and what can be changed afterwards."""

import io
import re
import uuid
import zipfile

import pytest
from django.utils import timezone

from generations.library.images import service as images_service
from generations.library.models import Image, Share
from generations.library.sharing import files as sharing_files
from generations.library.sharing import listing as sharing_listing
from generations.library.sharing import service as sharing_service
from generations.library.sharing.service import Options
from generations.library.trash import purge as trash_purge
from generations.teams.models import Visibility
from tests.library.conftest import address, decoded, encoded, pixels, pks
from tests.library.share_links import SECRET_PROMPT, answers, collect, every_address, path_of
from tests.markup import compact


def share_them(member, *images, **options):
    return sharing_service.share_selection(member=member, images=pks(*images), options=Options(**options))


def zipped(visitor, share):
    answer = visitor.get(path_of(share, "zip"))
    assert answer["Content-Type"] == "application/zip"
    return answer, zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))


# A selection -----------------------------------------------------------------------------


def test_one_link_shows_what_was_selected_and_nothing_else(visitor, sign_in, member, make_image):
    images, other = [make_image(seed=number) for number in range(3)], make_image()
    browser, form = sign_in(member), {"image": pks(*images), "all": "", "search": ""}
    dialog = browser.post(address("share", member), form, headers={"HX-Request": "true"})
    page = compact(dialog.content.decode())
    assert page.startswith('<dialog id="share-dialog"')
    assert "Share 3 pictures" in page
    named = re.findall(r'<input type="hidden" name="image" value="([^"]+)">', page)
    assert set(named) == {str(image.pk) for image in images}
    sent = {"image": named, "expires": "7", "title": "For the board"}
    done = browser.post(address("share", member), sent, headers={"HX-Request": "true"})
    share = Share.objects.get()
    assert sharing_service.share_url(share) in done.content.decode()
    shown = visitor.get(path_of(share)).content.decode()
    assert "For the board" in shown
    assert member.team.name in shown
    assert "3 pictures" in shown
    assert all(str(image.pk) in shown for image in images)
    for image in images:
        assert answers(visitor, share, image) == {200}
    assert {visitor.get(path).status_code for path in every_address(share, other)[1:]} == {404}


def test_all_that_a_search_finds_is_shared_at_once(sign_in, member, make_image):
    for number in range(3):
        make_image(prompt="a fox", seed=number)
    make_image(prompt="a hen")
    form = {"all": "1", "search": "q=fox", "expires": "7"}
    sign_in(member).post(address("share", member), form)
    assert sharing_service.visible_images(Share.objects.get()).count() == 3


def test_too_many_are_refused_with_what_to_do(sign_in, member, make_image, monkeypatch):
    monkeypatch.setattr(sharing_service, "MAX_SELECTED", 2)
    images = [make_image(seed=number) for number in range(3)]
    answer = sign_in(member).post(address("share", member), {"image": pks(*images), "expires": "7"})
    assert answer.status_code == 422
    assert "Put them into a collection" in answer.content.decode()
    with pytest.raises(sharing_service.TooManySelected):
        share_them(member, *images)
    assert not Share.objects.exists()


def test_a_selection_leaves_out_what_may_not_be_shared(sign_in, member, teammate, stranger, make_image):
    own = [make_image(seed=1), make_image(seed=2)]
    hidden, foreign = make_image(teammate, visibility="private"), make_image(stranger)
    chosen = {"image": pks(*own, hidden, foreign), "expires": "7"}
    sign_in(member).post(address("share", member), chosen)
    assert set(sharing_service.visible_images(Share.objects.get())) == set(own)
    nothing = {"image": [*pks(hidden, foreign)], "expires": "7"}
    assert sign_in(member).post(address("share", member), nothing).status_code == 404
    with pytest.raises(Image.DoesNotExist):
        share_them(member, hidden)


def test_a_selection_loses_what_is_trashed_hidden_or_deleted_and_then_shows_nothing(
    visitor, member, teammate, make_image
):
    theirs, trashed, purged = make_image(teammate), make_image(), make_image()
    share = share_them(member, theirs, trashed, purged)
    images_service.trash(member=member, images=pks(trashed, purged))
    trash_purge.purge(member=member, images=pks(purged))
    assert set(sharing_service.visible_images(share)) == {theirs}
    assert {visitor.get(path).status_code for path in every_address(share, trashed)[1:]} == {404}
    images_service.set_visibility(member=teammate, images=pks(theirs), visibility=Visibility.PRIVATE)
    assert visitor.get(path_of(share)).status_code == 404
    [row] = sharing_listing.rows(member, [Share.objects.select_related("maker__team", "maker__user").get()])
    assert not row.is_working
    images_service.restore(member=member, images=pks(trashed))
    assert visitor.get(path_of(share)).status_code == 200


def test_the_list_of_links_says_how_many_pictures_a_selection_has(sign_in, member, curator, make_image):
    images = [make_image(seed=1), make_image(visibility="private", seed=2, prompt=SECRET_PROMPT)]
    share = share_them(member, *images)
    page = compact(sign_in(member).get(address("shares", member)).content.decode())
    assert "2 pictures" in page
    assert sharing_service.token(share.pk) in page
    seen = compact(sign_in(curator).get(address("shares", curator)).content.decode())
    assert "1 picture" in seen
    assert sharing_service.token(share.pk) not in seen
    assert SECRET_PROMPT not in seen


# Zip -------------------------------------------------------------------------------------


def test_a_collection_and_a_selection_are_had_as_a_zip(visitor, member, make_image, collection):
    images = [make_image(seed=number, data=encoded(pixels(seed=number))) for number in range(3)]
    collect(collection, *images)
    images_service.set_title(member=member, image=images[0].pk, title="Heron")
    by_name = sharing_service.share_collection(member=member, collection=collection.pk)
    chosen = share_them(member, *images, title="Birds of spring")
    for share, name in ((by_name, "spring.zip"), (chosen, "birds-of-spring.zip")):
        answer, archive = zipped(visitor, share)
        assert name in answer["Content-Disposition"]
        assert answer["Cache-Control"] == "no-store"
        assert len(archive.namelist()) == 3
        assert "heron.png" in archive.namelist()
        assert archive.testzip() is None
        whole = {decoded(archive.read(entry)).tobytes() for entry in archive.namelist()}
        assert whole == {pixels(seed=number).tobytes() for number in range(3)}


def test_files_in_a_zip_tell_the_prompt_only_if_the_link_does(visitor, member, make_image):
    images = [make_image(prompt=SECRET_PROMPT, seed=number) for number in range(2)]
    for shows_prompt in (False, True):
        _answer, archive = zipped(visitor, share_them(member, *images, shows_prompt=shows_prompt))
        for entry in archive.namelist():
            assert ("teapot" in entry) == shows_prompt
            assert (SECRET_PROMPT.encode() in archive.read(entry)) == shows_prompt


def test_a_zip_ends_when_its_link_is_revoked_and_few_are_sent_at_once(visitor, member, make_image):
    share = share_them(member, make_image(), make_image())
    answer = visitor.get(path_of(share, "zip"))
    sharing_service.revoke(member=member, share=share.pk)
    with pytest.raises(sharing_service.LinkNotFound):
        b"".join(answer.streaming_content)
    assert sharing_files.ShareZip.sending == 0


def test_a_zip_ends_when_one_of_its_pictures_is_shown_no_more(visitor, member, make_image):
    images = [make_image(), make_image()]
    answer = visitor.get(path_of(share_them(member, *images), "zip"))
    images_service.trash(member=member, images=[images[1].pk])
    with pytest.raises(sharing_service.LinkNotFound):
        b"".join(answer.streaming_content)


def test_a_process_sends_few_zips_at_once(visitor, member, make_image, monkeypatch):
    share = share_them(member, make_image(), make_image())
    monkeypatch.setattr(sharing_files.ShareZip, "sending", sharing_files.MAX_ZIPS)
    assert visitor.get(path_of(share, "zip")).status_code == 429


def test_a_link_to_one_image_has_no_zip(visitor, member, make_image):
    share = sharing_service.share_image(member=member, image=make_image().pk)
    assert visitor.get(path_of(share, "zip")).status_code == 404


# The card that chat programs show -----------------------------------------------------------


def card(page):
    return dict(re.findall(r'<meta property="og:(\S+)" content="([^"]*)">', compact(page)))


def test_a_link_has_a_card_with_a_picture_its_title_and_the_teams_name(
    visitor, member, make_image, collection, settings
):
    image = make_image(prompt=SECRET_PROMPT)
    images_service.set_title(member=member, image=image.pk, title="Heron")
    collect(collection, image)
    for share, title in (
        (sharing_service.share_image(member=member, image=image.pk), "Heron"),
        (sharing_service.share_collection(member=member, collection=collection.pk), "Spring"),
        (share_them(member, image, make_image(), title="Birds"), "Birds"),
    ):
        said = card(visitor.get(path_of(share)).content.decode())
        assert said["title"] == title
        assert said["site_name"] == member.team.name
        assert said["url"] == sharing_service.share_url(share)
        assert said["image"].startswith(settings.PUBLIC_URL)
        assert SECRET_PROMPT not in str(said)
        picture = visitor.get(said["image"].removeprefix(settings.PUBLIC_URL))
        assert decoded(picture.content).format == "JPEG"
    shown = sharing_service.share_image(
        member=member, image=image.pk, options=Options(shows_prompt=True, title="Another title")
    )
    said = card(visitor.get(path_of(shown)).content.decode())
    assert said["description"] == SECRET_PROMPT
    robots = visitor.get("/robots.txt").content.decode()
    assert "User-agent: Twitterbot" in robots.partition("Allow: /s/")[0]
    assert robots.endswith("User-agent: *\nDisallow: /s/\n")


# Changed afterwards -------------------------------------------------------------------------


def test_prompt_title_and_end_are_changed_afterwards(sign_in, visitor, member, curator, make_image):
    image = make_image(prompt=SECRET_PROMPT)
    share = sharing_service.share_image(member=member, image=image.pk, options=Options(title="Old"))
    browser, change = sign_in(member), address("change_share", member, share.pk)
    dialog = compact(browser.get(change, headers={"HX-Request": "true"}).content.decode())
    assert dialog.startswith('<dialog id="share-dialog"')
    assert 'value="Old"' in dialog
    assert 'value="keep" checked' in dialog
    wanted = {"title": "New", "shows_prompt": "on", "expires": "keep"}
    assert sign_in(curator).post(change, wanted).status_code == 404  # it is not theirs
    assert browser.post(change, wanted | {"expires": "8"}).status_code == 422
    answer = browser.post(change, wanted, headers={"HX-Request": "true"})
    assert sharing_service.share_url(share) in answer.content.decode()
    page = visitor.get(path_of(share)).content.decode()
    assert "New" in page
    assert SECRET_PROMPT in page
    assert Share.objects.get().expires_at == share.expires_at
    browser.post(change, {"title": "", "expires": "never"})
    assert Share.objects.get().expires_at is None
    assert SECRET_PROMPT not in visitor.get(path_of(share)).content.decode()
    sharing_service.revoke(member=member, share=share.pk)
    assert browser.post(change, wanted).status_code == 404
    assert browser.get(address("change_share", member, uuid.uuid4())).status_code == 404


def test_a_link_to_what_was_made_private_meanwhile_tells_nothing_of_it(sign_in, member, teammate, make_image):
    image = make_image(teammate, prompt=SECRET_PROMPT)
    share = sharing_service.share_image(member=member, image=image.pk)
    images_service.set_visibility(member=teammate, images=pks(image), visibility=Visibility.PRIVATE)
    for ask in (sign_in(member).get, sign_in(member).post):
        answer = ask(address("change_share", member, share.pk))
        assert answer.status_code == 404
        assert SECRET_PROMPT not in answer.content.decode()


def test_an_expired_link_is_not_changed(member, make_image):
    share = sharing_service.share_image(member=member, image=make_image().pk)
    Share.objects.filter(pk=share.pk).update(expires_at=timezone.now())
    with pytest.raises(Share.DoesNotExist):
        sharing_service.change(
            member=member, share=share.pk, title="", shows_prompt=True, lifetime=None, password=None
        )
