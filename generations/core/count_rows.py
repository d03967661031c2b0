"""How many rows a subquery has, which a slice may bound."""

from django.db.models import IntegerField, Subquery


class CountRows(Subquery):
    """The number of rows of a subquery, for `annotate`."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()
