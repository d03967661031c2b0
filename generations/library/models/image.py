"""Stored images and uploads. An image has its generation's id, not a foreign key: it outlives pruned jobs."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7

from generations.teams.models import Membership, Role, Team, Visibility


class Origin(models.TextChoices):
    GENERATED = "generated", _("Generated")
    UPLOADED = "uploaded", _("Uploaded")
    IMPORTED = "imported", _("Imported")


class ImageKind(models.TextChoices):
    """As `providers.base.OutputKind`."""

    IMAGE = "image", _("Image")
    SVG = "svg", _("Drawing (SVG)")
    TEXT = "text", _("Text")
    FILE = "file", _("File")
    STYLE = "style", _("Style")


def visible_to(member: Membership) -> Q:
    """Return the condition on images or search entries that a member may see.

    Members see the team's images and their own, viewers the team's alone. The team's owners also see
    private images of people who left.
    """
    return visible_as(member.role, member.pk, member.team_id)


def visible_as(role: str, member: Any, team: Any) -> Q:
    """The same for a role; `member` and `team` are ids, or the `Param`s of a prepared query."""
    visible = Q(visibility=Visibility.TEAM)
    if role != Role.VIEWER:
        visible |= Q(owner=member)
    if role == Role.OWNER:
        left = Membership.objects.filter(team=team, ended_at__isnull=False)
        visible |= Q(owner__in=left.values("pk"))
    return visible


class ImageQuerySet(models.QuerySet["Image"]):
    def visible_to(self, member: Membership) -> ImageQuerySet:
        """Images of the member's team that the member may see and that are not in the trash."""
        return self.filter(visible_to(member), team=member.team_id, trashed_at__isnull=True)

    def lock(self) -> list[uuid.UUID]:
        """Lock the rows in order of their ids, which avoids deadlocks, and return their ids."""
        rows = Image.objects.filter(pk__in=list(self.values_list("pk", flat=True)))
        locked = list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
        # Another transaction may have changed a row while this one waited for it.
        return sorted(self.filter(pk__in=locked).values_list("pk", flat=True))


