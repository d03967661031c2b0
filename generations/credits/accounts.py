"""Accounts of the ledger: get or open them, and lock them, always in primary-key order."""

from django.db.models import Q, QuerySet

from generations.core.one_message import Asked
from generations.core.prepared_queries import Param, PreparedQuery
from generations.credits.models import Account, AccountKind
from generations.teams.models import Membership, Team

_locked_wallet = PreparedQuery(
    lambda: Account.objects.filter(membership=Param("member")).select_for_update(no_key=True)
)


def issued() -> Account:
    """Return the system account that issued credits come from."""
    return Account.objects.get_or_create(kind=AccountKind.ISSUED)[0]


def spent() -> Account:
    """Return the system account that spent credits go to."""
    return Account.objects.get_or_create(kind=AccountKind.SPENT)[0]


def open_pool(team: Team) -> Account:
    """Return the team's account; open it if there is none."""
    return Account.objects.get_or_create(kind=AccountKind.POOL, team=team)[0]


def open_wallet(member: Membership) -> Account:
    """Return the member's account; open it if there is none."""
    return Account.objects.get_or_create(kind=AccountKind.WALLET, membership=member)[0]


def locked(which: Q) -> QuerySet[Account]:
    """Return a query set that locks the accounts in primary-key order until the transaction ends.

    FOR NO KEY UPDATE, so that inserting a row that references an account does not wait.
    """
    return Account.objects.filter(which).select_for_update(no_key=True).order_by("pk")


def lock(which: Q) -> list[Account]:
    """Lock these accounts as `locked` does and return them."""
    return list(locked(which))


def lock_wallet(member: Membership) -> Account:
    """Lock and return the member's account alone; open it if there is none."""
    return _locked_wallet.first(member=member.pk) or open_wallet(member)


def ask_wallet(member: Membership) -> Asked:
    """Return the query that locks the member's account, for `ask_together`."""
    return _locked_wallet.asked(member=member.pk)


def lock_pool_and_wallet(member: Membership) -> tuple[Account, Account]:
    """Lock and return the accounts of a grant; open those that are missing."""
    pool, wallet = open_pool(member.team), open_wallet(member)
    locked = {account.pk: account for account in lock(Q(pk__in=[pool.pk, wallet.pk]))}
    return locked[pool.pk], locked[wallet.pk]
