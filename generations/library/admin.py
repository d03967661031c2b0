"""The back office: which pictures are stored, and where. To read only."""

from django.contrib import admin

from generations.core.admin import ReadOnlyAdmin
from generations.library.models import Image, Upload


@admin.register(Image)
class ImageAdmin(ReadOnlyAdmin):
    list_display = ("id", "created_at", "team", "owner", "model", "width", "height", "visibility", "origin")
    list_filter = ("origin", "visibility", "model", "team")
    list_select_related = ("team", "owner__user")
    search_fields = ("id", "generation", "prompt", "sha256", "owner__user__email")
    ordering = ("-created_at", "-id")
    exclude = ("placeholder",)


@admin.register(Upload)
class UploadAdmin(ReadOnlyAdmin):
    list_display = ("id", "created_at", "team", "owner", "name", "width", "height", "bytes")
    list_filter = ("team",)
    list_select_related = ("team", "owner__user")
    search_fields = ("id", "name", "sha256", "owner__user__email")
    ordering = ("-created_at", "-id")
