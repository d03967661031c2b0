"""Admin of provider accounts: to look up. They are added and changed on the operators' pages."""

from django.contrib import admin

from generations.core.admin import ReadOnlyAdmin
from generations.upstreams.models import Upstream


@admin.register(Upstream)
class UpstreamAdmin(ReadOnlyAdmin):
    list_display = ("name", "base_url", "enabled", "draining", "paused_at", "balance", "balance_at", "order")
