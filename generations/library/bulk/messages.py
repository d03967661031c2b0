"""What a deed did, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generations.library.bulk import service as bulk_service
from generations.library.models import Act, Collection

if TYPE_CHECKING:
    from generations.library.models import Deed


@dataclass(frozen=True)
class Said:
    """One sentence on what was changed, one on what was not, and whether it can be taken back."""

    done: str
    left_alone: str
    can_be_undone: bool
    percent: int
    left: list[str]  # ids of what was put back after all


def said(deed: Deed) -> Said:
    """How far a deed is, for the person who did it."""
    count = len(deed.changed)
    ended = deed.ended_at is not None
    is_undone = deed.undoes_id is not None or hasattr(deed, "undone_by")
    alone = set(deed.images).difference(deed.changed) if ended and deed.act == Act.TRASH else set()
    return Said(
        done=_undone(deed, count) if deed.undoes_id else _done(deed, count),
        left_alone=_left_alone(deed) if ended and deed.left_alone else "",
        can_be_undone=ended and count > 0 and deed.act in bulk_service.BACK and not is_undone,
        percent=100 * deed.done // max(1, deed.total),
        left=sorted(alone),
    )


def _done(deed: Deed, count: int) -> str:
    about = {"count": _figures(count), "name": deed.argument}
    if deed.act in {Act.COLLECT, Act.TAKE_OUT}:
        about["name"] = _name_of(deed)
    sentences = {
        Act.TAG: ngettext("%(count)s tagged “%(name)s”", "%(count)s tagged “%(name)s”", count),
        Act.UNTAG: ngettext(
            "%(count)s without the tag “%(name)s”", "%(count)s without the tag “%(name)s”", count
        ),
        Act.COLLECT: ngettext("%(count)s put into “%(name)s”", "%(count)s put into “%(name)s”", count),
        Act.TAKE_OUT: ngettext(
            "%(count)s taken out of “%(name)s”", "%(count)s taken out of “%(name)s”", count
        ),
        Act.LIKE: ngettext("%(count)s favourite more", "%(count)s favourites more", count),
        Act.UNLIKE: ngettext("%(count)s favourite less", "%(count)s favourites less", count),
        Act.SHOW_TEAM: ngettext("%(count)s shown to the team", "%(count)s shown to the team", count),
        Act.KEEP_PRIVATE: ngettext("%(count)s kept private", "%(count)s kept private", count),
        Act.TRASH: ngettext("%(count)s in the trash", "%(count)s in the trash", count),
        Act.RESTORE: ngettext("%(count)s restored", "%(count)s restored", count),
        Act.PURGE: ngettext("%(count)s deleted for good", "%(count)s deleted for good", count),
    }
    return sentences[Act(deed.act)] % about


def _undone(deed: Deed, count: int) -> str:
    said = ngettext("Undone for %(count)s picture", "Undone for %(count)s pictures", count)
    return said % {"count": _figures(count)}


def _left_alone(deed: Deed) -> str:
    """What was not changed, and why that may be."""
    reasons = {
        Act.TRASH: _("not yours to change"),
        Act.SHOW_TEAM: _("not yours, or shown already"),
        Act.KEEP_PRIVATE: _("not yours, or private already"),
        Act.RESTORE: _("not yours to bring back"),
        Act.TAG: _("tagged already, or with too many tags"),
        Act.COLLECT: _("in it already"),
        Act.LIKE: _("favourites already"),
    }
    count = deed.left_alone
    said = ngettext("%(count)s was left alone", "%(count)s were left alone", count)
    sentence = said % {"count": _figures(count)}
    reason = "" if deed.undoes_id else reasons.get(Act(deed.act), "")
    return f"{sentence}: {reason}" if reason else sentence


def _name_of(deed: Deed) -> str:
    known = Collection.objects.filter(pk=deed.argument, team=deed.team_id).values_list("name", flat=True)
    return known.first() or _("a collection that is gone")


def _figures(count: int) -> str:
    return number_format(count, force_grouping=True)
