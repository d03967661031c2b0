"""Statements that are asked together answer as each would alone, in one message to PostgreSQL."""

from __future__ import annotations

import threading
import time
import uuid

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from generations.core.one_message import ask_together
from generations.core.prepared_queries import Param, PreparedQuery
from generations.core.prepared_writes import PreparedInsert, PreparedUpdate
from generations.jobs.models import Batch, Generation
from generations.teams.models import Membership

pytestmark = pytest.mark.django_db(transaction=True)

members = PreparedQuery(lambda: Membership.objects.select_related("team").filter(pk=Param("pk")))
locked = PreparedQuery(lambda: Membership.objects.select_for_update().filter(pk=Param("pk")))
weight = PreparedUpdate(lambda: Membership.objects.filter(pk=Param("pk")), weight=Param("weight"))
prompts = PreparedQuery(lambda: Generation.objects.filter(batch=Param("batch")).values_list("parameters"))
counted = PreparedQuery(lambda: Batch.objects.filter(member=Param("member")).values_list("pk"))
batches = PreparedInsert(Batch)


def test_each_answers_as_it_would_alone(member, submit, upstream):
    row = submit(prompt="100 % 'mine'; %s").created[0]
    with CaptureQueriesContext(connection) as queries:
        [found], changed, rows, none = ask_together(
            [
                members.asked(pk=member.pk),
                weight.asked(pk=member.pk, weight=7),
                prompts.asked_rows(batch=row.batch_id),
                members.asked(pk=0),
            ]
        )
    assert (found, found.team, changed, none) == (member, member.team, 1, [])
    assert [tuple(each) for each in rows] == [(row.parameters,)]
    assert len(queries) == (1 if connection.vendor == "postgresql" else 4)


def test_one_that_fails_undoes_the_others(member, submit, upstream):
    twice = Batch(member=member, team=member.team, model="core", count=1, submission=submit().submission)
    with pytest.raises(IntegrityError), transaction.atomic():
        ask_together([weight.asked(pk=member.pk, weight=7), *batches.asked([twice])])
    member.refresh_from_db()
    assert member.weight == 1


def test_what_follows_a_lock_sees_what_was_committed_while_it_waited(member, submit, upstream):
    if not connection.features.has_select_for_update:
        pytest.skip("SQLite has one writer")
    seen = []

    def ask():
        with transaction.atomic():
            answers = ask_together([locked.asked(pk=member.pk), counted.asked_rows(member=member.pk)])
        seen.append(len(answers[1]))
        connection.close()

    with transaction.atomic():
        locked.all(pk=member.pk)
        other = threading.Thread(target=ask)
        other.start()
        _until_somebody_waits_for_a_lock()
        batches.run(Batch(member=member, team=member.team, model="core", count=1, submission=uuid.uuid4()))
    other.join(10)
    assert seen == [1]


def _until_somebody_waits_for_a_lock():
    for _ in range(1000):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    pytest.fail("Nobody waits")
