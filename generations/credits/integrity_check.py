"""Checks that the ledger is exact. Each is one statement, so it sees one snapshot of a busy ledger."""

from collections.abc import Iterator

from django.db.models import BigIntegerField, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from generations.credits import daily_totals
from generations.credits.amounts import as_text
from generations.credits.models import Account, AccountKind, Hold, HoldState, Transfer, TransferKind

ACCOUNT_KINDS = {  # by kind of transfer: source and target
    TransferKind.ISSUE: (AccountKind.ISSUED, AccountKind.POOL),
    TransferKind.GRANT: (AccountKind.POOL, AccountKind.WALLET),
    TransferKind.ALLOWANCE: (AccountKind.POOL, AccountKind.WALLET),
    TransferKind.TAKE_BACK: (AccountKind.WALLET, AccountKind.POOL),
    TransferKind.CHARGE: (AccountKind.WALLET, AccountKind.SPENT),
    TransferKind.REFUND: (AccountKind.SPENT, AccountKind.WALLET),
}


def problems() -> list[str]:
    """Return a sentence for each error; empty if the ledger is exact."""
    return [
        *_wrong_balances(),
        *_nonzero_sum_of_balances(),
        *_overdrawn_accounts(),
        *_settled_holds_without_charge(),
        *_unsettled_holds_with_charge(),
        *_charges_without_hold(),
        *_transfers_between_wrong_accounts(),
        *_refunds_without_charge(),
        *_wrong_daily_totals(),
        *_transfers_across_teams(),
    ]


def _total(rows: QuerySet[Transfer] | QuerySet[Hold], by: str) -> Coalesce:
    """Sum the amounts of the rows that reference the account, 0 if there are none."""
    own = rows.filter(**{by: OuterRef("pk")}).order_by().values(by).annotate(total=Sum("amount"))
    return Coalesce(Subquery(own.values("total")), 0, output_field=BigIntegerField())


def _wrong_balances() -> Iterator[str]:
    transfers = Transfer.objects.all()
    accounts = Account.objects.annotate(
        posted=_total(transfers, "target") - _total(transfers, "source"),
        open_holds=_total(Hold.objects.filter(state=HoldState.OPEN), "account"),
    )
    for account in accounts.exclude(balance=F("posted")):
        yield (
            f"Account {account.pk} has a balance of {as_text(account.balance)}, "
            f"but its entries add up to {as_text(account.posted)}."
        )
    for account in accounts.exclude(held=F("open_holds")):
        yield (
            f"Account {account.pk} holds {as_text(account.held)}, "
            f"but its open holds add up to {as_text(account.open_holds)}."
        )


def _nonzero_sum_of_balances() -> Iterator[str]:
    total = Account.objects.aggregate(total=Sum("balance"))["total"] or 0
    if total:
        yield f"All balances together are {as_text(total)}, not 0."


def _overdrawn_accounts() -> Iterator[str]:
    owned = Q(kind__in=[AccountKind.POOL, AccountKind.WALLET])
    for account in Account.objects.filter((owned & Q(balance__lt=F("held"))) | Q(held__lt=0)):
        yield (
            f"Account {account.pk} is overdrawn: a balance of {as_text(account.balance)}, "
            f"of which {as_text(account.held)} are held."
        )


def _settled_holds_without_charge() -> Iterator[str]:
    correct = Q(
        transfer__kind=TransferKind.CHARGE,
        transfer__reference=F("reference"),
        transfer__source=F("account"),
        transfer__target__kind=AccountKind.SPENT,
        transfer__amount__lte=F("amount"),
        transfer__member=F("member"),
    )
    settled = Hold.objects.filter(state=HoldState.SETTLED)
    for held in settled.exclude(pk__in=settled.filter(correct).values("pk")):
        yield f"Hold {held.reference} is settled, but no entry charges it correctly."


def _unsettled_holds_with_charge() -> Iterator[str]:
    charges = Transfer.objects.filter(kind=TransferKind.CHARGE)
    unsettled = Hold.objects.exclude(state=HoldState.SETTLED)
    charged = Q(transfer__isnull=False) | Q(reference__in=charges.values("reference"))
    for held in unsettled.filter(charged):
        yield f"Hold {held.reference} is {held.state}, but an entry charges it."


def _charges_without_hold() -> Iterator[str]:
    for transfer in Transfer.objects.filter(kind=TransferKind.CHARGE, hold__isnull=True):
        yield f"Entry {transfer.pk} charges {transfer.reference}, for which no hold was settled."


def _transfers_between_wrong_accounts() -> Iterator[str]:
    correct = Q(kind=TransferKind.ADJUSTMENT) & (
        Q(source__kind=AccountKind.POOL, target__kind__in=[AccountKind.WALLET, AccountKind.ISSUED])
        | Q(target__kind=AccountKind.POOL, source__kind__in=[AccountKind.WALLET, AccountKind.ISSUED])
    )
    for kind, (source, target) in ACCOUNT_KINDS.items():
        correct |= Q(kind=kind, source__kind=source, target__kind=target)
    for transfer in Transfer.objects.exclude(correct):
        ends = f"from {transfer.source} to {transfer.target}"
        yield f"Entry {transfer.pk} is of the kind {transfer.kind}, but goes {ends}."


def _refunds_without_charge() -> Iterator[str]:
    charge = Transfer.objects.filter(
        kind=TransferKind.CHARGE,
        reference=OuterRef("reference"),
        source=OuterRef("target"),
        target=OuterRef("source"),
        amount=OuterRef("amount"),
    )
    refunds = Transfer.objects.filter(kind=TransferKind.REFUND)
    for transfer in refunds.annotate(charge=Subquery(charge.values("pk")[:1])).filter(charge__isnull=True):
        yield f"Entry {transfer.pk} refunds {transfer.reference}, but no charge matches it."


def _transfers_across_teams() -> Iterator[str]:
    """Transfers between a wallet and the pool of another team."""
    grants = Q(source__kind=AccountKind.POOL, target__kind=AccountKind.WALLET)
    returns = Q(source__kind=AccountKind.WALLET, target__kind=AccountKind.POOL)
    across_teams = (grants & ~Q(source__team=F("target__membership__team"))) | (
        returns & ~Q(target__team=F("source__membership__team"))
    )
    for transfer in Transfer.objects.filter(across_teams):
        ends = f"from {transfer.source} to {transfer.target}"
        yield f"Entry {transfer.pk} goes {ends}, which are not of one team."


def _wrong_daily_totals() -> Iterator[str]:
    for team in daily_totals.teams_with_wrong_totals():
        yield f"The daily totals of {team} are not what its entries add up to."
