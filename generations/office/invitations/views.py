"""Send and revoke invitations, for administrators of a team."""

from __future__ import annotations

from collections.abc import Callable

from allauth.decorators import rate_limit
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from generations.office.audit_log import service as audit_log_service
from generations.office.invitations import service as invitations_service
from generations.office.members.forms import InviteForm
from generations.teams.invitation_links import InvitationInvalid
from generations.teams.models import Invitation, Membership
from generations.teams.permissions import member_required


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(may="manage_members")
def invite(request: HttpRequest, member: Membership) -> HttpResponse:
    """Create a link to pass on, or mail a link to each address."""
    by_mail = bool(settings.EMAIL_URL) and request.GET.get("by") != "link"
    form = InviteForm(request.POST or None, member=member, by_mail=by_mail)
    context = {"member": member, "form": form, "by_mail": by_mail}
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "office/invitations/new.html", context, status=status)
    respond: Callable[..., HttpResponse] = _invite_by_mail if by_mail else _invite_by_link
    return respond(request, member, form, context)


@rate_limit(action="invite")  # type: ignore[untyped-decorator]  # allauth has no types
def _invite_by_link(
    request: HttpRequest, member: Membership, form: InviteForm, context: dict[str, object]
) -> HttpResponse:
    """Show the link, which no other response contains."""
    try:
        link = invitations_service.invite_by_link(
            inviter=member,
            form_id=form.cleaned_data["reference"],
            offer=form.offer(),
            uses=form.cleaned_data["uses"] or 1,
            by=audit_log_service.actor_of(request),
        )
    except InvitationInvalid:
        form.renew_reference()
        form.add_error(None, _("The link of this form can no longer be used. Press again for another one."))
        return render(request, "office/invitations/new.html", context, status=422)
    return render(request, "office/invitations/link.html", {"member": member, "link": link, "form": form})


@rate_limit(action="invite")  # type: ignore[untyped-decorator]  # allauth has no types
def _invite_by_mail(
    request: HttpRequest, member: Membership, form: InviteForm, context: dict[str, object]
) -> HttpResponse:
    try:
        mailed = invitations_service.invite_by_mail(
            inviter=member,
            form_id=form.cleaned_data["reference"],
            offer=form.offer(),
            emails=form.cleaned_data["emails"],
            by=audit_log_service.actor_of(request),
        )
    except invitations_service.NotMailed as error:
        form.renew_reference()
        form.add_error(None, str(error))
        return render(request, "office/invitations/new.html", context, status=503)
    count = len(mailed.to)
    message = ngettext("%(count)s invitation was mailed.", "%(count)s invitations were mailed.", count)
    messages.success(request, message % {"count": count})
    if mailed.not_to:
        failed = _("Not invited, since the mail to them could not be sent: %(emails)s")
        messages.error(request, failed % {"emails": ", ".join(mailed.not_to)})
    return redirect("office:people", member.team.slug)


@require_POST
@member_required(may="manage_members")
def revoke(request: HttpRequest, member: Membership, pk: int) -> HttpResponse:
    """Revoke an invitation."""
    row = get_object_or_404(Invitation.objects.select_related("team"), pk=pk, team=member.team_id)
    if invitations_service.revoke(invitation=row, requester=member, by=audit_log_service.actor_of(request)):
        messages.success(request, _("The invitation is revoked; its link can no longer be used."))
    else:
        messages.info(request, _("This invitation could not be used any more."))
    return redirect("office:people", member.team.slug)
