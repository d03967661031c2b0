"""Links as a visitor without an account follows them."""

from generations.library.models import CollectionImage
from generations.library.sharing import service as sharing_service

PERSON = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0"}
SECRET_PROMPT = "an unannounced teapot"


def path_of(share, *rest):
    """Where the link leads, and below it."""
    return "/".join([f"/s/{sharing_service.token(share.pk)}", *map(str, rest)]) + ("" if rest else "/")


def every_address(share, image):
    """The link's page, the image's files, the image's own page."""
    paths = [path_of(share)]
    paths += [path_of(share, image.pk, kind) for kind in ("original", "download", "small", "large")]
    return [*paths, f"{path_of(share, image.pk)}/"]


def answers(visitor, share, image):
    """What every address of a link answers."""
    return {visitor.get(path).status_code for path in every_address(share, image)}


def collect(collection, *images):
    """Put the images there, whoever may see them."""
    CollectionImage.objects.bulk_create(
        [CollectionImage(collection=collection, image=image) for image in images]
    )
