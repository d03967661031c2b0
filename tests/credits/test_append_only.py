"""The database protects the ledger, with the schema that the migrations produce."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from generations.credits.models import Account, Transfer


def refused():
    return pytest.raises(DatabaseError, match="Ledger lines are added, never changed")


def test_an_entry_cannot_be_changed(member):
    with refused(), transaction.atomic():
        Transfer.objects.update(amount=1)


def test_an_entry_cannot_be_deleted(member):
    with refused(), transaction.atomic():
        Transfer.objects.all()._raw_delete("default")


@pytest.mark.django_db(transaction=True)
def test_the_table_cannot_be_truncated(member):
    empty = {"postgresql": "TRUNCATE credits_transfer CASCADE", "sqlite": "DELETE FROM credits_transfer"}
    with refused(), connection.cursor() as cursor:
        cursor.execute(empty[connection.vendor])


@pytest.mark.parametrize("change", [{"balance": -1}, {"held": -1}, {"held": 100_01}])
def test_a_wallet_cannot_be_overdrawn(member, change):
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.filter(membership=member).update(**change)


def test_there_is_one_account_of_spent_credits(db):
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.create(kind="spent")


@pytest.mark.django_db(transaction=True)
def test_an_entry_cannot_be_changed_after_a_test_that_flushed(member):
    with refused(), transaction.atomic():
        Transfer.objects.update(amount=1)
