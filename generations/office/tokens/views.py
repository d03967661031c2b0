"""API tokens of a team: everybody their own; who runs the team all, and those of programs."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generations.office.audit_log import service as audit_log_service
from generations.office.tokens import service as tokens_service
from generations.office.tokens.forms import TokenForm
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Membership
from generations.teams.permissions import may, member_required


@require_safe
@never_cache
@member_required()
def everybody(request: HttpRequest, member: Membership) -> HttpResponse:
    """Those that are good, with what each may and has spent; and the last that no longer are."""
    good, ended = tokens_service.listed(member)
    context = {
        "member": member,
        "tokens": good,
        "ended": ended,
        "is_keeper": may(member, "manage_members"),
    }
    return render(request, "office/tokens/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required()
def new(request: HttpRequest, member: Membership) -> HttpResponse:
    """A new one; its secret is on this answer alone, and on that to the same form sent again."""
    programs = tokens_service.programs_of(member)
    initial = {"of": request.GET.get("of", "")} if request.GET.get("of") else {}
    form = TokenForm(request.POST or None, member=member, programs=programs, initial=initial)
    if form.is_valid():
        try:
            token, secret = tokens_service.issue(
                **form.asked(), by=audit_log_service.by(request), acting=member
            )
        except (teams_api_tokens.ScopeRefused, tokens_service.TooManyTokens) as problem:
            form.add_error("scopes", str(problem))
        except tokens_service.TokenOver as problem:
            form.try_anew()
            form.add_error(None, str(problem))
        except Membership.DoesNotExist:  # the program ended since the form was shown
            raise Http404 from None
        else:
            return render(
                request, "office/tokens/created.html", {"member": member, "token": token, "secret": secret}
            )
    context = {"member": member, "form": form}
    return render(request, "office/tokens/new.html", context, status=422 if form.is_bound else 200)


@require_POST
@member_required()
def revoke(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """Let nobody in by it from now on."""
    token = get_object_or_404(tokens_service.visible_to(member), pk=pk)
    try:
        revoked = tokens_service.revoke(token=token, by=audit_log_service.by(request), acting=member)
    except PermissionDenied:  # of a role that was lost just now
        raise Http404 from None
    if revoked:
        messages.success(request, _("%(name)s is revoked: it lets nobody in any more.") % {"name": token})
    else:
        messages.info(request, _("It was revoked before."))
    return redirect("tokens:list", member.team.slug)
