"""A prepared query answers what its query set answers; prepared writes write what the ORM writes."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.db.models import F, IntegerField, JSONField, Value
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from generations.core import prepared_writes
from generations.core.prepared_queries import Param, PreparedFew, PreparedQuery
from generations.core.prepared_writes import PreparedInsert, PreparedUpdate
from generations.jobs.models import Attempt, Batch, Generation, Status
from generations.teams.models import Membership

by_id = PreparedQuery(
    lambda: Generation.objects.select_related("batch__start_image", "member__user").filter(pk=Param("pk"))
)
older = PreparedQuery(
    lambda: Generation.objects.filter(created_at__lt=Param("moment"), member=Param("member"))
)
locked = PreparedQuery(lambda: Membership.objects.select_for_update().filter(pk=Param("pk")))
columns = PreparedQuery(
    lambda: Generation.objects.filter(batch=Param("batch")).values_list("pk", "parameters")
)

few = PreparedFew(lambda wanted: Generation.objects.filter(wanted("batch"), price__gt=Param("above")))
prices = PreparedUpdate(
    lambda: Generation.objects.filter(batch=Param("batch"), price__gt=Param("above")),
    price=F("price") + Param("more", IntegerField()),
    upstream=Param("upstream"),
    claimed_at=Param("moment"),
    parameters=Param("parameters", JSONField()),
)
attempts, batches = PreparedInsert(Attempt), PreparedInsert(Batch)


@pytest.fixture
def row(upstream, submit):
    return submit(prompt="a quiet 'harbour' at 100 %s", seed=7).created[0]


def test_an_object_comes_with_all_its_columns_and_related_objects(row, django_assert_num_queries):
    expected = Generation.objects.select_related("batch__start_image", "member__user").get(pk=row.pk)
    with django_assert_num_queries(1):
        found = by_id.first(pk=row.pk)
        told = (found.batch, found.batch.start_image, found.member.user)
    assert told == (expected.batch, None, expected.member.user)
    fields = Generation._meta.concrete_fields
    assert [getattr(found, field.attname) for field in fields] == [
        getattr(expected, field.attname) for field in fields
    ]


def test_it_can_be_asked_again_with_other_values(row, submit):
    other = submit().created[0]
    assert [by_id.first(pk=one.pk).pk for one in (row, other, row)] == [row.pk, other.pk, row.pk]
    assert by_id.first(pk=uuid.uuid4()) is None


def test_moments_and_numbers_are_told_as_the_database_takes_them(row):
    assert older.all(moment=timezone.now(), member=row.member_id) == [row]
    assert older.all(moment=row.created_at, member=row.member_id) == []
    assert older.all(moment=timezone.now(), member=row.member_id + 1) == []


@pytest.mark.filterwarnings("ignore:.*naive datetime")
@pytest.mark.parametrize(
    "value",
    [
        *(5, -3, 2**40, True, "it's 100 %s", None, uuid.UUID(int=7), timedelta(seconds=20.5)),
        *(datetime(2026, 12, 1, 4, 30, tzinfo=UTC), datetime(2026, 12, 1, 4, 30)),  # noqa: DTZ001  as Django takes it
        Status.RUNNING,
    ],
    ids=str,
)
def test_a_value_is_bound_as_its_own_field_binds_it(value, db):
    field = Value(value)._output_field_or_none
    expected = field.get_db_prep_value(value, connection=connection) if field else value
    bound = Param("it").adapt(value, connections["default"])
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            assert cursor.mogrify("%s", [bound]) == cursor.mogrify("%s", [expected])
    else:
        assert bound == expected


def test_columns_come_as_python_knows_them(row):
    assert [tuple(found) for found in columns.rows(batch=row.batch_id)] == [(row.pk, row.parameters)]


def test_what_is_told_is_never_sql(row):
    words = PreparedQuery(lambda: Generation.objects.filter(model=Param("model")))
    assert words.all(model="core' OR '1'='1") == []
    assert words.all(model="core") == [row]


def test_an_object_can_be_saved(row):
    found = by_id.first(pk=row.pk)
    found.reason = "because"
    found.save(update_fields=["reason"])
    assert Generation.objects.get(pk=row.pk).reason == "because"


@pytest.mark.django_db(transaction=True)
def test_what_locks_is_refused_outside_a_transaction_also_the_second_time(member):
    if not connection.features.has_select_for_update:
        pytest.skip("SQLite locks no rows")
    with transaction.atomic():
        assert locked.first(pk=member.pk) == member
    with pytest.raises(TransactionManagementError):
        locked.first(pk=member.pk)


@pytest.mark.django_db(transaction=True)
def test_threads_share_it(row):
    def ask(_number: int) -> uuid.UUID:
        try:
            return by_id.first(pk=row.pk).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(ask, range(50))) == {row.pk}


def test_an_update_changes_what_its_query_set_would_change(row, upstream, submit):
    other, moment, price = submit().created[0], timezone.now(), row.price
    values = {"more": 7, "upstream": upstream.pk, "moment": moment, "parameters": {"prompt": "it's 100 %s"}}
    assert prices.run(batch=row.batch_id, above=price, **values) == 0
    assert prices.run(batch=row.batch_id, above=price - 1, **values) == 1
    row.refresh_from_db()
    assert (row.price, row.upstream, row.claimed_at) == (price + 7, upstream, moment)
    assert row.parameters == {"prompt": "it's 100 %s"}
    prices.run(batch=row.batch_id, above=0, **(values | {"upstream": None, "moment": None}))
    row.refresh_from_db()
    assert (row.upstream, row.claimed_at) == (None, None)
    other.refresh_from_db()
    assert (other.price, other.parameters) == (price, submit().created[0].parameters)


def test_an_insert_writes_what_save_writes(row, upstream):
    columns = [each.attname for each in Attempt._meta.concrete_fields if not each.primary_key]
    values = {"generation": row, "upstream": upstream, "started_at": timezone.now(), "worker": "it's 100 %s"}
    saved = Attempt.objects.create(number=1, **values)
    inserted = attempts.run(Attempt(number=2, **values))
    found = Attempt.objects.get(pk=inserted.pk)
    assert inserted.pk > saved.pk
    assert not inserted._state.adding
    differ = [name for name in columns if getattr(found, name) != getattr(saved, name)]
    assert differ == ["number"]


def test_an_insert_keeps_a_key_that_the_object_has(row):
    batch = Batch.objects.get(pk=row.batch_id)
    batch.pk, batch.submission, batch.parameters = uuid.uuid4(), uuid.uuid4(), {"prompt": "ein Hafen"}
    assert batches.run(batch).pk == batch.pk
    assert Batch.objects.get(pk=batch.pk).parameters == {"prompt": "ein Hafen"}


def test_a_prepared_write_that_fails_ends_its_transaction(row, upstream):
    attempts.run(Attempt(generation=row, upstream=upstream, number=1))
    with transaction.atomic():
        with pytest.raises(IntegrityError):
            attempts.run(Attempt(generation=row, upstream=upstream, number=1))
        assert connection.needs_rollback


def test_several_are_inserted_in_one_statement_each_with_its_key(row, upstream, django_assert_num_queries):
    many = [Attempt(generation=row, upstream=upstream, number=number) for number in range(1, 4)]
    with django_assert_num_queries(1):
        attempts.run_all(many)
    assert attempts.run_all([]) == []
    found = Attempt.objects.in_bulk([each.pk for each in many])
    assert [found[each.pk].number for each in many] == [1, 2, 3]


def test_more_than_a_statement_takes_are_inserted_in_several(row, upstream, monkeypatch):
    monkeypatch.setattr(prepared_writes, "MOST_ROWS", 2)
    many = attempts.run_all(
        [Attempt(generation=row, upstream=upstream, number=number) for number in range(1, 6)]
    )
    assert [each.number for each in Attempt.objects.order_by("pk")] == [1, 2, 3, 4, 5]
    assert len({each.pk for each in many}) == 5


def test_few_of_many_are_what_in_finds(submit, upstream, django_assert_num_queries):
    asked = [submit(count=2).pk for _ in range(6)]
    Generation.objects.filter(batch=asked[0]).update(price=10_000)
    for count in (1, 2, 3, 5, 2):
        wanted = asked[:count]
        with django_assert_num_queries(1):
            found = few.all(wanted, above=0)
        assert {row.pk for row in found} == {row.pk for row in Generation.objects.filter(batch__in=wanted)}
        assert len(found) == 2 * count
        assert {row.batch_id for row in few.all(wanted, above=5_000)} == {asked[0]}
    with django_assert_num_queries(0):
        assert few.all([], above=0) == []
