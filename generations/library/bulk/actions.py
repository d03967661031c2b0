"""The bulk actions: what a member can do to many images at once, one registered class each.

To add an action, write a subclass of `BulkActionKind` with `@register`, and its tests: validation, worker,
undo, result sentence and the menu of the selection bar all read the registry.
"""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from generations.library.images import service as images_service
from generations.library.models import Collection
from generations.library.organise import service as organise_service
from generations.library.trash import purge as trash_purge
from generations.teams.models import Membership, Visibility
from generations.teams.permissions import may

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Ids = list[uuid.UUID]


class InvalidBulkAction(ValueError):
    """The action cannot be started; the message is shown to the member."""


class BulkActionKind(ABC):
    """An action on many images, bound to its member and to its argument.

    `argument` is a tag's name or a collection's id, and "" for actions that need none.
    """

    do_not_call_in_templates: ClassVar[bool] = True  # a template would call the class otherwise

    name: ClassVar[str]  # in rows, in forms and in the page's script
    label: ClassVar[_StrPromise]
    permission: ClassVar[str] = "organise"
    undo: ClassVar[str] = ""  # the name of the action that takes this one back; "" if none does
    unchanged_reason: ClassVar[_StrPromise | str] = ""  # why an image may have been left unchanged
    menu_icon: ClassVar[str] = ""  # the icon of its entry in the selection bar's menu; "" for no entry
    in_library: ClassVar[bool] = True  # whether the library's page may start it
    hides_images: ClassVar[bool] = False  # whether the page hides the images before the server answers

    def __init__(self, member: Membership, argument: str = "") -> None:
        self.member = member
        self.argument = argument

    @classmethod
    def argument_from(cls, form: QueryDict, member: Membership, images: Ids) -> str:
        """Return the argument that a submitted form carries. Raises InvalidBulkAction or InvalidName."""
        return ""

    def validate(self) -> None:  # noqa: B027  most actions have no argument to validate
        """Raise InvalidBulkAction if the argument is of no use."""

    @abstractmethod
    def apply(self, images: Ids) -> Ids:
        """Apply it to those of the images that the member may change; return the ids of the changed ones.

        Runs in the worker's transaction, possibly twice for the same images.
        """

    @abstractmethod
    def sentence(self, count: int) -> str:
        """Return the translated sentence on `count` changed images, with %(count)s and %(subject)s."""

    def subject(self) -> str:
        """Return what the sentence is about besides the images: a tag's or a collection's name."""
        return self.argument


KINDS: dict[str, type[BulkActionKind]] = {}


def register(kind: type[BulkActionKind]) -> type[BulkActionKind]:
    """Class decorator: make a bulk action known under its name."""
    KINDS[kind.name] = kind
    return kind


def menu(member: Membership) -> list[type[BulkActionKind]]:
    """Return the actions with an entry in the selection bar's menu that the member's role allows."""
    return [kind for kind in KINDS.values() if kind.menu_icon and may(member, kind.permission)]


class _TagAction(BulkActionKind):
    """An action whose argument is a tag's name."""

    @classmethod
    def argument_from(cls, form: QueryDict, member: Membership, images: Ids) -> str:
        return organise_service.validated_tag(form.get("argument") or form.get("tag", ""))

    def validate(self) -> None:
        try:
            organise_service.validated_tag(self.argument)
        except organise_service.InvalidName as error:
            raise InvalidBulkAction(str(error)) from error


class _CollectionAction(BulkActionKind):
    """An action whose argument is a collection's id."""

    @classmethod
    def argument_from(cls, form: QueryDict, member: Membership, images: Ids) -> str:
        try:
            return str(uuid.UUID(form.get("argument") or form.get(cls.name, "")))
        except ValueError:
            return ""

    def validate(self) -> None:
        try:
            collection = uuid.UUID(self.argument)
        except ValueError:
            raise InvalidBulkAction(_("There is no such collection any more.")) from None
        if not Collection.objects.visible_to(self.member).filter(pk=collection).exists():
            raise InvalidBulkAction(_("There is no such collection any more."))

    def subject(self) -> str:
        rows = Collection.objects.filter(pk=self.argument, team=self.member.team_id)
        return rows.values_list("name", flat=True).first() or _("a collection that is gone")


@register
class Tag(_TagAction):
    name = "tag"
    label = gettext_lazy("Tag")
    undo = "untag"
    unchanged_reason = gettext_lazy("tagged already, or with too many tags")

    def apply(self, images: Ids) -> Ids:
        return organise_service.tag(member=self.member, images=images, name=self.argument)

    def sentence(self, count: int) -> str:
        return ngettext("%(count)s tagged “%(subject)s”", "%(count)s tagged “%(subject)s”", count)


@register
class Untag(_TagAction):
    name = "untag"
    label = gettext_lazy("Remove tag")
    undo = "tag"

    def apply(self, images: Ids) -> Ids:
        return organise_service.untag(member=self.member, images=images, name=self.argument)

    def sentence(self, count: int) -> str:
        return ngettext(
            "%(count)s without the tag “%(subject)s”", "%(count)s without the tag “%(subject)s”", count
        )


