"""UPDATE and INSERT of the ORM, compiled once as `prepared_queries.py` does with a query set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from types import SimpleNamespace
from typing import Any, Generic, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import (
    CharField,
    DateTimeField,
    Field,
    ForeignKey,
    IntegerField,
    Model,
    QuerySet,
    TextField,
    UUIDField,
)
from django.db.models.sql import InsertQuery, UpdateQuery
from django.db.models.sql.compiler import SQLCompiler

from generations.core.one_message import Asked, Write, ask_together
from generations.core.prepared_queries import Param, PreparedStatement, is_taken_by_psycopg

M = TypeVar("M", bound=Model)

MOST_ROWS = 100  # of one INSERT: databases take so many values and no more


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
        statement = self._statement()
        changed: int = statement.execute(statement.bind(**values))
        return changed

    def asked(self, **values: Any) -> Asked:
        """Return the statement for `ask_together`, which answers how many rows it has changed."""
        statement = self._statement()
        return Asked(statement.sql, statement.bind(**values), lambda cursor: cursor.rowcount)

    def write(self, rows: int | None = None, **values: Any) -> Write:
        """Return the statement for `write_together`, with the number of rows that it must change."""
        statement = self._statement()
        return Write(statement.sql, statement.bind(**values), rows)

    def _statement(self) -> PreparedStatement:
        self._compiled = self._compiled or PreparedStatement(*self._compiler().as_sql())
        return self._compiled

    def _compiler(self) -> SQLCompiler:
        update = cast(UpdateQuery, self._build().query.chain(UpdateQuery))
        update.add_update_values(self._changes)
        return cast(SQLCompiler, update.get_compiler(connection=connection))


def _is_plain(field: Field[Any, Any], value: Any, database: Any) -> bool:
    """Whether the field gives the value to the database as it is, so that it need not be asked."""
    kind = type(value)
    if kind is str:
        return isinstance(field, CharField | TextField)
    if isinstance(field, UUIDField | DateTimeField | ForeignKey) and database.vendor == "postgresql":
        return value is None or is_taken_by_psycopg(value)
    return value is None or (kind is int and isinstance(field, IntegerField))


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
        ask_together(self.asked(instances))
        return instances

    def write(self, instance: M) -> Write:
        """Return the statement for `write_together`. A key that the database gives is not told."""
        statement = self._compiled.get(1) or self._compile(1)
        return Write(statement.sql, self._values(instance))

    def asked(self, instances: Sequence[M]) -> list[Asked]:
        """Return the statements for `ask_together`, which give the objects their keys."""
        return [
            self._insert(instances[begin : begin + MOST_ROWS])
            for begin in range(0, len(instances), MOST_ROWS)
        ]

    def _insert(self, instances: Sequence[M]) -> Asked:
        statement = self._compiled.get(len(instances)) or self._compile(len(instances))
        values = [value for instance in instances for value in self._values(instance)]
        return Asked(statement.sql, values, partial(self._inserted, instances))

    def _inserted(self, instances: Sequence[M], cursor: Any) -> None:
        keys = cursor.fetchall() if self._model._meta.auto_field else ()
        for position, instance in enumerate(instances):
            if instance.pk is None:
                instance.pk = keys[position][0]
            instance._state.adding, instance._state.db = False, connection.alias

    def _values(self, instance: M) -> list[Any]:
        database = connections[DEFAULT_DB_ALIAS]  # `connection` searches for it at each look
        given = [(each, each.pre_save(instance, add=True)) for each in self._fields]
        return [
            value if _is_plain(each, value, database) else each.get_db_prep_save(value, database)
            for each, value in given
        ]

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


class PreparedCopy(Generic[M]):
    """INSERT of what a query set selects, compiled when it first runs: a column's field and its value."""

    def __init__(self, model: type[M], build: Callable[[], QuerySet[Any, Any]], /, **values: Any) -> None:
        self._model, self._build, self._chosen = model, build, values
        self._compiled: PreparedStatement | None = None

    def write(self, rows: int | None = None, **values: Any) -> Write:
        """Return the statement for `write_together`, with the number of rows that it must add."""
        statement = self._compiled = self._compiled or self._compile()
        return Write(statement.sql, statement.bind(**values), rows)

    def _compile(self) -> PreparedStatement:
        select = self._build().values_list(*self._chosen.values()).query
        sql, parameters = select.get_compiler(connection=connection).as_sql()
        meta, quote = cast(Any, self._model)._meta, connection.ops.quote_name
        columns = ", ".join(quote(meta.get_field(name).column) for name in self._chosen)
        return PreparedStatement(f"INSERT INTO {quote(meta.db_table)} ({columns}) {sql}", parameters)
