"""A prepared query answers what its query set answers."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from generations.core.prepared_queries import Param, PreparedQuery
from generations.jobs.models import Generation
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
