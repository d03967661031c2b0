"""How people keep their images in order: tags, collections, favourites, saved searches."""

from __future__ import annotations

from typing import ClassVar, Self, TypeVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7

from generations.teams.models import Membership, Team, Visibility

LONGEST_TAG = 60
Thing = TypeVar("Thing", bound=models.Model)


class TheirsOrTheTeams(models.QuerySet[Thing]):
    """Things of a team that are shown to all of it, or are their owner's alone."""

    def visible_to(self, member: Membership) -> Self:
        """The team's, and the member's own."""
        return self.filter(Q(visibility=Visibility.TEAM) | Q(owner=member), team=member.team_id)


class Tag(models.Model):
    """A word of the team's for images."""

    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="tags")
    name = models.CharField(_("name"), max_length=LONGEST_TAG, help_text=_("As it was first written."))
    key = models.CharField(
        _("key"), max_length=2 * LONGEST_TAG, help_text=_("Without differences that nobody types.")
    )

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        constraints = [models.UniqueConstraint(fields=["team", "key"], name="a_team_has_a_tag_once")]

    def __str__(self) -> str:
        return self.name


class Tagged(models.Model):
    """An image that carries a tag."""

    tag = models.ForeignKey(Tag, models.CASCADE, verbose_name=_("tag"), related_name="tagged")
    image = models.ForeignKey("library.Image", models.CASCADE, verbose_name=_("image"), related_name="tagged")

    class Meta:
        verbose_name = _("tagged image")
        verbose_name_plural = _("tagged images")
        constraints = [models.UniqueConstraint(fields=["tag", "image"], name="an_image_carries_a_tag_once")]


class Collection(models.Model):
    """Images put together by hand: the team's, or its owner's alone."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="collections")
    owner = models.ForeignKey(Membership, models.PROTECT, verbose_name=_("owner"), related_name="collections")
    name = models.CharField(_("name"), max_length=120)
    visibility = models.CharField(_("visibility"), max_length=8, choices=Visibility, default=Visibility.TEAM)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    changed_at = models.DateTimeField(
        _("changed at"), default=timezone.now, help_text=_("When something was last put in or taken out.")
    )

    objects: ClassVar[TheirsOrTheTeams[Collection]] = TheirsOrTheTeams.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("collection")
        verbose_name_plural = _("collections")
        indexes = [models.Index(fields=["team", "-changed_at"], name="collections_used_last")]

    def __str__(self) -> str:
        return self.name


class Collected(models.Model):
    """An image that lies in a collection."""

    collection = models.ForeignKey(
        Collection, models.CASCADE, verbose_name=_("collection"), related_name="collected"
    )
    image = models.ForeignKey(
        "library.Image", models.CASCADE, verbose_name=_("image"), related_name="collected"
    )

    class Meta:
        verbose_name = _("collected image")
        verbose_name_plural = _("collected images")
        constraints = [
            models.UniqueConstraint(fields=["collection", "image"], name="an_image_lies_in_a_collection_once")
        ]


class Favourite(models.Model):
    """An image that a member likes."""

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
    """A search under a name: its owner's, or the team's. It finds what the one who opens it may see."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="saved_searches")
    owner = models.ForeignKey(
        Membership, models.PROTECT, verbose_name=_("owner"), related_name="saved_searches"
    )
    name = models.CharField(_("name"), max_length=120)
    address = models.CharField(
        _("address"), max_length=2000, help_text=_("What stands behind the question mark.")
    )
    visibility = models.CharField(
        _("visibility"), max_length=8, choices=Visibility, default=Visibility.PRIVATE
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects: ClassVar[TheirsOrTheTeams[SavedSearch]] = TheirsOrTheTeams.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("saved search")
        verbose_name_plural = _("saved searches")
        indexes = [models.Index(fields=["team", "name"], name="saved_searches_of_a_team")]

    def __str__(self) -> str:
        return self.name
