import hashlib
import io
import uuid
from datetime import timedelta

import numpy
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image as Pillow

from generations.library.delivery import revocation
from generations.library.images import service as images_service
from generations.library.images.service import Provenance, StoredFile
from generations.library.models import Image
from generations.library.organise import service as organise_service
from generations.library.search import indexer
from generations.library.storage import client as storage_client
from generations.library.storage import keys as storage_keys
from generations.office.members import service as members_service
from generations.providers.transport import image_containers, media_check
from generations.teams.models import Role, Visibility
from tests.library.share_links import PERSON

FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}


@pytest.fixture(autouse=True)
def _with_storage(bucket):
    pass


@pytest.fixture(autouse=True)
def _nothing_is_known_of_other_tests():
    revocation.forget()


@pytest.fixture
def teammate(make_member):
    return make_member("lin")


@pytest.fixture
def viewer(make_member):
    return make_member("vera", role=Role.VIEWER)


@pytest.fixture
def stranger(make_member):
    return make_member("eve", team=members_service.create_team("Elsewhere"), role=Role.OWNER)


@pytest.fixture
def curator(make_member):
    return make_member("ana", role=Role.ADMINISTRATOR)


@pytest.fixture
def visitor():
    """A browser of a person without an account."""
    return Client(headers=PERSON)


@pytest.fixture
def collection(member):
    return organise_service.create_collection(member=member, name="Spring", visibility=Visibility.TEAM)


@pytest.fixture
def sign_in():
    """A browser in which the member is signed in: sign_in(member)."""

    def sign_in(member):
        client = Client()
        client.force_login(member.user, "allauth.account.auth_backends.AuthenticationBackend")
        return client

    return sign_in


def pixels(size=(320, 200), mode="RGB", seed=1):
    """A picture whose encodings differ between encoders: a gradient with some noise."""
    width, height = size
    channels = len(Pillow.new(mode, (1, 1)).getbands())
    across = numpy.linspace(0, 255, width)[None, :, None]
    down = numpy.linspace(0, 1, height)[:, None, None]
    noise = numpy.random.default_rng(seed).integers(0, 20, (height, width, channels))
    values = (across * down + noise).clip(0, 255).astype("uint8")
    return Pillow.fromarray(values if channels > 1 else values[..., 0], mode)


def encoded(picture, encoding="PNG", **options):
    target = io.BytesIO()
    picture.save(target, encoding, **options)
    return target.getvalue()


def decoded(data):
    return Pillow.open(io.BytesIO(data))


@pytest.fixture
def make_image(member):
    """Store an image as a worker does: make_image(member, prompt=…)."""

    def make(member=member, *, media_type="image/png", data=None, visibility="team", seed=7, **parameters):
        data = data or encoded(pixels(), FORMATS[media_type])
        generation, sha256 = uuid.uuid4(), hashlib.sha256(data).hexdigest()
        key = storage_keys.image_key(generation=generation, attempt=1, sha256=sha256, media_type=media_type)
        storage_client.put(key, data, media_type=media_type, metadata={"attempt": 1, "seed": seed})
        text, is_animated = "", False
        if media_type in FORMATS:
            kind, (width, height) = "image", decoded(image_containers.decodable(data)).size
            is_animated = media_type == "image/webp" and media_check.is_animated_image(data)
        elif media_type == "text/plain":
            kind, (width, height), text = "text", (0, 0), data.decode()
        else:
            media = media_check.identify(data)
            assert media.media_type == media_type
            kind, width, height, is_animated = media.kind, media.width, media.height, media.is_animated
        file = StoredFile(
            key=key,
            sha256=sha256,
            media_type=media_type,
            width=width,
            height=height,
            size=len(data),
            kind=kind,
            text=text,
            is_animated=is_animated,
        )
        asked = {"prompt": "a red fox"} | parameters
        provenance = Provenance(generation=generation, model="ultra", parameters=asked, seed=seed)
        return images_service.add(member=member, visibility=visibility, file=file, provenance=provenance)

    return make


@pytest.fixture
def enter(member):
    """Images without bytes, one a minute: enter(3, prompt="a fox", by=…)."""

    def make(count=1, *, by=member, **values):
        start = timezone.now() - timedelta(hours=1)
        facts = {"key": "images/x.png", "sha256": "0" * 64, "media_type": "image/png", "bytes": 100}
        made = Image.objects.bulk_create(
            Image(
                **{"team": by.team, "owner": by, "width": 300, "height": 200, **facts}
                | {"created_at": start + timedelta(seconds=number), **values},
            )
            for number in range(count)
        )
        indexer.refresh([image.pk for image in made])
        return made

    return make


def address(name, member, *more):
    return reverse(f"library:{name}", args=[member.team.slug, *more])


def pks(*images):
    return [image.pk for image in images]
