"""Queries that are asked so often that building their SQL anew would be most of what they cost.

    _by_hash = Prepared(lambda: Token.objects.select_related("membership").filter(token_hash=Given("hash")))
    token = _by_hash.first(hash=hashed(secret))

The query set is written as any other and turned into SQL once in each process, with a place for each value
that is `Given`. Asking then builds and compiles nothing; the rows are the same.
Not for query sets whose SQL hangs on their values: `in`, None, slices.
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


class Given(Expression):
    """A value that is told when the query is asked."""

    def __init__(self, name: str, output_field: Field[Any, Any] | None = None) -> None:
        """`output_field` says what it is where SQL reckons with it."""
        super().__init__(output_field=output_field or Field())
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:
        """A place for it, which is itself among the parameters."""
        return "%s", [self]


class Prepared(Generic[M]):
    """One query set, its SQL built when it is asked first; the values that it was given go by their names."""

    def __init__(self, build: Callable[[], QuerySet[M, Any]]) -> None:
        self._build = build
        self._plan: _Plan | None = None

    def all(self, **values: Any) -> list[M]:
        """The objects, with those that `select_related` names."""
        plan = self._ready()
        return [plan.object_of(row) for row in plan.rows(values)]

    def first(self, **values: Any) -> M | None:
        """The first object, of a query set that asks for one."""
        return next(iter(self.all(**values)), None)

    def rows(self, **values: Any) -> list[Sequence[Any]]:
        """The columns of a query set of `values_list`."""
        return self._ready().rows(values)

    def _ready(self) -> _Plan:
        self._plan = self._plan or _Plan(self._build())
        return self._plan


class Statement:
    """SQL, with places for what is given."""

    def __init__(self, compiler: SQLCompiler) -> None:
        self.sql, parameters = compiler.as_sql()
        self.parameters: Sequence[Any] = parameters

    def told(self, **values: Any) -> list[Any]:
        """Its parameters, with these values in their places."""
        return [_adapted(values[one.name]) if isinstance(one, Given) else one for one in self.parameters]


class _Plan(Statement):
    """A statement that asks, and how a row of its answer is read."""

    def __init__(self, queryset: QuerySet[Any, Any]) -> None:
        compiler = queryset.query.get_compiler(connection=connection)
        super().__init__(compiler)
        self.locks = queryset.query.select_for_update
        self.converters = compiler.get_converters(column[0] for column in compiler.select or ())
        if compiler.klass_info:
            self.model = compiler.klass_info["model"]
            places = compiler.klass_info["select_fields"]
            self.own = slice(places[0], places[-1] + 1)
            self.names = [column[0].target.attname for column in compiler.select[self.own]]
            self.related = get_related_populators(compiler.klass_info, compiler.select, connection.alias)

    def rows(self, values: dict[str, Any]) -> list[Sequence[Any]]:
        """What the database answers, as Python knows it."""
        if self.locks and connection.get_autocommit():
            raise TransactionManagementError("What locks rows is asked in a transaction.")
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self.told(**values))
            found: list[Sequence[Any]] = cursor.fetchall()
        return [self._converted(row) for row in found] if self.converters else found

    def object_of(self, row: Sequence[Any]) -> Any:
        """The object of a row, and the objects that came with it."""
        made = self.model.from_db(connection.alias, self.names, row[self.own])
        for one in self.related:
            one.populate(row, made)
        return made

    def _converted(self, row: Iterable[Any]) -> list[Any]:
        read = list(row)
        for place, (converters, expression) in self.converters.items():
            for convert in converters:
                read[place] = convert(read[place], expression, connection)
        return read


def _adapted(value: Any) -> Any:
    """The value as this database takes it."""
    field = Value(value)._output_field_or_none  # type: ignore[attr-defined]  # not in the stubs
    return value if field is None else field.get_db_prep_value(value, connection=connection)
