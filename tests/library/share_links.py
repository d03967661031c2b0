"""Share links, opened by a visitor without an account."""

from generations.library.models import CollectionImage
from generations.library.sharing import service as sharing_service

PERSON = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0"}
SECRET_PROMPT = "an unannounced teapot"


def path_of(share, *rest):
    """The path of the link, or of a page below it."""
    return "/".join([f"/s/{sharing_service.token(share.pk)}", *map(str, rest)]) + ("" if rest else "/")


def every_address(share, image):
    """The paths of the link's page, of the image's files and of the image's own page."""
    paths = [path_of(share)]
    paths += [path_of(share, image.pk, kind) for kind in ("original", "download", "small", "large")]
    return [*paths, f"{path_of(share, image.pk)}/"]


def answers(visitor, share, image):
    """The status codes of all paths of a link."""
    return {visitor.get(path).status_code for path in every_address(share, image)}


def collect(collection, *images):
    """Add images to a collection, whoever may see them."""
    CollectionImage.objects.bulk_create(
        [CollectionImage(collection=collection, image=image) for image in images]
    )
