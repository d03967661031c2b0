"""How pages show an image: the attributes of its <img>, its words, and the class of its shape."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache

from django.http import HttpRequest
from django.utils.translation import gettext as _

from generations.core.html_pattern import mark
from generations.library.delivery import signed_urls, thumbnails
from generations.library.imaging import aspect_ratio as imaging_aspect_ratio
from generations.library.models import Image
from generations.teams.models import Membership

MAX_WORDS = 120  # characters that a screen reader says of a picture: its page has the whole prompt


@dataclass(frozen=True)
class Thumbnail:
    """The attributes of an <img>: URLs for two pixel densities, the image's size, a blurred placeholder.

    Beside `srcset` the browser takes `src` for one pixel density and `large` for two; `by_width` has both for
    where an image is shown at several sizes.
    """

    src: str
    large: str
    width: object
    height: object
    placeholder: str

    @property
    def srcset(self) -> str:
        """What stands beside `src`."""
        return f"{self.large} 2x"

    @property
    def by_width(self) -> str:
        """Both by their width in pixels."""
        return f"{self.src} {thumbnails.WIDTHS['small']}w, {self.large} {thumbnails.WIDTHS['large']}w"

    def values(self) -> dict[str, object]:
        """By the NAMES that they have in a pattern."""
        return {name: getattr(self, name) for name in NAMES}


NAMES = tuple(field.name for field in fields(Thumbnail))


def thumbnail(image: Image, member: Membership, session: str) -> Thumbnail:
    """The thumbnail of an image with URLs signed for the session of the member."""
    small, large = (signed_urls.thumbnail_url(image, size, member, session) for size in thumbnails.WIDTHS)
    return Thumbnail(small, large, image.shown_width, image.shown_height, image.placeholder)


@dataclass(frozen=True)
class Look:
    """How a template draws an image. Images of one look differ in their thumbnails, ids and words alone."""

    kind: str
    media_type: str
    is_animated: bool
    visibility: str
    has_seed: bool
    has_placeholder: bool

    @classmethod
    def of(cls, image: Image) -> Look:
        """That of an image."""
        return cls(
            image.kind,
            image.media_type,
            image.is_animated,
            image.visibility,
            bool(image.seed),
            bool(image.placeholder),
        )

    def marked_image(self) -> Image:
        """An image of this look with marks for what differs, for a pattern."""
        return Image(
            pk=mark("image"),
            kind=self.kind,
            media_type=self.media_type,
            is_animated=self.is_animated,
            visibility=self.visibility,
            seed=1 if self.has_seed else None,
        )

    def marked_thumbnail(self) -> Thumbnail:
        """Its thumbnail."""
        src, large, width, height, placeholder = (str(mark(name)) for name in NAMES)
        return Thumbnail(src, large, width, height, placeholder if self.has_placeholder else "")


def session_of(request: HttpRequest | None) -> str:
    """The key of the request's session; NO_SESSION for HTML that `jobs.live` signs for each open page."""
    return (request.session.session_key if request else None) or signed_urls.NO_SESSION


def alternative_text(text: str) -> str:
    """What stands for a picture where it cannot be seen: the beginning of its prompt or title."""
    text = text or _("Picture")
    return text if len(text) <= MAX_WORDS else f"{text[: MAX_WORDS - 1]}…"


@lru_cache(maxsize=1024)
def ratio_class(width: int, height: int) -> str:
    """The CSS class of a shape, such as ratio-16x9."""
    return f"ratio-{imaging_aspect_ratio.nearest(width, height).replace(':', 'x')}"
