"""Random sequences of actions leave the ledger exact and equal to a simple model of it."""

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generations.credits import adjustments as credits_adjustments
from generations.credits import bulk_transfers, integrity_check, ledger
from generations.credits.models import Account
from generations.office.audit_log import service as audit_log
from generations.office.credits import service as credits_service
from generations.office.members import service as members_service
from generations.teams import users as teams_users

REFERENCES = [uuid.UUID(int=number) for number in range(1, 6)]
ACTIONS = st.tuples(
    st.sampled_from(
        [
            "grant",
            "take_back",
            "hold",
            "settle",
            "release",
            "refund",
            "dismiss",
            "readmit",
            "allow",
            "adjust",
            "cap",
        ]
    ),
    st.integers(-1, 12),
    st.sampled_from(REFERENCES),
)


class ExpectedBalances:
    """A simple model of the ledger: the balance of the pool, of the wallet, and what is held."""

    def __init__(self, pool):
        self.pool, self.wallet, self.present = pool, 0, True
        self.done, self.open, self.charged, self.limit = set(), {}, {}, None

    @property
    def free(self):
        return self.wallet - sum(self.open.values())

    def move(self, kind, amount, reference, sign):
        """Grant, or take back with a negative sign."""
        enough = amount <= (self.pool if sign > 0 else self.free)
        if amount > 0 and enough and (kind, reference) not in self.done:
            self.done.add((kind, reference))
            self.wallet += sign * amount
            self.pool -= sign * amount

    def grant(self, amount, reference):
        if self.present:
            self.move("grant", amount, reference, 1)

    def allow(self, amount, reference):
        if self.present:
            self.move("allow", amount, reference, 1)

    def adjust(self, amount, reference):
        if amount > 0 and not self.present:
            return
        self.move("adjust", abs(amount), reference, 1 if amount > 0 else -1)

    def cap(self, amount, reference):
        if self.present:
            self.limit = amount if amount >= 0 else None

    def take_back(self, amount, reference):
        self.move("take_back", amount, reference, -1)

    def hold(self, amount, reference):
        spent = sum(self.charged.values()) + sum(self.open.values())
        allowed = self.limit is None or spent + amount <= self.limit
        if self.present and allowed and 0 < amount <= self.free and ("hold", reference) not in self.done:
            self.done.add(("hold", reference))
            self.open[reference] = amount

    def settle(self, amount, reference):
        if reference in self.open:
            self.charged[reference] = self.open.pop(reference)
            self.wallet -= self.charged[reference]
            self.return_remainder()

    def release(self, amount, reference):
        if self.open.pop(reference, None):
            self.return_remainder()

    def refund(self, amount, reference):
        if reference in self.charged:
            self.wallet += self.charged.pop(reference)
            self.return_remainder()

    def dismiss(self, amount, reference):
        self.present = False
        self.return_remainder()

    def readmit(self, amount, reference):
        self.present = True

    def return_remainder(self):
        if not self.present:
            self.pool, self.wallet = self.pool + self.free, self.wallet - self.free


def do(member, action, amount, reference):
    """Run the action; errors of the ledger are expected."""
    member.refresh_from_db()
    try:
        if action in {"grant", "take_back", "hold"}:
            getattr(ledger, action)(member=member, amount=amount, reference=reference)
        elif action == "allow":
            bulk_transfers.grant_allowance(member=member, amount=amount, reference=reference)
        elif action == "adjust":
            credits_adjustments.adjust_wallet(member=member, amount=amount, reference=reference, note="wrong")
        elif action == "cap":
            per_day = amount if amount >= 0 else None
            credits_service.set_caps(member=member, per_day=per_day, per_month=None, by=audit_log.COMMAND)
        elif action == "dismiss":
            members_service.end_membership(member=member)
        elif action == "readmit" and member.ended_at:
            members_service.add_member(user=member.user, team=member.team)
        elif action != "readmit":
            getattr(ledger, action)(reference=reference)
    except ledger.LedgerError:
        pass


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=st.lists(ACTIONS, max_size=25))
def test_any_sequence_of_actions_leaves_the_ledger_exact(actions):
    team = members_service.create_team("Studio")
    member = members_service.add_member(
        user=teams_users.create(email=f"{uuid.uuid4()}@example.org"), team=team
    )
    ledger.issue(team=team, amount=20, reference=uuid.uuid4())
    expected, salt = ExpectedBalances(20), uuid.uuid4().int
    for action, amount, reference in actions:
        do(member, action, amount, uuid.UUID(int=reference.int ^ salt))  # references are this example's own
        getattr(expected, action)(amount, reference)
        wallet, pool = Account.objects.get(membership=member), Account.objects.get(team=team)
        now = (pool.balance, wallet.balance, wallet.held)
        assert now == (expected.pool, expected.wallet, sum(expected.open.values())), action
    assert integrity_check.problems() == []
