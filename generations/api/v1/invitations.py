"""Inviting people to the team: by a link that is told once, or by mail; and taking it back."""

from __future__ import annotations

import uuid
from typing import Any

from allauth.core.internal import ratelimit  # the public decorator answers with a page of the portal
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Query, Router

from generations.api import idempotency
from generations.api.v1 import errors as v1_errors
from generations.api.v1 import idempotent, pagination, serializers
from generations.api.v1.auth import Asked, by, keeper, known
from generations.api.v1.errors import Problem
from generations.api.v1.responses import KEY, answers
from generations.api.v1.schemas.office import InvitationIn, InvitationPage, LinkIn, LinkOut, MailedOut, MailIn
from generations.api.v1.schemas.team import Page
from generations.credits.amounts import HUNDREDTHS
from generations.office.invitations import query as invitations_query
from generations.office.invitations import service as invitations_service
from generations.office.members.forms import InviteForm
from generations.teams import invitation_links
from generations.teams.models import Invitation, Membership, Role
from generations.teams.permissions import assignable_roles

router = Router(tags=["Invitations"])


@router.get(
    "/team/invitations", response=answers(200, InvitationPage, 422), summary="Invitations that are open"
)
def listed(request: Asked, wanted: Query[Page]) -> dict[str, Any]:
    """The newest first, 50 at once. Their links are kept nowhere."""
    found, shown, _ended = invitations_query.list_invitations(keeper(request).team, page=str(wanted.page))
    is_there = wanted.page == found.number
    more = found.next_page_number() if is_there and found.has_next() else None
    return {
        "items": [_invitation(each.row) for each in shown] if is_there else [],
        "next": pagination.following(request, more, "page"),
    }


@router.post(
    "/team/invitations",
    response=answers(201, LinkOut, 400, 409, 422),
    summary="Make a link that lets people in",
    openapi_extra=KEY,
)
def make_link(request: Asked, payload: LinkIn) -> HttpResponse:
    """Pass it on to whom you invite. The same call with the same Idempotency-Key tells the same link."""
    acting = keeper(request)

    def deed(form: uuid.UUID) -> dict[str, Any]:
        filled_in = _checked(acting, payload, form, uses=payload.uses)
        _count(request, acting)
        link = invitations_service.invite_by_link(
            inviter=acting, form_id=form, offer=filled_in.offer(), uses=payload.uses, by=by(request)
        )
        row = invitation_links.find(link.rstrip("/").rpartition("/")[2])
        return _invitation(row) | {"link": link}

    return idempotent.make_secret(request, acting, deed)


@router.post(
    "/team/invitations/mail",
    response=answers(201, MailedOut, 400, 409, 422, 503),
    summary="Mail invitations",
    openapi_extra=KEY,
)
def mail(request: Asked, payload: MailIn) -> HttpResponse:
    """Each address gets a link of its own. 409 if the portal sends no mail, 503 if none could be sent."""
    acting = keeper(request)
    if not settings.EMAIL_URL:
        said = _("This portal sends no mail, so invitations are links that you pass on.")
        raise Problem(409, "no_mail", said)

    def deed(form: uuid.UUID) -> dict[str, Any]:
        filled_in = _checked(acting, payload, form, emails="\n".join(payload.emails))
        _count(request, acting)
        mailed = invitations_service.invite_by_mail(
            inviter=acting,
            form_id=form,
            offer=filled_in.offer(),
            emails=filled_in.cleaned_data["emails"],
            by=by(request),
        )
        return {"mailed": mailed.to, "not_mailed": mailed.not_to}

    try:
        return idempotent.make(request, acting, deed)
    except invitations_service.NotMailed:
        idempotency.forget(acting, request.headers.get(idempotency.HEADER))  # the next try invites anew
        raise


@router.delete(
    "/team/invitations/{int:pk}", response=answers(204, None, 404), summary="Take an invitation back"
)
def revoke(request: Asked, pk: int) -> HttpResponse:
    """Its link lets nobody in any more. That it did not before is no mistake."""
    acting = keeper(request)
    rows = Invitation.objects.select_related("team")
    row = get_object_or_404(rows, pk=known(pk), team=acting.team_id)
    invitations_service.revoke(invitation=row, requester=acting, by=by(request))
    return HttpResponse(status=204)


def _checked(acting: Membership, payload: InvitationIn, form: uuid.UUID, **more: Any) -> InviteForm:
    """The form of the page, filled in; Problem for what the page refuses."""
    if Role(payload.role) not in assignable_roles(acting.role):
        raise v1_errors.not_yours()
    said = {"reference": form, "role": payload.role, "days": payload.days, **more}
    if payload.credits is not None:
        said["credits"] = f"{round(payload.credits * HUNDREDTHS)}e-2"
    filled_in = InviteForm(said, member=acting, by_mail="emails" in more)
    if not filled_in.is_valid():
        raise v1_errors.of_form(filled_in)
    return filled_in


def _count(request: Asked, acting: Membership) -> None:
    """Problem (429) for who invites as fast as nobody means to; the pages count by the same clock."""
    if not ratelimit.consume(request, app="allauth.account", action="invite", user=acting.user):
        said = _("You invite people very fast. Go on in an hour, or let one link in more people.")
        raise Problem(429, "rate_limited", said, headers={"Retry-After": "3600"})


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
