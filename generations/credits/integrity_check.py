"""Proof that the books are right. Each check is one statement, so it sees one moment of a busy ledger."""

from collections.abc import Iterator

from django.db.models import BigIntegerField, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from generations.credits import daily_totals
from generations.credits.amounts import as_text
from generations.credits.models import Account, AccountKind, Hold, HoldState, Transfer, TransferKind

ENDS = {
    TransferKind.ISSUE: (AccountKind.ISSUED, AccountKind.POOL),
    TransferKind.GRANT: (AccountKind.POOL, AccountKind.WALLET),
    TransferKind.ALLOWANCE: (AccountKind.POOL, AccountKind.WALLET),
    TransferKind.TAKE_BACK: (AccountKind.WALLET, AccountKind.POOL),
    TransferKind.CHARGE: (AccountKind.WALLET, AccountKind.SPENT),
    TransferKind.REFUND: (AccountKind.SPENT, AccountKind.WALLET),
}


def problems() -> list[str]:
    """What is wrong, a sentence each; empty if the ledger is exact."""
    return [
        *_accounts_that_do_not_add_up(),
        *_the_whole(),
        *_overdrawn_accounts(),
        *_holds_without_their_charge(),
        *_undecided_holds_with_a_charge(),
        *_charges_without_a_hold(),
        *_lines_between_the_wrong_accounts(),
        *_refunds_of_nothing(),
        *_days_that_do_not_add_up(),
        *_lines_across_teams(),
    ]


def _total(rows: QuerySet[Transfer] | QuerySet[Hold], by: str) -> Coalesce:
    """The sum of the amounts that name the account, 0 if there is none."""
    mine = rows.filter(**{by: OuterRef("pk")}).order_by().values(by).annotate(total=Sum("amount"))
    return Coalesce(Subquery(mine.values("total")), 0, output_field=BigIntegerField())


def _accounts_that_do_not_add_up() -> Iterator[str]:
    lines = Transfer.objects.all()
    accounts = Account.objects.annotate(
        counted=_total(lines, "target") - _total(lines, "source"),
        waiting=_total(Hold.objects.filter(state=HoldState.OPEN), "account"),
    )
    for account in accounts.exclude(balance=F("counted")):
        yield (
            f"Account {account.pk} has a balance of {as_text(account.balance)}, "
            f"but its lines add up to {as_text(account.counted)}."
        )
    for account in accounts.exclude(held=F("waiting")):
        yield (
            f"Account {account.pk} holds {as_text(account.held)}, "
            f"but its open holds add up to {as_text(account.waiting)}."
        )


def _the_whole() -> Iterator[str]:
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


def _holds_without_their_charge() -> Iterator[str]:
    right = Q(
        transfer__kind=TransferKind.CHARGE,
        transfer__reference=F("reference"),
        transfer__source=F("account"),
        transfer__target__kind=AccountKind.SPENT,
        transfer__amount__lte=F("amount"),
        transfer__member=F("member"),
    )
    settled = Hold.objects.filter(state=HoldState.SETTLED)
    for held in settled.exclude(pk__in=settled.filter(right).values("pk")):
        yield f"Hold {held.reference} is settled, but no line charges it rightly."


def _undecided_holds_with_a_charge() -> Iterator[str]:
    charges = Transfer.objects.filter(kind=TransferKind.CHARGE)
    unsettled = Hold.objects.exclude(state=HoldState.SETTLED)
    wrong = Q(transfer__isnull=False) | Q(reference__in=charges.values("reference"))
    for held in unsettled.filter(wrong):
        yield f"Hold {held.reference} is {held.state}, but a line charges it."


def _charges_without_a_hold() -> Iterator[str]:
    for line in Transfer.objects.filter(kind=TransferKind.CHARGE, hold__isnull=True):
        yield f"Line {line.pk} charges {line.reference}, which no hold was settled for."


def _lines_between_the_wrong_accounts() -> Iterator[str]:
    right = Q(kind=TransferKind.ADJUSTMENT) & (
        Q(source__kind=AccountKind.POOL, target__kind__in=[AccountKind.WALLET, AccountKind.ISSUED])
        | Q(target__kind=AccountKind.POOL, source__kind__in=[AccountKind.WALLET, AccountKind.ISSUED])
    )
    for kind, (source, target) in ENDS.items():
        right |= Q(kind=kind, source__kind=source, target__kind=target)
    for line in Transfer.objects.exclude(right):
        yield f"Line {line.pk} is of the kind {line.kind}, but goes from {line.source} to {line.target}."


def _refunds_of_nothing() -> Iterator[str]:
    charge = Transfer.objects.filter(
        kind=TransferKind.CHARGE,
        reference=OuterRef("reference"),
        source=OuterRef("target"),
        target=OuterRef("source"),
        amount=OuterRef("amount"),
    )
    refunds = Transfer.objects.filter(kind=TransferKind.REFUND)
    for line in refunds.annotate(charge=Subquery(charge.values("pk")[:1])).filter(charge__isnull=True):
        yield f"Line {line.pk} refunds {line.reference}, which was not charged so."


def _lines_across_teams() -> Iterator[str]:
    """A wallet is filled from the pool of its own team, and gives back to no other."""
    into = Q(source__kind=AccountKind.POOL, target__kind=AccountKind.WALLET)
    back = Q(source__kind=AccountKind.WALLET, target__kind=AccountKind.POOL)
    stray = (into & ~Q(source__team=F("target__membership__team"))) | (
        back & ~Q(target__team=F("source__membership__team"))
    )
    for line in Transfer.objects.filter(stray):
        yield f"Line {line.pk} goes from {line.source} to {line.target}, which are not of one team."


def _days_that_do_not_add_up() -> Iterator[str]:
    for team in daily_totals.wrong_teams():
        yield f"The summed up days of {team} are not what its lines add up to."
