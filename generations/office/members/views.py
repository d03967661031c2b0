"""Pages of a team's members and programs; administrators change roles and weights and remove members."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generations.office.audit_log import service as audit_log_service
from generations.office.invitations import query as invitations_query
from generations.office.members import query as members_query
from generations.office.members import service as members_service
from generations.office.members.forms import ProgramForm, RoleForm, WeightForm
from generations.teams import membership
from generations.teams.models import Kind, Membership, Role
from generations.teams.permissions import PERMISSIONS, assignable_roles, member_required


@require_safe
@never_cache
@member_required(may="manage_members")
def member_list(request: HttpRequest, member: Membership) -> HttpResponse:
    """List members and programs with role and last visit, and invitations."""
    search = request.GET.get("q", "")[:100]
    open_page, open_invitations, ended = invitations_query.list_invitations(
        member.team, page=request.GET.get("invitations", "1")
    )
    context = {
        "member": member,
        "people": members_query.list_members(member.team, search=search, page=request.GET.get("page", "1")),
        "numbers": members_query.count_by_kind(member.team),
        "search": search,
        "invitations": open_invitations,
        "invitations_page": open_page,
        "ended": ended,
        "assignable_roles": assignable_roles(member.role),
    }
    return render(request, "office/members/list.html", context)


@require_safe
@never_cache
@member_required(may="manage_members")
def member_detail(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """Show one member or program, with forms for what may be changed."""
    return _render_detail(request, member, _get_or_404(member, pk))


@require_POST
@never_cache
@member_required(may="manage_members")
def set_role(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """Change the role of a member."""
    row = _get_or_404(member, pk)
    form = RoleForm(request.POST, member=member)
    if not form.is_valid():
        return _render_detail(request, member, row, role_form=form)
    role: Role = form.cleaned_data["role"]
    try:
        members_service.set_role(
            member=row, role=role, by=audit_log_service.actor_of(request), requester=member
        )
    except membership.LastOwner as error:
        messages.error(request, str(error))
        return _to_detail(row)
    except Membership.DoesNotExist:  # left since it was read
        raise Http404 from None
    messages.success(request, _("%(person)s is now %(role)s.") % {"person": row, "role": role.label})
    may_still_manage = row.pk != member.pk or role in PERMISSIONS["manage_members"]
    return _to_detail(row) if may_still_manage else redirect("library:grid", member.team.slug)


@require_POST
@never_cache
@member_required(may="manage_members")
def set_weight(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """Set the weight of a member in the queue."""
    row = _get_or_404(member, pk)
    form = WeightForm(request.POST)
    if not form.is_valid():
        return _render_detail(request, member, row, weight_form=form)
    weight = form.cleaned_data["weight"]
    try:
        members_service.set_weight(
            member=row, weight=weight, by=audit_log_service.actor_of(request), requester=member
        )
    except Membership.DoesNotExist:  # left since it was read
        raise Http404 from None
    messages.success(request, _("%(person)s has the weight %(weight)s.") % {"person": row, "weight": weight})
    return _to_detail(row)


@require_POST
@member_required(may="manage_members")
def remove_member(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """End the membership of a person or program."""
    row = _get_or_404(member, pk)
    try:
        members_service.remove_member(member=row, requester=member, by=audit_log_service.actor_of(request))
    except membership.LastOwner as error:
        messages.error(request, str(error))
        return _to_detail(row)
    messages.success(request, _("%(person)s is no longer in the team.") % {"person": row})
    is_self = row.pk == member.pk
    return redirect("teams:home") if is_self else redirect("office:people", member.team.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(may="manage_members")
def new_program(request: HttpRequest, member: Membership) -> HttpResponse:
    """Create a program with a name and a wallet."""
    form = ProgramForm(request.POST or None)
    if form.is_valid():
        name = form.cleaned_data["name"]
        try:
            program = members_service.create_program(
                team=member.team, name=name, by=audit_log_service.actor_of(request)
            )
        except membership.ProgramNameTaken as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, _("%(name)s has a wallet now.") % {"name": program})
            return _to_detail(program)
    context = {"member": member, "form": form}
    return render(request, "office/members/program.html", context, status=422 if form.is_bound else 200)


@require_POST
@never_cache
@member_required(may="manage_members")
def rename_program(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """Rename a program."""
    row = _get_or_404(member, pk, kind=Kind.PROGRAM)
    form = ProgramForm(request.POST)
    if not form.is_valid():
        return _render_detail(request, member, row, program_form=form)
    try:
        members_service.rename_program(
            program=row, name=form.cleaned_data["name"], by=audit_log_service.actor_of(request)
        )
    except membership.ProgramNameTaken as error:
        form.add_error("name", str(error))
        return _render_detail(request, member, _get_or_404(member, pk), program_form=form)
    messages.success(request, _("It is called %(name)s now.") % {"name": row})
    return _to_detail(row)


def _get_or_404(member: Membership, pk: int, **filters: str) -> Membership:
    """Return a current member of the team; 404 for any other."""
    rows = Membership.objects.select_related("team", "user", "wallet")
    return get_object_or_404(rows, pk=pk, team=member.team_id, ended_at=None, **filters)


def _render_detail(
    request: HttpRequest, member: Membership, row: Membership, **forms: object
) -> HttpResponse:
    context = {
        "member": member,
        "person": row,
        "may_change": row.role in assignable_roles(member.role),
        "role_form": RoleForm(member=member, initial={"role": row.role}),
        "weight_form": WeightForm(initial={"weight": row.weight}),
        "program_form": ProgramForm(initial={"name": row.name}),
        "invitation": row.invitations.select_related("invitation__made_by").order_by("-used_at").first(),
    }
    return render(request, "office/members/person.html", context | forms, status=422 if forms else 200)


def _to_detail(row: Membership) -> HttpResponse:
    return redirect("office:person", row.team.slug, row.pk)
