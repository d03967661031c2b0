"""Adding images to the library."""

import uuid
from dataclasses import replace

import pytest
from django.db import IntegrityError, transaction

from generations.library.images import service as images_service
from generations.library.images.service import Provenance, StoredFile


def test_an_image_of_a_generation_is_added_once(member):
    file = StoredFile(
        key="images/x.png", sha256="0" * 64, media_type="image/png", width=10, height=10, size=100
    )
    provenance = Provenance(
        generation=uuid.uuid4(),
        batch=uuid.uuid4(),
        model="core",
        parameters={"prompt": "a fox", "negative_prompt": None},
        seed=4_294_967_295,
    )
    place = {"member": member, "visibility": "team"}
    first = images_service.add(**place, file=file, provenance=provenance)
    with pytest.raises(IntegrityError), transaction.atomic():
        images_service.add(**place, file=replace(file, key="images/other.png"), provenance=provenance)
    assert images_service.add(**place, file=file, provenance=replace(provenance, position=1)) != first
    first.refresh_from_db()
    assert (first.prompt, first.negative_prompt, first.bytes) == ("a fox", "", 100)
