"""Members create, list and revoke share links."""

import re
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from generations.library.images import service as images_service
from generations.library.models import Collection, Image, Share
from generations.library.organise import service as organise_service
from generations.library.sharing import listing as sharing_listing
from generations.library.sharing import service as sharing_service
from generations.teams import membership
from generations.teams.models import Visibility
from tests.library.conftest import encoded, pixels
from tests.library.share_links import SECRET_PROMPT, collect, path_of
from tests.markup import compact

# Making, and taking back ------------------------------------------------------------


def ask(client, member, method="get", *, part=False, **fields):
    address = reverse("library:share", args=[member.team.slug])
    headers = {"HX-Request": "true"} if part else {}
    return getattr(client, method)(address, fields, headers=headers)


def test_a_member_creates_a_link_in_a_dialog(sign_in, visitor, member, make_image):
    image, signed_in = make_image(), sign_in(member)
    dialog = compact(ask(signed_in, member, part=True, image=image.pk).content.decode())
    assert dialog.startswith('<dialog id="share-dialog"')
    assert re.search(r'value="7" checked', dialog)
    assert not re.search(r'name="shows_prompt"[^>]* checked', dialog)
    part = ask(signed_in, member, "post", part=True, image=image.pk, expires="30", shows_prompt="on")
    link = sharing_service.share_url(Share.objects.get())
    assert f'data-copy="{link}"' in part.content.decode()
    assert part.content.decode().strip().startswith('<div id="share"')
    assert Share.objects.get().shows_prompt
    assert Share.objects.get().expires_at - timezone.now() > timedelta(days=29)
    assert visitor.get(link.removeprefix("http://127.0.0.1:8000")).status_code == 200
    again = ask(signed_in, member, part=True, image=image.pk).content.decode()
    assert link in again  # it is offered before a second one is made


def test_without_scripts_a_link_is_created_on_pages(sign_in, member, make_image, collection):
    signed_in = sign_in(member)
    for named in ({"image": make_image().pk}, {"collection": collection.pk}):
        assert b"<html" in ask(signed_in, member, **named).content
        answer = ask(signed_in, member, "post", expires="never", **named)
        assert answer.status_code == 302
        assert (
            sharing_service.share_url(Share.objects.order_by("created_at").last())
            in signed_in.get(answer["Location"]).content.decode()
        )


def test_a_button_of_another_form_opens_the_dialog_and_creates_nothing(sign_in, member, make_image):
    image = make_image()
    answer = ask(sign_in(member), member, "post", image=image.pk, search="q=fox", all="")
    assert answer.status_code == 200
    assert b'role="alert"' not in answer.content
    assert str(image.pk).encode() in answer.content
    assert not Share.objects.exists()


def test_an_incomplete_form_shows_its_errors(sign_in, member, make_image):
    for expires in ("", "8", "for ever", "1\x00"):
        answer = ask(sign_in(member), member, "post", part=True, image=make_image().pk, expires=expires)
        assert answer.status_code == 422
        assert b'role="alert"' in answer.content
    assert not Share.objects.exists()


def test_nobody_shares_what_they_may_not_see(sign_in, member, teammate, viewer, stranger, make_image):
    private, trashed, foreign = make_image(visibility="private"), make_image(), make_image(stranger)
    images_service.trash(member=member, images=[trashed.pk])
    kept = organise_service.create_collection(member=member, name="Mine", visibility=Visibility.PRIVATE)
    theirs = organise_service.create_collection(member=stranger, name="Theirs", visibility=Visibility.TEAM)
    signed_in = sign_in(teammate)
    nothing = [{"image": found.pk} for found in (private, trashed, foreign)]
    nothing += [{"collection": found.pk} for found in (kept, theirs)]
    nothing += [{}, {"image": "x"}, {"image": "\x00"}, {"image": uuid.uuid4()}, {"collection": "1" * 99}]
    nothing += [{"image": make_image().pk, "collection": kept.pk}]
    for named in nothing:
        assert ask(signed_in, teammate, **named).status_code == 404, named
        assert ask(signed_in, teammate, "post", expires="7", **named).status_code == 404, named
    shown = make_image()
    assert ask(sign_in(viewer), viewer, image=shown.pk).status_code == 403
    with pytest.raises(Image.DoesNotExist):
        sharing_service.share_image(member=viewer, image=shown.pk)
    with pytest.raises(Image.DoesNotExist):
        sharing_service.share_image(member=teammate, image=private.pk)
    with pytest.raises(Collection.DoesNotExist):
        sharing_service.share_collection(member=teammate, collection=kept.pk)
    assert not Share.objects.exists()


