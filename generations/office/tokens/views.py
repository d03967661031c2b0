"""Pages of API tokens: members see and issue their own, administrators those of the whole team."""

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
def token_list(request: HttpRequest, member: Membership) -> HttpResponse:
    """List the valid tokens with scopes and spending, and the latest that are not valid any more."""
    valid, ended = tokens_service.list_tokens(member)
    context = {
        "member": member,
        "tokens": valid,
        "ended": ended,
        "is_administrator": may(member, "manage_members"),
    }
    return render(request, "office/tokens/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required()
def new_token(request: HttpRequest, member: Membership) -> HttpResponse:
    """Issue a token. Only this response shows the secret, and that to the same form sent again."""
    programs = tokens_service.manageable_programs(member)
    initial = {"of": request.GET.get("of", "")} if request.GET.get("of") else {}
    form = TokenForm(request.POST or None, member=member, programs=programs, initial=initial)
    if form.is_valid():
        try:
            token, secret = tokens_service.issue(
                **form.issue_arguments(), by=audit_log_service.actor_of(request), requester=member
            )
        except (teams_api_tokens.ScopeNotAllowed, tokens_service.TooManyTokens) as error:
            form.add_error("scopes", str(error))
        except tokens_service.TokenNoLongerValid as error:
            form.renew_reference()
            form.add_error(None, str(error))
        except Membership.DoesNotExist:  # the program was removed since the form was shown
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
    """Revoke a token."""
    token = get_object_or_404(tokens_service.visible_to(member), pk=pk)
    try:
        revoked = tokens_service.revoke(token=token, by=audit_log_service.actor_of(request), requester=member)
    except PermissionDenied:  # the role was lost since the token was read
        raise Http404 from None
    if revoked:
        messages.success(request, _("%(name)s is revoked: it can no longer be used.") % {"name": token})
    else:
        messages.info(request, _("It was revoked before."))
    return redirect("tokens:list", member.team.slug)