class Image(models.Model):
    """A stored image, or what else a model made. Its bytes are under `key` and are never overwritten."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="images")
    owner = models.ForeignKey(Membership, models.PROTECT, verbose_name=_("owner"), related_name="images")
    origin = models.CharField(_("origin"), max_length=10, choices=Origin, default=Origin.GENERATED)
    kind = models.CharField(
        _("kind"), max_length=5, choices=ImageKind, default=ImageKind.IMAGE, db_default=ImageKind.IMAGE.value
    )
    visibility = models.CharField(_("visibility"), max_length=8, choices=Visibility, default=Visibility.TEAM)
    title = models.CharField(_("title"), max_length=200, blank=True)
    prompt = models.TextField(_("prompt"), blank=True)
    negative_prompt = models.TextField(_("negative prompt"), blank=True)
    model = models.CharField(_("model"), max_length=40, blank=True)
    parameters = models.JSONField(_("parameters"), default=dict, blank=True)
    seed = models.BigIntegerField(_("seed"), null=True, blank=True)
    generation = models.UUIDField(_("generation"), null=True, blank=True, db_index=True)
    batch = models.UUIDField(_("batch"), null=True, blank=True, db_index=True)
    position = models.PositiveSmallIntegerField(
        _("position"), default=0, help_text=_("Which image of its generation.")
    )
    parent = models.ForeignKey(
        "self",
        models.SET_NULL,
        verbose_name=_("parent"),
        related_name="children",
        null=True,
        blank=True,
        db_index=False,
        help_text=_("The image that it was made from."),
    )
    actions = models.JSONField(
        _("actions"),
        default=list,
        db_default=models.Value([], models.JSONField()),
        blank=True,
        help_text=_("Next steps that the provider offers: name, title and state of each."),
    )
    text = models.TextField(
        _("text"),
        blank=True,
        default="",
        db_default="",
        help_text=_("What a model wrote, or the words in a drawing."),
    )
    is_animated = models.BooleanField(
        _("moves"), default=False, db_default=False, help_text=_("Whether the image has several frames.")
    )
    is_composite = models.BooleanField(
        _("composite"),
        default=False,
        db_default=False,
        help_text=_("Whether it was made from another image, which may be deleted since."),
    )
    key = models.CharField(_("key"), max_length=300)
    sha256 = models.CharField(_("sha256"), max_length=64, db_index=True)
    media_type = models.CharField(_("media type"), max_length=100)
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    bytes = models.PositiveBigIntegerField(_("bytes"))
    placeholder = models.CharField(
        _("placeholder"),
        max_length=2000,
        blank=True,
        help_text=_("A tiny WebP as a data: address, shown blurred while loading."),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    hidden_at = models.DateTimeField(
        _("hidden at"), null=True, blank=True, help_text=_("When it was made private later.")
    )
    trashed_at = models.DateTimeField(_("trashed at"), null=True, blank=True)
    trashed_by = models.ForeignKey(
        Membership,
        models.PROTECT,
        verbose_name=_("trashed by"),
        related_name="+",
        null=True,
        blank=True,
    )

    TILE_SIDE = 400  # pixels, of the square that stands for a file without a size

    # The type stubs see a plain manager; it has every method of the query set.
    objects: ClassVar[ImageQuerySet] = ImageQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("image")
        verbose_name_plural = _("images")
        constraints = [
            models.UniqueConstraint(
                fields=["generation", "position"],
                condition=Q(generation__isnull=False),
                name="a_generation_stores_an_image_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["team", "-created_at", "-id"],
                condition=Q(trashed_at__isnull=True),
                name="newest_of_a_team",
            ),
            models.Index(
                fields=["owner", "-created_at", "-id"],
                condition=Q(trashed_at__isnull=True),
                name="newest_of_an_owner",
            ),
            models.Index(
                fields=["team", "-trashed_at", "-id"],
                condition=Q(trashed_at__isnull=False),
                name="trash_of_a_team",
            ),
            models.Index(
                fields=["team", "-hidden_at"],
                condition=Q(hidden_at__isnull=False),
                name="hidden_lately_in_a_team",
            ),
            models.Index(fields=["key"], name="images_by_object"),
            models.Index(fields=["parent"], condition=Q(parent__isnull=False), name="images_by_parent"),
        ]

    @property
    def shown_width(self) -> int:
        """The width for pages, in pixels."""
        return self.width or self.TILE_SIDE

    @property
    def shown_height(self) -> int:
        """The height for pages, in pixels."""
        return self.height or self.TILE_SIDE


class Upload(models.Model):
    """An uploaded picture or mask: validated, rotated upright, without metadata, re-encoded, one per hash."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="uploads")
    owner = models.ForeignKey(Membership, models.PROTECT, verbose_name=_("owner"), related_name="uploads")
    key = models.CharField(_("key"), max_length=300)
    sha256 = models.CharField(_("sha256"), max_length=64)
    media_type = models.CharField(_("media type"), max_length=20)
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    bytes = models.PositiveBigIntegerField(_("bytes"))
    has_alpha = models.BooleanField(_("has transparency"), default=False, db_default=False)
    source_width = models.PositiveIntegerField(
        _("width of the file"), null=True, blank=True, help_text=_("Before it was made smaller.")
    )
    source_height = models.PositiveIntegerField(_("height of the file"), null=True, blank=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        constraints = [
            models.UniqueConstraint(fields=["owner", "sha256"], name="a_member_uploads_a_picture_once"),
        ]
        indexes = [models.Index(fields=["key"], name="uploads_by_object")]

    def __str__(self) -> str:
        return self.name or str(uuid.UUID(str(self.pk)))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.width, self.height

    @property
    def source_size(self) -> tuple[int, int]:
        """Width and height of the file that was uploaded."""
        return self.source_width or self.width, self.source_height or self.height


class DiscardedObject(models.Model):
    """An object whose row is deleted; it is removed from storage once no row refers to it."""

    key = models.CharField(_("key"), max_length=300, unique=True)
    discarded_at = models.DateTimeField(_("discarded at"), default=timezone.now)

    class Meta:
        verbose_name = _("discarded object")
        verbose_name_plural = _("discarded objects")