def test_a_link_is_revoked_by_its_maker_and_by_curators(
    member, teammate, curator, viewer, stranger, make_image
):
    image = make_image()
    share = sharing_service.share_image(member=member, image=image.pk)
    for other in (teammate, viewer, stranger):
        with pytest.raises(Share.DoesNotExist):
            sharing_service.revoke(member=other, share=share.pk)
    assert sharing_service.revoke(member=member, share=share.pk)
    assert not sharing_service.revoke(member=member, share=share.pk)
    another = sharing_service.share_image(member=member, image=image.pk)
    assert sharing_service.revoke(member=curator, share=another.pk)


def test_a_link_is_revoked_on_the_page(sign_in, visitor, member, teammate, make_image):
    image = make_image()
    share = sharing_service.share_image(member=member, image=image.pk)
    take_back = reverse("library:revoke_share", args=[member.team.slug, share.pk])
    assert sign_in(teammate).post(take_back).status_code == 404
    assert visitor.get(path_of(share)).status_code == 200
    part = sign_in(member).post(take_back, headers={"HX-Request": "true"})
    assert "revoked" in part.content.decode()
    assert visitor.get(path_of(share)).status_code == 404
    assert sign_in(member).post(take_back).status_code == 302


# The page of links ------------------------------------------------------------


def listed(client, member, **query):
    answer = client.get(reverse("library:shares", args=[member.team.slug]), query)
    assert answer.status_code == 200
    return answer


def test_a_member_sees_their_links_and_a_curator_all_of_the_teams(
    sign_in, member, teammate, curator, stranger, make_image
):
    image = make_image()
    mine = sharing_service.share_image(member=member, image=image.pk)
    theirs = sharing_service.share_image(member=teammate, image=image.pk)
    sharing_service.share_image(member=stranger, image=make_image(stranger).pk)
    ended = sharing_service.share_image(member=member, image=image.pk)
    sharing_service.revoke(member=member, share=ended.pk)

    def seen(who, **query):
        return {link.share for link in listed(sign_in(who), who, **query).context["links"]}

    assert seen(member) == {mine}
    assert seen(member, over="1") == {ended}
    assert seen(curator) == {mine, theirs}
    assert seen(teammate, over="1") == set()


def test_a_curator_does_not_see_the_targets_of_private_links(
    sign_in, member, curator, make_image, collection
):
    private = make_image(visibility="private", prompt=SECRET_PROMPT)
    collect(collection, private)
    one = sharing_service.share_image(member=member, image=private.pk)
    many = sharing_service.share_collection(member=member, collection=collection.pk)
    page = listed(sign_in(curator), curator).content.decode()
    assert SECRET_PROMPT not in page
    assert str(private.pk) not in page
    for share in (one, many):
        assert sharing_service.token(share.pk) not in page
        assert sharing_service.token(share.pk) in listed(sign_in(member), member).content.decode()
        assert str(share.pk) in page  # it can be revoked


def test_the_list_of_links_says_which_show_nothing(
    sign_in, member, teammate, curator, make_image, collection
):
    lost, works = make_image(teammate), make_image()
    for shown in (lost, works):
        sharing_service.share_image(member=member, image=shown.pk)
    sharing_service.share_collection(member=teammate, collection=collection.pk)
    images_service.set_visibility(member=teammate, images=[lost.pk], visibility=Visibility.PRIVATE)
    found = listed(sign_in(curator), curator).context["links"]
    assert {link.share.image_id: link.is_working for link in found} == {
        lost.pk: False,
        works.pk: True,
        None: True,
    }
    membership.leave(teammate)
    found = listed(sign_in(curator), curator).context["links"]
    assert {link.share.image_id: link.is_working for link in found} == {
        lost.pk: False,
        works.pk: True,
        None: False,
    }


def test_the_list_of_links_has_pages_and_a_fixed_number_of_queries(
    sign_in, member, make_image, make_member, curator, monkeypatch
):
    monkeypatch.setattr("generations.library.sharing.views.PAGE_SIZE", 4)
    data = encoded(pixels((64, 64)))
    signed_in = sign_in(curator)
    made = [sharing_service.share_image(member=member, image=make_image(data=data).pk)]
    listed(signed_in, curator)
    with CaptureQueriesContext(connection) as for_one:
        listed(signed_in, curator)
    for number in range(9):
        maker = make_member(f"maker{number}")
        made.append(sharing_service.share_image(member=maker, image=make_image(maker, data=data).pk))
    with CaptureQueriesContext(connection) as for_many:
        page = listed(signed_in, curator)
    assert len(for_many) <= len(for_one)
    seen = [link.share for link in page.context["links"]]
    while older := page.context["older"]:
        page = listed(signed_in, curator, after=str(older))
        seen += [link.share for link in page.context["links"]]
    assert seen == made[::-1]
    address = reverse("library:shares", args=[member.team.slug])
    for after in ("nonsense", uuid.uuid4(), "\x00"):
        assert signed_in.get(address, {"after": after}).status_code == 404
    assert sharing_listing.page(member, ended=False, size=5) == made[:1]
