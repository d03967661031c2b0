"""Statements that run so often that compiling their SQL each time would be most of their cost.

    _by_hash = PreparedQuery(
        lambda: Token.objects.select_related("membership").filter(token_hash=Param("hash"))
    )
    token = _by_hash.first(hash=hashed(secret))

The query set is written as any other and compiled to SQL once per process, with a placeholder for each
`Param`. Running it then only binds the values. Not for query sets whose SQL depends on its values: `in`,
None, slices. `PreparedUpdate` and `PreparedInsert` do the same for `QuerySet.update` and `Model.save`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from types import SimpleNamespace
from typing import Any, Generic, TypeVar, cast

from django.db import connection, transaction
from django.db.models import Expression, Field, Model, QuerySet, Value
from django.db.models.query import get_related_populators  # type: ignore[attr-defined]  # not in the stubs
from django.db.models.sql import InsertQuery, UpdateQuery
from django.db.models.sql.compiler import SQLCompiler
from django.db.transaction import TransactionManagementError

M = TypeVar("M", bound=Model)

MOST_ROWS = 100  # of one INSERT: databases take so many values and no more


class Param(Expression):
    """A value that is bound when the query runs."""

    def __init__(self, name: str, output_field: Field[Any, Any] | None = None) -> None:
        """Name the parameter; `output_field` is needed where SQL calculates with it."""
        super().__init__(output_field=output_field or Field())
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:
        """Return a placeholder, with this object as its parameter."""
        return "%s", [self]

    def adapt(self, value: Any) -> Any:
        """Return the value as the database adapter takes it."""
        named: Field[Any, Any] = self.output_field
        field = _field_of(value) if type(named) is Field else named
        return value if field is None else field.get_db_prep_value(value, connection=connection)


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


class PreparedUpdate(Generic[M]):
    """One UPDATE of a query set's rows, compiled when it first runs; values are bound by name.

    A `Param` among the changes has the field that it is for as its `output_field`, if its value may be None
    or JSON.
    """

    def __init__(self, build: Callable[[], QuerySet[M, Any]], **changes: Any) -> None:
        self._build, self._changes = build, changes
        self._compiled: PreparedStatement | None = None

    def run(self, **values: Any) -> int:
        """Change the rows; return how many."""
        statement = self._compiled = self._compiled or PreparedStatement(*self._compiler().as_sql())
        changed: int = statement.execute(statement.bind(**values))
        return changed

    def _compiler(self) -> SQLCompiler:
        update = cast(UpdateQuery, self._build().query.chain(UpdateQuery))
        update.add_update_values(self._changes)
        return cast(SQLCompiler, update.get_compiler(connection=connection))


class PreparedInsert(Generic[M]):
    """The INSERT of a model's new objects, compiled for each number of them. There are no signals."""

    def __init__(self, model: type[M]) -> None:
        self._model = model
        self._compiled: dict[int, PreparedStatement] = {}

    def run(self, instance: M) -> M:
        """Insert the object; return it, with the key that the database has given to it."""
        return self.run_all([instance])[0]

    def run_all(self, instances: Sequence[M]) -> Sequence[M]:
        """Insert the objects as `run` does, in one statement for every MOST_ROWS of them."""
        for begin in range(0, len(instances), MOST_ROWS):
            self._insert(instances[begin : begin + MOST_ROWS])
        return instances

    def _insert(self, instances: Sequence[M]) -> None:
        statement = self._compiled.get(len(instances)) or self._compile(len(instances))
        values = [
            each.get_db_prep_save(each.pre_save(instance, add=True), connection)
            for instance in instances
            for each in self._fields
        ]
        keys = statement.execute(values, returns=self._model._meta.auto_field is not None)
        for position, instance in enumerate(instances):
            if instance.pk is None:
                instance.pk = keys[position][0]
            instance._state.adding, instance._state.db = False, connection.alias

    @cached_property
    def _fields(self) -> list[Field[Any, Any]]:
        numbered = self._model._meta.auto_field
        return [each for each in self._model._meta.concrete_fields if each is not numbered]

    def _compile(self, count: int) -> PreparedStatement:
        fields, numbered = self._fields, self._model._meta.auto_field
        query = InsertQuery(self._model)
        row: Any = SimpleNamespace(**{each.attname: Param(each.attname, each) for each in fields})
        query.insert_values(fields, [row] * count, raw=True)
        compiler: Any = query.get_compiler(connection=connection)
        compiler.returning_fields = [numbered] if numbered else None
        [compiled] = compiler.as_sql()
        self._compiled[count] = PreparedStatement(*compiled)
        return self._compiled[count]


class PreparedStatement:
    """Compiled SQL whose parameters are constants and `Param`s."""

    def __init__(self, sql: str, parameters: Sequence[Any]) -> None:
        self.sql, self.parameters = sql, parameters

    def bind(self, **values: Any) -> list[Any]:
        """Return the parameters with these values bound."""
        return [
            each.adapt(values[each.name]) if isinstance(each, Param) else each for each in self.parameters
        ]

    def execute(self, parameters: Sequence[Any], *, returns: bool = False) -> Any:
        """Run the statement; return the number of changed rows, or the rows that it `returns`."""
        with transaction.mark_for_rollback_on_error(connection.alias), connection.cursor() as cursor:
            cursor.execute(self.sql, parameters)
            return cursor.fetchall() if returns else cursor.rowcount


class _Select(PreparedStatement):
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