@register
class Collect(_CollectionAction):
    name = "collect"
    label = gettext_lazy("Collect")
    undo = "take_out"
    unchanged_reason = gettext_lazy("in it already")

    @classmethod
    def argument_from(cls, form: QueryDict, member: Membership, images: Ids) -> str:
        """The collection's id; without one, a collection is created from the form's `name`."""
        if form.get("argument") or form.get(cls.name):
            return super().argument_from(form, member, images)
        check_can_start(cls, member, images)
        private = form.get("visibility") == Visibility.PRIVATE
        created = organise_service.create_collection(
            member=member,
            name=form.get("name", ""),
            visibility=Visibility.PRIVATE if private else Visibility.TEAM,
        )
        return str(created.pk)

    def apply(self, images: Ids) -> Ids:
        try:
            return organise_service.add_to_collection(
                member=self.member, images=images, collection=uuid.UUID(self.argument)
            )
        except Collection.DoesNotExist:  # deleted since the action was started
            return []

    def sentence(self, count: int) -> str:
        return ngettext("%(count)s added to “%(subject)s”", "%(count)s added to “%(subject)s”", count)


@register
class TakeOut(_CollectionAction):
    name = "take_out"
    label = gettext_lazy("Remove from the collection")
    undo = "collect"

    def apply(self, images: Ids) -> Ids:
        try:
            return organise_service.remove_from_collection(
                member=self.member, images=images, collection=uuid.UUID(self.argument)
            )
        except Collection.DoesNotExist:  # deleted since the action was started
            return []

    def sentence(self, count: int) -> str:
        return ngettext("%(count)s removed from “%(subject)s”", "%(count)s removed from “%(subject)s”", count)


@register
class Like(BulkActionKind):
    name = "like"
    label = gettext_lazy("Favourite")
    permission = "see"
    undo = "unlike"
    unchanged_reason = gettext_lazy("favourites already")

    def apply(self, images: Ids) -> Ids:
        return organise_service.like(member=self.member, images=images)

    def sentence(self, count: int) -> str:
        return ngettext("%(count)s added to favourites", "%(count)s added to favourites", count)


@register
class Unlike(BulkActionKind):
    name = "unlike"
    label = gettext_lazy("Remove from favourites")
    permission = "see"
    undo = "like"
    menu_icon = "heart"

    def apply(self, images: Ids) -> Ids:
        return organise_service.unlike(member=self.member, images=images)

    def sentence(self, count: int) -> str:
        return ngettext("%(count)s removed from favourites", "%(count)s removed from favourites", count)


@register
class ShowTeam(BulkActionKind):
    name = "show_team"
    label = gettext_lazy("Show to the team")
    undo = "keep_private"
    unchanged_reason = gettext_lazy("not yours, or shown already")
    menu_icon = "users"

    def apply(self, images: Ids) -> Ids:
        return images_service.set_visibility(member=self.member, images=images, visibility=Visibility.TEAM)

    def sentence(self, count: int) -> str:
        return ngettext("%(count)s shown to the team", "%(count)s shown to the team", count)


@register
class KeepPrivate(BulkActionKind):
    name = "keep_private"
    label = gettext_lazy("Keep private")
    undo = "show_team"
    unchanged_reason = gettext_lazy("not yours, or private already")
    menu_icon = "lock"

    def apply(self, images: Ids) -> Ids:
        return images_service.set_visibility(member=self.member, images=images, visibility=Visibility.PRIVATE)

    def sentence(self, count: int) -> str:
        return ngettext("%(count)s kept private", "%(count)s kept private", count)


@register
class Trash(BulkActionKind):
    name = "trash"
    label = gettext_lazy("Trash")
    undo = "restore"
    unchanged_reason = gettext_lazy("not yours to change")
    hides_images = True

    def apply(self, images: Ids) -> Ids:
        return images_service.trash(member=self.member, images=images)

    def sentence(self, count: int) -> str:
        return ngettext("%(count)s in the trash", "%(count)s in the trash", count)


@register
class Restore(BulkActionKind):
    name = "restore"
    label = gettext_lazy("Restore")
    unchanged_reason = gettext_lazy("not yours to bring back")

    def apply(self, images: Ids) -> Ids:
        return images_service.restore(member=self.member, images=images)

    def sentence(self, count: int) -> str:
        return ngettext("%(count)s restored", "%(count)s restored", count)


@register
class Purge(BulkActionKind):
    name = "purge"
    label = gettext_lazy("Delete for good")
    in_library = False  # only the page of the trash offers it, and asks twice

    def apply(self, images: Ids) -> Ids:
        return trash_purge.purge(member=self.member, images=images)

    def sentence(self, count: int) -> str:
        return ngettext("%(count)s deleted for good", "%(count)s deleted for good", count)


def check_can_start(kind: type[BulkActionKind], member: Membership, images: Ids) -> None:
    """Raise InvalidBulkAction if the member's role does not allow the action, or no image is chosen."""
    if not may(member, kind.permission):
        raise InvalidBulkAction(_("Your role in this team does not allow this."))
    if not images:
        raise InvalidBulkAction(_("Choose some pictures first."))
