"""The search index: one document of terms per image, matched by the database's own full-text index.

PostgreSQL indexes a tsvector with GIN, SQLite an FTS5 table; a generated column or triggers follow every
change of a document, so code writes nothing but the document.

SQLite drops a table's triggers when a migration rebuilds the table, and PostgreSQL drops a generated column
with the column that it reads. A migration that alters `library_searchentry` therefore creates them again, as
`migrations/0004_search.py` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from generations.library.search.terms import TermQuery
from generations.teams.models import Membership, Team, Visibility

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.sql.compiler import SQLCompiler

    TextField = models.TextField[str, str]
    Lookup = models.Lookup[Any]
else:
    TextField, Lookup = models.TextField, models.Lookup  # they take no type arguments at run time


class DocumentField(TextField):
    """Terms, each between two spaces."""

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        """Return a plain TextField, so that no migration imports this module."""
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.TextField", args, options


@DocumentField.register_lookup
class Matches(Lookup):
    """`document__matches=TermQuery(...)`: the document satisfies the query."""

    lookup_name = "matches"
    prepare_rhs = False
    rhs: TermQuery

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[str, ...]]:
        """Match the generated tsvector column."""
        return f"{self._column(compiler, 'vector')} @@ %s::tsquery", (self.rhs.as_tsquery(),)

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[str, ...]]:
        """Match the FTS5 table, whose rowid is the entry's id."""
        found = "SELECT rowid FROM library_words WHERE library_words MATCH %s"
        return f"{self._column(compiler, 'id')} IN ({found})", (self.rhs.as_fts5(),)

    def _column(self, compiler: SQLCompiler, name: str) -> str:
        """Quote a column of the document's table."""
        return f"{compiler.quote_name_unless_alias(self.lhs.alias)}.{compiler.quote_name_unless_alias(name)}"


@DocumentField.register_lookup
class Satisfies(Matches):
    """`document__satisfies=TermQuery(...)`: the same, tried on one document after the other.

    The full-text indexes give what they find in no order: PostgreSQL's GIN collects all words that begin so
    before it compares anything else, SQLite reads the row of each match. Where only a few thousand documents
    are in question, and the first that match are wanted, trying them is faster.
    """

    lookup_name = "satisfies"

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[str, ...]]:
        """Match the generated tsvector column, in a form for which the planner knows no index."""
        sql, parameters = super().as_postgresql(compiler, connection)
        return f"coalesce({sql}, false)", parameters

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[str, ...]]:
        """Look for the terms in the document, where each stands between two spaces."""
        query, contains = self.rhs, f"instr({self._column(compiler, 'document')}, %s)"
        groups: list[tuple[str, ...]] = [(f" {term} ",) for term in query.required]
        groups += [(f" {term}",) for term in query.beginnings]
        groups += [tuple(f" {term} " for term in group) for group in query.any_of]
        conditions = [f"({' OR '.join([contains] * len(group))})" for group in groups]
        conditions += [f"NOT {contains}"] * len(query.excluded)
        excluded = [f" {term} " for term in query.excluded]
        return " AND ".join(conditions), (*(term for group in groups for term in group), *excluded)


class SearchEntry(models.Model):
    """The search document of an image that is not in the trash, with the columns that searches sort by."""

    image = models.OneToOneField(
        "library.Image", models.CASCADE, verbose_name=_("image"), related_name="entry"
    )
    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="+", db_index=False)
    owner = models.ForeignKey(
        Membership, models.PROTECT, verbose_name=_("owner"), related_name="+", db_index=False
    )
    visibility = models.CharField(_("visibility"), max_length=8, choices=Visibility)
    created_at = models.DateTimeField(_("created at"), help_text=_("The image's own."))
    document = DocumentField(_("document"), help_text=_("Terms of the image's texts and of all filters."))

    class Meta:
        verbose_name = _("search entry")
        verbose_name_plural = _("search entries")
        indexes = [models.Index(fields=["team", "-created_at", "-image"], name="entries_newest_first")]
