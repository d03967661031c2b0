"""Running the installation and its teams: who comes in, and with how many credits."""

import uuid

from django.db import transaction

from generations.credits import ledger
from generations.credits.accounts import lock_pool_and_wallet
from generations.credits.models import Transfer
from generations.teams import membership, people
from generations.teams.models import Membership, Role, Team, User


@transaction.atomic
def found(
    *,
    email: str,
    password: str | None = None,
    team_name: str = "Studio",
    pool: int = 0,
    wallet: int = 0,
) -> User | None:
    """The first operator, who owns the first team; None if there is an operator already.

    `pool` and `wallet` are what both hold afterwards, in hundredths of a credit.
    """
    if User.objects.filter(is_staff=True).exists():
        return None
    user = User.objects.filter(email=email.lower()).first() or people.add(email=email, password=password)
    people.make_operator(user)
    team = Team.objects.order_by("pk").first() or open_team(team_name)
    if not user.memberships.filter(team=team, ended_at=None).exists():
        admit(user=user, team=team, role=Role.OWNER, actor=user, granted=wallet)
    if pool:
        issue(team=team, amount=pool, reference=uuid.uuid4(), actor=user)
    return user


@transaction.atomic
def open_team(name: str) -> Team:
    """A new team with an empty pool."""
    team = membership.found_team(name)
    ledger.open_pool(team)
    return team


@transaction.atomic
def admit(
    *, user: User, team: Team, role: Role = Role.MEMBER, actor: User | None = None, granted: int = 0
) -> Membership:
    """Let the person into the team with a wallet; AlreadyIn if they are in it.

    `granted` hundredths are issued to the pool and granted from it, so the pool stays as it was.
    """
    member = membership.join(user, team, role)
    ledger.open_pool(team)
    ledger.open_wallet(member)
    if granted:
        issue(team=team, amount=granted, reference=uuid.uuid4(), actor=actor)
        grant(member=member, amount=granted, reference=uuid.uuid4(), actor=actor)
    return member


@transaction.atomic
def dismiss(*, member: Membership, actor: User | None = None) -> bool:
    """End the membership; False if it had ended.

    What it can spend goes back to the pool at once, what is held when its pictures are decided.
    """
    _, wallet = lock_pool_and_wallet(member)
    if not membership.leave(member):
        return False
    if wallet.available:
        ledger.take_back(member=member, amount=wallet.available, reference=uuid.uuid4(), actor=actor)
    return True


def issue(
    *, team: Team, amount: int, reference: uuid.UUID, actor: User | None = None, note: str = ""
) -> Transfer:
    """New credits for the team's pool, in hundredths; only operators may."""
    return ledger.issue(team=team, amount=amount, reference=reference, actor=actor, note=note)


def grant(
    *, member: Membership, amount: int, reference: uuid.UUID, actor: User | None = None, note: str = ""
) -> Transfer:
    """Credits from the pool for one member, in hundredths; InsufficientCredits if the pool has less."""
    return ledger.grant(member=member, amount=amount, reference=reference, actor=actor, note=note)
