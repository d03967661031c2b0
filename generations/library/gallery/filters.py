"""The chips above the pictures: what may be chosen of each filter, and what is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import F
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from generations.library.models import Collection, Tag
from generations.library.search.query import Search
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Membership

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_PEOPLE = 200


@dataclass(frozen=True)
class Choice:
    """One value of a filter."""

    value: str
    title: str
    is_chosen: bool = False
    address: str = ""  # of the search with it


@dataclass(frozen=True)
class Chip:
    """A filter: its name in addresses, what it is called, what is chosen, and the search without it."""

    name: str
    title: str
    choices: list[Choice]
    chosen: str  # "" if it leaves nothing out
    without: str
    rest: list[tuple[str, str]]  # what else the address says, as fields of a form


def chips(member: Membership, search: Search, collections: list[Collection], day: date) -> dict[str, Chip]:
    """The chips by name. `day` is today, where the team is."""
    choices = {
        "who": _choices(_people(member, search), search.who),
        "model": _choices(
            {name: model.title for name, model in catalogue_registry.MODELS.items()}, search.model
        ),
        "style": _choices(
            {name: _(title) for name, title in catalogue_registry.STYLES.items()}, search.style
        ),
        "shape": _choices({shape: shape for shape in catalogue_registry.SHAPES}, search.shape),
        "tag": _tags(member, search),
    }
    titles = {"who": _("Who"), "model": _("Model"), "style": _("Style"), "shape": _("Shape"), "tag": _("Tag")}
    made = {name: _of_several(search, name, titles[name], some) for name, some in choices.items()}
    made["date"] = _dates(search, day)
    made["seed"] = _chip(
        search, "seed", _("Seed"), [], "" if search.seed is None else str(search.seed), seed=None
    )
    made["collection"] = _collections(member, search, collections)
    return made


def rest(search: Search) -> list[tuple[str, str]]:
    """What an address says, as the fields of a form."""
    return list(search.pairs())


def _chip(search: Search, name: str, title: str, choices: list[Choice], chosen: str, **without: Any) -> Chip:
    others = replace(search, **without)
    return Chip(name, title, choices, chosen, others.address(), rest(others))


def _of_several(search: Search, name: str, title: str, choices: list[Choice]) -> Chip:
    """A filter of which several values may be chosen."""
    chosen = ", ".join(choice.title for choice in choices if choice.is_chosen)
    return _chip(search, name, title, choices, chosen, **{name: ()})


def _choices(titles: Mapping[Any, str], chosen: tuple[Any, ...]) -> list[Choice]:
    return [Choice(str(value), title, value in chosen) for value, title in titles.items()]


def _people(member: Membership, search: Search) -> dict[int, str]:
    """Everybody who is or was in the team; those asked for stand first if there are very many."""
    people = Membership.objects.filter(team=member.team_id).select_related("user")
    known = {
        one.pk: str(one) for one in people.order_by(F("ended_at").asc(nulls_first=True), "pk")[:MOST_PEOPLE]
    }
    named = [(pk, known.get(pk, _("somebody else"))) for pk in search.who]
    others = sorted((name.casefold(), pk) for pk, name in known.items() if pk not in search.who)
    return dict(named) | {pk: known[pk] for _name, pk in others}


def _tags(member: Membership, search: Search) -> list[Choice]:
    """The tags that are asked for; others are completed while somebody types."""
    known = Tag.objects.filter(team=member.team_id, key__in=search.tag)
    names = dict(known.values_list("key", "name"))
    return [Choice(key, names.get(key, key), is_chosen=True) for key in search.tag]


def _collections(member: Membership, search: Search, shown: list[Collection]) -> Chip:
    choices = [
        Choice(str(one.pk), one.name, one.pk == search.collection, search.but(collection=one.pk).address())
        for one in shown
    ]
    here = Collection.objects.visible_to(member).filter(pk__in=filter(None, [search.collection])).first()
    return _chip(search, "collection", _("Collection"), choices, here.name if here else "", collection=None)


def _dates(search: Search, day: date) -> Chip:
    """Today, this week, this month; and what was chosen, in words."""
    spans = {
        _("Today"): (day, None),
        _("Yesterday"): (day - timedelta(days=1), day - timedelta(days=1)),
        _("This week"): (day - timedelta(days=day.weekday()), None),
        _("This month"): (day.replace(day=1), None),
    }
    now = (search.since, search.until)
    choices = [
        Choice("", title, span == now, search.but(since=span[0], until=span[1]).address())
        for title, span in spans.items()
    ]
    named = next((choice.title for choice in choices if choice.is_chosen), "")
    return _chip(search, "date", _("Date"), choices, named or _span(search), since=None, until=None)


def _span(search: Search) -> str:
    since, until = (day and date_format(day, "SHORT_DATE_FORMAT") for day in (search.since, search.until))
    if since and until:
        return since if since == until else f"{since} – {until}"  # noqa: RUF001  from-to, as it is written
    if since:
        return _("since %(day)s") % {"day": since}
    return _("until %(day)s") % {"day": until} if until else ""
