"""What the search knows of an image: one line of tokens, indexed by whatever the database has for words.

PostgreSQL keeps the tokens as a tsvector with GIN, SQLite in an FTS5 table; the database itself follows
every change of a line, so that nothing but the line is ever written.

SQLite drops a table's triggers without a word when a migration rebuilds the table, and PostgreSQL a generated
column with the one that it reads: a migration that alters `library_searchentry` ends with the statements of
`migrations/0004_search.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from generations.library.search.terms import All
from generations.teams.models import Membership, Team, Visibility

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.sql.compiler import SQLCompiler

    TextField = models.TextField[str, str]
    Lookup = models.Lookup[Any]
else:
    TextField, Lookup = models.TextField, models.Lookup  # they take no types at run time


class DocumentField(TextField):
    """Tokens, each between two spaces."""

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        """For a migration it is any other text, so that none imports this module."""
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.TextField", args, options


@DocumentField.register_lookup
class Matches(Lookup):
    """`document__matches=All(...)`: the line has these tokens, and none of those."""

    lookup_name = "matches"
    prepare_rhs = False
    rhs: All

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[str, ...]]:
        """The generated column beside the line."""
        return f"{self._column(compiler, 'vector')} @@ %s::tsquery", (self.rhs.as_tsquery(),)

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[str, ...]]:
        """The table of words that has the line's number."""
        found = "SELECT rowid FROM library_words WHERE library_words MATCH %s"
        return f"{self._column(compiler, 'id')} IN ({found})", (self.rhs.as_fts5(),)

    def _column(self, compiler: SQLCompiler, name: str) -> str:
        """A column of the row that the line stands in."""
        return f"{compiler.quote_name_unless_alias(self.lhs.alias)}.{compiler.quote_name_unless_alias(name)}"


class SearchEntry(models.Model):
    """The line of an image that is not in the trash, with what every search sorts and narrows by."""

    image = models.OneToOneField(
        "library.Image", models.CASCADE, verbose_name=_("image"), related_name="entry"
    )
    team = models.ForeignKey(Team, models.PROTECT, verbose_name=_("team"), related_name="+", db_index=False)
    owner = models.ForeignKey(
        Membership, models.PROTECT, verbose_name=_("owner"), related_name="+", db_index=False
    )
    visibility = models.CharField(_("visibility"), max_length=8, choices=Visibility)
    created_at = models.DateTimeField(_("created at"), help_text=_("The image's own."))
    document = DocumentField(_("document"), help_text=_("Tokens of words, and of all that filters ask for."))

    class Meta:
        verbose_name = _("search entry")
        verbose_name_plural = _("search entries")
        indexes = [models.Index(fields=["team", "-created_at", "-image"], name="entries_newest_first")]
