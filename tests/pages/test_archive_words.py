"""The page of a zip in a language of marks, in every state that it can be in."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.library.archives import members as archives_members
from generations.library.archives import service as archives_service
from generations.library.imaging import decode as imaging_decode
from generations.library.imaging.convert import Form
from generations.library.models import Archive, Packing
from generations.library.storage import client as storage_client
from tests.pages.marks import bare, said

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("language_of_marks")]

PROBLEMS = [
    storage_client.Missing("x"),
    storage_client.StorageUnavailable("x"),
    archives_members.Damaged(),
    imaging_decode.Unreadable(),
]


@pytest.mark.parametrize("state", Packing)
@pytest.mark.parametrize("count", [1, 3])
def test_the_page_of_a_zip(mei, address, member, state, count):
    archive = archives_service.ask(
        member=member, images=[uuid.uuid4() for _each in range(count)], form=Form()
    )
    reason = archives_members.why(GeneratorExit()) if state == Packing.FAILED else _("2 are gone.")
    Archive.objects.update(state=state, packed=count, reason=reason)
    page = mei.get(address(f"library/archives/{archive.pk}/"))
    assert "⟦" in reason
    assert said(page) == []
    Archive.objects.update(changed_at=timezone.now() - 2 * archives_service.SILENCE)
    assert said(mei.get(address(f"library/archives/{archive.pk}/"))) == []


def test_why_there_is_no_zip(mei, address, member):
    headers = {"HX-Request": "true"}
    for form in ({}, {"image": [str(uuid.uuid4())], "format": "gif"}):
        assert said(mei.post(address("library/archives/"), form, headers=headers)) == []
    for problem in (archives_members.Changed(), asyncio.CancelledError(), RuntimeError()):
        assert bare(archives_members.why(problem)) == []
    for cause in PROBLEMS:
        unsendable = archives_members.Unsendable("7.png")
        unsendable.__cause__ = cause
        assert "7.png" in archives_members.why(unsendable)
        assert bare(archives_members.why(unsendable)) == []


def test_the_choices_of_a_form():
    assert bare(render_to_string("library/archive_choices.html")) == []
