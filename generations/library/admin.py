"""The back office: which pictures are stored, and where. To read only."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from generations.library.models import Image, Upload


class ReadOnly(admin.ModelAdmin):
    """What only the room's verbs write."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


@admin.register(Image)
class ImageAdmin(ReadOnly):
    list_display = ("id", "created_at", "team", "owner", "model", "width", "height", "visibility", "origin")
    list_filter = ("origin", "visibility", "model", "team")
    list_select_related = ("team", "owner__user")
    search_fields = ("id", "generation", "prompt", "sha256", "owner__user__email")
    ordering = ("-created_at", "-id")
    exclude = ("placeholder",)


@admin.register(Upload)
class UploadAdmin(ReadOnly):
    list_display = ("id", "created_at", "team", "owner", "name", "width", "height", "bytes")
    list_filter = ("team",)
    list_select_related = ("team", "owner__user")
    search_fields = ("id", "name", "sha256", "owner__user__email")
    ordering = ("-created_at", "-id")
