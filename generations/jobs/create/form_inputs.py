"""The pictures of a request on the form of Create: found by their ids, checked against the model, described.

A picture is an upload of the member or an image of the library that they may see. Its id is in a field
`input_<role>` (also `image_<role>`); without scripts a file is sent in `file_<role>`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generations.jobs import inputs as job_inputs
from generations.jobs.inputs import NewInput
from generations.library.imaging.decode import DecodingBusy
from generations.library.models import Image, ImageKind, Upload
from generations.library.storage.client import StorageUnavailable
from generations.library.uploads import input_images
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.fields import InvalidValue
from generations.providers.catalogue.inputs import IMAGE, MIB, Input
from generations.providers.catalogue.model import Model
from generations.teams.models import Membership

MAX_IDS = 32  # of a role; no model takes as many, and each is looked up
OLD_NAMES = {"input_image": "start", "file_image": "image"}  # in pages that were opened before an update
GONE = gettext_lazy("This picture is not there any more. Choose it again.")


@dataclass
class InputItem:
    """One picture in a role; `upload` is not saved for an image of the library."""

    upload: Upload
    image: Image | None = None
    problem: str = ""  # why the model cannot take it
    notes: list[str] = field(default_factory=list)  # what will be changed about it

    @property
    def pk(self) -> uuid.UUID:
        """The id in the form."""
        return self.image.pk if self.image else self.upload.pk

    @property
    def name(self) -> str:
        """A file name, a title or a prompt."""
        return (self.image.title or self.image.prompt) if self.image else self.upload.name


@dataclass
class InputField:
    """The pictures in one role of the model."""

    declared: Input
    items: list[InputItem]
    errors: list[str]

    @property
    def role(self) -> str:
        """Its role."""
        return self.declared.role

    @property
    def title(self) -> str:
        """Its title, translated."""
        return _(self.declared.title)

    @property
    def help(self) -> str:
        """A sentence about it; "" for none."""
        return _(self.declared.help) if self.declared.help else ""

    @property
    def accept(self) -> str:
        """What a file dialog offers."""
        return "image/png" if self.declared.is_mask else "image/png,image/jpeg,image/webp"

    @property
    def is_optional(self) -> bool:
        """Whether the request can do without a picture here."""
        return not self.declared.minimum and not self.declared.is_needed_unless_transparent

    @property
    def has_room(self) -> bool:
        """Whether another picture can be added."""
        return len(self.items) < self.declared.maximum

    @property
    def limits(self) -> str:
        """What a file must be like, in a few words."""
        kinds = _("PNG") if self.declared.is_mask else _("PNG, JPEG or WebP")
        most = input_images.MAX_FILE_SIZE // MIB
        return _("%(kinds)s, at most %(most)s MB") % {"kinds": kinds, "most": most}


class FormInputs:
    """The pictures of a form, by the roles of its model."""

    def __init__(
        self,
        member: Membership,
        model: Model | None,
        ids: Mapping[str, Sequence[object]],
        errors: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        declared = model.inputs if model else ()
        self.member = member
        found = _find(member, (pk for of_role in ids.values() for pk in of_role[:MAX_IDS]))
        self.fields = [_field(each, ids.get(each.role, ()), found, errors or {}) for each in declared]
        taken = {each.role for each in declared}
        # What another model takes is kept for it.
        self.kept = [
            (role, found[pk])
            for role in sorted(ids)
            if role not in taken
            for pk in map(uuid_of, ids[role][:MAX_IDS])
            if pk in found
        ]
        self._check()

    @property
    def image(self) -> InputItem | None:
        """The picture that the request is about."""
        return next((item for each in self.fields if each.role == IMAGE for item in each.items), None)

    @property
    def roles(self) -> list[str]:
        """The roles that have a picture."""
        return [each.role for each in self.fields if each.items]

    def new_inputs(self) -> list[NewInput]:
        """The pictures for `submission.submit`: images of the library are copied to uploads.

        What cannot be copied gets an error at its field instead.
        """
        return [made for each in self.fields for item in each.items if (made := self._new_input(each, item))]

    def _new_input(self, of: InputField, item: InputItem) -> NewInput | None:
        if item.image is None:
            return NewInput(of.role, item.upload)
        try:
            upload = input_images.from_image(member=self.member, image=item.image)
        except (input_images.BadUpload, StorageUnavailable, DecodingBusy) as problem:
            of.errors.append(str(problem))
            return None
        return NewInput(of.role, upload, item.image.pk)

    def _check(self) -> None:
        """Say what is wrong with each picture, and what will be changed."""
        for each in self.fields:
            if len(each.items) > each.declared.maximum:
                each.errors.append(str(job_inputs.too_many(each.declared, len(each.items))))
            for item in each.items:
                _describe(item, each.declared, self.image.upload if self.image else None)


def roles() -> set[str]:
    """The roles of all models."""
    return {each.role for model in catalogue_registry.MODELS.values() for each in model.inputs}


def ids_from(data: MultiValueDict[str, str]) -> dict[str, list[object]]:
    """The ids of pictures that a form has sent, by role, without those that were ticked in `remove_input`."""
    found: dict[str, list[object]] = {}
    removed = set(data.getlist("remove_input"))
    for role in roles():
        names = (f"input_{role}", f"image_{role}", OLD_NAMES.get(f"input_{role}", ""))
        sent = [pk for name in names for pk in data.getlist(name) if pk]
        if pks := [pk for pk in sent if f"{role} {pk}" not in removed]:
            found[role] = list(pks)
    return found


def save_files(
    member: Membership, model: Model | None, files: MultiValueDict[str, UploadedFile]
) -> tuple[dict[str, list[object]], dict[str, list[str]]]:
    """Store the files that a form has sent for roles of its model; their ids, and what was wrong, by role."""
    ids: dict[str, list[object]] = {}
    errors: dict[str, list[str]] = {}
    for each in model.inputs if model else ():
        name = f"file_{each.role}"
        for file in files.getlist(name) or files.getlist(OLD_NAMES.get(name, "")):
            save = input_images.save_mask if each.is_mask else input_images.save_upload
            try:
                ids.setdefault(each.role, []).append(save(member=member, file=file, name=file.name or "").pk)
            except (input_images.BadUpload, StorageUnavailable, DecodingBusy) as problem:
                errors.setdefault(each.role, []).append(str(problem))
    return ids, errors


def _field(
    declared: Input,
    ids: Sequence[object],
    found: Mapping[uuid.UUID | None, InputItem],
    errors: Mapping[str, Sequence[str]],
) -> InputField:
    known = [found[pk] for each in ids[:MAX_IDS] if (pk := uuid_of(each)) in found]
    # A mask is grey and as large as its image: no image of the library is one.
    items = [InputItem(item.upload, item.image) for item in known if not (declared.is_mask and item.image)]
    missing = [str(GONE)] if len(items) < len(ids) else []
    return InputField(declared, items, [*missing, *errors.get(declared.role, ())])


def _find(member: Membership, ids: Iterable[object]) -> dict[uuid.UUID | None, InputItem]:
    """The member's own uploads and visible images of these ids; no other person's."""
    wanted = {pk for each in ids if (pk := uuid_of(each))}
    if not wanted:
        return {}
    uploads = Upload.objects.filter(owner=member, pk__in=wanted)
    found: dict[uuid.UUID | None, InputItem] = {upload.pk: InputItem(upload) for upload in uploads}
    images = Image.objects.visible_to(member).filter(pk__in=wanted.difference(found), kind=ImageKind.IMAGE)
    return found | {image.pk: InputItem(_as_upload(image), image) for image in images}


def _as_upload(image: Image) -> Upload:
    """What the upload will be like that is made of an image of the library."""
    return Upload(
        width=image.width,
        height=image.height,
        source_width=image.width,
        source_height=image.height,
        media_type=image.media_type,
        bytes=image.bytes,
    )


def _describe(item: InputItem, declared: Input, image: Upload | None) -> None:
    upload = item.upload
    try:
        size = job_inputs.size_sent(declared, upload, image=image, sent=image)
    except InvalidValue as problem:
        item.problem = str(problem)
        return
    if size != upload.size and not declared.is_mask:
        item.notes.append(_("Will be made smaller, to %(width)s × %(height)s.") % _sides(size))  # noqa: RUF001  the sign of sizes
    if upload.has_alpha and not declared.keeps_alpha and not declared.is_mask:
        item.notes.append(_("What is transparent becomes white."))


def _sides(size: tuple[int, int]) -> dict[str, int]:
    return {"width": size[0], "height": size[1]}


def uuid_of(value: object) -> uuid.UUID | None:
    """The id that a form or a saved request holds; None for anything else."""
    try:
        return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))
    except ValueError:
        return None
