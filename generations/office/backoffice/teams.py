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
from generations.office.members import service as members_service
from generations.office.members import team_settings
from generations.office.models import AuditAction
from generations.teams import membership
from generations.teams.models import Kind, Membership, Role, Team


class MemberForm(forms.ModelForm):
    """A member of the team: user, role, weight, and whether they are still in it."""

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
        """Return the people with their wallets, in one query; programs have no user to choose."""
        people = super().get_queryset(request).filter(kind=Kind.PERSON)
        return people.select_related("user", "wallet").order_by("pk")

    @admin.display(description=_("available credits"))
    def credits(self, member: Membership) -> str:
        """The available credits of the member's wallet."""
        wallet = getattr(member, "wallet", None)  # selected with the row; may not exist yet
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
        """The slug cannot be changed: it is in URLs that people have saved."""
        return ("is_active", "credits") if obj is None else ("slug", "is_active", "credits")

    def get_prepopulated_fields(self, request: HttpRequest, obj: Team | None = None) -> dict[str, Any]:
        """Prepopulate the slug of a new team from its name."""
        return {"slug": ("name",)} if obj is None else {}

    def has_delete_permission(self, request: HttpRequest, obj: Team | None = None) -> bool:
        """Never, since the ledger refers to teams; they are deactivated instead."""
        return False

    def save_model(self, request: HttpRequest, obj: Team, form: Any, change: bool) -> None:
        """Save the team with its pool, and write the audit entry."""
        by = audit_log_service.actor_of(request)
        if change:
            team_settings.update(team=obj, by=by, name=obj.name, time_zone=obj.time_zone)
            return
        super().save_model(request, obj, form, change)
        ledger.open_pool(obj)
        audit_log_service.record(
            by, AuditAction.TEAM_MADE, team=obj, after={"name": obj.name, "time_zone": obj.time_zone}
        )

    def save_formset(self, request: HttpRequest, form: Any, formset: BaseInlineFormSet, change: bool) -> None:
        """Admit new members, dismiss those who were removed, and change roles and weights."""
        formset.save(commit=False)
        for member_form in formset.forms:
            if member_form.has_changed():
                self._save_member(member_form, request)

    def _save_member(self, member_form: forms.ModelForm, request: HttpRequest) -> None:
        """Apply one form of the inline; an error message if the change is refused."""
        member, present = member_form.instance, member_form.cleaned_data["present"]
        by, role, weight = audit_log_service.actor_of(request), Role(member.role), member.weight
        try:
            with transaction.atomic():
                if member.pk and not present:
                    members_service.end_membership(member=member, by=by)
                elif present and member.user and (member.pk is None or member.ended_at):
                    admitted = members_service.add_member(
                        user=member.user, team=member.team, role=role, by=by
                    )
                    members_service.set_weight(member=admitted, weight=weight, by=by)
                elif member.pk:
                    members_service.set_role(member=member, role=role, by=by)
                    members_service.set_weight(member=member, weight=weight, by=by)
        except (membership.AlreadyMember, membership.LastOwner, operator_actions.InvalidWeight) as problem:
            messages.error(request, str(problem))
        except Membership.DoesNotExist:
            messages.error(request, _("%(person)s had left the team meanwhile.") % {"person": member})

    @admin.display(description=_("active"), boolean=True)
    def is_active(self, team: Team) -> bool:
        """Whether the team is not deactivated."""
        return team.deactivated_at is None

    @admin.display(description=_("team credits"))
    def credits(self, team: Team) -> str:
        """The available credits of the pool, with a link to issue more."""
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
        """Deactivate the teams: their pages do not open, and nothing is deleted."""
        for team in teams:
            team_settings.deactivate(team=team, by=audit_log_service.actor_of(request))

    @admin.action(description=_("Open their pages again"))
    def activate(self, request: HttpRequest, teams: QuerySet[Team]) -> None:
        """Activate the teams again."""
        for team in teams:
            team_settings.reactivate(team=team, by=audit_log_service.actor_of(request))
