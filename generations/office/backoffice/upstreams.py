"""The back office's page of a provider account, with a memory: who changed what of it, and from where.

The room of the accounts stands below the log and cannot write it, so this page takes the place of theirs.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from generations.jobs.engine import operator_actions
from generations.office.audit_log import service as audit_log_service
from generations.office.models import Act
from generations.upstreams.admin import UpstreamAdmin
from generations.upstreams.models import Upstream

FACTS = (
    *("name", "kind", "base_url", "enabled", "draining", "order", "orders", "models_served", "costs", "unit"),
    *("low_balance", "pace_account", "limit_calls", "limit_window"),
)

admin.site.unregister(Upstream)


@admin.register(Upstream)
class RememberedUpstreamAdmin(UpstreamAdmin):
    def save_model(self, request: HttpRequest, obj: Upstream, form: Any, change: bool) -> None:
        """As below, and written down; of the key only that there is another one."""
        before = facts(Upstream.objects.get(pk=obj.pk)) if change else facts(Upstream())
        super().save_model(request, obj, form, change)
        after = facts(Upstream.objects.get(pk=obj.pk))
        changed = [name for name in after if after[name] != before.get(name)]
        was = {name: before[name] for name in changed} if change else {}
        now = {name: after[name] for name in changed} | ({} if change else {"did": "added"})
        if form.cleaned_data["key"]:
            now["key"] = "replaced" if change else "kept"
        if now:
            audit_log_service.record(
                audit_log_service.by(request), Act.UPSTREAM_CHANGED, subject=obj.name, before=was, after=now
            )

    @admin.action(description=_("End their pause"), permissions=["view"])
    def resume(self, request: HttpRequest, upstreams: QuerySet[Upstream]) -> None:
        """Call them again."""
        operator_actions.resume(Upstream.objects.filter(pk__in=upstreams), by=audit_log_service.by(request))


def facts(upstream: Upstream) -> dict[str, Any]:
    """All that an operator sets, without the key."""
    return {name: getattr(upstream, name) for name in FACTS} | {"state": operator_actions.state(upstream)}
