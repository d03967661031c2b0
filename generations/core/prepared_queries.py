"""Statements that run so often that compiling their SQL each time would be most of their cost.

    _by_hash = PreparedQuery(
        lambda: Token.objects.select_related("membership").filter(token_hash=Param("hash"))
    )
    token = _by_hash.first(hash=hashed(secret))

The query set is written as any other and compiled to SQL once per process, with a placeholder for each
`Param`. Running it then only binds the values. Not for query sets whose SQL depends on its values: `in`,
None, slices. `prepared_writes.py` does the same for `QuerySet.update` and `Model.save`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.models import Expression, Field, Model, Q, QuerySet, Value
from django.db.models.query import get_related_populators  # type: ignore[attr-defined]  # not in the stubs
from django.db.models.sql.compiler import SQLCompiler
from django.db.transaction import TransactionManagementError

from generations.core.one_message import Asked, Write

M = TypeVar("M", bound=Model)

PLACEHOLDERS = re.compile("(%s|%%)")
# Types of which Django's fields give psycopg the values as they are, or integers with their sizes, which
# matter only where the server binds them.
TAKEN_BY_PSYCOPG = frozenset({str, int, bool, uuid.UUID, timedelta})


class Param(Expression):
    """A value that is bound when the query runs."""

    def __init__(self, name: str, output_field: Field[Any, Any] | None = None) -> None:
        """Name the parameter; `output_field` is needed where SQL calculates with it."""
        super().__init__(output_field=output_field or Field())
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:
        """Return a placeholder, with this object as its parameter."""
        return "%s", [self]

    def adapt(self, value: Any, database: Any) -> Any:
        """Return the value as the adapter of this database takes it."""
        named: Field[Any, Any] = self.output_field
        if type(named) is Field:
            if database.vendor == "postgresql" and is_taken_by_psycopg(value):
                return value
            field = _field_of(value)
        else:
            field = named
        return value if field is None else field.get_db_prep_value(value, connection=database)


def is_taken_by_psycopg(value: Any) -> bool:
    """Whether the field of such a value gives it to psycopg as it is."""
    return type(value) in TAKEN_BY_PSYCOPG or (type(value) is datetime and value.tzinfo is not None)


_fields_of_types: dict[type, Field[Any, Any] | None] = {}


def _field_of(value: Any) -> Field[Any, Any] | None:
    """The field that Django takes for a value of this type, made once."""
    if type(value) not in _fields_of_types:
        _fields_of_types[type(value)] = Value(value)._output_field_or_none  # type: ignore[attr-defined]  # not in the stubs
    return _fields_of_types[type(value)]


class PreparedQuery(Generic[M]):
    """One query set, compiled when it first runs; values are bound by name."""

    def __init__(self, build: Callable[[], QuerySet[M, Any]]) -> None:
        self._build = build
        self._compiled: PreparedSelect | None = None

    def all(self, **values: Any) -> list[M]:
        """Return the objects, with those that `select_related` names."""
        select = self._select()
        return [select.to_object(row) for row in select.rows(values)]

    def first(self, **values: Any) -> M | None:
        """Return the first object or None; for query sets of one row, since nothing limits the query."""
        return next(iter(self.all(**values)), None)

    def rows(self, **values: Any) -> list[Sequence[Any]]:
        """Return the columns of a `values_list` query set."""
        return self._select().rows(values)

    def asked(self, **values: Any) -> Asked:
        """Return the query for `ask_together`, which answers as `all` does."""
        select = self._select()
        return select.asked(values, lambda rows: [select.to_object(row) for row in rows])

    def asked_rows(self, **values: Any) -> Asked:
        """Return the query for `ask_together`, which answers as `rows` does."""
        return self._select().asked(values, list)

    def locks(self, **values: Any) -> list[Write]:
        """Return a query that locks rows, for `write_together`; none on SQLite, which has one writer."""
        if not connection.features.has_select_for_update:
            return []
        if self._compiled is None:
            with transaction.atomic():  # Django compiles it nowhere else
                self._select()
        select = self._select()
        return [Write(select.sql, select.bind(**values))]

    def _select(self) -> PreparedSelect:
        self._compiled = self._compiled or PreparedSelect(self._build())
        return self._compiled


class PreparedFew(Generic[M]):
    """A query set about some of many keys, compiled for one, two, four, eight ... of them.

        _rows = PreparedFew(lambda wanted: Generation.objects.filter(wanted("batch")).order_by("pk"))
        rows = _rows.all([batch.pk for batch in batches])

    `wanted` of a field is the condition that it has one of the keys.
    """

    def __init__(self, build: Callable[[Callable[[str], Q]], QuerySet[M, Any]]) -> None:
        self._build = build
        self._by_size: dict[int, PreparedQuery[M]] = {}

    def all(self, keys: Sequence[Any], **values: Any) -> list[M]:
        """Return the objects; no query for no key."""
        return self._query(len(keys)).all(**self._named(keys), **values) if keys else []

    def rows(self, keys: Sequence[Any], **values: Any) -> list[Sequence[Any]]:
        """Return the columns of a `values_list` query set; no query for no key."""
        return self._query(len(keys)).rows(**self._named(keys), **values) if keys else []

    def _query(self, count: int) -> PreparedQuery[M]:
        size = _power_of_two(count)
        if size not in self._by_size:
            names = [f"key_{number}" for number in range(size)]

            def wanted(field: str) -> Q:
                return reduce(or_, (Q((field, Param(name))) for name in names))

            self._by_size[size] = PreparedQuery(lambda: self._build(wanted))
        return self._by_size[size]

    def _named(self, keys: Sequence[Any]) -> dict[str, Any]:
        """The keys by the names of their parameters; the last one fills up."""
        padded = [*keys, *[keys[-1]] * (_power_of_two(len(keys)) - len(keys))]
        return {f"key_{number}": key for number, key in enumerate(padded)}


def _power_of_two(count: int) -> int:
    return 1 << (count - 1).bit_length()


class PreparedStatement:
    """Compiled SQL whose parameters are constants and `Param`s.

    Constants are written into what PostgreSQL gets: psycopg binds each of them anew in every statement.
    """

    def __init__(self, sql: str, parameters: Sequence[Any]) -> None:
        self.sql, self.parameters = sql, parameters
        if connection.vendor == "postgresql":
            self._write_constants()

    def _write_constants(self) -> None:
        connection.ensure_connection()
        left = iter(self.parameters)
        pieces = [
            piece if piece != "%s" else self._placeholder(next(left))
            for piece in PLACEHOLDERS.split(self.sql)
        ]
        self.sql = "".join(pieces)
        self.parameters = [each for each in self.parameters if isinstance(each, Param)]

    def _placeholder(self, parameter: Any) -> str:
        if isinstance(parameter, Param):
            return "%s"
        with connection.cursor() as cursor:
            text: str = cursor.mogrify("%s", [parameter])
        return text.replace("%", "%%")

    def bind(self, **values: Any) -> list[Any]:
        """Return the parameters with these values bound."""
        database = connections[DEFAULT_DB_ALIAS]  # `connection` searches for it at each look
        return [
            each.adapt(values[each.name], database) if isinstance(each, Param) else each
            for each in self.parameters
        ]

    def execute(self, parameters: Sequence[Any]) -> int:
        """Run the statement; return the number of changed rows."""
        with transaction.mark_for_rollback_on_error(connection.alias), connection.cursor() as cursor:
            cursor.execute(self.sql, parameters)
            return int(cursor.rowcount)


class PreparedSelect(PreparedStatement):
    """A compiled SELECT, and how its rows become Python values and objects."""

    def __init__(self, queryset: QuerySet[Any, Any]) -> None:
        compiler = queryset.query.get_compiler(connection=connection)
        super().__init__(*compiler.as_sql())
        self.locks = queryset.query.select_for_update
        self.converters = compiler.get_converters(column[0] for column in compiler.select or ())
        if compiler.klass_info:
            self.model = compiler.klass_info["model"]
            positions = compiler.klass_info["select_fields"]
            self.own = slice(positions[0], positions[-1] + 1)
            self.names = [column[0].target.attname for column in compiler.select[self.own]]
            self.annotations = compiler.annotation_col_map
            self.related = get_related_populators(compiler.klass_info, compiler.select, connection.alias)

    def rows(self, values: dict[str, Any]) -> list[Sequence[Any]]:
        """Run the query; TransactionManagementError for one that locks rows outside a transaction."""
        self._check_transaction()
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self.bind(**values))
            return self._read(cursor)

    def asked(self, values: dict[str, Any], finish: Callable[[list[Sequence[Any]]], list[Any]]) -> Asked:
        """Return the query for `ask_together`, which answers what `finish` makes of the rows."""
        self._check_transaction()
        return Asked(self.sql, self.bind(**values), lambda cursor: finish(self._read(cursor)))

    def _check_transaction(self) -> None:
        if self.locks and connection.get_autocommit():
            raise TransactionManagementError("A query that locks rows must run in a transaction.")

    def _read(self, cursor: Any) -> list[Sequence[Any]]:
        rows: list[Sequence[Any]] = cursor.fetchall()
        return [self.convert(row) for row in rows] if self.converters else rows

    def to_object(self, row: Sequence[Any]) -> Any:
        """Return the model instance of a row, with its annotations and its related instances."""
        instance = self.model.from_db(connection.alias, self.names, row[self.own])
        for name, position in self.annotations.items():
            setattr(instance, name, row[position])
        for populator in self.related:
            populator.populate(row, instance)
        return instance

    def convert(self, row: Iterable[Any]) -> list[Any]:
        """Return the columns of a row as Python knows them."""
        converted = list(row)
        for position, (converters, expression) in self.converters.items():
            for convert in converters:
                converted[position] = convert(converted[position], expression, connection)
        return converted
