"""What a member sees of the ledger."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from generations.credits import accounts, statement
from generations.credits.models import Transfer
from generations.teams.models import Membership
from generations.teams.permissions import member_required


@require_safe
@member_required(may="see")
def lines(request: HttpRequest, member: Membership) -> HttpResponse:
    """My credits: what is left, what is held, and every line, a page at a time (`?before=`)."""
    before = _line(member, request.GET.get("before", ""))
    wallet = accounts.open_wallet(member)
    entries, older = statement.written(member, wallet, before=before)
    newest = before.created_at if before else None
    oldest = entries[-1].when if older else None
    given_back = statement.released(member, newest=newest, oldest=oldest)
    held = [] if before else statement.held(wallet)
    lines = sorted([*entries, *given_back], key=lambda entry: entry.when, reverse=True)
    context = {"member": member, "wallet": wallet, "entries": [*held, *lines], "older": older}
    return render(request, "credits/lines.html", context)


def _line(member: Membership, number: str) -> Transfer | None:
    """The member's own line of that number, to go on from; 404 for anybody else's."""
    if not number:
        return None
    line = (
        member.transfers.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 19 else None
    )
    if line is None:
        raise Http404
    return line
