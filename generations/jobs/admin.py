"""Django admin: generations with their attempts (read only), and prices."""

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.views.generic import RedirectView

from generations.core.admin import ReadOnly, ReadOnlyAdmin
from generations.credits.amounts import CreditsField, as_text
from generations.jobs.engine import operator_actions
from generations.jobs.models import Attempt, Generation, Price, Status
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams import actor as teams_actor


class AttemptInline(ReadOnly, admin.TabularInline):
    model = Attempt
    extra = 0
    can_delete = False
    fields = (
        "number",
        "upstream",
        "outcome",
        "status_code",
        "code",
        "reason",
        "seconds",
        "cost_in_units",
        "seed",
        "request_id",
        "started_at",
    )
    readonly_fields = ("seconds", "cost_in_units")

    @admin.display(description=_("seconds"))
    def seconds(self, attempt: Attempt) -> str:
        """How long the call took."""
        return "" if attempt.seconds is None else f"{attempt.seconds:.1f}"

    @admin.display(description=_("cost"))
    def cost_in_units(self, attempt: Attempt) -> str:
        """What the provider charges for it."""
        return "" if attempt.cost is None else f"{as_text(attempt.cost)} {attempt.unit}"


@admin.register(Generation)
class GenerationAdmin(ReadOnlyAdmin):
    list_display = ("id", "created_at", "status", "model", "member", "team", "credits", "upstream", "reason")
    list_filter = ("status", "model", "upstream", "team", "code")
    list_select_related = ("member__user", "team", "upstream")
    search_fields = ("id", "parameters__prompt", "member__user__email", "worker")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    inlines = (AttemptInline,)
    fieldsets = (
        (None, {"fields": ("id", "status", "reason", "code", "member", "team", "credits")}),
        (_("Request"), {"fields": ("model", "prompt", "parameters", "batch", "retry_of")}),
        (
            _("Progress"),
            {
                "fields": (
                    "upstream",
                    "attempt",
                    "busy_calls",
                    "unknown_calls",
                    "interrupted_calls",
                    "worker",
                )
            },
        ),
        (_("Queue"), {"fields": ("priority", "virtual_start", "not_before", "lease_until")}),
        (_("Times"), {"fields": ("created_at", "first_called_at", "claimed_at", "changed_at", "ended_at")}),
    )
    readonly_fields = ("id", "prompt", "credits", "created_at")
    actions = ("give_up",)

    def get_urls(self) -> list[URLPattern]:
        """Lead from where the reconciliation report was to where it is."""
        moved = RedirectView.as_view(pattern_name="operate:reconcile", query_string=True)
        page = path("reconciliation/", self.admin_site.admin_view(moved), name="jobs_reconciliation")
        return [page, *super().get_urls()]

    @admin.display(description=_("prompt"))
    def prompt(self, row: Generation) -> str:
        """The prompt of the request."""
        return row.prompt

    @admin.action(description=_("Give up pictures whose worker is lost (not charged)"), permissions=["view"])
    def give_up(self, request: HttpRequest, generations: QuerySet[Generation]) -> None:
        """Fail those that are STORING and release their holds."""
        waiting, by = list(generations.filter(status=Status.STORING)), teams_actor.actor_of(request)
        ended = sum(operator_actions.give_up(row.pk, by=by, only_lost=False) for row in waiting)
        self.message_user(request, _("%(count)s given up, not charged.") % {"count": ended})

    @admin.display(description=_("price"), ordering="price")
    def credits(self, generation: Generation) -> str:
        """The price in credits."""
        return as_text(generation.price)


class PriceForm(forms.ModelForm):
    model = forms.ChoiceField(
        label=_("Model"), choices=[(model.name, model.title) for model in catalogue_registry.MODELS.values()]
    )
    amount = CreditsField(label=_("Credits"))

    class Meta:
        model = Price
        fields = ("model", "team", "amount", "valid_from")


@admin.register(Price)
class PriceAdmin(admin.ModelAdmin):
    """Prices are never changed: a new one is added, valid from its own time."""

    form = PriceForm
    list_display = ("model", "team", "credits", "valid_from")
    list_filter = ("model", "team")
    ordering = ("model", "-valid_from")
    fields = ("model", "team", "amount", "valid_from")

    def get_fields(self, request: HttpRequest, obj: Price | None = None) -> tuple[str, ...]:
        """The amount in credits on the form and on the read-only page."""
        return self.fields if obj is None else ("model", "team", "credits", "valid_from")

    def get_readonly_fields(self, request: HttpRequest, obj: Price | None = None) -> tuple[str, ...]:
        """The amount in credits is read only on an existing price."""
        return () if obj is None else ("credits",)

    def has_change_permission(self, request: HttpRequest, obj: Price | None = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Price | None = None) -> bool:
        """Never."""
        return False

    @admin.display(description=_("credits"), ordering="amount")
    def credits(self, price: Price) -> str:
        """The amount, in credits."""
        return as_text(price.amount)
