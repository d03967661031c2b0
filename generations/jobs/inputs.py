"""The images that go with a request: checked against its model, made smaller where they must be."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generations.jobs.models import Batch
from generations.library.models import Upload
from generations.library.storage.client import ObjectMissing
from generations.library.uploads import input_images
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import InvalidValue
from generations.providers.catalogue.inputs import IMAGE, Input
from generations.providers.catalogue.model import Model
from generations.providers.catalogue.registry import InvalidParameters
from generations.teams.models import Membership

__all__ = ["NewInput", "ShownInput", "check_counts", "prepare", "shown", "size_sent", "too_many"]


@dataclass(frozen=True)
class NewInput:
    """An upload for one role; `image` is the image of the library that it was made from."""

    role: str
    upload: Upload
    image: uuid.UUID | None = None


@dataclass(frozen=True)
class ShownInput:
    """A picture that a batch was made from, with the title of its role; `image` is that of the library."""

    upload: Upload
    title: str
    image: uuid.UUID | None = None


def shown(batch: Batch | None) -> list[ShownInput]:
    """The pictures that a batch was made from, in the order in which its model declares them."""
    if not batch:
        return []
    model = catalogue_registry.MODELS.get(batch.model)
    titles = {each.role: _(each.title) for each in model.inputs} if model else {}
    order = list(titles)
    rows = [(each.role, each.upload, each.image) for each in batch.all_inputs]
    if not rows and batch.start_image:  # submitted by an older version
        rows = [(IMAGE, batch.start_image, None)]
    rows.sort(key=lambda row: order.index(row[0]) if row[0] in order else len(order))
    return [ShownInput(upload, titles.get(role, _("Picture")), image) for role, upload, image in rows]


def prepare(member: Membership, model: Model, given: Sequence[NewInput]) -> list[NewInput]:
    """Return the inputs as the model takes them: its formats and sizes, a mask as large as the image.

    Raises InvalidParameters with a sentence for each role, StorageUnavailable, DecodingBusy.
    """
    check_counts(model, Counter(each.role for each in given))
    errors: dict[str, str] = {}
    prepared: list[NewInput] = []
    image = next((each.upload for each in given if each.role == IMAGE), None)
    sent: Upload | None = None  # the image as it is sent
    for declared in sorted(model.inputs, key=lambda each: each.is_mask):
        of_role = [each for each in given if each.role == declared.role]
        try:
            _check_transparency(declared, len(of_role), image)
            for each in of_role:
                if declared.is_mask and IMAGE in errors:
                    continue
                size = size_sent(declared, each.upload, image=image, sent=sent)
                upload = input_images.adapted(member=member, upload=each.upload, declared=declared, size=size)
                prepared.append(replace(each, upload=upload))
                sent = upload if declared.role == IMAGE else sent
        except (InvalidValue, input_images.BadUpload) as problem:
            errors[declared.role] = str(problem)
        except ObjectMissing:
            errors[declared.role] = _("This picture is not there any more. Choose it again.")
    if errors:
        raise InvalidParameters(errors)
    return prepared


def check_counts(model: Model, counts: Mapping[str, int]) -> None:
    """Check how many images there are of each role; InvalidParameters with a sentence for each wrong one."""
    errors = _too_many(model, counts)
    for declared in model.inputs:
        if 0 < counts.get(declared.role, 0) < declared.minimum:
            errors[declared.role] = _("Add at least %(least)s images here.") % {"least": declared.minimum}
    if errors:
        raise InvalidParameters(errors)


def check_most(model: Model, counts: Mapping[str, int]) -> None:
    """Check only that there are not too many images of a role, as `check_counts` does."""
    if errors := _too_many(model, counts):
        raise InvalidParameters(errors)


def _too_many(model: Model, counts: Mapping[str, int]) -> dict[str, str]:
    found = ((declared, counts.get(declared.role, 0)) for declared in model.inputs)
    return {each.role: str(too_many(each, count)) for each, count in found if count > each.maximum}


def size_sent(
    declared: Input, upload: Upload, *, image: Upload | None, sent: Upload | None
) -> tuple[int, int]:
    """Return the size in which an upload is sent; InvalidValue if the model cannot take it.

    `image` is the request's upload in the role `image`, of which a mask must have the size, and `sent` the
    same as it is sent.
    """
    return _mask_size(upload, image, sent) if declared.is_mask else _size(declared, upload)


def too_many(declared: Input, count: int) -> InvalidValue:
    """Return the error of a role with more images than it takes."""
    text = ngettext(
        "Only one image fits here; these are %(count)s.",
        "At most %(most)s images fit here; these are %(count)s.",
        declared.maximum,
    )
    return InvalidValue(text % {"most": declared.maximum, "count": count})


def _check_transparency(declared: Input, count: int, image: Upload | None) -> None:
    """Raise InvalidValue if nothing says where the image shall change: no mask and no transparent part."""
    if declared.is_needed_unless_transparent and not count and image is not None and not image.has_alpha:
        raise InvalidValue(_("Paint a mask, or choose an image whose transparent parts shall change."))


def _size(declared: Input, upload: Upload) -> tuple[int, int]:
    """The size in which an image is sent; InvalidValue if the model takes no such image."""
    size = declared.fit(upload.width, upload.height)
    declared.check(*size)
    return size


def _mask_size(mask: Upload, image: Upload | None, sent: Upload | None) -> tuple[int, int]:
    """The size of the image as it is sent.

    Mask and image must have the same size as they were uploaded, or as they are stored.
    """
    if mask.media_type != "image/png":
        raise InvalidValue(_("A mask must be a PNG: a JPEG blurs its edges."))
    if image is None or sent is None:
        raise InvalidValue(_("A mask needs an image."))
    if image.size != mask.size and image.source_size != mask.source_size:
        sizes = {"mask": _text(mask.source_size), "image": _text(image.source_size)}
        raise InvalidValue(
            _("The mask has %(mask)s pixels and the image %(image)s: they must be the same.") % sizes
        )
    return sent.size


def _text(size: tuple[int, int]) -> str:
    return f"{size[0]:,} x {size[1]:,}"
