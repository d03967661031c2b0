"""Writes that go together are all done or none, in one message where the database can."""

from __future__ import annotations

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from generations.core.one_message import write_together
from generations.core.prepared_queries import Param
from generations.core.prepared_writes import PreparedCopy, PreparedInsert, PreparedUpdate
from generations.jobs.models import Attempt, Generation

pytestmark = pytest.mark.django_db(transaction=True)

reason = PreparedUpdate(lambda: Generation.objects.filter(pk=Param("pk")), reason=Param("reason"))
attempt = PreparedInsert(Attempt)
again = PreparedCopy(
    Attempt,
    lambda: Attempt.objects.filter(generation=Param("pk"), outcome=""),
    **{field.name: F(field.name) for field in Attempt._meta.concrete_fields if not field.primary_key}
    | {"number": F("number") + 1},
)


@pytest.fixture
def row(submit, upstream):
    return submit().created[0]


def first_attempt(row, upstream):
    return attempt.write(Attempt(generation=row, upstream=upstream, number=1, worker="100 % 'mine'"))


def written(row):
    row.refresh_from_db()
    return row.reason, [each.number for each in Attempt.objects.filter(generation=row)]


def test_all_is_written_and_each_statement_sees_those_before_it(row, upstream):
    with CaptureQueriesContext(connection) as queries:
        assert write_together(
            [
                reason.write(1, pk=row.pk, reason="it's 100 %s"),
                first_attempt(row, upstream),
                again.write(1, pk=row.pk),
            ]
        )
    assert written(row) == ("it's 100 %s", [1, 2])
    assert {each.worker for each in Attempt.objects.filter(generation=row)} == {"100 % 'mine'"}
    if connection.vendor == "postgresql":
        assert len(queries) == 1


@pytest.mark.parametrize("rows", [0, 2])
def test_nothing_is_written_if_a_statement_changes_more_or_fewer_rows(row, upstream, rows):
    writes = [first_attempt(row, upstream), reason.write(rows, pk=row.pk, reason="because")]
    assert not write_together(writes)
    assert not write_together(writes[::-1])
    assert written(row) == ("", [])


def test_a_copy_of_nothing_is_no_row(row):
    assert not write_together([again.write(1, pk=row.pk)])


def test_nothing_is_written_if_a_constraint_refuses_one(row, upstream):
    with pytest.raises(IntegrityError):
        write_together([reason.write(1, pk=row.pk, reason="because"), *[first_attempt(row, upstream)] * 2])
    assert written(row) == ("", [])


def test_what_the_database_cannot_take_is_no_answer(row):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite takes texts of any length")
    with pytest.raises(DataError):
        write_together([reason.write(1, pk=row.pk, reason="x" * 500)])


def test_a_refusal_leaves_the_transaction_around_it(row, upstream):
    with transaction.atomic():
        assert write_together([first_attempt(row, upstream)])
        assert not write_together([reason.write(1, pk=row.pk, reason="because"), again.write(2, pk=row.pk)])
    assert written(row) == ("", [1])
