"""Page of a member's credits."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from generations.credits import accounts
from generations.credits import statement as credits_statement
from generations.credits.models import Transfer
from generations.teams.models import Membership
from generations.teams.permissions import member_required


@require_safe
@member_required(may="see")
def statement(request: HttpRequest, member: Membership) -> HttpResponse:
    """Show the member's balance, holds and ledger entries, a page at a time (`?before=`)."""
    before = _transfer_or_404(member, request.GET.get("before", ""))
    wallet = accounts.open_wallet(member)
    entries, older = credits_statement.posted(member, wallet, before=before)
    newest = before.created_at if before else None
    oldest = entries[-1].created_at if older else None
    released = credits_statement.released(member, newest=newest, oldest=oldest)
    held = [] if before else credits_statement.held(wallet)
    history = sorted([*entries, *released], key=lambda entry: entry.created_at, reverse=True)
    context = {"member": member, "wallet": wallet, "entries": [*held, *history], "older": older}
    return render(request, "credits/statement.html", context)


def _transfer_or_404(member: Membership, number: str) -> Transfer | None:
    """Return the member's own transfer of that id, None for an empty id; Http404 for any other."""
    if not number:
        return None
    is_id = number.isdecimal() and len(number) < 19  # fits BIGINT
    transfer = member.transfers.filter(pk=int(number)).first() if is_id else None
    if transfer is None:
        raise Http404
    return transfer
