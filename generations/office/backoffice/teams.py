"""The back office: teams with their members and their pool."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from generations.credits import ledger
from generations.credits.amounts import as_text
from generations.jobs.engine import operator_actions
from generations.office.audit_log import service as audit_log_service
from generations.office.members import roles as members_roles
from generations.office.members import service as members_service
from generations.office.members import team_settings
from generations.office.models import Act
from generations.teams import membership
from generations.teams.models import Kind, Membership, Role, Team


class MemberForm(forms.ModelForm):
    """One line of a team: who, as what, and whether still."""

    present = forms.BooleanField(label=_("In the team"), required=False, initial=True)

    class Meta:
        model = Membership
        fields = ("user", "role", "weight")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk:
            self.initial["present"] = self.instance.ended_at is None
            self.fields["user"].disabled = True
        self.fields["user"].required = True


class MemberInline(admin.TabularInline):
    model = Membership
    form = MemberForm
    extra = 0
    can_delete = False
    verbose_name_plural = _("members")
    fields = ("user", "role", "weight", "present", "credits", "seen_at")
    readonly_fields = ("credits", "seen_at")
    autocomplete_fields = ("user",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        """The people with their wallets, in one query; programs have no account that could be chosen."""
        people_alone = super().get_queryset(request).filter(kind=Kind.PERSON)
        return people_alone.select_related("user", "wallet").order_by("pk")

    @admin.display(description=_("available credits"))
    def credits(self, member: Membership) -> str:
        """What the member can still spend."""
        wallet = getattr(member, "wallet", None)  # came with the row; who was never granted any may have none
        return as_text(wallet.available if wallet else 0) if member.pk else ""


@admin.register(Team)
class TeamAdmin(admin.ModelAdmin):
    list_display = ("name", "slug", "created_at", "is_active")
    search_fields = ("name", "slug")
    ordering = ("name",)
    fields = ("name", "slug", "time_zone", "is_active", "credits")
    inlines = (MemberInline,)
    actions = ("deactivate", "activate")

    def get_readonly_fields(self, request: HttpRequest, obj: Team | None = None) -> tuple[str, ...]:
        """An address that people have kept stays good."""
        return ("is_active", "credits") if obj is None else ("slug", "is_active", "credits")

    def get_prepopulated_fields(self, request: HttpRequest, obj: Team | None = None) -> dict[str, Any]:
        """The address follows the name while both are new."""
        return {"slug": ("name",)} if obj is None else {}

    def has_delete_permission(self, request: HttpRequest, obj: Team | None = None) -> bool:
        """The ledger names teams; deactivate it instead."""
        return False

    def save_model(self, request: HttpRequest, obj: Team, form: Any, change: bool) -> None:
        """Every team has a pool; what changes is written down."""
        by = audit_log_service.by(request)
        if change:
            team_settings.change(team=obj, by=by, name=obj.name, time_zone=obj.time_zone)
            return
        super().save_model(request, obj, form, change)
        ledger.open_pool(obj)
        audit_log_service.record(
            by, Act.TEAM_MADE, team=obj, after={"name": obj.name, "time_zone": obj.time_zone}
        )

    def save_formset(self, request: HttpRequest, form: Any, formset: BaseInlineFormSet, change: bool) -> None:
        """Who is new is admitted, who is not there any more is dismissed; the wallets follow."""
        formset.save(commit=False)
        for line in formset.forms:
            if line.has_changed():
                self._follow(line, request)

    def _follow(self, line: forms.ModelForm, request: HttpRequest) -> None:
        """Bring one member to what the line says; a sentence if nobody could run the team then."""
        member, present = line.instance, line.cleaned_data["present"]
        by, role, weight = audit_log_service.by(request), Role(member.role), member.weight
        try:
            with transaction.atomic():
                if member.pk and not present:
                    members_service.dismiss(member=member, by=by)
                elif present and member.user and (member.pk is None or member.ended_at):
                    admitted = members_service.admit(user=member.user, team=member.team, role=role, by=by)
                    members_roles.set_weight(member=admitted, weight=weight, by=by)
                elif member.pk:
                    members_roles.set_role(member=member, role=role, by=by)
                    members_roles.set_weight(member=member, weight=weight, by=by)
        except (membership.AlreadyIn, membership.LastOwner, operator_actions.InvalidWeight) as problem:
            messages.error(request, str(problem))
        except Membership.DoesNotExist:
            messages.error(request, _("%(person)s had left the team meanwhile.") % {"person": member})

    @admin.display(description=_("active"), boolean=True)
    def is_active(self, team: Team) -> bool:
        """Whether its pages open."""
        return team.deactivated_at is None

    @admin.display(description=_("pool"))
    def credits(self, team: Team) -> str:
        """What the team has, and where an operator issues more."""
        if not team.pk:
            return ""
        pool = ledger.open_pool(team)
        return format_html(
            '{} (<a href="{}">{}</a>)',
            as_text(pool.available),
            reverse("admin:credits_account_issue", args=[pool.pk]),
            _("issue credits"),
        )

    @admin.action(description=_("Close their pages"))
    def deactivate(self, request: HttpRequest, teams: QuerySet[Team]) -> None:
        """Nobody opens a page of theirs any more; nothing is lost."""
        for team in teams:
            team_settings.close(team=team, by=audit_log_service.by(request))

    @admin.action(description=_("Open their pages again"))
    def activate(self, request: HttpRequest, teams: QuerySet[Team]) -> None:
        """As before."""
        for team in teams:
            team_settings.reopen(team=team, by=audit_log_service.by(request))
