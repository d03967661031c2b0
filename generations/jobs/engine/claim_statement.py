"""The statement that claims a generation, and on PostgreSQL all around it: one message instead of nine."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import cast

from django.db import connection, transaction
from django.db.models import Case, DurationField, Exists, ExpressionWrapper, F, Q, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Now
from django.db.models.sql import UpdateQuery
from django.utils import timezone

from generations.core.prepared_queries import Param, PreparedQuery, PreparedSelect, PreparedStatement
from generations.jobs.models import BLOCKED, PAUSED, Attempt, Batch, Generation, Status
from generations.upstreams.models import Upstream

# Of a worker, that wait for a slot: enough for 100 slots a second. More rows that are ready wake nobody.
MAX_WAITING_THREADS = 8

# With all that later steps read of it, so that one query is enough.
BATCHES = Batch.objects.select_related("member__team", "start_image")

# Fields of the attempt that come from the claimed row, and those that are of the call.
FROM_CLAIM = {"generation": "claimed.id", "number": "claimed.attempt"}
OF_CALL = frozenset({"upstream", "unit", "worker", "started_at"})

_batch = PreparedQuery(lambda: BATCHES.filter(pk=Param("pk")))


def load_batch(row: Generation) -> None:
    """Read the batch of a generation and its member, unless they came with the claim."""
    if not Generation.batch.is_cached(row):
        _bring(row, *_batch.all(pk=row.batch_id))


def claim(upstream: Upstream, models: tuple[str, ...], worker: str, lease: timedelta) -> Generation | None:
    """Claim the first ready generation of these models; None if there is none. Needs a transaction.

    One UPDATE, compiled by Django but for RETURNING, which the ORM does not offer. PostgreSQL skips rows that
    others are claiming (SKIP LOCKED); SQLite has one writer at a time.
    """
    update, generations = _update(models), _generations()
    with transaction.mark_for_rollback_on_error(connection.alias), connection.cursor() as cursor:
        cursor.execute(update.sql, update.bind(upstream=upstream.pk, worker=worker, lease=lease))
        found = cursor.fetchone()
    return generations.to_object(generations.convert(found)) if found else None


def claim_with_attempt(
    upstream: Upstream, models: tuple[str, ...], worker: str, lease: timedelta
) -> tuple[Generation, int] | None:
    """Claim as `claim` does and add the attempt: the generation with its batch, and how many more are ready.

    On PostgreSQL alone. None too if the account is closed by now, or takes less than `models`.
    """
    statement, generations, batches = _with_attempt(models)
    values = statement.bind(
        upstream=upstream.pk, worker=worker, lease=lease, unit=upstream.unit, started_at=timezone.now()
    )
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, values)
        found = cursor.fetchone()
    if found is None:
        return None
    columns = len(generations.names)
    row: Generation = generations.to_object(generations.convert(found[:columns]))
    _bring(row, batches.to_object(batches.convert(found[columns:-1])))
    return row, found[-1] - 1  # it was ready itself when the statement began


@lru_cache(maxsize=64)
def _with_attempt(models: tuple[str, ...]) -> tuple[PreparedStatement, PreparedSelect, PreparedSelect]:
    """The statement for an account that serves these models, and what reads its generation and its batch."""
    unchanged = Upstream.objects.open().filter(pk=Param("upstream"), systems_blocked={}, closed_models={})
    with transaction.atomic():  # Django compiles what locks rows nowhere else
        update = _compiled_update(models, Exists(unchanged))
    batches = PreparedSelect(BATCHES.filter(pk=RawSQL("claimed.batch_id", [])))
    ready = PreparedSelect(Generation.objects.ready().values_list("pk")[: MAX_WAITING_THREADS + 1])
    # The ORM: Attempt(generation=claimed, number=claimed.attempt, upstream=upstream, ...).save()
    plain, numbered = Attempt(), Attempt._meta.auto_field
    fields = [each for each in Attempt._meta.concrete_fields if each is not numbered]
    columns = ", ".join(each.column for each in fields)
    values = ", ".join(FROM_CLAIM.get(each.name, "%s") for each in fields)
    attempt = [
        Param(each.name)
        if each.name in OF_CALL
        else each.get_db_prep_save(each.pre_save(plain, True), connection)
        for each in fields
        if each.name not in FROM_CLAIM
    ]
    sql = f"""
        WITH claimed AS ({update.sql}),
        called AS (INSERT INTO {Attempt._meta.db_table} ({columns}) SELECT {values} FROM claimed)
        SELECT claimed.*, batch.*, (SELECT count(*) FROM ({ready.sql}) AS ready)
        FROM claimed CROSS JOIN LATERAL ({batches.sql}) AS batch
    """  # noqa: S608  names of columns, and what Django compiled
    parameters = [*update.parameters, *attempt, *ready.parameters, *batches.parameters]
    return PreparedStatement(sql, parameters), _generations(), batches


@lru_cache(maxsize=1)
def _generations() -> PreparedSelect:
    return PreparedSelect(Generation.objects.all())


@lru_cache(maxsize=64)
def _update(models: tuple[str, ...]) -> PreparedStatement:
    return _compiled_update(models)


def _compiled_update(models: tuple[str, ...], *conditions: Exists) -> PreparedStatement:
    ready = Generation.objects.ready().of_models(models).open_to(Param("upstream"))
    first = ready.in_queue_order().select_for_update(skip_locked=True).values("pk")[:1]
    claimed = Generation.objects.filter(*conditions, pk=first, status=Status.QUEUED)
    update = cast(UpdateQuery, claimed.query.chain(UpdateQuery))
    update.add_update_values(
        {
            "status": Status.RUNNING,
            "changed_at": Now(),
            "attempt": F("attempt") + 1,
            "upstream": Param("upstream"),
            "worker": Param("worker"),
            "lease_until": Now() + Param("lease", DurationField()),
            "claimed_at": Now(),
            "first_called_at": Coalesce("first_called_at", Now()),
            "excused_wait": _new_excused_wait(),
            "reason": "",
            "code": "",
        }
    )
    sql, parameters = update.get_compiler(connection=connection).as_sql()
    columns = ", ".join(each.column for each in Generation._meta.concrete_fields)
    return PreparedStatement(f"{sql} RETURNING {columns}", parameters)


def _new_excused_wait() -> Case:
    """Return the excused wait, with the wait that ends now added if the account was blocked or paused."""
    before = Coalesce("excused_wait", Value(timedelta()), output_field=DurationField())
    last = ExpressionWrapper(Now() - F("changed_at"), output_field=DurationField())
    excused = When(Q(code__in=[BLOCKED, PAUSED]), then=before + last)
    return Case(excused, default=F("excused_wait"), output_field=DurationField())


def _bring(row: Generation, batch: Batch) -> None:
    row.batch, row.member = batch, batch.member
