"""The accounts of the ledger: found or opened, and locked in the one order that everybody keeps."""

from django.db.models import Q, QuerySet

from generations.core.prepared_queries import Param, PreparedQuery
from generations.credits.models import Account, AccountKind
from generations.teams.models import Membership, Team

_locked_wallet = PreparedQuery(
    lambda: Account.objects.filter(membership=Param("member")).select_for_update(no_key=True)
)


def issued() -> Account:
    """The outside that credits come from."""
    return Account.objects.get_or_create(kind=AccountKind.ISSUED)[0]


def spent() -> Account:
    """The outside that credits go to."""
    return Account.objects.get_or_create(kind=AccountKind.SPENT)[0]


def open_pool(team: Team) -> Account:
    """The team's own account, opened if it has none."""
    return Account.objects.get_or_create(kind=AccountKind.POOL, team=team)[0]


def open_wallet(member: Membership) -> Account:
    """The member's account, opened if there is none."""
    return Account.objects.get_or_create(kind=AccountKind.WALLET, membership=member)[0]


def locked(which: Q) -> QuerySet[Account]:
    """The accounts, locked in primary-key order until the transaction ends.

    Without their keys (FOR NO KEY UPDATE): whoever only adds a row that names one need not wait.
    """
    return Account.objects.filter(which).select_for_update(no_key=True).order_by("pk")


def lock(which: Q) -> list[Account]:
    """Lock these accounts, as above; which they are."""
    return list(locked(which))


def lock_wallet(member: Membership) -> Account:
    """The member's account, opened if there is none, and locked alone."""
    return _locked_wallet.first(member=member.pk) or open_wallet(member)


def lock_pool_and_wallet(member: Membership) -> tuple[Account, Account]:
    """Both accounts of a grant, opened if need be, and locked."""
    pool, wallet = open_pool(member.team), open_wallet(member)
    locked = {account.pk: account for account in lock(Q(pk__in=[pool.pk, wallet.pk]))}
    return locked[pool.pk], locked[wallet.pk]
