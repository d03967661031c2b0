"""The people of a team: who they are, what they may do, and programs beside them."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generations.office.audit_log import service as audit_log_service
from generations.office.members import listing as members_listing
from generations.office.members import roles as members_roles
from generations.office.members.forms import ProgramForm, RoleForm, WeightForm
from generations.teams import membership
from generations.teams.models import Kind, Membership, Role
from generations.teams.permissions import member_required, roles_given_by


@require_safe
@never_cache
@member_required(may="manage_members")
def everybody(request: HttpRequest, member: Membership) -> HttpResponse:
    """Members with role and last visit, programs, invitations open and ended."""
    words = request.GET.get("q", "")[:100]
    page, open_ones, ended = members_listing.invitations(
        member.team, page=request.GET.get("invitations", "1")
    )
    context = {
        "member": member,
        "people": members_listing.members(member.team, words=words, page=request.GET.get("page", "1")),
        "numbers": members_listing.numbers(member.team),
        "words": words,
        "invitations": open_ones,
        "invitations_page": page,
        "ended": ended,
        "given": roles_given_by(member.role),
    }
    return render(request, "office/members/list.html", context)


@require_safe
@never_cache
@member_required(may="manage_members")
def person(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """One member or program, and what may be changed about them."""
    return _person(request, member, _found(member, pk))


@require_POST
@never_cache
@member_required(may="manage_members")
def set_role(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """Give a member another role."""
    row = _found(member, pk)
    form = RoleForm(request.POST, member=member)
    if not form.is_valid():
        return _person(request, member, row, role_form=form)
    role: Role = form.cleaned_data["role"]
    try:
        members_roles.set_role(member=row, role=role, by=audit_log_service.by(request), acting=member)
    except membership.LastOwner as problem:
        messages.error(request, str(problem))
        return _to(row)
    except Membership.DoesNotExist:  # they left since it was found
        raise Http404 from None
    said = _("%(person)s is now %(role)s.") % {"person": row, "role": role.label}
    messages.success(request, said)
    is_still_keeper = row.pk != member.pk or role in {Role.OWNER, Role.ADMINISTRATOR}
    return _to(row) if is_still_keeper else redirect("library:grid", member.team.slug)


@require_POST
@never_cache
@member_required(may="manage_members")
def set_weight(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """Give a member more or fewer slots in the queue."""
    row = _found(member, pk)
    form = WeightForm(request.POST)
    if not form.is_valid():
        return _person(request, member, row, weight_form=form)
    weight = form.cleaned_data["weight"]
    try:
        members_roles.set_weight(member=row, weight=weight, by=audit_log_service.by(request), acting=member)
    except Membership.DoesNotExist:  # they left since it was found
        raise Http404 from None
    messages.success(request, _("%(person)s has the weight %(weight)s.") % {"person": row, "weight": weight})
    return _to(row)


@require_POST
@member_required(may="manage_members")
def remove(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """End a membership, or a program."""
    row = _found(member, pk)
    try:
        members_roles.remove(member=row, acting=member, by=audit_log_service.by(request))
    except membership.LastOwner as problem:
        messages.error(request, str(problem))
        return _to(row)
    messages.success(request, _("%(person)s is no longer in the team.") % {"person": row})
    is_me = row.pk == member.pk
    return redirect("teams:home") if is_me else redirect("office:people", member.team.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(may="manage_members")
def new_program(request: HttpRequest, member: Membership) -> HttpResponse:
    """A program gets a wallet and a name."""
    form = ProgramForm(request.POST or None)
    if form.is_valid():
        name = form.cleaned_data["name"]
        try:
            program = members_roles.make_program(
                team=member.team, name=name, by=audit_log_service.by(request)
            )
        except membership.NameTaken as problem:
            form.add_error("name", str(problem))
        else:
            messages.success(request, _("%(name)s has a wallet now.") % {"name": program})
            return _to(program)
    context = {"member": member, "form": form}
    return render(request, "office/members/program.html", context, status=422 if form.is_bound else 200)


@require_POST
@never_cache
@member_required(may="manage_members")
def rename_program(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """Call a program something else."""
    row = _found(member, pk, kind=Kind.PROGRAM)
    form = ProgramForm(request.POST)
    if not form.is_valid():
        return _person(request, member, row, program_form=form)
    try:
        members_roles.rename_program(
            program=row, name=form.cleaned_data["name"], by=audit_log_service.by(request)
        )
    except membership.NameTaken as problem:
        form.add_error("name", str(problem))
        return _person(request, member, _found(member, pk), program_form=form)
    messages.success(request, _("It is called %(name)s now.") % {"name": row})
    return _to(row)


def _found(member: Membership, pk: int, **more: str) -> Membership:
    """Somebody who is in this team; 404 for anybody else."""
    here = Membership.objects.select_related("team", "user", "wallet")
    return get_object_or_404(here, pk=pk, team=member.team_id, ended_at=None, **more)


def _person(request: HttpRequest, member: Membership, row: Membership, **forms: object) -> HttpResponse:
    context = {
        "member": member,
        "person": row,
        "may_change": row.role in roles_given_by(member.role),
        "role_form": RoleForm(member=member, initial={"role": row.role}),
        "weight_form": WeightForm(initial={"weight": row.weight}),
        "program_form": ProgramForm(initial={"name": row.name}),
        "invitation": row.invitations.select_related("invitation__made_by").order_by("-used_at").first(),
    }
    return render(request, "office/members/person.html", context | forms, status=422 if forms else 200)


def _to(row: Membership) -> HttpResponse:
    return redirect("office:person", row.team.slug, row.pk)
