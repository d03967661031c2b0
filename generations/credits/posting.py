"""One line at a time: what every verb of the ledger is made of. Its callers have locked the accounts."""

import uuid

from django.db import IntegrityError
from django.db.models import F
from django.utils.translation import gettext as _

from generations.credits.accounts import open_pool
from generations.credits.errors import AmountRefused, InsufficientCredits, MembershipEnded, ReferenceTaken
from generations.credits.models import Account, AccountKind, Hold, Transfer, TransferKind
from generations.teams.models import Membership


def positive(amount: int) -> int:
    """The amount; AmountRefused if it would move nothing, or backwards."""
    if amount <= 0:
        raise AmountRefused
    return amount


def check_still_in_team(member: Membership) -> None:
    """MembershipEnded if it did. Asked under the wallet's lock, which whoever ends one takes first."""
    if Membership.objects.filter(pk=member.pk, ended_at__isnull=False).exists():
        raise MembershipEnded


def check_covered(account: Account, amount: int) -> None:
    """InsufficientCredits if the locked account has less to move; the outside has no end."""
    outside = account.kind in {AccountKind.ISSUED, AccountKind.SPENT}
    if not outside and amount > account.available:
        raise InsufficientCredits(missing=amount - account.available, available=account.available)


def write(line: Transfer, amount: int, reference: uuid.UUID) -> Transfer:
    """Add the line, or find the one that says the same; ReferenceTaken if one says something else."""
    line.amount, line.reference = positive(amount), reference
    known = Transfer.objects.filter(reference=reference, kind=line.kind).first()
    if known is None:
        check_covered(line.source, amount)
        return enter(line)
    if (known.source_id, known.target_id, known.amount) != (line.source_id, line.target_id, amount):
        raise ReferenceTaken
    return known


def enter(line: Transfer, *, freed: int = 0) -> Transfer:
    """Add the line and count it on both ends; `freed` of the source was held for it."""
    try:
        line.save(force_insert=True)
    except IntegrityError:  # taken at the same moment, between other accounts
        raise ReferenceTaken from None
    source = Account.objects.filter(pk=line.source_id)
    source.update(balance=F("balance") - line.amount, held=F("held") - freed)
    Account.objects.filter(pk=line.target_id).update(balance=F("balance") + line.amount)
    line.is_new = True
    return line


def pass_on_remains(held: Hold) -> None:
    """To the pool with what nobody can spend any more, if the membership has ended."""
    if held.member.ended_at is None:
        return
    wallet = Account.objects.get(pk=held.account_id)
    if wallet.available:
        line = Transfer(kind=TransferKind.TAKE_BACK, amount=wallet.available, reference=uuid.uuid4())
        line.source, line.target = wallet, open_pool(held.member.team)
        line.team_id, line.member, line.note = held.member.team_id, held.member, _("The membership ended.")
        enter(line)
