"""Queries that run so often that compiling their SQL each time would be most of their cost.

    _by_hash = PreparedQuery(
        lambda: Token.objects.select_related("membership").filter(token_hash=Param("hash"))
    )
    token = _by_hash.first(hash=hashed(secret))

The query set is written as any other and compiled to SQL once per process, with a placeholder for each
`Param`. Running it then only binds the values. Not for query sets whose SQL depends on its values: `in`,
None, slices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Expression, Field, Model, QuerySet, Value
from django.db.models.query import get_related_populators  # type: ignore[attr-defined]  # not in the stubs
from django.db.models.sql.compiler import SQLCompiler
from django.db.transaction import TransactionManagementError

M = TypeVar("M", bound=Model)


class Param(Expression):
    """A value that is bound when the query runs."""

    def __init__(self, name: str, output_field: Field[Any, Any] | None = None) -> None:
        """Name the parameter; `output_field` is needed where SQL calculates with it."""
        super().__init__(output_field=output_field or Field())
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:
        """Return a placeholder, with this object as its parameter."""
        return "%s", [self]


class PreparedQuery(Generic[M]):
    """One query set, compiled when it first runs; values are bound by name."""

    def __init__(self, build: Callable[[], QuerySet[M, Any]]) -> None:
        self._build = build
        self._compiled: _Select | None = None

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

    def _select(self) -> _Select:
        self._compiled = self._compiled or _Select(self._build())
        return self._compiled


class PreparedStatement:
    """Compiled SQL whose parameters are constants and `Param`s."""

    def __init__(self, compiler: SQLCompiler) -> None:
        self.sql, parameters = compiler.as_sql()
        self.parameters: Sequence[Any] = parameters

    def bind(self, **values: Any) -> list[Any]:
        """Return the parameters with these values bound."""
        return [_adapt(values[each.name]) if isinstance(each, Param) else each for each in self.parameters]


class _Select(PreparedStatement):
    """A compiled SELECT, and how its rows become Python values and objects."""

    def __init__(self, queryset: QuerySet[Any, Any]) -> None:
        compiler = queryset.query.get_compiler(connection=connection)
        super().__init__(compiler)
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
        if self.locks and connection.get_autocommit():
            raise TransactionManagementError("A query that locks rows must run in a transaction.")
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self.bind(**values))
            rows: list[Sequence[Any]] = cursor.fetchall()
        return [self._convert(row) for row in rows] if self.converters else rows

    def to_object(self, row: Sequence[Any]) -> Any:
        """Return the model instance of a row, with its annotations and its related instances."""
        instance = self.model.from_db(connection.alias, self.names, row[self.own])
        for name, position in self.annotations.items():
            setattr(instance, name, row[position])
        for populator in self.related:
            populator.populate(row, instance)
        return instance

    def _convert(self, row: Iterable[Any]) -> list[Any]:
        converted = list(row)
        for position, (converters, expression) in self.converters.items():
            for convert in converters:
                converted[position] = convert(converted[position], expression, connection)
        return converted


def _adapt(value: Any) -> Any:
    """Return the value as the database adapter takes it."""
    field = Value(value)._output_field_or_none  # type: ignore[attr-defined]  # not in the stubs
    return value if field is None else field.get_db_prep_value(value, connection=connection)
