"""Operations on invitations. They need the scope `administer`."""

from __future__ import annotations

import uuid
from typing import Any

from allauth.core.internal import ratelimit  # the public decorator responds with a page of the portal
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Query, Router

from generations.api import idempotency
from generations.api.v1 import errors as v1_errors
from generations.api.v1 import idempotent_post, pagination, serializers
from generations.api.v1.auth import ApiRequest, administrator, check_appointment, valid_pk
from generations.api.v1.error_format import ApiError
from generations.api.v1.openapi import IDEMPOTENCY_KEY, responses
from generations.api.v1.schemas.office import InvitationIn, InvitationPage, LinkIn, LinkOut, MailedOut, MailIn
from generations.api.v1.schemas.team import Page
from generations.credits.amounts import HUNDREDTHS
from generations.office.invitations import query as invitations_query
from generations.office.invitations import service as invitations_service
from generations.office.members.forms import InviteForm
from generations.teams import invitation_links
from generations.teams.actor import actor_of
from generations.teams.models import Invitation, Membership, Role
from generations.teams.permissions import assignable_roles

router = Router(tags=["Invitations"])


@router.get("/team/invitations", response=responses(200, InvitationPage, 422), summary="List invitations")
def list_invitations(request: ApiRequest, query: Query[Page]) -> dict[str, Any]:
    """List the open invitations, newest first, 50 per page. Their links are not stored."""
    found, _open, _ended = invitations_query.list_invitations(
        administrator(request).team, page=str(query.page)
    )
    return pagination.numbered_page(request, found, query.page, _invitation)


@router.post(
    "/team/invitations",
    response=responses(201, LinkOut, 400, 409, 422),
    summary="Create an invitation link",
    openapi_extra=IDEMPOTENCY_KEY,
)
def create_link(request: ApiRequest, payload: LinkIn) -> HttpResponse:
    """Create a link for the people you invite. A repeated request with the same key returns the same link.

    The link works no longer than the token of this request, and a token invites no owners.
    """
    requester = administrator(request)

    def create(form_id: uuid.UUID) -> dict[str, Any]:
        invite = _form(requester, payload, form_id, uses=payload.uses)
        _count_invitation(request, requester)
        link = invitations_service.invite_by_link(
            inviter=requester,
            form_id=form_id,
            offer=invite.offer(),
            uses=payload.uses,
            by=actor_of(request),
            token=request.auth.token,
        )
        row = invitation_links.find(link.rstrip("/").rpartition("/")[2])
        return _invitation(row) | {"link": link}

    return idempotent_post.create_secret(request, requester, create)


@router.post(
    "/team/invitations/mail",
    response=responses(201, MailedOut, 400, 409, 422, 503),
    summary="Send invitations by e-mail",
    openapi_extra=IDEMPOTENCY_KEY,
)
def send_mail(request: ApiRequest, payload: MailIn) -> HttpResponse:
    """Send each address its own link. 409 if the portal sends no mail, 503 if no mail could be sent."""
    requester = administrator(request)
    if not settings.EMAIL_URL:
        message = _("This portal sends no mail. Create an invitation link instead.")
        raise ApiError(409, "no_mail", message)

    def create(form_id: uuid.UUID) -> dict[str, Any]:
        invite = _form(requester, payload, form_id, emails="\n".join(payload.emails))
        _count_invitation(request, requester)
        mailed = invitations_service.invite_by_mail(
            inviter=requester,
            form_id=form_id,
            offer=invite.offer(),
            emails=invite.cleaned_data["emails"],
            by=actor_of(request),
            token=request.auth.token,
        )
        return {"mailed": mailed.to, "not_mailed": mailed.not_to}

    try:
        return idempotent_post.create_once(request, requester, create)
    except invitations_service.NotMailed:
        # The next try sends new invitations.
        idempotency.discard(requester, request.headers.get(idempotency.HEADER))
        raise


@router.delete(
    "/team/invitations/{int:pk}", response=responses(204, None, 404), summary="Revoke an invitation"
)
def revoke_invitation(request: ApiRequest, pk: int) -> HttpResponse:
    """Make the link of an invitation invalid. No effect if it has ended already."""
    requester = administrator(request)
    rows = Invitation.objects.select_related("team")
    row = get_object_or_404(rows, pk=valid_pk(pk), team=requester.team_id)
    invitations_service.revoke(invitation=row, requester=requester, by=actor_of(request))
    return HttpResponse(status=204)


def _form(requester: Membership, payload: InvitationIn, form_id: uuid.UUID, **more: Any) -> InviteForm:
    """Return the validated form of the portal's page; ApiError (403, 422) if it is invalid."""
    if Role(payload.role) not in assignable_roles(requester.role):
        raise v1_errors.role_does_not_allow()
    check_appointment(requester, payload.role)
    data = {"reference": form_id, "role": payload.role, "days": payload.days, **more}
    if payload.credits is not None:
        data["credits"] = f"{round(payload.credits * HUNDREDTHS)}e-2"
    invite = InviteForm(data, member=requester, by_mail="emails" in more)
    if not invite.is_valid():
        raise v1_errors.from_form(invite)
    return invite


def _count_invitation(request: ApiRequest, requester: Membership) -> None:
    """Count an invitation; ApiError (429) above the limit, which the portal's pages share."""
    if not ratelimit.consume(request, app="allauth.account", action="invite", user=requester.user):
        message = _("Too many invitations. Try again in an hour, or create one link for more people.")
        raise ApiError(429, "rate_limited", message, headers={"Retry-After": "3600"})


def _invitation(row: Invitation) -> dict[str, Any]:
    return {
        "id": row.pk,
        "email": row.email or None,
        "role": row.role,
        "credits": serializers.in_credits(row.credits),
        "uses": row.uses,
        "used": row.used,
        "made_by": str(row.made_by) if row.made_by else None,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "links": {"self": f"{serializers.ROOT}/team/invitations/{row.pk}"},
    }
