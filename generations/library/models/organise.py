"""How members organise images: tags, collections, favourites, saved searches."""

from __future__ import annotations

from typing import Any, ClassVar, Self, TypeVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7

from generations.teams.models import Membership, Team, Visibility

MAX_TAG_LENGTH = 60
Row = TypeVar("Row", bound=models.Model)


class OwnedQuerySet(models.QuerySet[Row]):
    """Rows of a team with an owner and a visibility."""

    def visible_to(self, member: Membership) -> Self:
        """Those that are visible to the whole team, and the member's own."""
        return self.visible_as(member.pk, member.team_id)

    def visible_as(self, member: Any, team: Any) -> Self:
        """The same by ids, or by the `Param`s of a prepared query."""
        return self.filter(Q(visibility=Visibility.TEAM) | Q(owner=member), team=team)


class Tag(models.Model):
    """A tag of a team, for images."""

    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="tags")
    name = models.CharField(_("name"), max_length=MAX_TAG_LENGTH, help_text=_("As it was first written."))
    key = models.CharField(
        _("key"), max_length=2 * MAX_TAG_LENGTH, help_text=_("Without case, width and accents.")
    )

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        constraints = [models.UniqueConstraint(fields=["team", "key"], name="a_team_has_a_tag_once")]

    def __str__(self) -> str:
        return self.name


class ImageTag(models.Model):
    """A tag on an image."""

    tag = models.ForeignKey(Tag, models.CASCADE, verbose_name=_("tag"), related_name="image_tags")
    image = models.ForeignKey(
        "library.Image", models.CASCADE, verbose_name=_("image"), related_name="image_tags"
    )

    class Meta:
        db_table = "library_tagged"  # its first name
        verbose_name = _("tag of an image")
        verbose_name_plural = _("tags of images")
        constraints = [models.UniqueConstraint(fields=["tag", "image"], name="an_image_carries_a_tag_once")]


class Collection(models.Model):
    """A named set of images, chosen by hand; visible to the team or to its owner alone."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="collections")
    owner = models.ForeignKey(Membership, models.PROTECT, verbose_name=_("owner"), related_name="collections")
    name = models.CharField(_("name"), max_length=120)
    visibility = models.CharField(_("visibility"), max_length=8, choices=Visibility, default=Visibility.TEAM)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    changed_at = models.DateTimeField(
        _("changed at"), default=timezone.now, help_text=_("When images were last added or removed.")
    )

    objects: ClassVar[OwnedQuerySet[Collection]] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("collection")
        verbose_name_plural = _("collections")
        indexes = [models.Index(fields=["team", "-changed_at"], name="collections_used_last")]

    def __str__(self) -> str:
        return self.name


class CollectionImage(models.Model):
    """An image in a collection."""

    collection = models.ForeignKey(
        Collection, models.CASCADE, verbose_name=_("collection"), related_name="collection_images"
    )
    image = models.ForeignKey(
        "library.Image", models.CASCADE, verbose_name=_("image"), related_name="collection_images"
    )

    class Meta:
        db_table = "library_collected"  # its first name
        verbose_name = _("image of a collection")
        verbose_name_plural = _("images of collections")
        constraints = [
            models.UniqueConstraint(fields=["collection", "image"], name="an_image_lies_in_a_collection_once")
        ]


class Favourite(models.Model):
    """An image that a member marked as a favourite."""

    member = models.ForeignKey(
        Membership, models.CASCADE, verbose_name=_("member"), related_name="favourites"
    )
    image = models.ForeignKey(
        "library.Image", models.CASCADE, verbose_name=_("image"), related_name="favourites"
    )

    class Meta:
        verbose_name = _("favourite")
        verbose_name_plural = _("favourites")
        constraints = [
            models.UniqueConstraint(fields=["member", "image"], name="a_member_likes_an_image_once")
        ]


class SavedSearch(models.Model):
    """A search with a name, visible to the team or to its owner; it finds what the reader may see."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="saved_searches")
    owner = models.ForeignKey(
        Membership, models.PROTECT, verbose_name=_("owner"), related_name="saved_searches"
    )
    name = models.CharField(_("name"), max_length=120)
    address = models.CharField(
        _("address"), max_length=2000, help_text=_("The query string, without the question mark.")
    )
    visibility = models.CharField(
        _("visibility"), max_length=8, choices=Visibility, default=Visibility.PRIVATE
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects: ClassVar[OwnedQuerySet[SavedSearch]] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("saved search")
        verbose_name_plural = _("saved searches")
        indexes = [models.Index(fields=["team", "name"], name="saved_searches_of_a_team")]

    def __str__(self) -> str:
        return self.name
