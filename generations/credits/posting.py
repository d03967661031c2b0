"""Posting single transfers: the building blocks of the ledger's verbs. Callers have locked the accounts."""

import uuid

from django.db import IntegrityError
from django.db.models import BigIntegerField, F
from django.utils.translation import gettext as _

from generations.core.prepared_queries import Param
from generations.core.prepared_writes import PreparedInsert, PreparedUpdate
from generations.credits.accounts import open_pool
from generations.credits.errors import AmountRefused, InsufficientCredits, MembershipEnded, ReferenceTaken
from generations.credits.models import Account, AccountKind, Hold, Transfer, TransferKind
from generations.teams.models import Membership

_transfer = PreparedInsert(Transfer)
_debit = PreparedUpdate(
    lambda: Account.objects.filter(pk=Param("pk")),
    balance=F("balance") - Param("amount", BigIntegerField()),
    held=F("held") - Param("freed", BigIntegerField()),
)
_credit = PreparedUpdate(
    lambda: Account.objects.filter(pk=Param("pk")), balance=F("balance") + Param("amount", BigIntegerField())
)


def positive(amount: int) -> int:
    """Return the amount; AmountRefused if it is zero or negative."""
    if amount <= 0:
        raise AmountRefused
    return amount


def check_still_in_team(member: Membership) -> None:
    """Raise MembershipEnded if it did. Call it under the wallet's lock; ending a membership takes it too."""
    if Membership.objects.filter(pk=member.pk, ended_at__isnull=False).exists():
        raise MembershipEnded


def check_covered(account: Account, amount: int) -> None:
    """Raise InsufficientCredits if the account has less available; system accounts have no limit."""
    is_system = account.kind in {AccountKind.ISSUED, AccountKind.SPENT}
    if not is_system and amount > account.available:
        raise InsufficientCredits(missing=amount - account.available, available=account.available)


def post_once(transfer: Transfer, amount: int, reference: uuid.UUID) -> Transfer:
    """Post the transfer, or return the equal one of this reference and kind; ReferenceTaken if it differs."""
    transfer.amount, transfer.reference = positive(amount), reference
    known = Transfer.objects.filter(reference=reference, kind=transfer.kind).first()
    if known is None:
        check_covered(transfer.source, amount)
        return post(transfer)
    if (known.source_id, known.target_id, known.amount) != (transfer.source_id, transfer.target_id, amount):
        raise ReferenceTaken
    return known


def post(transfer: Transfer, *, freed: int = 0) -> Transfer:
    """Save the transfer and update both balances; `freed` of the source's credits were held for it."""
    try:
        _transfer.run(transfer)
    except IntegrityError:  # the reference was used at the same moment, between other accounts
        raise ReferenceTaken from None
    _debit.run(pk=transfer.source_id, amount=transfer.amount, freed=freed)
    _credit.run(pk=transfer.target_id, amount=transfer.amount)
    transfer.is_new = True
    return transfer


def return_remainder_to_pool(held: Hold) -> None:
    """Move what is available in the wallet to the pool if the membership has ended."""
    if held.member.ended_at is None:
        return
    wallet = Account.objects.get(pk=held.account_id)
    if wallet.available:
        transfer = Transfer(kind=TransferKind.TAKE_BACK, amount=wallet.available, reference=uuid.uuid4())
        transfer.source, transfer.target = wallet, open_pool(held.member.team)
        transfer.team_id, transfer.member = held.member.team_id, held.member
        transfer.note = _("The membership ended.")
        post(transfer)
