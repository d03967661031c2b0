"""Adding images to the library."""

import uuid

import pytest
from django.db import IntegrityError, transaction

from generations.library.images import service as images_service


def test_an_image_of_a_generation_is_added_once(member):
    facts = {
        "member": member,
        "generation": uuid.uuid4(),
        "batch": uuid.uuid4(),
        "position": 0,
        "model": "core",
        "parameters": {"prompt": "a fox", "negative_prompt": None},
        "visibility": "team",
        "key": "images/x.png",
        "sha256": "0" * 64,
        "media_type": "image/png",
        "width": 10,
        "height": 10,
        "size": 100,
        "seed": 4_294_967_295,
    }
    first = images_service.add(**facts)
    with pytest.raises(IntegrityError), transaction.atomic():
        images_service.add(**facts | {"key": "images/other.png"})
    assert images_service.add(**facts | {"position": 1}) != first
    first.refresh_from_db()
    assert (first.prompt, first.negative_prompt, first.bytes) == ("a fox", "", 100)
