"""The page that refunds the charge of a picture, with a reason."""

from __future__ import annotations

import contextlib
import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from generations.credits import ledger
from generations.credits.amounts import in_credits
from generations.credits.models import Hold, Transfer, TransferKind
from generations.library.models import Image
from generations.office.audit_log import service as audit_log_service
from generations.office.credits import service as credits_service
from generations.office.credits.forms import RefundForm
from generations.teams.models import Membership
from generations.teams.permissions import member_required


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(may="refund")
def refund(request: HttpRequest, member: Membership, generation: uuid.UUID) -> HttpResponse:
    """Ask for the reason, then refund the charge. A picture that is private is not shown."""
    charge = _charge(member, generation)
    image = Image.objects.visible_to(member).filter(generation=generation).order_by("position").first()
    refunded = Transfer.objects.filter(reference=generation, kind=TransferKind.REFUND).first()
    form = RefundForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with contextlib.suppress(ledger.AlreadyRefunded):  # a second press ends as the first did
            credits_service.refund(
                team=member.team,
                generation=generation,
                by=audit_log_service.actor_of(request),
                note=form.cleaned_data["note"],
            )
        values = {"credits": in_credits(charge.amount), "who": charge.member}
        messages.success(request, _("Refunded %(credits)s to %(who)s.") % values)
        return _redirect_back(member, generation, image)
    context = {
        "member": member,
        "generation": generation,
        "charge": charge,
        "image": image,
        "refunded": refunded,
        "form": form,
    }
    return render(request, "office/credits/refund.html", context, status=422 if form.is_bound else 200)


def _charge(member: Membership, generation: uuid.UUID) -> Transfer:
    """Return the charge of the generation; 404 if the team paid none."""
    settled = Hold.objects.filter(reference=generation, member__team=member.team, transfer__isnull=False)
    hold = settled.select_related("transfer__member__user").first()
    if hold is None or hold.transfer is None:
        raise Http404
    return hold.transfer


def _redirect_back(member: Membership, generation: uuid.UUID, image: Image | None) -> HttpResponse:
    """Redirect to the picture if the administrator may see it, else to the overview."""
    if image:
        return redirect("jobs:generation", member.team.slug, generation)
    return redirect("office:overview", member.team.slug)
