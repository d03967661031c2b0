"""The back office: upstreams, with an audit entry for each change.

`generations.upstreams` must not import the audit log, so this admin replaces the one registered there.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from generations.jobs.engine import operator_actions
from generations.office.audit_log import service as audit_log_service
from generations.office.models import AuditAction
from generations.upstreams.admin import UpstreamAdmin, UpstreamForm
from generations.upstreams.models import Upstream

AUDITED_FIELDS = [name for name in UpstreamForm.Meta.fields if name != "key"]

admin.site.unregister(Upstream)


@admin.register(Upstream)
class AuditedUpstreamAdmin(UpstreamAdmin):
    def save_model(self, request: HttpRequest, obj: Upstream, form: Any, change: bool) -> None:
        """Save the upstream and write the audit entry; of the key only that it was replaced."""
        before = audited_values(Upstream.objects.get(pk=obj.pk)) if change else audited_values(Upstream())
        super().save_model(request, obj, form, change)
        after = audited_values(Upstream.objects.get(pk=obj.pk))
        changed = [name for name in after if after[name] != before.get(name)]
        changed_before = {name: before[name] for name in changed} if change else {}
        changed_after = {name: after[name] for name in changed} | ({} if change else {"did": "added"})
        if form.cleaned_data["key"]:
            changed_after["key"] = "replaced" if change else "kept"
        if changed_after:
            audit_log_service.record(
                audit_log_service.actor_of(request),
                AuditAction.UPSTREAM_CHANGED,
                subject=obj.name,
                before=changed_before,
                after=changed_after,
            )

    @admin.action(description=_("End their pause"), permissions=["view"])
    def resume(self, request: HttpRequest, upstreams: QuerySet[Upstream]) -> None:
        """Resume calls to the upstreams."""
        operator_actions.resume(
            Upstream.objects.filter(pk__in=upstreams), by=audit_log_service.actor_of(request)
        )


def audited_values(upstream: Upstream) -> dict[str, Any]:
    """Return what an operator can set, without the key."""
    return {name: getattr(upstream, name) for name in AUDITED_FIELDS} | {
        "state": operator_actions.state(upstream)
    }
